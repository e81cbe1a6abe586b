/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings, counts and headers from the command line of sandbox-run. The first
 * character of the input says which.
 */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/*
 * Its functions are static, so here it is. What it says goes nowhere, and when
 * it gives up, that is the end of the input.
 */
static void __attribute__((__noreturn__)) run_exit(int);
static int run_vfprintf(FILE *, const char *, va_list)
    __attribute__((__format__(__printf__, 2, 0)));
static int run_fprintf(FILE *, const char *, ...)
    __attribute__((__format__(__printf__, 2, 3)));
int run_main(int argc, char **argv);

#define main		run_main
#define exit		run_exit
#define fprintf		run_fprintf
#define vfprintf	run_vfprintf
#include "run/main.c"
#undef main
#undef exit
#undef fprintf
#undef vfprintf

static jmp_buf run_end;

static void
run_exit(int status)
{

	assert(status == 0 || status == 2);
	longjmp(run_end, 1);
}

static int
run_vfprintf(FILE *f, const char *fmt, va_list ap)
{
	char buf[8192];

	(void)f;
	return (vsnprintf(buf, sizeof buf, fmt, ap));
}

static int
run_fprintf(FILE *f, const char *fmt, ...)
{
	va_list ap;
	int i;

	va_start(ap, fmt);
	i = run_vfprintf(f, fmt, ap);
	va_end(ap);
	return (i);
}

static void
run_string(char what, const char *s)
{
	static struct run r;
	size_t l = strlen(s);

	memset(&r, 0, sizeof r);
	r.magic = RUN_MAGIC;
	SBX_Program_Defaults(&r.cfg);
	if (setjmp(run_end))
		return;
	switch (what) {
	case 's':
		run_set(&r, s);
		break;
	case 'n':
		run_count(&r, s);
		assert(r.count > 0 && r.count <= 100000000);
		break;
	case 'H':
		run_header(&r, s);
		assert(r.req.n_headers == 1);
		assert(r.header[0].name.l > 0 && r.header[0].name.l < l);
		assert(r.header[0].value.l < l - r.header[0].name.l);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{
	char *s;

	if (l == 0)
		return (0);
	s = malloc(l);
	AN(s);
	memcpy(s, b + 1, l - 1);
	s[l - 1] = '\0';
	run_string((char)b[0], s);
	free(s);
	return (0);
}
