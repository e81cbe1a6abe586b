/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A sub-request: a request of Varnish's whose client is a guest.
 *
 * This is one of two files that know varnishd's private parts (the other one
 * is body.c). What it does is what Varnish does itself for ESI includes
 * (cache_esi_deliver.c) and for the streams of HTTP/2 (http2/): make a request,
 * have CNT_Request() run it on a worker thread, and take what it delivers. The
 * differences:
 *
 * A session of its own.  A request needs a session. ESI and HTTP/2 use the
 *	client's. Here each sub-request gets a new one without a connection:
 *	with the addresses of the client, so that client.ip and ACLs mean what
 *	they mean, and with a struct vsbx_origin in its workspace. All that is
 *	done for the sub-request has this session, be it on other threads or
 *	later: backend requests, those in the background, ESI includes. So all
 *	of them know their depth, and VCL can ask; nothing of that passes
 *	through headers. Nor does anything that happens to a sub-request touch
 *	the client's session, which other threads use. The attribute that says
 *	which transport a session has holds a number that no transport has: that
 *	is how such a session is known, and no client can do it.
 *
 * A transport of its own.  struct transport is the table of what a request
 *	does differently, depending on who has asked. It is varnishd's private
 *	matter, so vsbx_subreq_check() has transport.c compare varnishd's with
 *	what we know before it is used for the first time.
 *
 * Threads.  It is scheduled as TASK_QUEUE_STR: a thread is taken only if three
 *	fifths of the pool's reserve stay idle, else it waits in the pool's
 *	queue, where fetch.c does not wait for it for long. The chapter
 *	"Fetching" of doc/design.rst shows why there is no deadlock.
 *
 * Pipe.  http0->protover is that of HTTP/2, for which Varnish makes a pass of
 *	return (pipe): there is no connection to be piped.
 *
 * Who holds what, beside what fetch.h says:
 *
 * - the session: one reference here, until the request has been released,
 *   which needs it; one for each backend request, Varnish's own business.
 *   Varnish frees it with the last one.
 * - the VCL is that which the guest's fetch uses. One reference is req->vcl,
 *   which Varnish takes care of (return (vcl(...)) may change it); the other
 *   one is fetch->vcl, so that the program object does not go away.
 * - the request: this thread's, until CNT_Request() says that it is on a
 *   waiting list. Then whoever takes it off there calls our reembark(), maybe
 *   before we have come back from CNT_Request(): vsbx_fetch_park() and
 *   vsbx_fetch_wake() agree on who goes on with it.
 */

#include "config.h"

#include SBX_CACHE_PRIVATE_H	/* cache/cache_varnishd.h */

#include "cache/cache_filter.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "vcl.h"
#include "vsa.h"
#include "vtim.h"

#include "vmod/compat.h"
#include "vmod/fetch.h"
#include "vmod/transport.h"
#include "vmod/vsbx.h"

/* From the same header as struct transport */
struct sess *SES_New(struct pool *);

static const struct transport subreq_transport;

/*--------------------------------------------------------------------
 * Is this varnishd one that we know?
 */

/* The symbol's size is that of the structure. */
static const char *
subreq_check_http1(const struct transport **tp)
{
	const ElfW(Sym) *sym;
	const void *p;
	Dl_info info;
	void *extra;

	p = dlsym(RTLD_DEFAULT, "HTTP1_transport");
	if (p == NULL || dladdr1(p, &info, &extra, RTLD_DL_SYMENT) == 0 ||
	    extra == NULL)
		return ("it has no HTTP1_transport");
	sym = extra;
	*tp = p;
	return (vsbx_transport_check(p, info.dli_saddr == p ?
	    sym->st_size : 0, dlsym(RTLD_DEFAULT, "V1D_Deliver")));
}

/* That of HTTP/1, if all is well. */
static uint16_t subreq_http1_number;

/* What sub-requests have for a connection: a socket of the worker's that never
 * is one. VMODs set options of the client's socket, as std.set_ip_tos() does,
 * which panics if there is none, or if it is not of the kind of the client's
 * address. One for IPv6 takes the options of both kinds. */
static int subreq_fd = -1;

static int
subreq_socket(void)
{
	int i;

	i = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Where there is no IPv6 no client has it. */
	return (i >= 0 ? i : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

const char *
vsbx_subreq_check(void)
{
	const struct transport *t;
	const char *why;

	ASSERT_CLI();
	why = subreq_check_http1(&t);
	if (why != NULL)
		return (why);
	if (subreq_fd < 0)
		subreq_fd = subreq_socket();
	if (subreq_fd < 0)
		return ("a socket could not be made");
	subreq_http1_number = t->number;
	return (NULL);
}

/*--------------------------------------------------------------------
 * The session
 */

const struct vsbx_origin *
vsbx_subreq_origin(const struct sess *sp)
{
	const struct vsbx_origin *o;
	uintptr_t *up;

	CHECK_OBJ_NOTNULL(sp, SESS_MAGIC);
	if (sp->sattr[SA_TRANSPORT] != VSBX_TRANSPORT_NUMBER)
		return (NULL);
	AZ(SES_Get_proto_priv(sp, &up));
	o = (const void *)*up;
	CHECK_OBJ_NOTNULL(o, VSBX_ORIGIN_MAGIC);
	return (o);
}

/* Addresses and strings. Not PROXY's TLVs, whose owner is the client's
 * session. Those that the client's does not have, this does not have. */
static int
subreq_sess_attr(struct sess *sp, struct sess *from)
{
	struct suckaddr *sa, *to;
	const char *s;
	ssize_t l;

#define ADDR(name)							\
	if (SES_Get_##name(from, &sa) == 0) {				\
		l = (ssize_t)vsa_suckaddr_len;				\
		if (!SES_Reserve_##name(sp, &to, &l))			\
			return (-1);					\
		memcpy(to, sa, vsa_suckaddr_len);			\
	}
#define STRING(name)							\
	s = SES_Get_String_Attr(from, name);				\
	if (s != NULL && !SES_Set_String_Attr(sp, name, s))		\
		return (-1);
	ADDR(remote_addr)
	ADDR(local_addr)
	ADDR(client_addr)
	ADDR(server_addr)
	STRING(SA_CLIENT_IP)
	STRING(SA_CLIENT_PORT)
#undef ADDR
#undef STRING
	return (0);
}

static int
subreq_sess_origin(struct sess *sp, const struct sbx_fetch *f)
{
	struct vsbx_origin *o;
	const char *name = f->of->prg->name;
	uintptr_t *up;
	ssize_t l = sizeof *up;

	o = WS_Alloc(sp->ws, (unsigned)(sizeof *o + strlen(name) + 1));
	if (o == NULL || !SES_Reserve_proto_priv(sp, &up, &l))
		return (-1);
	memset(o, 0, sizeof *o);
	o->magic = VSBX_ORIGIN_MAGIC;
	o->depth = f->depth;
	o->deadline = f->deadline;
	memcpy(o->program, name, strlen(name) + 1);
	*up = (uintptr_t)o;
	sp->sattr[SA_TRANSPORT] = VSBX_TRANSPORT_NUMBER;
	return (0);
}

/* NULL if it does not fit into workspace_session. */
static struct sess *
subreq_sess(const struct busyobj *bo, const struct sbx_fetch *f)
{
	struct sess *sp, *from;

	from = bo->sp;
	CHECK_OBJ_NOTNULL(from, SESS_MAGIC);
	sp = SES_New(from->pool);
	AN(sp);
	sp->fd = subreq_fd;
	sp->listen_sock = from->listen_sock;
	sp->vxid = from->vxid;
	sp->t_open = from->t_open;
	sp->t_idle = from->t_open;
	if (subreq_sess_attr(sp, from) == 0 &&
	    subreq_sess_origin(sp, f) == 0)
		return (sp);
	SES_Rel(sp);
	return (NULL);
}

/*--------------------------------------------------------------------
 * The client, whoever it is
 */

int
vsbx_subreq_is_alone(const struct busyobj *bo)
{

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(bo->sp, SESS_MAGIC);
	return (bo->sp->sattr[SA_TRANSPORT] == subreq_http1_number ||
	    vsbx_subreq_origin(bo->sp) != NULL);
}

int
vsbx_subreq_client_gone(const struct busyobj *bo)
{
	struct pollfd fd;

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(bo->sp, SESS_MAGIC);
	if (vsbx_subreq_origin(bo->sp) != NULL)
		return (vsbx_fetch_is_dropped(bo->sp));
	/* The client's thread waits for the headers that we are about to make,
	 * so nobody closes the connection. */
	fd.fd = bo->sp->fd;
	fd.events = POLLRDHUP;
	fd.revents = 0;
	return (poll(&fd, 1, 0) > 0 &&
	    (fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
}

/*--------------------------------------------------------------------
 * The request
 */

/* What is written one behind the other, each with a NUL. */
struct subreq_text {
	char			*p;
	const char		*e;
};

static void
subreq_put(struct subreq_text *t, const char *b, size_t l)
{

	assert(l < (size_t)(t->e - t->p));
	memcpy(t->p, b, l);
	t->p += l;
	*t->p = '\0';
}

static void
subreq_field(const struct http *hp, unsigned n, struct subreq_text *t,
    const struct sbx_txt *name, const struct sbx_txt *value)
{

	assert(n < hp->shd);
	hp->hd[n].b = t->p;
	hp->hdf[n] = 0;
	if (name != NULL) {
		subreq_put(t, name->b, name->l);
		subreq_put(t, ": ", 2);
	}
	subreq_put(t, value->b, value->l);
	hp->hd[n].e = t->p++;
}

static struct sbx_txt
subreq_host(const struct busyobj *bo, const struct sbx_fetch_request *rq)
{
	const char *p;

	if (rq->host.l > 0)
		return (rq->host);
	if (!http_GetHdr(bo->bereq, H_Host, &p))
		p = NULL;
	return (SBX_Txt(p));
}

/* Bytes of it all, at most. */
static size_t
subreq_bytes(const struct sbx_fetch_request *rq, const struct sbx_txt *host)
{
	size_t l;
	unsigned u;

	l = rq->method.l + rq->url.l + sizeof "HTTP/1.1" +
	    sizeof "Host: " + host->l +
	    sizeof "Content-Length: 18446744073709551615" + 8;
	for (u = 0; u < rq->n_headers; u++)
		l += rq->headers[u].name.l + rq->headers[u].value.l + 3;
	return (l);
}

/* Returns an errno. */
static int
subreq_http(const struct busyobj *bo, struct req *req,
    const struct sbx_fetch_request *rq)
{
	const struct sbx_txt proto = SBX_Txt("HTTP/1.1");
	const struct sbx_txt host_name = SBX_Txt("Host");
	const struct sbx_txt cl_name = SBX_Txt("Content-Length");
	struct sbx_txt host, cl;
	struct subreq_text t;
	struct http *hp;
	char buf[24];
	size_t l;
	unsigned u;

	host = subreq_host(bo, rq);
	l = subreq_bytes(rq, &host);
	hp = req->http;
	HTTP_Setup(hp, req->ws, req->vsl, SLT_ReqMethod);
	/* Host, Content-Length, and what Varnish adds, such as Via. */
	if (l > UINT_MAX / 2 || hp->nhd + rq->n_headers + 4 > hp->shd)
		return (E2BIG);
	t.p = WS_Alloc(req->ws, (unsigned)l);
	if (t.p == NULL)
		return (E2BIG);
	t.e = t.p + l;
	subreq_field(hp, HTTP_HDR_METHOD, &t, NULL, &rq->method);
	subreq_field(hp, HTTP_HDR_URL, &t, NULL, &rq->url);
	subreq_field(hp, HTTP_HDR_PROTO, &t, NULL, &proto);
	hp->protover = 20;
	if (host.l > 0)
		subreq_field(hp, hp->nhd++, &t, &host_name, &host);
	for (u = 0; u < rq->n_headers; u++)
		subreq_field(hp, hp->nhd++, &t, &rq->headers[u].name,
		    &rq->headers[u].value);
	if (rq->body_len > 0) {
		bprintf(buf, "%ju", (uintmax_t)rq->body_len);
		cl = SBX_Txt(buf);
		subreq_field(hp, hp->nhd++, &t, &cl_name, &cl);
	}
	return (0);
}

static struct req *
subreq_new(struct busyobj *bo, struct sess *sp, struct sbx_fetch *f)
{
	struct req *req;

	req = VSBX_REQ_NEW(sp);
	CHECK_OBJ_NOTNULL(req, REQ_MAGIC);
	req->req_step = R_STP_TRANSPORT;
	req->transport = &subreq_transport;
	req->transport_priv = f;
	if (f->body_len > 0) {
		req->req_body_status = BS_LENGTH;
		req->htc->content_length = (ssize_t)f->body_len;
	} else
		req->req_body_status = BS_NONE;
	req->vcl = bo->vcl;
	VCL_Ref(req->vcl);
	AZ(f->vcl);
	f->vcl = bo->vcl;
	VCL_Ref(f->vcl);
	return (req);
}

/* What nobody has run, or what has run to its end. */
static void
subreq_release(struct req **reqp)
{
	struct sess *sp;
	struct req *req;

	TAKE_OBJ_NOTNULL(req, reqp, REQ_MAGIC);
	sp = req->sp;
	if (req->vcl != NULL)
		VCL_Rel(&req->vcl);
	Req_Release(req);
	SES_Rel(sp);
}

/*--------------------------------------------------------------------
 * The run, on a thread of its own
 */

static void
subreq_over(struct sbx_fetch *f)
{
	struct vcl *vcl = f->vcl;

	AN(vcl);
	vsbx_fetch_over(&f);
	VCL_Rel(&vcl);
}

static void
subreq_begin(struct worker *wrk, struct req *req, const struct sbx_fetch *f)
{
	vtim_real now = W_TIM_real(wrk);

	VSLb(req->vsl, SLT_Begin, "req %ju sandbox %u", f->parent, f->depth);
	VSLb(req->vsl, SLT_VCL_Log, "sandbox %s: depth=%u", f->of->prg->name,
	    f->depth);
	VSLb_ts_req(req, "Start", now);
	VSLb_ts_req(req, "Req", now);
	req->t_req = now;
	VSLb(req->vsl, SLT_VCL_use, "%s", VCL_Name(req->vcl));
	VCL_TaskEnter(req->privs);
	VCL_TaskEnter(req->top->privs);
}

static void
subreq_run(struct worker *wrk, struct req *req)
{
	struct sbx_fetch *f;
	struct sess *sp;

	CAST_OBJ_NOTNULL(f, req->transport_priv, SBX_FETCH_MAGIC);
	THR_SetRequest(req);
	for (;;) {
		CNT_Embark(wrk, req);
		if (CNT_Request(req) != REQ_FSM_DISEMBARK)
			break;
		if (vsbx_fetch_park(f, req->digest) == 0) {
			THR_SetRequest(NULL);
			return;
		}
	}
	AZ(req->top->vcl0);
	sp = req->sp;
	Req_Cleanup(sp, wrk, req);
	THR_SetRequest(NULL);
	subreq_release(&req);
	subreq_over(f);
}

static void v_matchproto_(task_func_t)
subreq_again(struct worker *wrk, void *priv)
{
	struct req *req;

	CAST_OBJ_NOTNULL(req, priv, REQ_MAGIC);
	subreq_run(wrk, req);
}

static void v_matchproto_(task_func_t)
subreq_first(struct worker *wrk, void *priv)
{
	struct sbx_fetch *f;
	struct req *req;

	CAST_OBJ_NOTNULL(req, priv, REQ_MAGIC);
	CAST_OBJ_NOTNULL(f, req->transport_priv, SBX_FETCH_MAGIC);
	if (vsbx_fetch_run(f) == 0) {
		subreq_begin(wrk, req, f);
		subreq_run(wrk, req);
		return;
	}
	/* Its parent has a Link to it. */
	VSLb(req->vsl, SLT_Begin, "req %ju sandbox %u", f->parent, f->depth);
	VSLb(req->vsl, SLT_Error, "sandbox %s: given up, it got no thread in"
	    " time", f->of->prg->name);
	subreq_release(&req);
	subreq_over(f);
}

int
vsbx_subreq_start(struct busyobj *bo, struct sbx_fetch *f,
    const struct sbx_fetch_request *rq)
{
	struct sess *sp;
	struct req *req;
	int i;

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AN(rq);
	AN(subreq_http1_number);	/* vsbx_subreq_check() was content */
	sp = subreq_sess(bo, f);
	if (sp == NULL)
		return (E2BIG);
	vsbx_fetch_name(f, sp);
	req = subreq_new(bo, sp, f);
	i = subreq_http(bo, req, rq);
	if (i == 0) {
		req->vsl->wid = VXID_Get(bo->wrk, VSL_CLIENTMARKER);
		f->xid = VXID(req->vsl->wid);
		f->parent = VXID(bo->vsl->wid);
		req->task->func = subreq_first;
		req->task->priv = req;
		do
			i = Pool_Task(bo->wrk->pool, req->task, TASK_QUEUE_STR);
		while (i != 0 && vsbx_fetch_try_again(f));
		if (i == 0) {
			VSLb(bo->vsl, SLT_Link, "req %ju sandbox %u",
			    f->xid, f->depth);
			return (0);
		}
		req->vsl->wid = VSBX_NO_VXID;
		i = EAGAIN;
	}
	subreq_release(&req);
	VCL_Rel(&f->vcl);
	return (i);
}

/*--------------------------------------------------------------------
 * What our transport does differently
 */

static struct sbx_fetch *
subreq_fetch(const struct req *req)
{
	struct sbx_fetch *f;

	CHECK_OBJ_NOTNULL(req, REQ_MAGIC);
	assert(req->transport == &subreq_transport);
	CAST_OBJ_NOTNULL(f, req->transport_priv, SBX_FETCH_MAGIC);
	return (f);
}

/* On the thread of whoever has finished what this request waited for. This
 * queue has no limit. */
static void
subreq_reembark(struct worker *wrk, struct req *req)
{

	(void)wrk;
	if (vsbx_fetch_wake(subreq_fetch(req)))
		return;
	req->task->func = subreq_again;
	req->task->priv = req;
	AZ(Pool_Task(req->sp->pool, req->task, TASK_QUEUE_RUSH));
}

static enum vfp_status v_matchproto_(vfp_pull_f)
subreq_pull(struct vfp_ctx *vc, struct vfp_entry *vfe, void *ptr, ssize_t *lp)
{
	struct sbx_fetch *f;

	CHECK_OBJ_NOTNULL(vc, VFP_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(vfe, VFP_ENTRY_MAGIC);
	CAST_OBJ_NOTNULL(f, vfe->priv1, SBX_FETCH_MAGIC);
	AN(ptr);
	AN(lp);
	assert(*lp >= 0);
	*lp = (ssize_t)vsbx_fetch_read(f, ptr, (size_t)*lp);
	return (f->body_off == f->body_len ? VFP_END : VFP_OK);
}

static const struct vfp subreq_vfp[1] = {{
	.name =		"sandbox_fetch",
	.pull =		subreq_pull,
}};

static void
subreq_req_body(struct req *req)
{
	struct vfp_entry *vfe;

	vfe = VFP_Push(req->vfc, subreq_vfp);
	if (vfe == NULL)
		req->req_body_status = BS_ERROR;
	else
		vfe->priv1 = subreq_fetch(req);
}

/*
 * Its priv is what subreq_deliver() looks at afterwards.
 */
struct subreq_sink {
	unsigned		magic;
#define SUBREQ_SINK_MAGIC	0x3e90ab5d
	struct sbx_fetch	*fetch;
	int			error;
};

static int v_matchproto_(vdp_bytes_f)
subreq_bytes_vdp(struct vdp_ctx *vdc, enum vdp_action act, void **priv,
    const void *ptr, ssize_t len)
{
	struct subreq_sink *sink;

	CHECK_OBJ_NOTNULL(vdc, VDP_CTX_MAGIC);
	AN(priv);
	CAST_OBJ_NOTNULL(sink, *priv, SUBREQ_SINK_MAGIC);
	(void)act;
	if (sink->error == 0 && len > 0)
		sink->error = vsbx_fetch_bytes(sink->fetch, ptr, (size_t)len);
	return (sink->error == 0 ? 0 : -1);
}

static int v_matchproto_(vdp_fini_f)
subreq_fini_vdp(struct vdp_ctx *vdc, void **priv)
{

	CHECK_OBJ_NOTNULL(vdc, VDP_CTX_MAGIC);
	AN(priv);
	*priv = NULL;			/* it was on a stack */
	return (0);
}

static const struct vdp subreq_vdp[1] = {{
	.name =		"sandbox_fetch",
	.bytes =	subreq_bytes_vdp,
	.fini =		subreq_fini_vdp,
}};

/* Returns an errno. */
static int
subreq_deliver_body(struct req *req, struct sbx_fetch *f)
{
	struct subreq_sink sink;
	struct vrt_ctx ctx[1];

	/* Nothing needs to be read to know that it is too large. */
	if (req->resp_len > 0 && (uint64_t)req->resp_len > f->max_body)
		return (EMSGSIZE);
	INIT_OBJ(&sink, SUBREQ_SINK_MAGIC);
	sink.fetch = f;
	INIT_OBJ(ctx, VRT_CTX_MAGIC);
	VCL_Req2Ctx(ctx, req);
	if (VDP_Push(ctx, req->vdc, req->ws, subreq_vdp, &sink))
		return (EIO);
	if (VDP_DeliverObj(req->vdc, req->objcore) && sink.error == 0)
		sink.error = EIO;
	if (sink.error == 0 && (req->objcore->flags & OC_F_FAILED))
		sink.error = EIO;
	return (sink.error);
}

static VSBX_DELIVER_T
subreq_deliver(VSBX_DELIVER_ARGS)
{
	struct sbx_fetch *f;
	int i;

	VSBX_DELIVER_UNUSED;
	f = subreq_fetch(req);
	CHECK_OBJ_NOTNULL(req->objcore, OBJCORE_MAGIC);
	i = WS_Overflowed(req->ws) ? EIO : vsbx_fetch_head(f, req->resp);
	if (i == 0 && sendbody)
		i = subreq_deliver_body(req, f);
	/* Without a body too: there are the filters that VCL has named. */
	req->acct.resp_bodybytes += VSBX_VDP_CLOSE(req);
	if (i == 0)
		f->answer.hit = req->is_hit ? 1 : 0;
	else if (i != ECANCELED)
		VSLb(req->vsl, SLT_Error, "sandbox %s: not delivered: %s",
		    f->of->prg->name, strerror(i));
	if (i != 0)
		req->doclose = SC_TX_ERROR;
	vsbx_fetch_end(f, i);
	VSBX_DELIVER_RETURN;
}

/* When Varnish can not or will not ask VCL. */
static int
subreq_minimal_response(struct req *req, uint16_t status)
{
	struct sbx_fetch *f;
	int i;

	f = subreq_fetch(req);
	if (status < 200)
		return (0);
	HTTP_Setup(req->resp, req->ws, req->vsl, SLT_RespMethod);
	http_PutResponse(req->resp, "HTTP/1.1", status, NULL);
	i = vsbx_fetch_head(f, req->resp);
	vsbx_fetch_end(f, i);
	return (0);
}

/* Where HTTP/1 would close the connection. */
static void
subreq_req_fail(struct req *req, stream_close_t reason)
{

	CHECK_OBJ_NOTNULL(reason, STREAM_CLOSE_MAGIC);
	vsbx_fetch_end(subreq_fetch(req), EIO);
}

static void
subreq_req_panic(struct vsb *vsb, const struct req *req)
{
	const struct sbx_fetch *f;

	f = req->transport_priv;
	if (f != NULL && f->magic == SBX_FETCH_MAGIC)
		VSB_printf(vsb, "sandbox: a guest fetches %s, depth %u,"
		    " bereq %ju\n", f->what, f->depth, f->parent);
}

static const struct transport subreq_transport = {
	.magic =		TRANSPORT_MAGIC,
	.number =		VSBX_TRANSPORT_NUMBER,
	.proto_ident =		"SANDBOX",
	.name =			"SANDBOX",
	.req_fail =		subreq_req_fail,
	.req_body =		subreq_req_body,
	.deliver =		subreq_deliver,
	.req_panic =		subreq_req_panic,
	.reembark =		subreq_reembark,
	.minimal_response =	subreq_minimal_response,
};
