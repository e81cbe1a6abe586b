/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Allocates until malloc() returns NULL, writes to all of it, and answers with
 * the number of megabytes it got. malloc() has to work again in the next
 * request.
 */

#include <errno.h>
#include <stdlib.h>

#include "../guest.h"

#define CHUNK		65536

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	size_t n;
	char *p;

	(void)rq;
	for (n = 0;; n++) {
		p = malloc(CHUNK);
		if (p == NULL)
			break;
		memset(p, 0x5a, CHUNK);
	}
	sandbox_printf(rp, "%zu MB, errno %d\n", n / (1048576 / CHUNK), errno);
}

int
main(void)
{

	return (guest_serve(bad));
}
