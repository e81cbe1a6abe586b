/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two threads sleep when the program is frozen: one for 300 milliseconds, and
 * one until a time that is 300 milliseconds away. The first has as much of its
 * sleep left in each request as it had then; for the second it is always over,
 * once that time has passed.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "../guest.h"

#define MS		1000000L

static volatile int slept, polled, reached;

static void
must(int ok)
{

	if (!ok)
		abort();
}

static void
sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * MS };

	must(nanosleep(&ts, NULL) == 0);
}

static void *
sleep_main(void *priv)
{

	sleep_ms(300);
	slept = 1;
	return (priv);
}

static void *
poll_main(void *priv)
{

	must(poll(NULL, 0, 300) == 0);
	polled = 1;
	return (priv);
}

static void *
until_main(void *priv)
{
	struct timespec *ts = priv;

	must(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, ts, NULL) == 0);
	reached = 1;
	return (NULL);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec t;
	int early;

	/* lets the others have a turn */
	sleep_ms(20);
	early = slept || polled;
	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	/* unless this machine is that slow */
	if (t.tv_sec * 1000 * MS + t.tv_nsec - rq->mono_ns >= 280 * MS)
		early = 0;
	sandbox_printf(rp, "%s, ", early ? "woken early" : "asleep");
	sandbox_printf(rp, "the time has %s, ", reached ? "come" : "not come");
	sleep_ms(600);
	sandbox_printf(rp, "then %s\n", slept && polled && reached ? "awake" :
	    "asleep");
}

int
main(void)
{
	static struct timespec ts;
	pthread_t thr;

	must(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	ts.tv_nsec += 300 * MS;
	ts.tv_sec += ts.tv_nsec / (1000 * MS);
	ts.tv_nsec %= 1000 * MS;
	must(pthread_create(&thr, NULL, sleep_main, NULL) == 0);
	must(pthread_create(&thr, NULL, poll_main, NULL) == 0);
	must(pthread_create(&thr, NULL, until_main, &ts) == 0);
	/* so that they sleep */
	sleep_ms(1);
	return (guest_serve(bad));
}
