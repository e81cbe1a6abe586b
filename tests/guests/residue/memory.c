/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of all kinds: what is in it, what may be done with it, and whether it
 * is there at all.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../guest.h"
#include "residue.h"

#define PAGES(n)	((n) * (size_t)GUEST_PAGE)
#define ALIGNED		__attribute__((__aligned__(GUEST_PAGE)))

extern char _end[];

static uint64_t data[PAGES(3) / 8] ALIGNED = { 1 };
static uint64_t bss[PAGES(3) / 8] ALIGNED;
static uint64_t protect[PAGES(3) / 8] ALIGNED = { 1 };
static const uint64_t constant[PAGES(1) / 8] ALIGNED = { 1, 2, 3 };
static __thread uint64_t per_thread[64];

static uint64_t *heap;			/* 64 KB from malloc() */
static uint64_t *mapped;		/* 64 KB from mmap() */
static uint64_t *unmapped;		/* one more, that a fill unmaps */
static char **args;
static char args_was[64];
static uintptr_t brk_was;
static uint8_t code_was[16];

/* Somewhere in the text to write to. */
void memory_code(void);
__asm__(".text; .balign 4096; .globl memory_code; memory_code:"
    " ret; .fill 4095, 1, 0xcc");

static void *
map(size_t len)
{
	void *p;

	p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return (p == MAP_FAILED ? NULL : p);
}

static void
fill(uint64_t *p, size_t len)
{
	size_t i;

	for (i = 0; p != NULL && i < len / 8; i++)
		((volatile uint64_t *)p)[i] = FILL_WORD;
}

/* How often a fill's word is in there. */
static long
count(const void *from, const void *to)
{
	const volatile uint64_t *p;
	long n;

	n = 0;
	for (p = from; p != NULL && p < (const volatile uint64_t *)to; p++)
		n += (*p == FILL_WORD);
	return (n);
}

static uintptr_t
program_break(void)
{

	return ((uintptr_t)guest_call(SYS_brk, 0, 0, 0, 0, 0, 0));
}

void
memory_boot(char **argv)
{

	heap = malloc(PAGES(16));
	mapped = map(PAGES(16));
	unmapped = map(PAGES(16));
	if (heap == NULL || mapped == NULL || unmapped == NULL)
		abort();
	memset(heap, 1, PAGES(16));
	memset(mapped, 1, PAGES(16));
	memset(unmapped, 1, PAGES(16));
	args = argv;
	strncpy(args_was, argv[0], sizeof args_was - 1);
	memcpy(code_was, (const void *)(uintptr_t)memory_code,
	    sizeof code_was);
	brk_was = program_break();
}

/*--------------------------------------------------------------------
 * Filling
 */

/* Rights wider, narrower and gone. What is refused is refused. */
static void
fill_rights(void)
{
	uint64_t *p;
	int r;

	p = (uint64_t *)(uintptr_t)memory_code;
	r = mprotect(p, GUEST_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	note("text.writable", r);
	if (r == 0)
		fill(p, sizeof code_was);
	p = (uint64_t *)(uintptr_t)constant;
	r = mprotect(p, GUEST_PAGE, PROT_READ | PROT_WRITE);
	note("constant.writable", r);
	if (r == 0)
		fill(p, 64);
	fill(protect, sizeof protect);
	note("data.readonly", mprotect(protect, PAGES(1), PROT_READ));
	note("data.none", mprotect(protect + PAGES(1) / 8, PAGES(1),
	    PROT_NONE));
	note("munmap", munmap(unmapped, PAGES(16)));
}

static void __attribute__((__noinline__))
fill_stack(void)
{
	uint64_t below[2 * STACK_BYTES / 8];

	fill(below, sizeof below);
	__asm__ volatile("" : : "r" (below) : "memory");
}

void
memory_fill(void)
{
	uintptr_t from, to;
	uint64_t *p;

	fill(data, sizeof data);
	fill(bss, sizeof bss);
	fill(per_thread, sizeof per_thread);
	fill(heap, PAGES(16));
	fill(mapped, PAGES(16));
	fill(malloc(PAGES(4)), PAGES(4));
	fill(malloc(PAGES(400)), PAGES(400));
	p = map(PAGES(300));
	note("mmap", p == NULL ? -1 : 0);
	fill(p, PAGES(300));
	from = (program_break() + 7) & ~(uintptr_t)7;
	to = (uintptr_t)guest_call(SYS_brk, from + PAGES(8), 0, 0, 0, 0, 0);
	note("brk", (long)(to - from));
	if (to > from)
		fill((uint64_t *)from, to - from);
	memset(args[0], 0xee, strlen(args[0]));
	fill_rights();
	fill_stack();
}

/*--------------------------------------------------------------------
 * Reporting
 */

/* True if the kernel can write there for us. The first 16 bytes change. */
static long
writable(void *p)
{
	long r;

	r = guest_call(SYS_clock_gettime, CLOCK_MONOTONIC, (uintptr_t)p, 0, 0,
	    0, 0);
	return (r != -14);
}

static void
report_rights(void)
{
	long a, b, c;

	report_long("memory.constant",
	    0, count(constant, constant + PAGES(1) / 8));
	report("memory.text", code_was,
	    (const void *)(uintptr_t)memory_code, NULL, sizeof code_was);
	a = writable(protect);
	b = writable(protect + PAGES(1) / 8);
	c = writable(unmapped);
	report_long("memory.writable.readonly", 1, a);
	report_long("memory.writable.none", 1, b);
	report_long("memory.writable.unmapped", 1, c);
	if (a && b)
		report_long("memory.protected",
		    0, count(protect, protect + PAGES(3) / 8));
	if (c)
		report_long("memory.unmapped", 0,
		    count(unmapped, unmapped + PAGES(16) / 8));
}

/* What is new in this request must be zero. */
static void
report_new(void)
{
	uintptr_t from, to;
	uint64_t *p;

	p = map(PAGES(300));
	report_long("memory.mmap.new", 0, p == NULL ? -1 :
	    count(p, p + PAGES(300) / 8));
	from = program_break();
	report_long("memory.brk", (long)brk_was, (long)from);
	from = (from + 7) & ~(uintptr_t)7;
	to = (uintptr_t)guest_call(SYS_brk, from + PAGES(8), 0, 0, 0, 0, 0);
	report_long("memory.brk.new", 0,
	    to > from ? count((void *)from, (void *)(to & ~(uintptr_t)7)) : 0);
	(void)guest_call(SYS_brk, from, 0, 0, 0, 0, 0);
	p = malloc(PAGES(400));
	report_long("memory.malloc.new", 0, p == NULL ? -1 :
	    count(p, p + PAGES(400) / 8));
	free(p);
}

/* The request block and the body, to the ends of their pages. */
static void
report_request(const struct sandbox_request *rq)
{
	uintptr_t from, to;

	from = (uintptr_t)rq & ~(uintptr_t)(GUEST_PAGE - 1);
	report_long("memory.request", 0,
	    count((void *)from, (void *)(from + GUEST_PAGE)));
	if (rq->body == NULL)
		return;
	to = ((uintptr_t)rq->body + rq->body_len + GUEST_PAGE - 1) &
	    ~(uintptr_t)(GUEST_PAGE - 1);
	report_long("memory.body", 0, count(rq->body, (void *)to));
}

void
memory_report(const struct sandbox_request *rq)
{

	report_long("memory.stack.below", 0, memcmp(cross_below_before,
	    cross_below_after, STACK_BYTES) == 0 ? 0 :
	    1 + count(cross_below_after, cross_below_after + STACK_BYTES));
	report_long("memory.data", 0, count(data, data + PAGES(3) / 8));
	report_long("memory.bss", 0, count(bss, bss + PAGES(3) / 8));
	report_long("memory.heap", 0, count(heap, heap + PAGES(16) / 8));
	report_long("memory.mmap", 0, count(mapped, mapped + PAGES(16) / 8));
	report_long("memory.thread", 0,
	    count(per_thread, per_thread + 64));
	report_rights();
	report_new();
	report("memory.argv0", args_was, args[0], NULL, strlen(args_was));
	report_request(rq);
}
