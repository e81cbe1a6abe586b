/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers with a body that is not where it says; the path says how.
 * /at?addr=A&len=N (both in hex) can be anything.
 */

#include <sys/mman.h>

#include "../guest.h"

static const struct {
	const char	*path;
	uintptr_t	addr;
	uint64_t	len;
} cases[] = {
	{ "/null",		0,			1 },
	{ "/null-empty",	0,			0 },
	{ "/low-0x1000",	0x1000,			4096 },
	{ "/low-0x2000",	0x2000,			4096 },
	{ "/low-0x10000",	0x10000,		4096 },
	{ "/low-0x100000",	0x100000,		4096 },
	{ "/low-all",		0x1000,			0x1ff000 },
	{ "/outside",		0x7ffffffff000,		4096 },
	{ "/outside-empty",	0x7ffffffff000,		0 },
	{ "/last-user",		0x7fffffffffff,		1 },
	{ "/over-user",		0x7fffffffffff,		2 },
	{ "/not-canonical",	0x800000000000,		1 },
	{ "/kernel",		0xffff800000000000,	4096 },
	{ "/kernel-text",	0xffffffff80000000,	4096 },
	{ "/last",		0xffffffffffffffff,	1 },
	{ "/wrap",		0xffffffffffffffff,	2 },
	{ "/wrap-page",		0xfffffffffffff000,	0x2000 },
	{ "/wrap-all",		0x400000,		0xffffffffffffffff },
	{ "/wrap-to-self",	0x400000,		0xffffffffffc00001 },
};

/* An address that was a page of ours and is no more; the page before it is. */
static void *
gone(void)
{
	char *p;

	p = mmap(NULL, 2 * GUEST_PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p[0] = p[GUEST_PAGE] = 'x';
	(void)munmap(p + GUEST_PAGE, GUEST_PAGE);
	return (p + GUEST_PAGE);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct sandbox_response rsp;
	uintptr_t at;
	size_t i;

	rsp = guest_response();
	if (sandbox_path_is(rq, "/at")) {
		at = guest_hex(rq, "addr", 0);
		rsp.body = (const void *)at;
		rsp.body_len = guest_hex(rq, "len", 1);
	} else if (sandbox_path_is(rq, "/unmapped")) {
		rsp.body = gone();
	} else if (sandbox_path_is(rq, "/across")) {
		rsp.body = (const char *)gone() - 1;
		rsp.body_len = 2;
	} else {
		i = GUEST_CASE(rq, rp, cases);
		if (i == GUEST_CASES(cases))
			return;
		rsp.body = (const void *)cases[i].addr;
		rsp.body_len = cases[i].len;
	}
	guest_answer((uintptr_t)&rsp);
	sandbox_puts(rp, "still alive\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
