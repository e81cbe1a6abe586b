/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers with as many bytes as /?size=N says, without a copy. Byte i of the
 * body is (i ^ i >> 8 ^ i >> 16) & 255, so that any part of it can be checked.
 * They are made before the first request: main()'s argument says how many
 * megabytes, 16 by default. /copy?size=N makes the body anew, in memory that
 * was not used before.
 */

#include <stdlib.h>

#include "../guest.h"

static unsigned char *body;
static size_t body_size;

static void
fill(unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (unsigned char)(i ^ i >> 8 ^ i >> 16);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	unsigned char *p;
	size_t n;

	n = (size_t)guest_long(rq, "size", 1048576);
	p = body;
	if (sandbox_path_is(rq, "/copy")) {
		p = malloc(n + 1);
		if (p != NULL)
			fill(p, n);
	} else if (n > body_size)
		p = NULL;
	if (p == NULL) {
		sandbox_fail(rp, 400, "There are %zu bytes.", body_size);
		return;
	}
	sandbox_add_header(rp, "Content-Type", "application/octet-stream");
	sandbox_set_body(rp, p, n);
}

int
main(int argc, char **argv)
{
	size_t mb;

	mb = argc > 1 ? (size_t)atoi(argv[1]) : 16;
	body_size = mb * 1048576;
	body = malloc(body_size + 1);
	if (body == NULL)
		return (1);
	fill(body, body_size);
	return (guest_serve(bad));
}
