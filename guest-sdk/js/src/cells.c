/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Small cells are cut from chunks of pages, in classes of 16 bytes' distance,
 * header included; larger ones are heap.c's.
 */

#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "heap.h"

#define CELL_STEP	((size_t)16)
#define CELL_CLASSES	65		/* up to 1,024 bytes, header included */
#define CELL_MAX	(64 * CELL_STEP - sizeof(struct cell))
#define CELL_LARGE	0xffff
#define PAGE		((size_t)4096)

struct cell {
	uint16_t		class;		/* or CELL_LARGE */
	uint8_t			area;
	uint8_t			theirs;
	uint32_t		theirs_too;
};

struct link {
	struct link		*next;
};

enum {
	AREA_COLD,
	AREA_WARM,			/* read by requests */
	AREA_HOT,			/* written by them */
	AREA_REQUEST,
	N_AREAS
};

struct area {
	char			*cut;
	size_t			left;
	struct link		*free[CELL_CLASSES];
};

static struct {
	struct area		area[N_AREAS];
	size_t			own;		/* if nobody else counts */
	size_t			*used;
	int			frozen;
	uint32_t		n;		/* of the next cell */
	uint32_t		n_bits;		/* of this phase's profile, two
						 * for each cell */
	const uint8_t		*bits;
	const uint8_t		*more, *end;	/* later phases' */
} cells __attribute__((__aligned__(4096))) = { .used = &cells.own };

/* For who makes the profile. */
struct record {
	uintptr_t		addr;
	size_t			len;
	uint32_t		phase, n;
	unsigned		used;		/* CELLS_READ, CELLS_WRITTEN */
};

static struct {
	int			on;
	struct record		*all;
	size_t			len, size;
	uint32_t		phase;
	int			sorted;
} record;

/*--------------------------------------------------------------------
 * Which of them are hot
 */

static void
profile_next(void)
{
	uint32_t n;

	cells.n = cells.n_bits = 0;
	if (cells.more == NULL || (size_t)(cells.end - cells.more) < sizeof n)
		return;
	memcpy(&n, cells.more, sizeof n);
	cells.more += sizeof n;
	if ((n + 7) / 8 > (size_t)(cells.end - cells.more))
		return;
	cells.bits = cells.more;
	cells.n_bits = n;
	cells.more += (n + 7) / 8;
}

void
cells_profile(const uint8_t *profile, size_t len)
{

	cells.more = profile;
	cells.end = profile + len;
	profile_next();
}

void
cells_phase(void)
{

	profile_next();
	record.phase++;
}

/*--------------------------------------------------------------------
 * Recording. The C library's memory is none that is looked at.
 */

void
cells_record(void)
{

	record.on = 1;
}

static void
record_add(const void *p, size_t len, uint32_t n)
{
	struct record *r;

	if (record.len == record.size) {
		record.size = 2 * record.size + 1024;
		r = realloc(record.all, record.size * sizeof *r);
		if (r == NULL)
			abort();
		record.all = r;
	}
	r = &record.all[record.len++];
	r->addr = (uintptr_t)p - sizeof(struct cell);
	r->len = len;
	r->phase = record.phase;
	r->n = n;
	r->used = 0;
}

/* By address, and of several that were there one after the other the last one
 * last. */
static int
record_cmp(const void *va, const void *vb)
{
	const struct record *a = va, *b = vb;

	if (a->addr != b->addr)
		return (a->addr < b->addr ? -1 : 1);
	if (a->phase != b->phase)
		return (a->phase < b->phase ? -1 : 1);
	return (a->n < b->n ? -1 : a->n > b->n);
}

/* The last one there. A place has the same size for ever. */
static struct record *
record_find(uintptr_t addr)
{
	size_t lo = 0, hi = record.len, mid;
	struct record *r;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (record.all[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return (NULL);
	r = &record.all[lo - 1];
	return (addr - r->addr < r->len ? r : NULL);
}

void
cells_mark(uintptr_t addr, unsigned used)
{
	struct record *r;

	if (!record.sorted)
		qsort(record.all, record.len, sizeof *r, record_cmp);
	record.sorted = 1;
	r = record_find(addr);
	if (r != NULL)
		r->used |= used;
}

size_t
cells_marked(uint8_t *buf, size_t size)
{
	const struct record *r;
	uint32_t phase, n;
	size_t at;

	for (phase = 0, at = 0; phase <= record.phase; phase++) {
		for (r = record.all, n = 0; r < record.all + record.len; r++)
			if (r->phase == phase && r->used != 0 &&
			    2 * r->n + 2 > n)
				n = 2 * r->n + 2;
		if (size < at + sizeof n + (n + 7) / 8)
			return (0);
		memcpy(buf + at, &n, sizeof n);
		at += sizeof n;
		memset(buf + at, 0, (n + 7) / 8);
		for (r = record.all; r < record.all + record.len; r++)
			if (r->phase == phase && r->used != 0)
				buf[at + r->n / 4] |= (uint8_t)
				    (r->used << r->n % 4 * 2);
		at += (n + 7) / 8;
	}
	return (at);
}

/*--------------------------------------------------------------------
 * Cells
 */

static struct cell *
cell_of(const void *p)
{

	return ((struct cell *)((uintptr_t)p - sizeof(struct cell)));
}

/* A chunk that begins where the last one ended goes on with it. Rare, and not
 * to be in the way of those who need no chunk. */
static int __attribute__((__noinline__, __cold__))
area_fill(struct area *a, size_t len)
{
	size_t size;
	char *p;

	/* One that fails opens the reserve, so ask for what there is. */
	for (size = 16 * PAGE; size > PAGE && size > heap_left(); size /= 2)
		continue;
	p = heap_alloc(size);
	if (p == NULL)
		return (-1);
	if (p != a->cut + a->left || a->cut == NULL) {
		a->cut = p;
		a->left = 0;
	}
	a->left += size;
	return (a->left < len ? -1 : 0);
}

static void *
cells_small(size_t class, unsigned area)
{
	struct area *a = &cells.area[area];
	struct cell *c;
	struct link *l;
	size_t len = class * CELL_STEP;

	l = a->free[class];
	if (l != NULL) {
		a->free[class] = l->next;
		c = cell_of(l);
	} else {
		if (len > a->left && area_fill(a, len) < 0)
			return (NULL);
		c = (struct cell *)(void *)a->cut;
		a->cut += len;
		a->left -= len;
	}
	*c = (struct cell){ .class = (uint16_t)class, .area = (uint8_t)area };
	*cells.used += len;
	return (c + 1);
}

/* The header is the second half of 16 bytes. */
static void *
cells_large(size_t size)
{
	struct cell *c;
	char *p;

	if (size > SIZE_MAX / 2)
		return (NULL);
	p = heap_alloc(size + 2 * sizeof *c);
	if (p == NULL)
		return (NULL);
	c = (struct cell *)(void *)(p + sizeof *c);
	*c = (struct cell){ .class = CELL_LARGE };
	*cells.used += heap_size(p);
	return (c + 1);
}

/* One that is made before the freeze: not in the way of requests. */
static void * __attribute__((__noinline__))
cells_early(size_t class)
{
	uint32_t n = cells.n++;
	unsigned area = AREA_COLD, used;
	void *p;

	if (2 * n + 1 < cells.n_bits) {
		used = cells.bits[n / 4] >> n % 4 * 2;
		area = used & CELLS_WRITTEN ? AREA_HOT :
		    used & CELLS_READ ? AREA_WARM : AREA_COLD;
	}
	p = cells_small(class, area);
	if (record.on && p != NULL)
		record_add(p, class * CELL_STEP, n);
	return (p);
}

void *
cells_alloc(size_t size)
{
	size_t class;

	if (size > CELL_MAX)
		return (cells_large(size));
	class = (size + sizeof(struct cell) + CELL_STEP - 1) / CELL_STEP;
	return (cells.frozen ? cells_small(class, AREA_REQUEST) :
	    cells_early(class));
}

void
cells_free(void *p)
{
	struct cell *c;
	struct link *l = p;
	struct area *a;

	if (p == NULL)
		return;
	c = cell_of(p);
	if (c->class == CELL_LARGE) {
		*cells.used -= heap_size((char *)c - sizeof *c);
		heap_free((char *)c - sizeof *c);
		return;
	}
	/* A request has no use for holes among others' cells, but those it
	 * makes are good, being written to already. */
	a = &cells.area[cells.frozen ? AREA_REQUEST : c->area];
	*cells.used -= c->class * CELL_STEP;
	l->next = a->free[c->class];
	a->free[c->class] = l;
}

size_t
cells_size(const void *p)
{
	struct cell *c;

	if (p == NULL)
		return (0);
	c = cell_of(p);
	if (c->class == CELL_LARGE)
		return (heap_size((char *)c - sizeof *c) - 2 * sizeof *c);
	return (c->class * CELL_STEP - sizeof *c);
}

static void *
cells_move(void *p, size_t size)
{
	struct cell *from, *to;
	size_t old;
	void *q;

	q = cells_alloc(size);
	if (q == NULL)
		return (NULL);
	from = cell_of(p);
	to = cell_of(q);
	to->theirs = from->theirs;
	to->theirs_too = from->theirs_too;
	old = cells_size(p);
	memcpy(q, p, size < old ? size : old);
	cells_free(p);
	return (q);
}

void *
cells_realloc(void *p, size_t size)
{
	struct cell *c;
	size_t old;
	char *q;

	if (p == NULL)
		return (cells_alloc(size));
	if (size == 0) {
		cells_free(p);
		return (NULL);
	}
	old = cells_size(p);
	if (size <= old && size >= old / 2)
		return (p);
	c = cell_of(p);
	if (c->class != CELL_LARGE || size <= PAGE || size > SIZE_MAX / 2)
		return (cells_move(p, size));
	q = (char *)c - sizeof *c;
	old = heap_size(q);
	q = heap_realloc(q, size + 2 * sizeof *c);
	if (q == NULL)
		return (NULL);
	*cells.used += heap_size(q) - old;
	return (q + 2 * sizeof *c);
}

size_t
cells_used(void)
{

	return (*cells.used);
}

void
cells_count(size_t *where)
{

	*where = *cells.used;
	cells.used = where;
}

/* The first chunk is there already when a request wants it. */
void
cells_freeze(void)
{

	cells.frozen = 1;
	(void)area_fill(&cells.area[AREA_REQUEST], 0);
}
