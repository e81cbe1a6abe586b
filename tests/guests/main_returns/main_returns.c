/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Never serves: main() returns, with the status that its first argument gives.
 * The second one says what it does before: "quiet", not say that there is
 * nothing to do; "greedy", ask for more memory than there is; "modest", do so
 * and ask for less then.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void
want(size_t len)
{

	if (mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		fprintf(stderr, "main_returns: no %zu bytes\n", len);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "";

	if (!strcmp(how, "greedy") || !strcmp(how, "modest"))
		want((size_t)1 << 40);
	if (!strcmp(how, "modest"))
		want(4096);
	if (strcmp(how, "quiet"))
		fprintf(stderr, "main_returns: nothing to do\n");
	return (argc > 1 ? atoi(argv[1]) : 0);
}
