/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Says something and crashes before it is ready.
 */

#include <stdio.h>

int
main(void)
{
	static volatile int * volatile null;

	printf("crash_at_boot: on standard output\n");
	fflush(stdout);
	fprintf(stderr, "crash_at_boot: on standard error\n");
	*null = 1;
	return (0);
}
