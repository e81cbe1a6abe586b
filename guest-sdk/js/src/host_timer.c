/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Timers, and which is the next one.
 */

#include <time.h>

#include "heap.h"
#include "host.h"

struct timer {
	int64_t			due;		/* CLOCK_MONOTONIC, ns */
	uint64_t		n;		/* of two, this began first */
	double			id;		/* the runtime's */
};

/* A heap: none is due before the one at (i - 1) / 2. */
static struct timer *timers;
static size_t n_timers, timers_size;
static uint64_t timer_count;
static struct engine_value timer_hook;

static int
timer_before(const struct timer *a, const struct timer *b)
{

	return (a->due != b->due ? a->due < b->due : a->n < b->n);
}

static void
timer_swap(size_t i, size_t j)
{
	struct timer t;

	t = timers[i];
	timers[i] = timers[j];
	timers[j] = t;
}

static void
timer_up(size_t i)
{

	for (; i > 0 && timer_before(&timers[i], &timers[(i - 1) / 2]);
	    i = (i - 1) / 2)
		timer_swap(i, (i - 1) / 2);
}

static void
timer_down(size_t i)
{
	size_t k;

	for (; (k = 2 * i + 1) < n_timers; i = k) {
		if (k + 1 < n_timers &&
		    timer_before(&timers[k + 1], &timers[k]))
			k++;
		if (!timer_before(&timers[k], &timers[i]))
			return;
		timer_swap(i, k);
	}
}

static void
timer_remove(size_t i)
{

	if (i != --n_timers) {
		timers[i] = timers[n_timers];
		timer_down(i);
		timer_up(i);
	}
}

void
timer_set_hook(struct engine_value f)
{

	timer_hook = f;
}

int64_t
timer_next(void)
{

	return (n_timers == 0 ? INT64_MAX : timers[0].due);
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
	uint64_t last;
	int64_t now;
	int n;

	now = system_mono();
	/* Those that are set meanwhile have to wait. */
	last = timer_count;
	for (n = 0; n_timers > 0 && timers[0].due <= now &&
	    timers[0].n < last; n++) {
		id = engine_number(timers[0].id);
		timer_remove(0);
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
	struct timer *t;
	double id, ms;
	size_t size;

	if (engine_arg_number(c, 0, &id) < 0 ||
	    engine_arg_number(c, 1, &ms) < 0)
		return;
	if (n_timers == timers_size) {
		size = 2 * timers_size + 16;
		t = heap_realloc(timers, size * sizeof *t);
		if (t == NULL) {
			engine_throw(c, "out of memory");
			return;
		}
		timers = t;
		timers_size = size;
	}
	t = &timers[n_timers];
	t->id = id;
	t->n = timer_count++;
	t->due = timer_when(ms);
	timer_up(n_timers++);
}

static void
timer_clear(struct engine_call *c)
{
	double id;
	size_t i;

	if (engine_arg_number(c, 0, &id) < 0)
		return;
	for (i = 0; i < n_timers; i++)
		if (timers[i].id == id) {
			timer_remove(i);
			return;
		}
}

const struct engine_func host_timer[] = {
	{ "setTimer",		timer_set,		2 },
	{ "clearTimer",		timer_clear,		1 },
};
const size_t host_timer_n = sizeof host_timer / sizeof host_timer[0];
