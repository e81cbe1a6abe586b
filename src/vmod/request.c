/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From bereq to the guest, and the run.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

#include "vtim.h"

#include "base/err.h"
#include "base/os.h"
#include "hostcall/header.h"
#include "pool/vm.h"
#include "vmod/compat.h"
#include "vmod/log.h"
#include "vmod/vsbx.h"

/*--------------------------------------------------------------------
 * The body: to the guest's memory as it comes, in whatever form Varnish has
 * it, which is all that V1F_SendReq() does for an HTTP backend.
 */

struct req_body {
	unsigned		magic;
#define REQ_BODY_MAGIC		0x90a5d6e1
	struct sbx_vm		*vm;
	struct sbx_err		*err;
	uint64_t		len;
};

static int v_matchproto_(objiterate_f)
req_body_bytes(void *priv, unsigned flush, const void *ptr, ssize_t len)
{
	struct req_body *rb;

	CAST_OBJ_NOTNULL(rb, priv, REQ_BODY_MAGIC);
	(void)flush;
	if (len <= 0)
		return (0);
	if (SBX_VM_Body(rb->vm, ptr, (size_t)len, rb->err))
		return (-1);
	rb->len += (uint64_t)len;
	return (0);
}

/* From a client that we may have to hang up on: what it still has to send
 * nobody is going to read. */
static int
req_body_client(struct busyobj *bo, struct req_body *rb)
{
	ssize_t i;

	CHECK_OBJ_NOTNULL(bo->req, REQ_MAGIC);
	i = VRB_Iterate(bo->wrk, bo->vsl, bo->req, req_body_bytes, rb);
	if (bo->req->req_body_status != BS_CACHED)
		bo->no_retry = "req.body not cached";
	if (bo->req->req_body_status == BS_ERROR)
		bo->req->doclose = SC_RX_BODY;
	return (i < 0 ? -1 : 0);
}

int
vsbx_request_has_body(const struct busyobj *bo)
{

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	return (bo->bereq_body != NULL ||
	    (bo->req != NULL && bo->req->req_body_status != BS_NONE));
}

/* Filters that compress or check the body would have to be run here. Leaving
 * them out in silence could let something through that VCL wants stopped. */
static int
req_is_filtered(const struct busyobj *bo)
{
	const char *filters = VSBX_BEREQ_FILTERS(bo);

	return (filters != NULL && *filters != '\0');
}

static int
req_body(struct busyobj *bo, struct req_body *rb)
{
	int i = 0;

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_ORNULL(bo->req, REQ_MAGIC);
	CHECK_OBJ_NOTNULL(rb, REQ_BODY_MAGIC);
	if (vsbx_request_has_body(bo) && req_is_filtered(bo))
		return (SBX_Err_Set(rb->err, SBX_FAIL_HOST, 0,
		    "bereq.filters is not supported with a body; unset it"));
	if (bo->bereq_body != NULL)
		i = ObjIterate(bo->wrk, bo->bereq_body, rb, req_body_bytes, 0);
	else if (vsbx_request_has_body(bo))
		i = req_body_client(bo, rb);
	bo->acct.bereq_bodybytes += rb->len;
	VSLb_ts_busyobj(bo, "Bereq", W_TIM_real(bo->wrk));
	if (i == 0)
		return (0);
	/* The first one wins, this is for when it was not the VM. */
	return (SBX_Err_Set(rb->err, SBX_FAIL_HOST, 0,
	    "the request body could not be read"));
}

/*--------------------------------------------------------------------
 * Headers
 */

static int
req_header(const txt *hd, struct sbx_header *h)
{
	const char *p;

	p = memchr(hd->b, ':', (size_t)(hd->e - hd->b));
	if (p == NULL)
		return (-1);
	h->name.b = hd->b;
	h->name.l = (size_t)(p - hd->b);
	for (p++; p < hd->e && (*p == ' ' || *p == '\t'); p++)
		continue;
	h->value.b = p;
	h->value.l = (size_t)(hd->e - p);
	return (0);
}

/* (cl) is the text of a Content-Length that is right, because VCL may have
 * changed it, and with chunked encoding there is none. */
static unsigned
req_headers(struct busyobj *bo, struct sbx_header *h, uint64_t body_len,
    const char *cl)
{
	const struct http *hp;
	unsigned u, n = 0, has_cl = 0;

	hp = bo->bereq;
	CHECK_OBJ_NOTNULL(hp, HTTP_MAGIC);
	for (u = HTTP_HDR_FIRST; u < hp->nhd; u++) {
		if (hp->hd[u].b == NULL || (hp->hdf[u] & HDF_FILTER) ||
		    req_header(&hp->hd[u], &h[n]))
			continue;
		bo->acct.bereq_hdrbytes += h[n].name.l + h[n].value.l + 4;
		if (SBX_Header_Is(&h[n].name, "Content-Length"))
			has_cl = 1;
		else if (!SBX_Header_IsHop(&h[n].name))
			n++;
	}
	if (!has_cl && body_len == 0)
		return (n);
	h[n].name.b = "Content-Length";
	h[n].name.l = strlen(h[n].name.b);
	h[n].value.b = cl;
	h[n].value.l = strlen(cl);
	return (n + 1);
}

/*--------------------------------------------------------------------
 * The rest
 */

static struct sbx_txt
req_field(struct busyobj *bo, unsigned n)
{
	struct sbx_txt t;
	const txt *hd;

	hd = &bo->bereq->hd[n];
	if (hd->b == NULL)
		return (SBX_Txt(NULL));
	t.b = hd->b;
	t.l = (size_t)(hd->e - hd->b);
	bo->acct.bereq_hdrbytes += t.l + 1;
	return (t);
}

static void
req_client(const struct busyobj *bo, struct sbx_request *req)
{
	const char *port;

	CHECK_OBJ_NOTNULL(bo->sp, SESS_MAGIC);
	req->client_ip = SBX_Txt(SES_Get_String_Attr(bo->sp, SA_CLIENT_IP));
	port = SES_Get_String_Attr(bo->sp, SA_CLIENT_PORT);
	if (port != NULL)
		req->client_port = (unsigned)strtoul(port, NULL, 10) & 0xffff;
}

/*--------------------------------------------------------------------*/

static void
req_host(struct sbx_host *host, struct vsbx_guest *g)
{

	memset(host, 0, sizeof *host);
	host->priv = g;
	host->log = vsbx_log_guest;
	if (g->prg->max_fetches == 0)
		return;
	host->fetch_start = vsbx_fetch_start;
	host->fetch_wait = vsbx_fetch_wait;
	host->fetch_answer = vsbx_fetch_answer;
	host->fetch_drop = vsbx_fetch_drop;
}

static int
req_run(struct busyobj *bo, struct vsbx_task *task, const char *arg,
    uint64_t body_len, struct sbx_err *err)
{
	struct sbx_request req;
	struct sbx_header *h;
	struct sbx_host host;
	struct vsbx_guest g[1];
	char cl[24];
	uintptr_t ws;
	int i;

	memset(&req, 0, sizeof req);
	bprintf(cl, "%ju", (uintmax_t)body_len);
	ws = WS_Snapshot(bo->ws);
	h = WS_Alloc(bo->ws, (bo->bereq->nhd + 1U) * sizeof *h);
	if (h == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, 0,
		    "workspace_backend is full; raise that parameter"));
	req.method = req_field(bo, HTTP_HDR_METHOD);
	req.url = req_field(bo, HTTP_HDR_URL);
	req.proto = req_field(bo, HTTP_HDR_PROTO);
	req.arg = SBX_Txt(arg);
	req.xid = VXID(bo->vsl->wid);
	req.headers = h;
	req.n_headers = req_headers(bo, h, body_len, cl);
	req_client(bo, &req);

	INIT_OBJ(g, VSBX_GUEST_MAGIC);
	g->bo = bo;
	g->prg = task->prg;
	g->deadline = SBX_Os_Mono() +
	    SBX_Os_Nano(task->prg->request_timeout);
	req_host(&host, g);
	i = SBX_VM_Serve(task->vm, &req, &host, err);
	vsbx_guest_end(g);
	WS_Reset(bo->ws, ws);
	vsbx_log_run(bo, task, i == 0);
	return (i);
}

int
vsbx_request_serve(struct busyobj *bo, struct vsbx_task *task, const char *arg,
    struct sbx_err *err)
{
	struct req_body rb[1];

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);
	AN(task->vm);
	AN(err);
	INIT_OBJ(rb, REQ_BODY_MAGIC);
	rb->vm = task->vm;
	rb->err = err;
	if (req_body(bo, rb))
		return (-1);
	return (req_run(bo, task, arg, rb->len, err));
}
