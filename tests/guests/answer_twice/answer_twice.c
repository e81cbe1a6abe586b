/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers, and would answer again, with "second". Nothing after the first
 * answer may run, and the next request must not see that there was one.
 */

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static int answers;
	struct sandbox_response rsp;

	(void)rq;
	if (answers++ > 0) {
		sandbox_fail(rp, 500, "second");
		return;
	}
	rsp = guest_response();
	rsp.body = "first\n";
	rsp.body_len = 6;
	guest_answer((uintptr_t)&rsp);
	rsp.body = "second\n";
	rsp.body_len = 7;
	guest_answer((uintptr_t)&rsp);
	sandbox_puts(rp, "third\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
