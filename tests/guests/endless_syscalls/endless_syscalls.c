/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes system calls for ever: getpid(), or the one that /?nr=N says, with
 * zero arguments.
 */

#include <sys/syscall.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	uint64_t nr;

	(void)rp;
	nr = (uint64_t)guest_long(rq, "nr", SYS_getpid);
	for (;;)
		(void)guest_call((long)nr, 0, 0, 0, 0, 0, 0);
}

int
main(void)
{

	return (guest_serve(bad));
}
