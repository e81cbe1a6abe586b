/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One program for every way to link it: thread-local variables, functions that
 * are chosen for the CPU (IRELATIVE: memcpy() and its like), constructors, a
 * large .bss, relocations in constant data, floating point, files.
 */

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sandbox.h>

static __thread int tls_data = 42;
static __thread char tls_bss[100];
static char bss[24 << 20];
static int constructed;
static char at_start[200];

static int add(int a, int b) { return (a + b); }
static int sub(int a, int b) { return (a - b); }

/* relocated, then read-only */
static int (* const table[])(int, int) = { add, sub };
static const char * const names[] = { "add", "sub" };

static void __attribute__((__constructor__))
construct(void)
{

	constructed++;
}

static int
compare(const void *a, const void *b)
{

	return (strcmp(*(const char * const *)a, *(const char * const *)b));
}

static void
handler(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	const char *words[] = { "pear", "apple", "quince", "fig" };
	time_t t = 86400 * 365;
	struct tm tm;
	char buf[200], *m;
	FILE *f;
	int i;

	(void)priv;
	sandbox_printf(rp, "%s: constructed %d, start \"%s\"\n", rq->url.ptr,
	    constructed, at_start);
	sandbox_printf(rp, "tls %d %d, bss %d %d\n", tls_data++,
	    tls_bss[50]++, bss[1]++, bss[sizeof bss - 1]++);
	for (i = 0; i < 2; i++)
		sandbox_printf(rp, "%s %d\n", names[i], table[i](7, 5));
	qsort(words, 4, sizeof *words, compare);
	for (i = 0; i < 4; i++)
		sandbox_printf(rp, "%s ", words[i]);
	m = malloc(3 << 20);
	memset(m, 'm', 3 << 20);
	memmove(m + 1, m, (3 << 20) - 1);
	sandbox_printf(rp, "%c %zu\n", toupper((unsigned char)m[2 << 20]),
	    (size_t)malloc(0) != 0);
	free(m);
	snprintf(buf, sizeof buf, "%.10f %.3e %a", sqrt(2.0), exp(10.0),
	    atan(1.0));
	sandbox_printf(rp, "%s %g\n", buf, strtod("2.5e3", NULL));
	strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S", gmtime_r(&t, &tm));
	sandbox_printf(rp, "%s %s\n", buf, setlocale(LC_ALL, NULL));
	f = tmpfile();
	if (f == NULL)
		sandbox_printf(rp, "no temporary file\n");
	else {
		for (i = 0; i < 10000; i++)
			fprintf(f, "line %d\n", i);
		fseek(f, -10, SEEK_END);
		sandbox_printf(rp, "%s", fgets(buf, sizeof buf, f));
		fclose(f);
	}
}

int
main(void)
{

	snprintf(at_start, sizeof at_start, "tls %d, bss %d", tls_data, bss[9]);
	return (sandbox_serve(handler, NULL));
}
