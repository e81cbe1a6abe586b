/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks for the next request without having answered this one.
 */

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	(void)rq;
	guest_answer(0);
	sandbox_puts(rp, "still alive\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
