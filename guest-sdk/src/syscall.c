/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The calls into the host, and whether there is one.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "sdk.h"

/* Written before the program is frozen, and never again. */
static int sdk_outside;

long
sdk_call(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall"
	    : "=a" (r)
	    : "0" (nr), "D" (a), "S" (b), "d" (c)
	    : "rcx", "r11", "memory");
	return (r);
}

int
sdk_is_outside(void)
{

	return (sdk_outside);
}

const struct sandbox_request *
sandbox_next(const struct sandbox_response *rsp)
{
	long r;

	if (sdk_outside)
		sdk_outside_answer(rsp);
	r = sdk_call(SANDBOX_CALL_NEXT, SANDBOX_ABI_VERSION, (long)rsp, 0);
	if (r < 0 && r >= -4095) {
		/* Container runtimes refuse unknown calls with EPERM. */
		if (rsp == NULL && (r == -ENOSYS || r == -EPERM)) {
			sdk_outside = 1;
			return (sdk_outside_request());
		}
		errno = (int)-r;
		return (NULL);
	}
	return ((const struct sandbox_request *)r);
}

int
sandbox_log(int level, const char *fmt, ...)
{
	char buf[SANDBOX_MAX_LOG + 1];
	va_list ap;
	long r;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	if (n < 0)
		return (-1);
	if (n > SANDBOX_MAX_LOG)
		n = SANDBOX_MAX_LOG;
	r = sdk_call(SANDBOX_CALL_LOG, level, (long)buf, n);
	if (r != -ENOSYS && r != -EPERM)
		return (r == 0 ? 0 : -1);
	if (level != SANDBOX_LOG_INFO && level != SANDBOX_LOG_ERROR)
		return (-1);
	(void)fprintf(stderr, "log %s: %s\n",
	    level == SANDBOX_LOG_INFO ? "info" : "error", buf);
	return (0);
}
