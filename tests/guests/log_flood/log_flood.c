/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Logs as many lines as /?lines=N says, 100000 if it does not, of 1000 bytes
 * each, and answers with how many were taken. /stdout and /stderr write there
 * instead, /control logs every byte from 0 to 255, /long one line of 100 KB.
 */

#include <sys/syscall.h>

#include "../guest.h"

/* To descriptor (fd), or to the log if that is negative. */
static long
say(int fd, const char *text, size_t len)
{

	if (fd < 0)
		return (guest_call(SANDBOX_CALL_LOG, SANDBOX_LOG_INFO,
		    (uintptr_t)text, len, 0, 0, 0));
	return (guest_call(SYS_write, (uint64_t)fd, (uintptr_t)text, len, 0,
	    0, 0));
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static char line[100001];
	long i, n, taken, r;
	int fd;

	fd = sandbox_path_is(rq, "/stdout") ? 1 :
	    sandbox_path_is(rq, "/stderr") ? 2 : -1;
	if (sandbox_path_is(rq, "/control")) {
		for (i = 0; i < 256; i++)
			line[i] = (char)i;
		r = say(fd, line, 256);
		sandbox_printf(rp, "%ld\n", r);
		return;
	}
	memset(line, 'x', sizeof line - 1);
	if (sandbox_path_is(rq, "/long")) {
		sandbox_printf(rp, "%ld\n", say(fd, line, sizeof line - 1));
		return;
	}
	n = guest_long(rq, "lines", 100000);
	line[999] = '\n';
	for (i = taken = 0; i < n; i++)
		if (say(fd, line, 1000) >= 0)
			taken++;
	sandbox_printf(rp, "%ld of %ld lines\n", taken, n);
}

int
main(void)
{

	return (guest_serve(bad));
}
