/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * far.c: which reservations there are.
 */

#include "config.h"

#include <stddef.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "linux/far.h"
#include "machine/layout.h"

void
SBX_Far_Init(struct sbx_far *f, uint64_t lo, uint64_t hi, uint64_t table,
    uint64_t table_end)
{

	memset(f, 0, offsetof(struct sbx_far, map));
	f->magic = SBX_FAR_MAGIC;
	AZ(lo % SBX_PAGE);
	AZ(hi % SBX_PAGE);
	assert(lo <= hi);
	assert(table <= table_end);
	f->lo = lo;
	f->hi = hi;
	f->table = table;
	f->table_end = table_end;
}

void
SBX_Far_Copy(struct sbx_far *to, const struct sbx_far *from)
{

	CHECK_OBJ_NOTNULL(from, SBX_FAR_MAGIC);
	memcpy(to, from, offsetof(struct sbx_far, map) +
	    from->n * sizeof *from->map);
	to->changed = 0;
}

int
SBX_Far_Is(const struct sbx_far *f, uint64_t lo, uint64_t hi)
{

	CHECK_OBJ_NOTNULL(f, SBX_FAR_MAGIC);
	return (lo <= hi && lo >= f->lo && hi <= f->hi);
}

const struct sbx_far_map *
SBX_Far_Find(const struct sbx_far *f, uint64_t va)
{
	unsigned u;

	CHECK_OBJ_NOTNULL(f, SBX_FAR_MAGIC);
	for (u = 0; u < f->n; u++)
		if (va >= f->map[u].lo && va < f->map[u].hi)
			return (&f->map[u]);
	return (NULL);
}

/* The first range that ends behind (va). */
static unsigned
far_at(const struct sbx_far *f, uint64_t va)
{
	unsigned u;

	for (u = 0; u < f->n && f->map[u].hi <= va; u++)
		continue;
	return (u);
}

/* Let a range begin at (va), if it is in the middle of one. */
static void
far_split(struct sbx_far *f, uint64_t va)
{
	struct sbx_far_map *m;
	unsigned u;

	u = far_at(f, va);
	m = &f->map[u];
	if (u == f->n || m->lo >= va)
		return;
	assert(f->n < SBX_FAR_MAPS_MAX);
	memmove(m + 1, m, (f->n - u) * sizeof *m);
	f->n++;
	m->hi = m[1].lo = va;
}

/* Ranges that touch and are alike become one. */
static void
far_merge(struct sbx_far *f)
{
	struct sbx_far_map *m;
	unsigned u;

	for (u = 1; u < f->n; u++) {
		m = &f->map[u];
		if (m[-1].hi != m->lo || m[-1].flags != m->flags)
			continue;
		m[-1].hi = m->hi;
		f->n--;
		memmove(m, m + 1, (f->n - u) * sizeof *m);
		u--;
	}
}

/* True if two more ranges can be made. */
static int
far_room(const struct sbx_far *f)
{

	CHECK_OBJ_NOTNULL(f, SBX_FAR_MAGIC);
	return (f->n + 2 <= SBX_FAR_MAPS_MAX);
}

int
SBX_Far_Unmap(struct sbx_far *f, uint64_t lo, uint64_t hi)
{
	unsigned from, to;

	if (!far_room(f))
		return (-1);
	far_split(f, lo);
	far_split(f, hi);
	from = far_at(f, lo);
	for (to = from; to < f->n && f->map[to].lo < hi; to++)
		continue;
	memmove(&f->map[from], &f->map[to], (f->n - to) * sizeof *f->map);
	f->n -= to - from;
	f->changed = 1;
	return (0);
}

int
SBX_Far_Protect(struct sbx_far *f, uint64_t lo, uint64_t hi, unsigned flags)
{
	unsigned u;

	if (!far_room(f))
		return (-1);
	far_split(f, lo);
	far_split(f, hi);
	for (u = far_at(f, lo); u < f->n && f->map[u].lo < hi; u++)
		f->map[u].flags = flags;
	far_merge(f);
	f->changed = 1;
	return (0);
}

static int
far_is_free(const struct sbx_far *f, uint64_t lo, uint64_t hi)
{
	unsigned u;

	u = far_at(f, lo);
	return (SBX_Far_Is(f, lo, hi) && (u == f->n || f->map[u].lo >= hi));
}

/* The highest gap of (len) bytes; a page is left free on both sides. */
static uint64_t
far_gap(const struct sbx_far *f, uint64_t len)
{
	uint64_t lo, hi = f->hi;
	unsigned u;

	if (len > f->hi - f->lo)
		return (0);
	for (u = f->n; ; u--) {
		lo = u > 0 ? f->map[u - 1].hi : f->lo;
		if (hi - lo >= len + 2 * SBX_PAGE)
			return (hi - SBX_PAGE - len);
		if (u == 0)
			return (0);
		hi = f->map[u - 1].lo;
	}
}

uint64_t
SBX_Far_Map(struct sbx_far *f, uint64_t at, uint64_t len, unsigned flags)
{
	unsigned u;

	AN(len);
	AZ(len % SBX_PAGE);
	if (!far_room(f))
		return (0);
	if (at % SBX_PAGE != 0 || at == 0 || at > UINT64_MAX - len ||
	    !far_is_free(f, at, at + len))
		at = far_gap(f, len);
	if (at == 0)
		return (0);
	u = far_at(f, at);
	memmove(&f->map[u + 1], &f->map[u], (f->n - u) * sizeof *f->map);
	f->n++;
	f->map[u].lo = at;
	f->map[u].hi = at + len;
	f->map[u].flags = flags;
	far_merge(f);
	f->changed = 1;
	return (at);
}
