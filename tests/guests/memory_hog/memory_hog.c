/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes all the memory there is by mmap() and then by brk(), without a library
 * in between, writes to every page, and answers with the number of pages.
 * /stay does not give up: it goes on asking until it is stopped.
 */

#include <sys/mman.h>
#include <sys/syscall.h>

#include "../guest.h"

#define CHUNK		(256 * GUEST_PAGE)

static size_t
touch(uint64_t from, uint64_t to)
{
	volatile char *p;
	size_t n;

	for (n = 0; from < to; from += GUEST_PAGE, n++) {
		p = (volatile char *)from;
		*p = 1;
	}
	return (n);
}

/* Chunks from large to small, until not even one page is left. */
static size_t
take_mmap(void)
{
	uint64_t size;
	size_t n;
	long r;

	for (n = 0, size = CHUNK; size >= GUEST_PAGE; size /= 2)
		for (;;) {
			r = guest_call(SYS_mmap, 0, size,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0);
			if (r < 0 && r >= -4095)
				break;
			n += touch((uint64_t)r, (uint64_t)r + size);
		}
	return (n);
}

static size_t
take_brk(void)
{
	uint64_t end, want;
	size_t n;

	end = (uint64_t)guest_call(SYS_brk, 0, 0, 0, 0, 0, 0);
	for (n = 0;; n += touch(end, want), end = want) {
		want = (end | (GUEST_PAGE - 1)) + 1;
		if ((uint64_t)guest_call(SYS_brk, want, 0, 0, 0, 0, 0) != want)
			break;
	}
	return (n);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	size_t m, b;

	m = take_mmap();
	b = take_brk();
	while (sandbox_path_is(rq, "/stay")) {
		(void)take_mmap();
		(void)take_brk();
	}
	sandbox_printf(rp, "%zu pages by mmap, %zu by brk\n", m, b);
}

int
main(void)
{

	return (guest_serve(bad));
}
