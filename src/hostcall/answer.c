/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * answer.c: reading and checking what a guest answers.
 *
 * Everything is copied once, and the copy is checked. The body stays where it
 * is: nobody runs in the VM before it is put back.
 */

#include "config.h"

#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "hostcall/exchange.h"
#include "linux/proc.h"
#include "machine/machine.h"

/* RFC 9110, 5.6.2 */
static int
answer_is_token(const char *b, size_t l)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";
	size_t u;

	for (u = 0; u < l; u++)
		if (!((b[u] >= '0' && b[u] <= '9') ||
		    (b[u] >= 'A' && b[u] <= 'Z') ||
		    (b[u] >= 'a' && b[u] <= 'z') ||
		    (b[u] != '\0' && strchr(extra, b[u]) != NULL)))
			return (0);
	return (l > 0);
}

/* RFC 9110, 5.5: no control characters but TAB */
static int
answer_is_value(const char *b, size_t l)
{
	size_t u;

	for (u = 0; u < l; u++)
		if ((b[u] >= 0 && b[u] < ' ' && b[u] != '\t') || b[u] == 0x7f)
			return (0);
	return (1);
}

/* No struct sandbox_response will ever be larger. */
#define ANSWER_SIZE_MAX		4096

#define ANSWER_NO(p, ...)						\
	SBX_Proc_Kill((p), SBX_KILL_answer, __VA_ARGS__)

/* Copy a string behind the (*used) bytes that are there already. */
static int
answer_str(struct sbx_exchange *x, struct sbx_proc *p,
    const struct sandbox_str *s, size_t *used, struct sbx_txt *t)
{
	char *b;

	if (s->reserved != 0) {
		ANSWER_NO(p, "answer: a reserved member is not zero");
		return (-1);
	}
	if (s->len > sizeof x->bytes - *used) {
		ANSWER_NO(p, "answer: headers take more than %d bytes",
		    SANDBOX_MAX_HEADER_BYTES);
		return (-1);
	}
	b = x->bytes + *used;
	if (SBX_Gmem_CopyIn(&p->machine->gmem, b, s->ptr, s->len)) {
		ANSWER_NO(p, "answer: %u bytes of header at address 0x%jx, "
		    "which the guest does not have", s->len,
		    (uintmax_t)s->ptr.va);
		return (-1);
	}
	*used += s->len;
	t->b = b;
	t->l = s->len;
	return (0);
}

static int
answer_header(struct sbx_exchange *x, struct sbx_proc *p, unsigned n,
    sandbox_gva_t at, size_t *used)
{
	struct sandbox_header h;
	struct sbx_header *out = &x->header[n];

	at.va += n * sizeof h;
	if (SBX_Gmem_CopyIn(&p->machine->gmem, &h, at, sizeof h)) {
		ANSWER_NO(p, "answer: header %u is at address 0x%jx, which "
		    "the guest does not have", n, (uintmax_t)at.va);
		return (-1);
	}
	if (answer_str(x, p, &h.name, used, &out->name) ||
	    answer_str(x, p, &h.value, used, &out->value))
		return (-1);
	if (!answer_is_token(out->name.b, out->name.l)) {
		ANSWER_NO(p, "answer: the name of header %u is empty or has "
		    "a character that is not allowed", n);
		return (-1);
	}
	if (!answer_is_value(out->value.b, out->value.l)) {
		ANSWER_NO(p, "answer: header %.*s has a control character "
		    "in its value", (int)(out->name.l < 64 ? out->name.l : 64),
		    out->name.b);
		return (-1);
	}
	return (0);
}

static int
answer_headers(struct sbx_exchange *x, struct sbx_proc *p,
    const struct sandbox_response *r)
{
	size_t used = 0;
	unsigned u;

	if (r->n_headers > SANDBOX_MAX_HEADERS) {
		ANSWER_NO(p, "answer: %u headers, at most %d are possible",
		    r->n_headers, SANDBOX_MAX_HEADERS);
		return (-1);
	}
	if (answer_str(x, p, &r->reason, &used, &x->answer.reason))
		return (-1);
	if (!answer_is_value(x->answer.reason.b, x->answer.reason.l)) {
		ANSWER_NO(p, "answer: a control character in the reason");
		return (-1);
	}
	for (u = 0; u < r->n_headers; u++)
		if (answer_header(x, p, u, r->headers, &used))
			return (-1);
	x->answer.n_headers = r->n_headers;
	x->answer.headers = x->header;
	return (0);
}

static int
answer_body(struct sbx_exchange *x, struct sbx_proc *p,
    const struct sandbox_response *r)
{

	if (r->body_len > x->body_max) {
		ANSWER_NO(p, "answer: the body has %ju bytes, "
		    "max_response_body is %ju", (uintmax_t)r->body_len,
		    (uintmax_t)x->body_max);
		return (-1);
	}
	if (!SBX_Gmem_Check(&p->machine->gmem, r->body, r->body_len,
	    SBX_ACC_READ)) {
		ANSWER_NO(p, "answer: a body of %ju bytes at address 0x%jx, "
		    "which the guest does not have", (uintmax_t)r->body_len,
		    (uintmax_t)r->body.va);
		return (-1);
	}
	x->body = r->body;
	x->answer.body_len = r->body_len;
	return (0);
}

/* What (len) bytes at (va) are, as far as they are not zero. */
static int
answer_is_zero(const struct sbx_proc *p, uint64_t va, uint64_t len)
{
	uint8_t b[ANSWER_SIZE_MAX];
	uint64_t u;

	assert(len <= sizeof b);
	if (SBX_Gmem_CopyIn(&p->machine->gmem, b, (sandbox_gva_t){ va }, len))
		return (0);
	for (u = 0; u < len; u++)
		if (b[u] != 0)
			return (0);
	return (1);
}

/*
 * A guest that was built with a later SDK may have a longer struct; that is
 * all right as long as it does not use what we do not know.
 */
static int
answer_struct(struct sbx_proc *p, uint64_t va, struct sandbox_response *r)
{
	const struct sbx_gmem *gm = &p->machine->gmem;

	if (SBX_Gmem_CopyIn(gm, r, (sandbox_gva_t){ va }, sizeof *r)) {
		ANSWER_NO(p, "answer: the response is at address 0x%jx, which "
		    "the guest does not have", (uintmax_t)va);
		return (-1);
	}
	if (r->size < sizeof *r || r->size > ANSWER_SIZE_MAX) {
		ANSWER_NO(p, "answer: struct sandbox_response says it has %u "
		    "bytes, %zu are expected", r->size, sizeof *r);
		return (-1);
	}
	if (!answer_is_zero(p, va + sizeof *r, r->size - sizeof *r) ||
	    r->reserved != 0) {
		ANSWER_NO(p, "answer: struct sandbox_response has something "
		    "in it that this host does not know");
		return (-1);
	}
	return (0);
}

int
SBX_Exchange_Answer(struct sbx_exchange *x, struct sbx_proc *p, uint64_t va)
{
	struct sandbox_response r;

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (answer_struct(p, va, &r))
		return (-1);
	if (r.status < 200 || r.status > 999) {
		ANSWER_NO(p, "answer: status %u, possible are 200 to 999",
		    r.status);
		return (-1);
	}
	x->answer.status = r.status;
	if (answer_headers(x, p, &r) || answer_body(x, p, &r))
		return (-1);
	return (0);
}

uint64_t
SBX_Exchange_AnswerBody(const struct sbx_exchange *x,
    const struct sbx_proc *p, uint64_t off, void *dst, uint64_t len)
{

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (off >= x->answer.body_len)
		return (0);
	if (len > x->answer.body_len - off)
		len = x->answer.body_len - off;
	/* checked when the guest answered, and it has not run since */
	AZ(SBX_Gmem_CopyIn(&p->machine->gmem, dst,
	    (sandbox_gva_t){ x->body.va + off }, len));
	return (len);
}
