/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Writes to address 0. /handled installs a handler for SIGSEGV first, as
 * language runtimes do, and answers "handled" if it was called.
 */

#include <setjmp.h>
#include <signal.h>

#include "../guest.h"

static sigjmp_buf jump;

static void
handler(int sig)
{

	siglongjmp(jump, sig);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static volatile int * volatile null;
	struct sigaction sa;

	if (sandbox_path_is(rq, "/handled")) {
		memset(&sa, 0, sizeof sa);
		sa.sa_handler = handler;
		(void)sigaction(SIGSEGV, &sa, NULL);
		if (sigsetjmp(jump, 1) != 0) {
			sandbox_puts(rp, "handled\n");
			return;
		}
	}
	*null = 1;
	sandbox_puts(rp, "still alive\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
