/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Changes what may be done with pages that it has used, again and again: in
 * main(), and in each request. It leaves a page behind that may not be touched
 * and one that may not be written to.
 *
 *	/		the same as in main(), and says how it went
 *	/guard, /const	write to one of the two pages
 *	/open		allow that, write to both, and leave it so
 */

#include <sys/mman.h>

#include "../guest.h"

#define N_PAGES		200
#define RW		(PROT_READ | PROT_WRITE)

static volatile unsigned char pages[N_PAGES][GUEST_PAGE]
    __attribute__((__aligned__(GUEST_PAGE)));
static volatile unsigned char guard[GUEST_PAGE]
    __attribute__((__aligned__(GUEST_PAGE)));
static volatile unsigned char constant[GUEST_PAGE]
    __attribute__((__aligned__(GUEST_PAGE)));

static int
rights(volatile void *p, size_t n, int prot)
{

	return (mprotect((void *)(uintptr_t)p, n * GUEST_PAGE, prot));
}

/* Each page is used under each of its rights. Returns 0 if all is well. */
static unsigned
flip(void)
{
	unsigned bad = 0, i, j;

	for (i = 0; i < 4; i++) {
		for (j = 0; j < N_PAGES; j++)
			pages[j][i] = (unsigned char)(i + j);
		bad += rights(pages, N_PAGES, PROT_READ) != 0;
		for (j = 0; j < N_PAGES; j++)
			bad += pages[j][i] != (unsigned char)(i + j);
		bad += rights(pages, N_PAGES, i % 2 ? PROT_NONE : RW) != 0;
		bad += rights(pages, N_PAGES, RW) != 0;
		for (j = 0; j < N_PAGES; j++)
			pages[j][i]++;
		for (j = 0; j < N_PAGES; j++)
			bad += pages[j][i] != (unsigned char)(i + j + 1);
	}
	return (bad);
}

static void
answer(const struct sandbox_request *rq, struct sandbox_reply *rp)
{

	if (sandbox_path_is(rq, "/guard")) {
		guard[0] = 2;
	} else if (sandbox_path_is(rq, "/const")) {
		constant[0] = 2;
	} else if (sandbox_path_is(rq, "/open")) {
		if (rights(guard, 1, RW) || rights(constant, 1, RW)) {
			sandbox_fail(rp, 500, "mprotect");
			return;
		}
		guard[0] = constant[0] = 2;
		sandbox_printf(rp, "open\n");
		return;
	}
	sandbox_printf(rp, "%u bad, constant is %u\n", flip(), constant[0]);
}

int
main(void)
{

	if (flip() != 0)
		return (1);
	guard[0] = constant[0] = 1;
	if (rights(guard, 1, PROT_NONE) || rights(constant, 1, PROT_READ))
		return (2);
	return (guest_serve(answer));
}
