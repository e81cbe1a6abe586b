/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * fetcher.c: a guest that fetches, over and over, and answers with how long
 * it took: nanoseconds for each round, in a line of their own.
 *
 *	/?url=/path&n=8&rounds=100	n at the same time in each round
 *
 * A '*' in url becomes 0, 1 ... in each round.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sandbox.h>

#define MAX_N		SANDBOX_MAX_FETCH
#define MAX_SPACE	40000

static char space[MAX_N][MAX_SPACE];

static long
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000000000L + ts.tv_nsec);
}

static long
number(const struct sandbox_request *rq, const char *name, long dflt)
{
	char buf[24];

	return (sandbox_get_param(rq, name, buf, sizeof buf) < 0 ? dflt :
	    strtol(buf, NULL, 10));
}

static void
fetcher(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	struct sandbox_fetch_request frq[MAX_N];
	struct sandbox_fetch_response frp[MAX_N];
	struct sandbox_fetch list[MAX_N];
	char pattern[200] = "/", url[MAX_N][240], *star;
	long rounds, t;
	unsigned i, n;

	(void)priv;
	(void)sandbox_get_param(rq, "url", pattern, sizeof pattern);
	n = (unsigned)number(rq, "n", 1);
	if (n > MAX_N)
		n = MAX_N;
	star = strchr(pattern, '*');
	for (i = 0; i < n; i++)
		if (star == NULL)
			(void)snprintf(url[i], sizeof url[i], "%s", pattern);
		else
			(void)snprintf(url[i], sizeof url[i], "%.*s%u%s",
			    (int)(star - pattern), pattern, i, star + 1);
	for (rounds = number(rq, "rounds", 1); rounds > 0; rounds--) {
		t = now();
		for (i = 0; i < n; i++) {
			sandbox_fetch_init(&frq[i], &frp[i], url[i]);
			frp[i].space = space[i];
			frp[i].space_len = MAX_SPACE;
			list[i].request = &frq[i];
			list[i].response = &frp[i];
		}
		if (sandbox_fetch_many(list, n, n) != (int)n) {
			(void)sandbox_set_status(rp, 500, NULL);
			return;
		}
		t = now() - t;
		for (i = 0; i < n; i++)
			if (frp[i].error != 0 || frp[i].status != 200) {
				(void)sandbox_set_status(rp, 502, NULL);
				return;
			}
		(void)sandbox_printf(rp, "%ld\n", t);
	}
}

int
main(void)
{

	return (sandbox_serve(fetcher, NULL));
}
