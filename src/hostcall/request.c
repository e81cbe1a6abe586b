/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * request.c: writing the request block.
 *
 * In the window: struct sandbox_request, the vDSO's clock, header array,
 * strings, each with a NUL; from SANDBOX_MAX_REQUEST_BLOCK on, the body.
 */

#include "config.h"

#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "hostcall/exchange.h"
#include "linux/proc.h"
#include "machine/machine.h"

void
SBX_Exchange_Begin(struct sbx_exchange *x)
{

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	x->request_len = 0;
	SBX_Fetch_Begin(&x->fetches);
	memset(&x->answer, 0, sizeof x->answer);
	x->body.va = 0;
}

int
SBX_Exchange_Body(struct sbx_exchange *x, struct sbx_proc *p, const void *b,
    uint64_t len, struct sbx_err *err)
{
	const struct sbx_layout *lay;

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	lay = p->layout;
	if (len > lay->body_max - x->request_len)
		return (SBX_Err_Set(err, SBX_FAIL_REQUEST, 0,
		    "the request body is larger than max_request_body "
		    "(%ju bytes)", (uintmax_t)lay->body_max));
	/* the window is the host's own and was mapped writable, but a guest
	 * may have protected it before it was frozen */
	if (SBX_Gmem_CopyOut(&p->machine->gmem, (sandbox_gva_t){
	    lay->window + SANDBOX_MAX_REQUEST_BLOCK + x->request_len },
	    b, len))
		return (SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "the program has protected its request window"));
	x->request_len += len;
	return (0);
}

/* Where the next bytes of the block go. */
struct request_block {
	struct sbx_proc		*p;
	struct sbx_gpage	page;
	uint64_t		used;
	int			failed;
};

static sandbox_gva_t
request_put(struct request_block *rb, const void *b, uint64_t len)
{
	sandbox_gva_t va = { rb->p->layout->window + rb->used };

	if (rb->failed || len > SANDBOX_MAX_REQUEST_BLOCK - rb->used) {
		rb->failed = 1;
		return (va);
	}
	if (SBX_Gpage_CopyOut(&rb->page, va, b, len))
		rb->failed = 1;
	rb->used += len;
	return (va);
}

/* With a NUL behind it. */
static struct sandbox_str
request_str(struct request_block *rb, const struct sbx_txt *t)
{
	struct sandbox_str s;

	memset(&s, 0, sizeof s);
	if (t->l >= SANDBOX_MAX_REQUEST_BLOCK) {
		rb->failed = 1;
		return (s);
	}
	s.len = (uint32_t)t->l;
	s.ptr = request_put(rb, t->b, t->l);
	(void)request_put(rb, "", 1);
	return (s);
}

/* The array, then its strings; so that the guest finds them side by side. */
static sandbox_gva_t
request_headers(struct request_block *rb, const struct sbx_request *req)
{
	struct sandbox_header h;
	uint64_t at, end;
	unsigned u;

	at = rb->used;
	end = at + req->n_headers * sizeof h;
	if (req->n_headers > SANDBOX_MAX_REQUEST_BLOCK / sizeof h ||
	    end > SANDBOX_MAX_REQUEST_BLOCK) {
		rb->failed = 1;
		return ((sandbox_gva_t){ 0 });
	}
	for (u = 0; u < req->n_headers && !rb->failed; u++) {
		rb->used = end;
		h.name = request_str(rb, &req->headers[u].name);
		h.value = request_str(rb, &req->headers[u].value);
		end = rb->used;
		rb->used = at + u * sizeof h;
		(void)request_put(rb, &h, sizeof h);
	}
	rb->used = end;
	return ((sandbox_gva_t){ rb->p->layout->window + at });
}

int
SBX_Exchange_Request(struct sbx_exchange *x, struct sbx_proc *p,
    const struct sbx_request *req, const struct sbx_moment *now,
    struct sbx_err *err)
{
	struct request_block rb;
	const struct sbx_clock clock = {
		.tsc = now->tsc,
		.mult = now->tsc_mult,
		.wall_ns = now->wall_ns,
		.mono_ns = now->mono_ns,
	};
	struct sandbox_request r;

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	AN(req);
	rb.p = p;
	rb.used = sizeof r;
	rb.failed = 0;
	SBX_Gpage_Init(&rb.page, &p->machine->gmem);
	(void)request_put(&rb, &clock, sizeof clock);
	memset(&r, 0, sizeof r);
	r.version = SANDBOX_ABI_VERSION;
	r.size = sizeof r;
	r.flags = req->flags;
	r.n_headers = req->n_headers;
	r.headers = request_headers(&rb, req);
	if (x->request_len > 0)
		r.body.va = p->layout->window + SANDBOX_MAX_REQUEST_BLOCK;
	r.body_len = x->request_len;
	r.max_response_body = x->body_max;
	r.xid = req->xid;
	r.wall_ns = now->wall_ns;
	r.mono_ns = now->mono_ns;
	r.timeout_ns = now->timeout_ns;
	memcpy(r.random, now->random, sizeof r.random);
	r.method = request_str(&rb, &req->method);
	r.url = request_str(&rb, &req->url);
	r.proto = request_str(&rb, &req->proto);
	r.arg = request_str(&rb, &req->arg);
	r.client_ip = request_str(&rb, &req->client_ip);
	r.client_port = req->client_port;
	rb.used = 0;
	(void)request_put(&rb, &r, sizeof r);
	if (rb.failed)
		return (SBX_Err_Set(err, SBX_FAIL_REQUEST, 0,
		    "the request's headers do not fit into %d bytes",
		    SANDBOX_MAX_REQUEST_BLOCK));
	return (0);
}
