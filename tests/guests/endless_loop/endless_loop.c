/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Loops for ever: /cpuid, /pause, /rdtsc and /write with that in the loop,
 * anything else with nothing in it.
 */

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static volatile char page[GUEST_PAGE];
	unsigned a, c;

	(void)rp;
	if (sandbox_path_is(rq, "/cpuid"))
		for (;;) {
			a = c = 0;
			__asm__ volatile("cpuid" : "+a" (a), "+c" (c) : :
			    "rbx", "rdx");
		}
	if (sandbox_path_is(rq, "/pause"))
		for (;;)
			__asm__ volatile("pause");
	if (sandbox_path_is(rq, "/rdtsc"))
		for (;;)
			__asm__ volatile("rdtsc" : : : "rax", "rdx");
	if (sandbox_path_is(rq, "/write"))
		for (;;)
			page[0]++;
	for (;;)
		__asm__ volatile("");
}

int
main(void)
{

	return (guest_serve(bad));
}
