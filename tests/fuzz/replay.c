/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A fuzzer without libFuzzer: runs the inputs that are named, or are in the
 * directories that are named, once each. So they are tests for any compiler,
 * and with any sanitizer.
 */

#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vdef.h"
#include "vas.h"

#include "fuzz.h"

static unsigned long replayed;

/* For those that have none, as it is with libFuzzer. */
int __attribute__((__weak__))
LLVMFuzzerInitialize(int *argc, char ***argv)
{

	(void)argc;
	(void)argv;
	return (0);
}

static void
replay_file(const char *path)
{
	uint8_t *b;
	size_t l;
	FILE *f;

	f = fopen(path, "rb");
	AN(f);
	/* as long as it is, so that a sanitizer sees what is behind it */
	b = malloc(1u << 20);
	AN(b);
	l = fread(b, 1, 1u << 20, f);
	AZ(ferror(f));
	AZ(fclose(f));
	b = realloc(b, l > 0 ? l : 1);
	AN(b);
	(void)fprintf(stderr, "%s\n", path);
	AZ(LLVMFuzzerTestOneInput(b, l));
	free(b);
	replayed++;
}

static void
replay_dir(const char *path)
{
	char p[4096];
	struct dirent **list;
	int i, n;

	n = scandir(path, &list, NULL, alphasort);
	assert(n >= 0);
	for (i = 0; i < n; i++) {
		(void)snprintf(p, sizeof p, "%s/%s", path, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			replay_file(p);
		free(list[i]);
	}
	free(list);
}

int
main(int argc, char **argv)
{
	struct stat st;
	int i;

	AZ(LLVMFuzzerInitialize(&argc, &argv));
	for (i = 1; i < argc; i++) {
		AZ(stat(argv[i], &st));
		if (S_ISDIR(st.st_mode))
			replay_dir(argv[i]);
		else
			replay_file(argv[i]);
	}
	printf("%lu inputs\n", replayed);
	return (0);
}
