/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program with a version, which a test makes a new one of by writing over
 * the digits in its file, and a fault, which it gets the same way. The version
 * is in a header and, again and again, in the body: /?size=BYTES&ms=N, where
 * half of the time passes before the body is written and half of it after.
 * /probe says whether it is well. A file that is its argument is read when it
 * starts, and what it said is in a header, too.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../guest.h"

/* Where a test writes; the compiler must not know what it says. */
static const volatile char version_says[] = "@VERSION=000000@FAULT=none...@";

static char version[7], fault[8], data[20];

static void
version_read(void)
{
	char says[sizeof version_says];
	size_t u;

	for (u = 0; u < sizeof says; u++)
		says[u] = version_says[u];
	memcpy(version, says + 9, 6);
	memcpy(fault, says + 22, 7);
}

static int
is(const char *what)
{

	return (strncmp(fault, what, strlen(what)) == 0);
}

static void
version_sleep(long ms)
{
	struct timespec t;

	if (ms == 0)
		return;
	t.tv_sec = ms / 1000;
	t.tv_nsec = ms % 1000 * 1000000;
	(void)nanosleep(&t, NULL);
}

static void
version_probe(struct sandbox_reply *rp)
{

	if (is("abort"))
		abort();
	if (is("status")) {
		(void)write(2, "the database is closed\n", 23);
		(void)sandbox_fail(rp, 500, "not well");
		return;
	}
	if (is("sleep"))
		version_sleep(60000);
	sandbox_puts(rp, "well\n");
}

static void
serve(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	long ms = guest_long(rq, "ms", 0);
	long size = guest_long(rq, "size", 100);
	long n;

	(void)priv;
	if (sandbox_path_is(rq, "/probe")) {
		version_probe(rp);
		return;
	}
	sandbox_add_header(rp, "X-Version", version);
	sandbox_add_header(rp, "X-Data", data);
	version_sleep(ms / 2);
	for (n = 0; n < size; n += 7)
		sandbox_printf(rp, "%s\n", version);
	version_sleep(ms / 2);
}

static void
data_read(const char *path)
{
	FILE *f;

	f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%19s", data) != 1)
		exit(2);
	(void)fclose(f);
}

int
main(int argc, char **argv)
{

	version_read();
	if (argc > 1)
		data_read(argv[1]);
	if (is("crash"))
		abort();
	if (is("never"))
		for (;;)
			version_sleep(60000);
	if (is("spin"))
		for (;;)
			continue;
	if (is("exit"))
		return (3);
	return (sandbox_serve(serve, NULL));
}
