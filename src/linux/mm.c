/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * mm.c: which part of the arena is taken.
 */

#include "config.h"

#include <stddef.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "linux/mm.h"
#include "machine/gmem.h"

void
SBX_Mm_Init(struct sbx_mm *mm, uint64_t lo, uint64_t hi)
{

	assert(lo < hi);
	AZ(lo % SBX_PAGE);
	AZ(hi % SBX_PAGE);
	memset(mm, 0, offsetof(struct sbx_mm, extent));
	mm->magic = SBX_MM_MAGIC;
	mm->lo = mm->brk = lo;
	mm->hi = mm->used = hi;
}

void
SBX_Mm_Copy(struct sbx_mm *to, const struct sbx_mm *from)
{

	CHECK_OBJ_NOTNULL(from, SBX_MM_MAGIC);
	memcpy(to, from, offsetof(struct sbx_mm, extent) +
	    from->n_extent * sizeof *from->extent);
	to->changed = 0;
}

uint64_t
SBX_Mm_BrkMax(const struct sbx_mm *mm)
{

	CHECK_OBJ_NOTNULL(mm, SBX_MM_MAGIC);
	return (mm->n_extent > 0 ? mm->extent[0].lo : mm->hi);
}

/* The lowest address that mmap may have: whole pages above brk. */
static uint64_t
mm_floor(const struct sbx_mm *mm)
{

	return (SBX_Page_Up(mm->brk));
}

int
SBX_Mm_Free(const struct sbx_mm *mm, uint64_t lo, uint64_t hi)
{
	unsigned u;

	CHECK_OBJ_NOTNULL(mm, SBX_MM_MAGIC);
	assert(lo <= hi);
	if (lo < mm_floor(mm) || hi > mm->hi)
		return (0);
	for (u = 0; u < mm->n_extent; u++)
		if (mm->extent[u].lo < hi && mm->extent[u].hi > lo)
			return (0);
	return (1);
}

/* Put [lo, hi), which is free, into the list, and merge with its like. */
static int
mm_insert(struct sbx_mm *mm, uint64_t lo, uint64_t hi, int backed)
{
	struct sbx_mm_extent *e;
	unsigned u;

	for (u = 0; u < mm->n_extent && mm->extent[u].lo < hi; u++)
		continue;
	e = &mm->extent[u];
	mm->changed = 1;
	if (u < mm->n_extent && e->lo == hi && e->backed == backed) {
		e->lo = lo;
		if (u > 0 && e[-1].hi == lo && e[-1].backed == backed) {
			e[-1].hi = e->hi;
			mm->n_extent--;
			memmove(e, e + 1, (mm->n_extent - u) * sizeof *e);
		}
		return (0);
	}
	if (u > 0 && e[-1].hi == lo && e[-1].backed == backed) {
		e[-1].hi = hi;
		return (0);
	}
	if (mm->n_extent == SBX_MM_EXTENTS_MAX)
		return (-1);
	memmove(e + 1, e, (mm->n_extent - u) * sizeof *e);
	mm->n_extent++;
	e->lo = lo;
	e->hi = hi;
	e->backed = backed;
	return (0);
}

/* The highest gap of (len) bytes. */
static uint64_t
mm_find(const struct sbx_mm *mm, uint64_t len)
{
	uint64_t lo, hi = mm->hi;
	unsigned u;

	for (u = mm->n_extent; ; u--) {
		lo = u > 0 ? mm->extent[u - 1].hi : mm_floor(mm);
		if (hi >= lo && hi - lo >= len)
			return (hi - len);
		if (u == 0)
			return (0);
		hi = mm->extent[u - 1].lo;
	}
}

uint64_t
SBX_Mm_Map(struct sbx_mm *mm, uint64_t at, uint64_t len, uint64_t *zero)
{

	CHECK_OBJ_NOTNULL(mm, SBX_MM_MAGIC);
	AN(zero);
	AN(len);
	AZ(at % SBX_PAGE);
	AZ(len % SBX_PAGE);
	if (at == 0)
		at = mm_find(mm, len);
	else if (at < mm_floor(mm) || len > mm->hi || at > mm->hi - len ||
	    SBX_Mm_Unmap(mm, at, at + len))
		return (0);
	if (at == 0 || mm_insert(mm, at, at + len, 0))
		return (0);
	mm->idle_lo = mm->idle_hi = 0;
	*zero = mm->used;
	if (at < mm->used)
		mm->used = at;
	return (at);
}

int
SBX_Mm_Back(struct sbx_mm *mm, uint64_t lo, uint64_t hi)
{

	return (SBX_Mm_Unmap(mm, lo, hi) || mm_insert(mm, lo, hi, 1) ? -1 : 0);
}

int
SBX_Mm_Backed(const struct sbx_mm *mm, uint64_t lo, uint64_t hi)
{
	unsigned u;

	CHECK_OBJ_NOTNULL(mm, SBX_MM_MAGIC);
	for (u = 0; u < mm->n_extent; u++)
		if (mm->extent[u].backed && mm->extent[u].lo < hi &&
		    mm->extent[u].hi > lo)
			return (1);
	return (0);
}

void
SBX_Mm_Idle(struct sbx_mm *mm, uint64_t lo, uint64_t hi, uint64_t used)
{

	CHECK_OBJ_NOTNULL(mm, SBX_MM_MAGIC);
	assert(lo < hi);
	mm->idle_lo = lo;
	mm->idle_hi = hi;
	mm->idle_used = used;
}

int
SBX_Mm_Unmap(struct sbx_mm *mm, uint64_t lo, uint64_t hi)
{
	struct sbx_mm_extent *e;
	uint64_t end;
	unsigned u;

	CHECK_OBJ_NOTNULL(mm, SBX_MM_MAGIC);
	assert(lo <= hi);
	mm->changed = 1;
	if (lo < hi && lo == mm->idle_lo && hi == mm->idle_hi)
		mm->used = mm->idle_used;
	mm->idle_lo = mm->idle_hi = 0;
	for (u = 0; u < mm->n_extent; u++) {
		e = &mm->extent[u];
		if (e->hi <= lo || e->lo >= hi)
			continue;
		end = e->hi;
		if (e->lo < lo && end > hi) {
			/* a hole in the middle: the upper part is new */
			e->hi = lo;
			if (mm_insert(mm, hi, end, e->backed)) {
				e->hi = end;
				return (-1);
			}
			return (0);
		}
		if (e->lo < lo) {
			e->hi = lo;
		} else if (end > hi) {
			e->lo = hi;
		} else {
			mm->n_extent--;
			memmove(e, e + 1, (mm->n_extent - u) * sizeof *e);
			u--;
		}
	}
	return (0);
}
