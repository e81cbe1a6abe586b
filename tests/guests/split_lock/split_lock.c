/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes locked accesses across a cache line for as long as /?ms=N says, 1 if
 * it does not, and answers with their number. Hosts slow this down, or refuse
 * it.
 */

#include <time.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static char lines[192] __attribute__((__aligned__(64)));
	struct timespec a, b;
	unsigned long n;
	long us, end;

	end = guest_long(rq, "ms", 1) * 1000;
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (n = 0, us = -1; us < end; n++) {
		__asm__ volatile("lock addl $1, %0"
		    : "+m" (*(unsigned *)(void *)(lines + 62)));
		(void)clock_gettime(CLOCK_MONOTONIC, &b);
		us = (b.tv_sec - a.tv_sec) * 1000000 +
		    (b.tv_nsec - a.tv_nsec) / 1000;
	}
	sandbox_printf(rp, "%lu\n", n);
}

int
main(void)
{

	return (guest_serve(bad));
}
