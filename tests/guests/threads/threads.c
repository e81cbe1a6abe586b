/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tries to be more than one process: by fork(), vfork(), clone() and clone3(),
 * in all the ways that C libraries do it. Answers with what each one returned;
 * a child that does come to be answers too, with "child".
 */

#include <signal.h>
#include <sys/syscall.h>

#include "../guest.h"

#define SPAWN_FLAGS	0x4100		/* as posix_spawn() has them */

static char stack[16 * GUEST_PAGE];

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static uint64_t args[8];	/* struct clone_args */
	long r[5];
	size_t i;

	(void)rq;
	args[0] = SPAWN_FLAGS;
	args[4] = SIGCHLD;
	args[5] = (uintptr_t)stack;
	args[6] = sizeof stack;
	r[0] = guest_call(SYS_fork, 0, 0, 0, 0, 0, 0);
	if (r[0] == 0)
		sandbox_puts(rp, "child ");
	r[1] = guest_call(SYS_vfork, 0, 0, 0, 0, 0, 0);
	r[2] = guest_call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
	r[3] = guest_call(SYS_clone, SPAWN_FLAGS | SIGCHLD,
	    (uintptr_t)(stack + sizeof stack), 0, 0, 0, 0);
	r[4] = guest_call(SYS_clone3, (uintptr_t)args, 64, 0, 0, 0, 0);
	for (i = 0; i < 5; i++)
		sandbox_printf(rp, "%ld%c", r[i], i < 4 ? ' ' : '\n');
}

int
main(void)
{

	return (guest_serve(bad));
}
