/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Timers: a list, the next one first.
 */

#include <time.h>

#include "heap.h"
#include "host.h"

struct timer {
	struct timer		*next;
	int64_t			due;		/* CLOCK_MONOTONIC, ns */
	double			id;		/* the runtime's */
};

static struct timer *timers;
static struct engine_value timer_hook;

void
timer_set_hook(struct engine_value f)
{

	timer_hook = f;
}

int64_t
timer_next(void)
{

	return (timers == NULL ? INT64_MAX : timers->due);
}

/* The number of a moment (ms) from now; what is far away is just that. */
static int64_t
timer_when(double ms)
{

	if (!(ms > 0))
		return (system_mono());
	if (ms > 1e9)
		ms = 1e9;
	return (system_mono() + (int64_t)(ms * 1e6));
}

int
timer_run(void)
{
	struct engine_value id;
	struct timer *t;
	int64_t now;
	int n;

	now = system_mono();
	for (n = 0; timers != NULL && timers->due <= now; n++) {
		t = timers;
		timers = t->next;
		id = engine_number(t->id);
		heap_free(t);
		if (engine_call(timer_hook, 1, &id, NULL) < 0)
			return (-1);
		/* A timer's promises go before the next timer. */
		if (engine_jobs() < 0)
			return (-1);
	}
	return (n);
}

static void
timer_set(struct engine_call *c)
{
	struct timer *t, **tp;
	double id, ms;

	if (engine_arg_number(c, 0, &id) < 0 ||
	    engine_arg_number(c, 1, &ms) < 0)
		return;
	t = heap_alloc(sizeof *t);
	if (t == NULL) {
		engine_throw(c, "out of memory");
		return;
	}
	t->id = id;
	t->due = timer_when(ms);
	for (tp = &timers; *tp != NULL && (*tp)->due <= t->due;)
		tp = &(*tp)->next;
	t->next = *tp;
	*tp = t;
}

static void
timer_clear(struct engine_call *c)
{
	struct timer *t, **tp;
	double id;

	if (engine_arg_number(c, 0, &id) < 0)
		return;
	for (tp = &timers; (t = *tp) != NULL; tp = &t->next)
		if (t->id == id) {
			*tp = t->next;
			heap_free(t);
			return;
		}
}

const struct engine_func host_timer[] = {
	{ "setTimer",		timer_set,		2 },
	{ "clearTimer",		timer_clear,		1 },
};
const size_t host_timer_n = sizeof host_timer / sizeof host_timer[0];
