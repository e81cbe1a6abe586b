/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Never serves: main() returns, with the status that its argument gives.
 */

#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{

	fprintf(stderr, "main_returns: nothing to do\n");
	return (argc > 1 ? atoi(argv[1]) : 0);
}
