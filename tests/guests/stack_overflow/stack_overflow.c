/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls itself until the stack is used up.
 */

#include "../guest.h"

static int __attribute__((__noinline__))
deeper(int depth)
{
	volatile char frame[1024];

	frame[0] = (char)depth;
	frame[sizeof frame - 1] = (char)depth;
	if (depth == 0)
		return (0);
	return (deeper(depth + 1) + frame[0] + frame[sizeof frame - 1]);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	(void)rq;
	sandbox_printf(rp, "%d\n", deeper(1));
}

int
main(void)
{

	return (guest_serve(bad));
}
