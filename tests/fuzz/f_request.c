/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A backend request as varnishd has it, through src/vmod/request.c, to the
 * request block in the guest, which must say the same.
 *
 * The input: two characters that say how, then a request as on the wire, but
 * its lines end with LF alone, and may have anything else in them.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cache/cache.h"

#include "base/err.h"
#include "hostcall/exchange.h"
#include "pool/vm_priv.h"
#include "vmod/compat.h"
#include "vmod/vsbx.h"

#include "fakekvm.h"
#include "fuzz.h"
#include "play.h"
#include "varnish.h"

#define REQUEST_FIELDS	500

struct request {
	unsigned		magic;
#define REQUEST_MAGIC		0x7c1e94b3
	struct busyobj		*bo;
	const char		*arg;
	int			served;
	struct sbx_txt		line[3];
	unsigned		n_field;
	struct sbx_txt		name[REQUEST_FIELDS], value[REQUEST_FIELDS];
	int			has_length;
};

static struct request request;

/*--------------------------------------------------------------------
 * In the guest
 */

static void
request_in(uint64_t va, void *b, size_t l)
{
	uint8_t *d = b;
	const uint8_t *s;

	for (; l > 0; l--, va++) {
		s = Play_At(va, 0);
		AN(s);
		*d++ = *s;
	}
}

/* It is there, with a NUL behind it. */
static void
request_str(const struct sandbox_str *s, const char *b, size_t l)
{
	char *g;

	AZ(s->reserved);
	assert(s->len == l);
	g = malloc(l + 1);
	AN(g);
	request_in(s->ptr.va, g, l + 1);
	AZ(memcmp(g, b, l));
	AZ(g[l]);
	free(g);
}

static void
request_fields(const struct request *rq, const struct sandbox_request *r)
{
	struct sandbox_header h;
	char cl[32];
	unsigned u;

	for (u = 0; u < r->n_headers; u++) {
		request_in(r->headers.va + u * sizeof h, &h, sizeof h);
		if (u < rq->n_field) {
			request_str(&h.name, rq->name[u].b, rq->name[u].l);
			request_str(&h.value, rq->value[u].b, rq->value[u].l);
			continue;
		}
		assert(u == rq->n_field);
		(void)snprintf(cl, sizeof cl, "%zu", varnish.body_len);
		request_str(&h.name, "Content-Length", 14);
		request_str(&h.value, cl, strlen(cl));
	}
	assert(u == rq->n_field + (varnish.body_len > 0 || rq->has_length));
}

static void
request_guest(void *priv, struct fake_vm *vm)
{
	struct sandbox_request r;
	struct request *rq;
	size_t u;
	uint8_t c;

	CAST_OBJ_NOTNULL(rq, priv, REQUEST_MAGIC);
	request_in(Play_Window(), &r, sizeof r);
	assert(r.version == SANDBOX_ABI_VERSION);
	assert(r.size == sizeof r);
	AZ(r.flags);
	AZ(r.reserved);
	assert(r.xid == 1001);
	request_str(&r.method, rq->line[0].b, rq->line[0].l);
	request_str(&r.url, rq->line[1].b, rq->line[1].l);
	request_str(&r.proto, rq->line[2].b, rq->line[2].l);
	request_str(&r.arg, rq->arg == NULL ? "" : rq->arg,
	    rq->arg == NULL ? 0 : strlen(rq->arg));
	request_str(&r.client_ip, varnish.client_ip,
	    strlen(varnish.client_ip));
	request_fields(rq, &r);
	assert(r.body_len == varnish.body_len);
	AZ(r.body.va % SBX_PAGE);
	for (u = 0; u < varnish.body_len; u++) {
		request_in(r.body.va + u, &c, 1);
		assert(c == ((const uint8_t *)varnish.body)[u]);
	}
	rq->served = 1;
	Play_Answer(vm);
}

/*--------------------------------------------------------------------
 * In varnishd
 */

static int
request_is(const char *b, size_t l, const char *what)
{

	return (l == strlen(what) && !strncasecmp(b, what, l));
}

/* What a program must never see, and what we say ourselves. */
static int
request_is_kept(struct request *rq, const char *b, size_t l)
{
	static const char * const hop[] = {
		"Connection", "HTTP2-Settings", "Keep-Alive", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade", "Proxy-Connection",
	};
	unsigned u;

	for (u = 0; u < sizeof hop / sizeof *hop; u++)
		if (request_is(b, l, hop[u]))
			return (0);
	if (!request_is(b, l, "Content-Length"))
		return (1);
	rq->has_length = 1;
	return (0);
}

static void
request_field(struct request *rq, const char *b, size_t l, int filtered)
{
	struct http *hp = rq->bo->bereq;
	const char *p, *e = b + l;

	if (hp->nhd >= REQUEST_FIELDS)
		return;
	Varnish_Append(hp, b, l);
	if (filtered) {
		hp->hdf[hp->nhd - 1] |= HDF_FILTER;
		return;
	}
	p = memchr(b, ':', l);
	if (p == NULL || !request_is_kept(rq, b, (size_t)(p - b)))
		return;
	rq->name[rq->n_field] = (struct sbx_txt){ b, (size_t)(p - b) };
	for (p++; p < e && (*p == ' ' || *p == '\t'); p++)
		continue;
	rq->value[rq->n_field++] = (struct sbx_txt){ p, (size_t)(e - p) };
}

static size_t
request_line(const char *b, const char *e)
{
	const char *p;

	p = memchr(b, '\n', (size_t)(e - b));
	return ((size_t)((p == NULL ? e : p) - b));
}

/* Returns where the body begins. */
static const char *
request_parse(struct request *rq, const char *b, const char *e)
{
	const char *end, *p;
	size_t l;
	unsigned u;

	end = b + request_line(b, e);
	for (u = 0; u < 3; u++) {
		p = u < 2 ? memchr(b, ' ', (size_t)(end - b)) : NULL;
		if (p == NULL)
			p = end;
		rq->line[u] = (struct sbx_txt){ b, (size_t)(p - b) };
		Varnish_Field(rq->bo->bereq, u + HTTP_HDR_METHOD, b,
		    rq->line[u].l);
		b = p < end ? p + 1 : end;
	}
	for (b = end < e ? end + 1 : e; b < e; b += l < (size_t)(e - b) ?
	    l + 1 : l) {
		l = request_line(b, e);
		if (l == 0)
			return (b + 1);
		request_field(rq, b, l, b[0] == '#');
	}
	return (e);
}

static void
request_how(struct request *rq, unsigned how, struct req *req)
{
	static char oc;

	if (how & 1)
		rq->bo->bereq_body = (void *)&oc;
	else {
		INIT_OBJ(req, REQ_MAGIC);
		req->req_body_status =
		    varnish.body_len > 0 ? BS_LENGTH : BS_NONE;
		rq->bo->req = req;
	}
	if (how & 2)
		varnish.client_ip = "2001:db8::1";
	if (how & 4)
		varnish.client_port = NULL;
	varnish.body_fails = (how & 8) && varnish.body_len > 0;
	if (how & 16)
		varnish.room = 1000;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{

	(void)argc;
	(void)argv;
	Play_Init("ssssssssssssssss");
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{
	struct request *rq = &request;
	static struct req req;
	struct vsbx_task task;
	struct sbx_err err;
	const char *body, *e;

	if (l < 2)
		return (0);
	SBX_Err_Clear(&err);
	INIT_OBJ(rq, REQUEST_MAGIC);
	e = (const char *)b + l;
	rq->bo = Varnish_Busyobj(64);
	body = request_parse(rq, (const char *)b + 2, e);
	varnish.body = body;
	varnish.body_len = (size_t)(e - body);
	varnish.chunk = b[1];
	if (varnish.chunk == 0)
		varnish.chunk = 1;
	request_how(rq, b[0], &req);
	if (b[0] & 32)
		rq->arg = "an argument";
	INIT_OBJ(&task, VSBX_TASK_MAGIC);
	task.prg = Varnish_Program();
	task.vm = Play_Lend(request_guest, rq);
	if (vsbx_request_serve(rq->bo, &task, rq->arg, &err)) {
		AN(err.msg[0]);
		assert(err.kind == SBX_FAIL_HOST ||
		    err.kind == SBX_FAIL_REQUEST);
		AZ(rq->served);
	} else {
		AN(rq->served);
		AZ(varnish.body_fails);
	}
	Varnish_Free();
	Play_Return();
	return (0);
}
