/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * copy.c: structures, strings and headers out of guests.
 *
 * Everything is copied once, and the copy is checked.
 */

#include "config.h"

#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "hostcall/copy.h"
#include "hostcall/header.h"
#include "machine/gmem.h"

void
SBX_Copy_Init(struct sbx_copy *c, struct sbx_gmem *gm,
    struct sbx_store *store)
{

	AN(c);
	AN(store);
	INIT_OBJ(c, SBX_COPY_MAGIC);
	c->gmem = gm;
	SBX_Gpage_Init(&c->page, gm);
	c->store = store;
	store->used = 0;
}

static int
copy_bad(struct sbx_copy *c, enum sbx_bad_e bad, uint64_t va, uint32_t len)
{

	c->bad = bad;
	c->va = va;
	c->len = len;
	return (-1);
}

static int
copy_is_zero(struct sbx_copy *c, uint64_t va, uint32_t len)
{
	uint8_t b[SBX_COPY_STRUCT_MAX];
	uint32_t u;

	assert(len <= sizeof b);
	if (SBX_Gpage_CopyIn(&c->page, b, (sandbox_gva_t){ va }, len))
		return (0);
	for (u = 0; u < len; u++)
		if (b[u] != 0)
			return (0);
	return (1);
}

int
SBX_Copy_Struct(struct sbx_copy *c, void *to, uint32_t len, uint64_t va)
{
	uint32_t size;

	CHECK_OBJ_NOTNULL(c, SBX_COPY_MAGIC);
	AN(to);
	assert(len >= sizeof size && len <= SBX_COPY_STRUCT_MAX);
	if (SBX_Gpage_CopyIn(&c->page, to, (sandbox_gva_t){ va }, len))
		return (copy_bad(c, SBX_BAD_STRUCT, va, len));
	memcpy(&size, to, sizeof size);
	if (size < len || size > SBX_COPY_STRUCT_MAX)
		return (copy_bad(c, SBX_BAD_SIZE, va, size));
	if (size > len && !copy_is_zero(c, va + len, size - len))
		return (copy_bad(c, SBX_BAD_UNKNOWN, va, size));
	return (0);
}

int
SBX_Copy_Str(struct sbx_copy *c, const struct sandbox_str *s,
    struct sbx_txt *t)
{
	struct sbx_store *st;
	char *b;

	CHECK_OBJ_NOTNULL(c, SBX_COPY_MAGIC);
	AN(s);
	AN(t);
	st = c->store;
	if (s->reserved != 0)
		return (copy_bad(c, SBX_BAD_RESERVED, s->ptr.va, s->len));
	if (s->len > sizeof st->bytes - st->used)
		return (copy_bad(c, SBX_BAD_LONG, s->ptr.va, s->len));
	b = st->bytes + st->used;
	if (SBX_Gpage_CopyIn(&c->page, b, s->ptr, s->len))
		return (copy_bad(c, SBX_BAD_STRING, s->ptr.va, s->len));
	st->used += s->len;
	t->b = b;
	t->l = s->len;
	return (0);
}

static int
copy_header(struct sbx_copy *c, sandbox_gva_t at)
{
	struct sbx_header *out = &c->store->header[c->n];
	struct sandbox_header h;

	at.va += c->n * sizeof h;
	if (SBX_Gpage_CopyIn(&c->page, &h, at, sizeof h))
		return (copy_bad(c, SBX_BAD_HEADER, at.va, sizeof h));
	if (SBX_Copy_Str(c, &h.name, &out->name) ||
	    SBX_Copy_Str(c, &h.value, &out->value))
		return (-1);
	if (!SBX_Header_IsToken(&out->name))
		return (copy_bad(c, SBX_BAD_NAME, at.va, 0));
	if (!SBX_Header_IsValue(&out->value))
		return (copy_bad(c, SBX_BAD_VALUE, at.va, 0));
	return (0);
}

int
SBX_Copy_Headers(struct sbx_copy *c, sandbox_gva_t at, uint32_t n)
{

	CHECK_OBJ_NOTNULL(c, SBX_COPY_MAGIC);
	if (n > SANDBOX_MAX_HEADERS)
		return (copy_bad(c, SBX_BAD_MANY, at.va, n));
	for (c->n = 0; c->n < n; c->n++)
		if (copy_header(c, at))
			return (-1);
	return (0);
}
