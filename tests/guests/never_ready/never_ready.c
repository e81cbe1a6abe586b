/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Loops in main() and never says that it is ready. With "sleep" as its
 * argument it sleeps instead, with "syscalls" it makes system calls.
 */

#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	const char *how;

	how = argc > 1 ? argv[1] : "";
	for (;;) {
		if (strcmp(how, "sleep") == 0)
			(void)sleep(1);
		else if (strcmp(how, "syscalls") == 0)
			(void)getppid();
		else
			__asm__ volatile("");
	}
}
