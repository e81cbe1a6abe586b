/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes as long as /?ms=N says, 100 if it does not, by looking at the clock
 * all the time, or by sleeping: /sleep?ms=N. /work?mega=N takes N million turns
 * of a loop, which are so much CPU time, however long that is. Then answers.
 */

#include <time.h>

#include "../guest.h"

static long
passed(const struct timespec *a, const struct timespec *b)
{

	return ((b->tv_sec - a->tv_sec) * 1000 +
	    (b->tv_nsec - a->tv_nsec) / 1000000);
}

/* A turn is a clock cycle, or two. */
static void
work(long mega)
{
	uint64_t n;

	for (n = (uint64_t)mega * 1000000; n > 0; n--)
		__asm__ volatile("" : "+r" (n));
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec a, b, t;
	long ms;

	ms = guest_long(rq, "ms", 100);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	b = a;
	if (sandbox_path_is(rq, "/sleep")) {
		t.tv_sec = ms / 1000;
		t.tv_nsec = ms % 1000 * 1000000;
		(void)nanosleep(&t, NULL);
		(void)clock_gettime(CLOCK_MONOTONIC, &b);
	} else if (sandbox_path_is(rq, "/work")) {
		work(guest_long(rq, "mega", 1));
		(void)clock_gettime(CLOCK_MONOTONIC, &b);
	} else
		while (passed(&a, &b) < ms)
			(void)clock_gettime(CLOCK_MONOTONIC, &b);
	sandbox_printf(rp, "%ld ms\n", passed(&a, &b));
}

int
main(void)
{

	return (guest_serve(bad));
}
