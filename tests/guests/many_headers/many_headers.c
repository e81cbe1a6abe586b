/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers with a million headers, or as many as /?n=N says. &len=N makes each
 * value that many bytes long.
 */

#include <stdlib.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct sandbox_response rsp;
	struct sandbox_header *h;
	size_t i, n, len;
	char *value;

	n = (size_t)guest_long(rq, "n", 1000000);
	len = (size_t)guest_long(rq, "len", 1);
	h = calloc(n + 1, sizeof *h);
	value = malloc(len + 1);
	if (h == NULL || value == NULL) {
		sandbox_fail(rp, 507, "Not enough memory.");
		return;
	}
	memset(value, 'v', len);
	for (i = 0; i < n; i++) {
		h[i].name = guest_str("X-Many", 6);
		h[i].value = guest_str(value, len);
	}
	rsp = guest_response();
	rsp.headers = h;
	rsp.n_headers = (uint32_t)n;
	guest_answer((uintptr_t)&rsp);
	sandbox_puts(rp, "still alive\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
