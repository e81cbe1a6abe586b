/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * delivery.c: the answer to a fetch, into the space that the guest has for it.
 *
 * There: the header array, strings, each with a NUL; then the body, and a NUL.
 */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "hostcall/fetch.h"
#include "hostcall/http.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "machine/machine.h"

/* Where the next bytes go. */
struct delivery {
	struct sbx_proc		*p;
	uint64_t		va;
	int			failed;
};

/* With time to look at the clock: it may be much. */
static sandbox_gva_t
delivery_put(struct delivery *d, const void *b, uint64_t len)
{
	sandbox_gva_t at = { d->va };
	const char *from = b;
	uint64_t l;

	for (; len > 0 && !d->failed; from += l, d->va += l, len -= l) {
		l = len < SBX_SYS_CHUNK ? len : SBX_SYS_CHUNK;
		if (SBX_Sys_Late(d->p))
			SBX_Proc_KillLate(d->p);
		d->failed = d->p->kill != SBX_KILL_NONE ||
		    SBX_Gmem_CopyOut(&d->p->machine->gmem,
		    (sandbox_gva_t){ d->va }, from, l);
	}
	return (at);
}

static struct sandbox_str
delivery_str(struct delivery *d, const struct sbx_txt *t)
{
	struct sandbox_str s;

	memset(&s, 0, sizeof s);
	s.len = (uint32_t)t->l;
	s.ptr = delivery_put(d, t->b, t->l);
	(void)delivery_put(d, "", 1);
	return (s);
}

/* The array is at (at), (d) is where strings go. */
static void
delivery_headers(struct delivery *d, const struct sbx_fetch_answer *a,
    uint64_t at)
{
	struct delivery array = { d->p, at, 0 };
	struct sandbox_header h;
	unsigned u;

	for (u = 0; u < a->n_headers && !d->failed; u++) {
		h.name = delivery_str(d, &a->headers[u].name);
		h.value = delivery_str(d, &a->headers[u].value);
		(void)delivery_put(&array, &h, sizeof h);
		d->failed |= array.failed;
	}
}

/* All but the bytes that align the array. */
static uint64_t
delivery_size(const struct sbx_fetch_answer *a)
{
	uint64_t l;
	unsigned u;

	l = a->n_headers * sizeof(struct sandbox_header);
	for (u = 0; u < a->n_headers; u++)
		l += a->headers[u].name.l + a->headers[u].value.l + 2;
	return (l + a->reason.l + 1 + a->body_len + 1);
}

int
SBX_Fetch_Deliver(struct sbx_proc *p, const struct sbx_fetch_answer *a,
    struct sandbox_fetch_response *r)
{
	const uint64_t align = sizeof(uint64_t) - 1;
	struct delivery d = { p, 0, 0 };
	uint64_t len, pad;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	AN(a);
	AN(r);
	len = delivery_size(a);
	pad = -r->space.va & align;
	if (len + pad > r->space_len) {
		r->need = len + align;
		return (EMSGSIZE);
	}
	d.va = r->space.va + pad + a->n_headers * sizeof(struct sandbox_header);
	delivery_headers(&d, a, r->space.va + pad);
	r->headers.va = a->n_headers > 0 ? r->space.va + pad : 0;
	r->n_headers = a->n_headers;
	r->reason = delivery_str(&d, &a->reason);
	r->body = delivery_put(&d, a->body, a->body_len);
	(void)delivery_put(&d, "", 1);
	if (a->body_len == 0)
		r->body.va = 0;
	r->body_len = a->body_len;
	r->status = a->status;
	r->flags = a->hit ? SANDBOX_FETCH_HIT : 0;
	return (d.failed ? EFAULT : 0);
}
