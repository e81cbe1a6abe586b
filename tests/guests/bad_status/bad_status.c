/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers with the status that /?status=N says, 0 if it does not.
 */

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct sandbox_response rsp;

	rsp = guest_response();
	rsp.status = (uint32_t)guest_long(rq, "status", 0);
	guest_answer((uintptr_t)&rsp);
	sandbox_puts(rp, "still alive\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
