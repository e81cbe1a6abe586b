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

#include "hostcall/copy.h"
#include "hostcall/exchange.h"
#include "hostcall/header.h"
#include "linux/proc.h"
#include "machine/machine.h"

#define ANSWER_NO(p, ...)						\
	SBX_Proc_Kill((p), SBX_KILL_answer, __VA_ARGS__)

/* Say what is wrong. */
static int
answer_bad(struct sbx_proc *p, const struct sbx_copy *c)
{
	const struct sbx_txt *name;

	switch (c->bad) {
	case SBX_BAD_STRUCT:
		ANSWER_NO(p, "answer: the response is at address 0x%jx, which "
		    "the guest does not have", (uintmax_t)c->va);
		break;
	case SBX_BAD_SIZE:
		ANSWER_NO(p, "answer: struct sandbox_response says it has %u "
		    "bytes, %zu are expected", c->len,
		    sizeof(struct sandbox_response));
		break;
	case SBX_BAD_UNKNOWN:
		ANSWER_NO(p, "answer: struct sandbox_response has something "
		    "in it that this host does not know");
		break;
	case SBX_BAD_RESERVED:
		ANSWER_NO(p, "answer: a reserved member is not zero");
		break;
	case SBX_BAD_MANY:
		ANSWER_NO(p, "answer: %u headers, at most %d are possible",
		    c->len, SANDBOX_MAX_HEADERS);
		break;
	case SBX_BAD_HEADER:
		ANSWER_NO(p, "answer: header %u is at address 0x%jx, which "
		    "the guest does not have", c->n, (uintmax_t)c->va);
		break;
	case SBX_BAD_STRING:
		ANSWER_NO(p, "answer: %u bytes of header at address 0x%jx, "
		    "which the guest does not have", c->len,
		    (uintmax_t)c->va);
		break;
	case SBX_BAD_LONG:
		ANSWER_NO(p, "answer: headers take more than %d bytes",
		    SANDBOX_MAX_HEADER_BYTES);
		break;
	case SBX_BAD_NAME:
		ANSWER_NO(p, "answer: the name of header %u is empty or has "
		    "a character that is not allowed", c->n);
		break;
	case SBX_BAD_VALUE:
		name = &c->store->header[c->n].name;
		ANSWER_NO(p, "answer: header %.*s has a control character "
		    "in its value", (int)(name->l < 64 ? name->l : 64),
		    name->b);
		break;
	default:
		WRONG("nothing is");
	}
	return (-1);
}

static int
answer_head(struct sbx_exchange *x, struct sbx_proc *p, uint64_t va,
    struct sandbox_response *r)
{
	struct sbx_copy c;

	SBX_Copy_Init(&c, &p->machine->gmem, &x->store);
	if (SBX_Copy_Struct(&c, r, sizeof *r, va))
		return (answer_bad(p, &c));
	if (r->reserved != 0) {
		c.bad = SBX_BAD_UNKNOWN;
		return (answer_bad(p, &c));
	}
	if (r->status < 200 || r->status > 999) {
		ANSWER_NO(p, "answer: status %u, possible are 200 to 999",
		    r->status);
		return (-1);
	}
	if (SBX_Copy_Str(&c, &r->reason, &x->answer.reason) ||
	    SBX_Copy_Headers(&c, r->headers, r->n_headers))
		return (answer_bad(p, &c));
	if (!SBX_Header_IsValue(&x->answer.reason)) {
		ANSWER_NO(p, "answer: a control character in the reason");
		return (-1);
	}
	x->answer.status = r->status;
	x->answer.n_headers = r->n_headers;
	x->answer.headers = x->store.header;
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

int
SBX_Exchange_Answer(struct sbx_exchange *x, struct sbx_proc *p, uint64_t va)
{
	struct sandbox_response r;

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (answer_head(x, p, va, &r) || answer_body(x, p, &r))
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
