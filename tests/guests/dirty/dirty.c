/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Writes to as many pages as /?pages=N says, one byte each, and answers with
 * their number. /read?pages=N reads each page before it is written;
 * /random?pages=N takes them in an order that is not sequential. The pages are
 * there from the start: main()'s argument says how many megabytes, 32 by
 * default.
 */

#include <stdlib.h>
#include <sys/mman.h>

#include "../guest.h"

static volatile char *arena;
static size_t arena_pages;

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	size_t i, n, page;
	char seen = 0;
	int rd, rnd;

	n = (size_t)guest_long(rq, "pages", 1);
	if (n > arena_pages) {
		sandbox_fail(rp, 400, "There are %zu pages.", arena_pages);
		return;
	}
	rd = sandbox_path_is(rq, "/read");
	rnd = sandbox_path_is(rq, "/random");
	for (i = 0; i < n; i++) {
		page = rnd ? i * 40503 % arena_pages : i;
		if (rd)
			seen |= arena[page * GUEST_PAGE];
		arena[page * GUEST_PAGE] = (char)(i | 1);
	}
	if (seen != 0)
		sandbox_fail(rp, 500, "A page was not clean.");
	else
		sandbox_printf(rp, "%zu pages\n", n);
}

int
main(int argc, char **argv)
{
	size_t mb;
	void *p;

	mb = argc > 1 ? (size_t)atoi(argv[1]) : 32;
	arena_pages = mb * (1048576 / GUEST_PAGE);
	p = mmap(NULL, arena_pages * GUEST_PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return (1);
	arena = p;
	return (guest_serve(bad));
}
