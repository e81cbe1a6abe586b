/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The region is divided into pages. A run of pages serves one allocation of a
 * page or more; runs are found again by their number of pages. Smaller ones
 * are cut from pages that they share, with a header each, in classes of sizes,
 * and never change their class.
 *
 * Nothing is put together again once it was cut. A request that makes and
 * frees blocks of ever new sizes wastes memory by that, up to its limit, and
 * gets it all back when it has answered.
 */

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "heap.h"

#define PAGE		((size_t)4096)
#define HEAP_STEP	((size_t)1 << 20)

/* Below a page: classes of 64 bytes' distance, header included. */
#define SMALL_STEP	((size_t)64)
#define SMALL_CLASSES	(PAGE / SMALL_STEP)

/* Runs: a list for each number of pages up to this, then for each power of
 * two above it. */
#define RUN_EXACT	64
#define RUN_CLASSES	(RUN_EXACT + 40)

/* Pages kept back, and how many of them each failure makes available. An error
 * takes a few, because the engine has a page for each size of its objects. */
#define RESERVE		512
#define RESERVE_STEP	16

/* In front of each small block. */
struct small {
	uint32_t		class;
	uint32_t		pad[3];
};

struct link {
	struct link		*next;
};

static struct heap {
	char			*base;		/* page aligned */
	size_t			n_pages;
	size_t			limit;		/* pages; the rest is reserve */
	size_t			first;		/* page, behind our table */
	size_t			next;		/* first page never used */
	uint32_t		*run;		/* of each page that begins a
						 * run: its pages */
	char			*cut;		/* rest of the page that small
						 * blocks are cut from */
	size_t			cut_len;
	size_t			used;
	void			(*on_end)(void);
	struct link		*small[SMALL_CLASSES + 1];
	struct link		*runs[RUN_CLASSES];
} heap;

/*--------------------------------------------------------------------
 * The region
 */

size_t
heap_init(size_t max)
{
	struct sysinfo si;
	size_t len, table;
	void *p;

	if (sysinfo(&si) == 0 && si.freeram < max / si.mem_unit)
		max = si.freeram * si.mem_unit;
	p = MAP_FAILED;
	for (len = max; len >= HEAP_STEP; len -= len / 16) {
		len &= ~(PAGE - 1);
		p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED)
			break;
	}
	if (p == MAP_FAILED)
		return (0);
	/* The C library and the SDK allocate little, but not nothing. */
	(void)munmap((char *)p + (len - len / 16) / PAGE * PAGE,
	    len - (len - len / 16) / PAGE * PAGE);
	len = (len - len / 16) / PAGE * PAGE;
	heap.base = p;
	heap.n_pages = len / PAGE;
	heap.run = p;
	table = (heap.n_pages * sizeof *heap.run + PAGE - 1) / PAGE;
	heap.first = heap.next = table;
	heap.limit = heap.n_pages -
	    (heap.n_pages / 8 < RESERVE ? heap.n_pages / 8 : RESERVE);
	return ((heap.limit - table) * PAGE);
}

size_t
heap_used(void)
{

	return (heap.used);
}

size_t
heap_left(void)
{

	return ((heap.limit - heap.next) * PAGE);
}

void *
heap_region(size_t *len)
{

	*len = (heap.next - heap.first) * PAGE;
	return (heap.base + heap.first * PAGE);
}

void
heap_on_end(void (*f)(void))
{

	heap.on_end = f;
}

/* There are not enough pages. If there are hardly any, open the reserve. */
static void *
heap_refuse(void)
{

	if (heap.limit - heap.next >= RESERVE_STEP)
		return (NULL);
	if (heap.limit == heap.n_pages && heap.on_end != NULL)
		heap.on_end();
	heap.limit += RESERVE_STEP;
	if (heap.limit > heap.n_pages)
		heap.limit = heap.n_pages;
	return (NULL);
}

/*--------------------------------------------------------------------
 * Runs of pages
 */

static size_t
run_class(size_t pages)
{
	size_t c;

	if (pages <= RUN_EXACT)
		return (pages);
	for (c = RUN_EXACT + 1; pages > 2 * RUN_EXACT; pages /= 2)
		c++;
	return (c);
}

static size_t
run_page(const void *p)
{

	return ((size_t)((const char *)p - heap.base) / PAGE);
}

/* In a class of several sizes the first that is large enough, and not far too
 * large. */
static void *
run_reuse(size_t pages)
{
	struct link **lp, *l;
	size_t n;

	for (lp = &heap.runs[run_class(pages)]; *lp != NULL;
	    lp = &(*lp)->next) {
		l = *lp;
		n = heap.run[run_page(l)];
		if (n >= pages) {
			*lp = l->next;
			return (l);
		}
	}
	return (NULL);
}

static void *
run_alloc(size_t size)
{
	size_t pages;
	void *p;

	pages = (size + PAGE - 1) / PAGE;
	p = run_reuse(pages);
	if (p == NULL) {
		if (pages > heap.limit - heap.next)
			return (heap_refuse());
		p = heap.base + heap.next * PAGE;
		heap.run[heap.next] = (uint32_t)pages;
		heap.next += pages;
	}
	heap.used += heap.run[run_page(p)] * PAGE;
	return (p);
}

static void
run_free(void *p)
{
	struct link *l = p;
	size_t pages, c;

	pages = heap.run[run_page(p)];
	heap.used -= pages * PAGE;
	if (run_page(p) + pages == heap.next) {
		heap.next -= pages;
		return;
	}
	c = run_class(pages);
	l->next = heap.runs[c];
	heap.runs[c] = l;
}

/* What grows step by step is mostly the last run there is. */
static int
run_extend(void *p, size_t size)
{
	size_t pages, old;

	old = heap.run[run_page(p)];
	pages = (size + PAGE - 1) / PAGE;
	if (pages <= old)
		return (1);
	if (run_page(p) + old != heap.next ||
	    pages - old > heap.limit - heap.next)
		return (0);
	heap.run[run_page(p)] = (uint32_t)pages;
	heap.next += pages - old;
	heap.used += (pages - old) * PAGE;
	return (1);
}

/*--------------------------------------------------------------------
 * Small blocks. Their addresses are never those of a page, by which they are
 * told from runs.
 */

static int
small_is(const void *p)
{

	return (((uintptr_t)p & (PAGE - 1)) != 0);
}

static struct small *
small_of(const void *p)
{

	return ((struct small *)((uintptr_t)p - sizeof(struct small)));
}

static void *
small_alloc(size_t size)
{
	struct small *s;
	struct link *l;
	size_t class, len;

	class = (size + sizeof *s + SMALL_STEP - 1) / SMALL_STEP;
	len = class * SMALL_STEP;
	l = heap.small[class];
	if (l != NULL) {
		heap.small[class] = l->next;
		heap.used += len;
		return (l);
	}
	if (len > heap.cut_len) {
		heap.cut = run_alloc(PAGE);
		heap.cut_len = heap.cut == NULL ? 0 : PAGE;
		if (heap.cut == NULL)
			return (NULL);
		heap.used -= PAGE;
	}
	s = (struct small *)(void *)heap.cut;
	s->class = (uint32_t)class;
	heap.cut += len;
	heap.cut_len -= len;
	heap.used += len;
	return (s + 1);
}

static void
small_free(void *p)
{
	struct link *l = p;
	size_t class;

	class = small_of(p)->class;
	heap.used -= class * SMALL_STEP;
	l->next = heap.small[class];
	heap.small[class] = l;
}

/*--------------------------------------------------------------------
 * Both
 */

size_t
heap_size(const void *p)
{

	if (p == NULL)
		return (0);
	if (small_is(p))
		return (small_of(p)->class * SMALL_STEP -
		    sizeof(struct small));
	return (heap.run[run_page(p)] * PAGE);
}

void *
heap_alloc(size_t size)
{

	if (size > heap.n_pages * PAGE)
		return (heap_refuse());
	if (size + sizeof(struct small) > PAGE - SMALL_STEP)
		return (run_alloc(size));
	return (small_alloc(size));
}

void
heap_free(void *p)
{

	if (p == NULL)
		return;
	if (small_is(p))
		small_free(p);
	else
		run_free(p);
}

void *
heap_realloc(void *p, size_t size)
{
	size_t old;
	void *q;

	if (p == NULL)
		return (heap_alloc(size));
	if (size == 0) {
		heap_free(p);
		return (NULL);
	}
	old = heap_size(p);
	if (size <= old && size >= old / 2)
		return (p);
	if (!small_is(p) && size > old && size <= heap.n_pages * PAGE &&
	    run_extend(p, size))
		return (p);
	q = heap_alloc(size);
	if (q == NULL)
		return (size <= old ? p : NULL);
	memcpy(q, p, size < old ? size : old);
	heap_free(p);
	return (q);
}
