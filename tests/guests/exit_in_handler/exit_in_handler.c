/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Leaves by a bare system call: /?status=3 calls exit_group(3), and
 * /thread?status=3 exit(3).
 */

#include <sys/syscall.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	long nr;

	nr = sandbox_path_is(rq, "/thread") ? SYS_exit : SYS_exit_group;
	(void)guest_call(nr, (uint64_t)guest_long(rq, "status", 3), 0, 0, 0,
	    0, 0);
	sandbox_puts(rp, "still alive\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
