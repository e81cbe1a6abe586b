/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One program for two purposes. As it is built, it compiles JavaScript to
 * bytecode, for sandbox-jsc. With a payload, which sandbox-jsc adds to a copy
 * of it, it serves that. So the engine that reads the bytecode is always the
 * one that wrote it, and nobody needs a C compiler.
 */

#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "engine.h"
#include "error.h"
#include "heap.h"
#include "payload.h"
#include "serve.h"
#include "watch.h"

static char *
main_read(FILE *f, size_t *len)
{
	size_t size, n;
	char *p, *q;

	*len = 0;
	size = 1 << 16;
	p = heap_alloc(size);
	while (p != NULL) {
		n = fread(p + *len, 1, size - 1 - *len, f);
		if (n == 0)
			break;
		*len += n;
		if (size - 1 > *len)
			continue;
		size *= 2;
		q = heap_realloc(p, size);
		p = q;
	}
	if (p == NULL || ferror(f))
		return (NULL);
	p[*len] = '\0';
	return (p);
}

/* Standard input to standard output. */
static int
main_compile(const char *name)
{
	uint8_t *code;
	size_t len;
	char *text;

	if (serve_engine() < 0)
		return (2);
	text = main_read(stdin, &len);
	if (text == NULL) {
		(void)fprintf(stderr, "can not read standard input\n");
		return (2);
	}
	if (engine_compile(text, len, name, &code, &len) < 0) {
		(void)fprintf(stderr, "%s\n", error_last());
		return (1);
	}
	if (fwrite(code, 1, len, stdout) != len || fflush(stdout) != 0) {
		perror("standard output");
		return (2);
	}
	return (0);
}

/* What sandbox-jsc does with each program it makes: get ready, no more. */
static int
main_check(void)
{

	if (serve_engine() < 0 || serve_boot() < 0)
		return (1);
	(void)printf("%zu\n", heap_used());
	return (0);
}

/* And what it does next: answer a request, and have a look at that. */
static int
main_profile(const char *path)
{

	cells_record();
	if (serve_engine() < 0 || serve_boot() < 0)
		return (1);
	if (watch_begin(path) < 0) {
		perror("can not watch memory");
		return (1);
	}
	serve_requests();
	return (1);
}

int
main(int argc, char **argv)
{

	if (argc == 2 && payload_is_here() && strcmp(argv[1], "--check") == 0)
		return (main_check());
	if (argc >= 3 && payload_is_here() &&
	    strcmp(argv[1], "--profile") == 0)
		return (main_profile(argv[2]));
	if (payload_is_here()) {
		if (serve_engine() == 0 && serve_boot() == 0)
			serve_requests();
		return (1);
	}
	if (argc == 3 && strcmp(argv[1], "compile") == 0)
		return (main_compile(argv[2]));
	(void)fprintf(stderr, "This is a part of sandbox-jsc, which makes"
	    " handlers of it.\nusage: %s compile NAME <module.js >bytecode\n",
	    argv[0]);
	return (2);
}
