/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes descriptors until there are no more, and answers with how many there
 * were. /open opens /dev/null instead of duplicating, /pipe makes pipes.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	int fd[2], n, r, e;

	for (n = 0; n < 1000000; n++) {
		if (sandbox_path_is(rq, "/open"))
			r = open("/dev/null", O_RDONLY);
		else if (sandbox_path_is(rq, "/pipe"))
			r = pipe(fd);
		else
			r = dup(0);
		if (r < 0)
			break;
	}
	e = n < 1000000 ? errno : 0;
	sandbox_printf(rp, "%d, errno %d\n", n, e);
}

int
main(void)
{

	return (guest_serve(bad));
}
