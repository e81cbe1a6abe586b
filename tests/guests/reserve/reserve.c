/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reserves 64 GB of address space, as run times do, and uses a bit of it: in
 * main() and in each request, which has to find all as it was.
 *
 *	/		how many things were not as they should be
 *	/guard		touches what was never opened
 *	/gone		touches what it has given back
 *	/stale		touches what / opens, when it has not
 *	/hog		touches more than there is memory
 *	/many		opens so much that its VM is not worth a reset
 */

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "../guest.h"

#define RW		(PROT_READ | PROT_WRITE)
#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define GB		((size_t)1 << 30)
#define MB		((size_t)1 << 20)
#define KB		((size_t)1 << 10)

static volatile unsigned char *far_away;

/* Where / works: nothing is open there before. */
#define MINE		(far_away + 40 * GB)

static unsigned
all_zero(volatile unsigned char *p, size_t l)
{
	size_t i;

	for (i = 0; i < l; i += 64)
		if (p[i] != 0)
			return (1);
	return (0);
}

static int
rights(volatile unsigned char *p, size_t l, int prot)
{

	return (mprotect((void *)(uintptr_t)p, l, prot) != 0);
}

static unsigned
use(void)
{
	volatile unsigned char *p = MINE, *q;
	unsigned bad = 0, i;

	/* of main() */
	for (i = 0; i < 8; i++)
		bad += far_away[10 * GB + i * 128 * KB] != i + 1;
	/* open, use, give back */
	bad += rights(p, 256 * KB, RW);
	bad += all_zero(p, 256 * KB);
	for (i = 0; i < 64; i++)
		p[i * GUEST_PAGE] = 'x';
	bad += rights(p, 64 * KB, PROT_READ);
	bad += p[0] != 'x';
	bad += madvise((void *)(uintptr_t)p, 256 * KB, MADV_DONTNEED) != 0;
	bad += all_zero(p, 256 * KB);
	/* more than there is memory, a bit here and there */
	q = mmap((void *)(uintptr_t)(p + GB), GB, RW, ANON | MAP_FIXED, -1, 0);
	bad += q != p + GB;
	for (i = 0; i < 20; i++)
		q[i * 50 * MB] = 'y';
	/* what nobody has touched is touched by a system call */
	bad += getrandom((void *)(uintptr_t)(q + 7 * MB), 256 * KB, 0) !=
	    256 * KB;
	bad += all_zero(q + 7 * MB, 64) == 0;
	bad += munmap((void *)(uintptr_t)q, 500 * MB) != 0;
	bad += q[950 * MB] != 'y';
	q = mmap((void *)(uintptr_t)q, 500 * MB, RW, ANON | MAP_FIXED, -1, 0);
	bad += all_zero(q + 7 * MB, 256 * KB);
	return (bad);
}

static void
answer(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	volatile unsigned char *p = MINE;
	size_t i;

	if (sandbox_path_is(rq, "/guard"))
		far_away[20 * GB] = 1;
	if (sandbox_path_is(rq, "/stale"))
		p[0] = 1;
	if (sandbox_path_is(rq, "/gone")) {
		(void)munmap((void *)(uintptr_t)(far_away + 10 * GB), MB);
		far_away[10 * GB] = 1;
	}
	if (sandbox_path_is(rq, "/hog") || sandbox_path_is(rq, "/many")) {
		(void)rights(p, GB, RW);
		for (i = 0; i < (sandbox_path_is(rq, "/hog") ? GB : 8 * MB);
		    i += GUEST_PAGE)
			p[i] = 1;
	}
	sandbox_printf(rp, "%u bad\n", use());
}

int
main(void)
{
	unsigned i;

	far_away = mmap(NULL, 64 * GB, PROT_NONE, ANON, -1, 0);
	if (far_away == MAP_FAILED || rights(far_away + 10 * GB, MB, RW))
		return (1);
	for (i = 0; i < 8; i++)
		far_away[10 * GB + i * 128 * KB] = (unsigned char)(i + 1);
	return (guest_serve(answer));
}
