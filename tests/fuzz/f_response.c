/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An answer in the guest, through src/vmod/response.c and body.c, to beresp
 * and a body in Varnish.
 *
 * The input: three characters that say how; a line with the request's method,
 * the status and the reason; header lines; a body. Lines end with LF; a byte of
 * 1 stands for an LF in a line and one of 2 for a NUL.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include SBX_CACHE_PRIVATE_H	/* cache/cache_varnishd.h */

#include "cache/cache_filter.h"
#include "vcl.h"

#include "base/err.h"
#include "hostcall/exchange.h"
#include "pool/vm_priv.h"
#include "vmod/compat.h"
#include "vmod/vsbx.h"

#include "fakekvm.h"
#include "fuzz.h"
#include "play.h"
#include "varnish.h"

#define RESPONSE_MAX	65536

struct response {
	unsigned		magic;
#define RESPONSE_MAGIC		0x5e90c2d7
	char			method[16];
	struct sandbox_response	r;
	struct sandbox_header	h[SANDBOX_MAX_HEADERS + 1];
	char			text[RESPONSE_MAX];
	size_t			text_len;
	uint64_t		text_va;
	const uint8_t		*body;
};

static struct response response;

/* Into the guest's memory, behind each other. */
static struct sandbox_str
response_str(struct response *rs, const char *b, size_t l)
{
	struct sandbox_str s;
	size_t u;

	memset(&s, 0, sizeof s);
	if (l > sizeof rs->text - rs->text_len)
		l = sizeof rs->text - rs->text_len;
	s.ptr.va = rs->text_va + rs->text_len;
	s.len = (uint32_t)l;
	for (u = 0; u < l; u++)
		rs->text[rs->text_len++] = b[u] == 1 ? '\n' :
		    b[u] == 2 ? '\0' : b[u];
	return (s);
}

static size_t
response_line(const char *b, const char *e)
{
	const char *p;

	p = memchr(b, '\n', (size_t)(e - b));
	return ((size_t)((p == NULL ? e : p) - b));
}

/* "GET 200 Fine" */
static void
response_first(struct response *rs, const char *b, size_t l)
{
	const char *e = b + l, *p;
	size_t n;

	p = memchr(b, ' ', l);
	n = p == NULL ? l : (size_t)(p - b);
	if (n > sizeof rs->method - 1)
		n = sizeof rs->method - 1;
	memcpy(rs->method, b, n);
	if (p == NULL)
		return;
	for (p++; p < e && *p >= '0' && *p <= '9'; p++)
		rs->r.status = (rs->r.status * 10 + (uint32_t)(*p - '0')) %
		    100000;
	if (p < e)
		rs->r.reason = response_str(rs, p + 1, (size_t)(e - p) - 1);
}

static void
response_parse(struct response *rs, const char *b, const char *e)
{
	const char *p;
	size_t l;

	l = response_line(b, e);
	response_first(rs, b, l);
	for (b += l < (size_t)(e - b) ? l + 1 : l; b < e; b += l + 1) {
		l = response_line(b, e);
		if (l == 0 || rs->r.n_headers > SANDBOX_MAX_HEADERS)
			break;
		p = memchr(b, ':', l);
		if (p == NULL)
			p = b + l;
		rs->h[rs->r.n_headers].name = response_str(rs, b,
		    (size_t)(p - b));
		if (p < b + l)
			p++;
		rs->h[rs->r.n_headers++].value = response_str(rs, p,
		    (size_t)(b + l - p));
		if (l == (size_t)(e - b))
			return;
	}
	if (b >= e)
		return;
	rs->body = (const uint8_t *)b + 1;
	rs->r.body_len = (uint64_t)(e - b) - 1;
}

static void
response_guest(void *priv, struct fake_vm *vm)
{
	struct response *rs;
	uint64_t va;

	CAST_OBJ_NOTNULL(rs, priv, RESPONSE_MAGIC);
	va = Play_Arena();
	Play_Write(vm, rs->text_va, rs->text, rs->text_len);
	Play_Write(vm, va + 4096, rs->h, rs->r.n_headers * sizeof rs->h[0]);
	Play_Write(vm, va + RESPONSE_MAX * 2, rs->body, rs->r.body_len);
	rs->r.size = sizeof rs->r;
	rs->r.headers.va = va + 4096;
	rs->r.body.va = va + RESPONSE_MAX * 2;
	Play_Write(vm, va, &rs->r, sizeof rs->r);
	Play_Next(vm, va);
}

/*--------------------------------------------------------------------
 * What beresp has to be
 */

static int
response_is(const char *b, const char *name)
{
	size_t l = strlen(name);

	return (!strncasecmp(b, name, l) && b[l] == ':');
}

static void
response_check_field(const txt *t, int token)
{
	static const char * const never[] = {
		"Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
		"Transfer-Encoding", "X-Varnish", "Proxy-Connection",
		"Proxy-Authenticate", "HTTP2-Settings",
	};
	const char *p;
	unsigned u;

	AN(t->b);
	AZ(*t->e);
	assert(strlen(t->b) == (size_t)(t->e - t->b));
	for (p = t->b; p < t->e; p++)
		assert(((unsigned char)*p >= ' ' && *p != 0x7f) || *p == '\t');
	if (!token)
		return;
	p = strchr(t->b, ':');
	AN(p);
	assert(p > t->b && p[1] == ' ');
	assert(strcspn(t->b, " \t") > (size_t)(p - t->b));
	for (u = 0; u < sizeof never / sizeof *never; u++)
		AZ(response_is(t->b, never[u]));
}

static void
response_check(const struct response *rs, const struct busyobj *bo)
{
	const struct http *hp = bo->beresp;
	unsigned u, lengths = 0;
	uint64_t length = 0;
	int none;

	assert(hp->status == rs->r.status);
	assert(hp->status >= 200 && hp->status <= 999);
	assert(hp->nhd < hp->shd);
	response_check_field(&hp->hd[HTTP_HDR_PROTO], 0);
	response_check_field(&hp->hd[HTTP_HDR_STATUS], 0);
	response_check_field(&hp->hd[HTTP_HDR_REASON], 0);
	assert((unsigned)atoi(hp->hd[HTTP_HDR_STATUS].b) == rs->r.status);
	for (u = HTTP_HDR_FIRST; u < hp->nhd; u++) {
		response_check_field(&hp->hd[u], 1);
		if (response_is(hp->hd[u].b, "Content-Length")) {
			lengths++;
			length = strtoull(hp->hd[u].b + 15, NULL, 10);
		}
	}
	none = hp->status == 204 || hp->status == 304;
	assert(lengths <= 1);
	assert(none ? lengths == 0 : lengths == 1 ||
	    !strcmp(rs->method, "HEAD"));
	if (!none && strcmp(rs->method, "HEAD"))
		assert(length == rs->r.body_len);
	AN(bo->htc);
	assert(varnish.vfe != NULL ||
	    bo->htc->body_status == BS_NONE);
}

/* The body, piece by piece. */
static uint64_t
response_pull(const struct response *rs, struct busyobj *bo, size_t chunk)
{
	enum vfp_status vs = VFP_OK;
	uint64_t off = 0;
	uint8_t *b;
	ssize_t l;

	b = malloc(chunk);
	AN(b);
	while (varnish.vfe != NULL && vs == VFP_OK) {
		l = (ssize_t)chunk;
		vs = varnish.vfe->vfp->pull(bo->vfc, varnish.vfe, b, &l);
		assert(vs == VFP_OK || vs == VFP_END);
		assert(l >= 0 && (size_t)l <= chunk);
		assert((uint64_t)l <= rs->r.body_len - off);
		AZ(memcmp(b, rs->body + off, (size_t)l));
		off += (uint64_t)l;
	}
	free(b);
	return (off);
}

static void
response_apply(const struct response *rs, struct busyobj *bo,
    struct vsbx_task *task, size_t chunk)
{
	struct sbx_err err;
	int none;

	SBX_Err_Clear(&err);
	Varnish_Field(bo->bereq, HTTP_HDR_METHOD, rs->method,
	    strlen(rs->method));
	if (vsbx_response_apply(bo, task, &err)) {
		AN(err.msg[0]);
		assert(err.kind == SBX_FAIL_HOST);
		AZ(bo->htc);
		return;
	}
	response_check(rs, bo);
	none = rs->r.status == 204 || rs->r.status == 304 ||
	    !strcmp(rs->method, "HEAD");
	assert(response_pull(rs, bo, chunk) == (none ? 0 : rs->r.body_len));
	(void)vsbx_body_close(bo);
	AZ(bo->htc);
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
	static const struct sbx_request rq = {
		.method = { "GET", 3 }, .url = { "/", 1 },
		.proto = { "HTTP/1.1", 8 }, .arg = { "", 0 },
		.client_ip = { "127.0.0.1", 9 },
	};
	struct response *rs = &response;
	struct vsbx_task task;
	struct busyobj *bo;
	struct sbx_err err;

	if (l < 3 || l > RESPONSE_MAX / 2)
		return (0);
	SBX_Err_Clear(&err);
	memset(rs, 0, offsetof(struct response, text));
	rs->magic = RESPONSE_MAGIC;
	rs->text_len = 0;
	rs->text_va = Play_Arena() + RESPONSE_MAX;
	rs->body = b;
	response_parse(rs, (const char *)b + 3, (const char *)b + l);
	bo = Varnish_Busyobj(8 + b[0] % 8 * 40u);
	varnish.room = (size_t)16 << b[1] % 14;
	INIT_OBJ(&task, VSBX_TASK_MAGIC);
	task.prg = Varnish_Program();
	task.vm = Play_Lend(response_guest, rs);
	if (!SBX_VM_Serve(task.vm, &rq, NULL, &err))
		response_apply(rs, bo, &task, 1 + (size_t)b[2] * 7);
	Varnish_Free();
	Play_Return();
	return (0);
}
