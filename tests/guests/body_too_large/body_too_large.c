/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers with a body of one byte more than is accepted. /exact: with exactly
 * what is accepted. /claim?len=N: says N (hex) bytes and has a few.
 */

#include <stdlib.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct sandbox_response rsp;

	rsp = guest_response();
	rsp.body_len = rq->max_response_body;
	if (!sandbox_path_is(rq, "/exact"))
		rsp.body_len++;
	if (sandbox_path_is(rq, "/claim"))
		rsp.body_len = guest_hex(rq, "len", UINT64_MAX);
	else
		rsp.body = malloc(rsp.body_len);
	if (rsp.body == NULL) {
		sandbox_fail(rp, 507, "Not enough memory for the body.");
		return;
	}
	guest_answer((uintptr_t)&rsp);
	sandbox_puts(rp, "still alive\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
