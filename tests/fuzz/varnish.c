/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * varnish.c: playing varnishd.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include SBX_CACHE_PRIVATE_H	/* cache/cache_varnishd.h */

#include "cache/cache_filter.h"
#include "vcl.h"

#include "vmod/vsbx.h"

#include "varnish.h"

struct varnish varnish;

#define VARNISH_FIELDS		600
#define VARNISH_PIECES		64

struct varnish_http {
	struct http		http;
	txt			hd[VARNISH_FIELDS];
	unsigned char		hdf[VARNISH_FIELDS];
};

static struct varnish_http varnish_bereq, varnish_beresp;
static void *varnish_piece[VARNISH_PIECES];
static unsigned varnish_pieces;

#define BODYSTATUS(U, l, n, a, k)					\
	const struct body_status BS_##U[1] = {{ #l, n, a, k }};
#include "tbl/body_status.h"

#define STREAM_CLOSE(nm)						\
	const struct stream_close SC_##nm[1] = {{			\
	    STREAM_CLOSE_MAGIC, 0, 0, #nm, "" }};
STREAM_CLOSE(NULL)
#define SESS_CLOSE(nm, stat, err, desc)	STREAM_CLOSE(nm)
#include "tbl/sess_close.h"

/*--------------------------------------------------------------------
 * Workspace
 */

void *
WS_Alloc(struct ws *ws, unsigned bytes)
{
	void *p;

	AN(ws);
	bytes = (bytes + 7u) & ~7u;
	if (bytes > varnish.room)
		return (NULL);
	varnish.room -= bytes;
	assert(varnish_pieces < VARNISH_PIECES);
	p = malloc(bytes);
	AN(p);
	varnish_piece[varnish_pieces++] = p;
	return (p);
}

uintptr_t
WS_Snapshot(struct ws *ws)
{

	AN(ws);
	return (varnish_pieces);
}

void
WS_Reset(struct ws *ws, uintptr_t to)
{

	AN(ws);
	assert(to <= varnish_pieces);
	while (varnish_pieces > to)
		free(varnish_piece[--varnish_pieces]);
}

void
Varnish_Free(void)
{
	struct ws ws[1];

	WS_Reset(ws, 0);
}

/*--------------------------------------------------------------------
 * Log
 */

void
VSLb(struct vsl_log *vsl, enum VSL_tag_e tag, const char *fmt, ...)
{
	char buf[70000];
	va_list ap;
	int i;

	AN(vsl);
	assert(tag == SLT_VCL_Log || tag == SLT_Error);
	va_start(ap, fmt);
	i = vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	assert(i > 0 && i < (int)sizeof buf);
	varnish.logged++;
}

void
VSLbt(struct vsl_log *vsl, enum VSL_tag_e tag, txt t)
{
	const char *p;

	AN(vsl);
	assert(tag == SLT_VCL_Log || tag == SLT_Timestamp);
	AN(t.b);
	assert(t.b < t.e);
	for (p = t.b; p < t.e; p++)
		assert((unsigned char)*p >= ' ' || *p == '\t');
	varnish.logged++;
}

void
VSLb_ts(struct vsl_log *vsl, const char *event, vtim_real first,
    vtim_real *pprev, vtim_real now)
{

	AN(vsl);
	AN(event);
	(void)first;
	*pprev = now;
}

/*--------------------------------------------------------------------
 * Bodies of requests
 */

static ssize_t
varnish_iterate(void *priv, objiterate_f *func)
{
	const char *b = varnish.body;
	size_t l, left;

	for (left = varnish.body_len; left > 0; left -= l, b += l) {
		l = varnish.chunk < left ? varnish.chunk : left;
		if (func(priv, 0, b, (ssize_t)l))
			return (-1);
	}
	if (func(priv, OBJ_ITER_FLUSH, NULL, 0))
		return (-1);
	return (varnish.body_fails ? -1 : (ssize_t)varnish.body_len);
}

int
ObjIterate(struct worker *wrk, struct objcore *oc, void *priv,
    objiterate_f *func, int final)
{

	AN(wrk);
	AN(oc);
	AZ(final);
	return (varnish_iterate(priv, func) < 0 ? -1 : 0);
}

ssize_t
VRB_Iterate(struct worker *wrk, struct vsl_log *vsl, struct req *req,
    objiterate_f *func, void *priv)
{

	AN(wrk);
	AN(vsl);
	if (varnish.body_fails)
		req->req_body_status = BS_ERROR;
	return (varnish_iterate(priv, func));
}

/*--------------------------------------------------------------------
 * HTTP and sessions
 */

const char *
SES_Get_String_Attr(const struct sess *sp, enum sess_attr a)
{

	CHECK_OBJ_NOTNULL(sp, SESS_MAGIC);
	return (a == SA_CLIENT_IP ? varnish.client_ip : varnish.client_port);
}

const char *
http_GetMethod(const struct http *hp)
{

	CHECK_OBJ_NOTNULL(hp, HTTP_MAGIC);
	return (hp->hd[HTTP_HDR_METHOD].b);
}

void
http_Proto(struct http *hp)
{

	CHECK_OBJ_NOTNULL(hp, HTTP_MAGIC);
	hp->protover = 11;
}

const char *
http_Status2Reason(unsigned status, const char **body)
{

	assert(status >= 100 && status <= 999);
	AZ(body);
	return (status == 200 ? "OK" : "Unknown HTTP Status");
}

/*--------------------------------------------------------------------
 * Fetch filters
 */

struct vfp_entry *
VFP_Push(struct vfp_ctx *vc, const struct vfp *vfp)
{
	static struct vfp_entry vfe;

	CHECK_OBJ_NOTNULL(vc, VFP_CTX_MAGIC);
	AN(vfp->pull);
	if (varnish.room < sizeof vfe)
		return (NULL);
	varnish.room -= sizeof vfe;
	INIT_OBJ(&vfe, VFP_ENTRY_MAGIC);
	vfe.vfp = vfp;
	varnish.vfe = &vfe;
	return (&vfe);
}

enum vfp_status
VFP_Error(struct vfp_ctx *vc, const char *fmt, ...)
{

	(void)vc;
	(void)fmt;
	WRONG("a body that ends early");
	return (VFP_ERROR);
}

/*--------------------------------------------------------------------
 * src/vmod/fetch.c: no program here may fetch.
 */

int
vsbx_fetch_start(void *priv, const struct sbx_fetch_request *rq,
    struct sbx_fetch **fp)
{

	(void)priv;
	(void)rq;
	(void)fp;
	WRONG("a fetch");
	return (-1);
}

int
vsbx_fetch_wait(void *priv, struct sbx_fetch * const *list, unsigned n,
    unsigned want, int64_t deadline)
{

	(void)priv;
	(void)list;
	(void)n;
	(void)want;
	(void)deadline;
	WRONG("a fetch");
	return (-1);
}

const struct sbx_fetch_answer *
vsbx_fetch_answer(void *priv, struct sbx_fetch *f)
{

	(void)priv;
	(void)f;
	WRONG("a fetch");
	return (NULL);
}

void
vsbx_fetch_drop(void *priv, struct sbx_fetch **fp)
{

	(void)priv;
	(void)fp;
	WRONG("a fetch");
}

void
vsbx_guest_end(struct vsbx_guest *g)
{

	CHECK_OBJ_NOTNULL(g, VSBX_GUEST_MAGIC);
	AZ(g->fetches);
}

/*--------------------------------------------------------------------
 * Things
 */

static struct http *
varnish_http(struct varnish_http *h, unsigned shd)
{

	assert(shd <= VARNISH_FIELDS);
	INIT_OBJ(&h->http, HTTP_MAGIC);
	h->http.hd = h->hd;
	h->http.hdf = h->hdf;
	h->http.shd = (uint16_t)shd;
	h->http.nhd = HTTP_HDR_FIRST;
	memset(h->hd, 0, shd * sizeof h->hd[0]);
	memset(h->hdf, 0, shd);
	return (&h->http);
}

void
Varnish_Field(struct http *hp, unsigned n, const char *b, size_t l)
{

	hp->hd[n].b = b;
	hp->hd[n].e = b + l;
	hp->hdf[n] = 0;
}

void
Varnish_Append(struct http *hp, const char *b, size_t l)
{

	if (hp->nhd < hp->shd)
		Varnish_Field(hp, hp->nhd++, b, l);
}

struct vmod_sandbox_program *
Varnish_Program(void)
{
	static struct vmod_sandbox_program prg;
	static char name[] = "app";

	prg.magic = VSBX_PROGRAM_MAGIC;
	prg.name = name;
	return (&prg);
}

struct busyobj *
Varnish_Busyobj(unsigned shd)
{
	static struct busyobj bo[1];
	static struct worker wrk[1];
	static struct vfp_ctx vfc[1];
	static struct sess sp[1];
	static struct objcore oc[1];

	INIT_OBJ(wrk, WORKER_MAGIC);
	INIT_OBJ(vfc, VFP_CTX_MAGIC);
	INIT_OBJ(sp, SESS_MAGIC);
	INIT_OBJ(oc, OBJCORE_MAGIC);
	INIT_OBJ(bo, BUSYOBJ_MAGIC);
	bo->wrk = wrk;
	bo->fetch_objcore = oc;
	bo->sp = sp;
	bo->vfc = vfc;
	bo->vsl->wid = 1001;
	bo->bereq = varnish_http(&varnish_bereq, VARNISH_FIELDS);
	bo->beresp = varnish_http(&varnish_beresp, shd);
	memset(&varnish, 0, sizeof varnish);
	varnish.magic = VARNISH_MAGIC;
	varnish.client_ip = "192.0.2.1";
	varnish.client_port = "4711";
	varnish.room = 65536;
	varnish.chunk = 4096;
	return (bo);
}
