/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * timer.c: timers that send signals.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "linux/timer.h"

void
SBX_Timers_Init(struct sbx_timers *ts)
{
	static const unsigned sigs[SBX_TIMERS_OF_PROC] = {
		[ITIMER_REAL] = SIGALRM,
		[ITIMER_VIRTUAL] = SIGVTALRM,
		[ITIMER_PROF] = SIGPROF,
	};
	unsigned u;

	AN(ts);
	INIT_OBJ(ts, SBX_TIMERS_MAGIC);
	for (u = 0; u < SBX_TIMERS_MAX; u++)
		ts->t[u].until = SBX_NEVER;
	for (u = 0; u < SBX_TIMERS_OF_PROC; u++) {
		ts->t[u].used = 1;
		ts->t[u].sig = sigs[u];
		ts->t[u].notify = SIGEV_SIGNAL;
		ts->t[u].clock = u == ITIMER_REAL ? CLOCK_MONOTONIC :
		    CLOCK_PROCESS_CPUTIME_ID;
	}
}

void
SBX_Timers_Copy(struct sbx_timers *to, const struct sbx_timers *from)
{

	CHECK_OBJ_NOTNULL(to, SBX_TIMERS_MAGIC);
	CHECK_OBJ_NOTNULL(from, SBX_TIMERS_MAGIC);
	memcpy(to, from, sizeof *to);
	to->changed = 0;
}

/*--------------------------------------------------------------------
 * Going off
 */

static int
timer_is_cpu(const struct sbx_timer *t)
{

	return (t->clock == CLOCK_PROCESS_CPUTIME_ID ||
	    t->clock == CLOCK_THREAD_CPUTIME_ID);
}

/* When it goes off, if the program does not wait from now on. */
static int64_t
timer_until(const struct sbx_proc *p, const struct sbx_timer *t)
{

	if (t->until == SBX_NEVER || !timer_is_cpu(t))
		return (t->until);
	return (t->until + p->waited - t->waited);
}

/* Move it on by (n) intervals, to (until) and what has been waited. */
static void
timer_forward(struct sbx_proc *p, struct sbx_timer *t, int64_t n)
{

	p->timers.changed = 1;
	if (t->every > 0 && n < (SBX_NEVER - 1 - t->until) / t->every) {
		t->until += n * t->every;
		return;
	}
	t->until = SBX_NEVER;
	p->timers.n--;
}

/* How many intervals have passed by (now) since it was due. */
static int64_t
timer_passed(const struct sbx_proc *p, const struct sbx_timer *t, int64_t now)
{
	int64_t at = timer_until(p, t);

	return (t->every > 0 && now > at ? (now - at) / t->every : 0);
}

int64_t
SBX_Timers_First(const struct sbx_proc *p, int idle)
{
	const struct sbx_timer *t;
	int64_t at, first = SBX_NEVER;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (p->timers.n == 0)
		return (first);
	for (t = p->timers.t; t < p->timers.t + SBX_TIMERS_MAX; t++) {
		if (t->sent || t->notify == SIGEV_NONE ||
		    (idle && timer_is_cpu(t)))
			continue;
		at = timer_until(p, t);
		if (at < first)
			first = at;
	}
	return (first);
}

/* Nobody is told: the next look is not before a slice is over, so that what
 * nobody sees costs little. */
static void
timer_in_vain(struct sbx_proc *p, struct sbx_timer *t, int64_t now)
{

	timer_forward(p, t, timer_passed(p, t, now + SBX_SLICE) + 1);
}

static void
timer_expire(struct sbx_proc *p, struct sbx_timer *t, int64_t now)
{
	struct sbx_thread *to = NULL;

	if (t->notify & SIGEV_THREAD_ID) {
		to = SBX_Thread_Find(p, t->tid);
		if (to == NULL) {
			timer_in_vain(p, t, now);
			return;
		}
	}
	/* whoever waits for it takes it at once */
	t->sent = 1;
	p->timers.changed = 1;
	if (!SBX_Signal_Send(p, to, t->sig)) {
		t->sent = 0;
		timer_in_vain(p, t, now);
	}
}

void
SBX_Timers_Expire(struct sbx_proc *p, int64_t now)
{
	struct sbx_timer *t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (p->timers.n == 0)
		return;
	for (t = p->timers.t; t < p->timers.t + SBX_TIMERS_MAX; t++)
		if (!t->sent && t->notify != SIGEV_NONE &&
		    timer_until(p, t) <= now && p->kill == SBX_KILL_NONE)
			timer_expire(p, t, now);
}

int
SBX_Timers_Took(struct sbx_proc *p, int32_t tid, unsigned sig,
    struct sbx_siginfo *si)
{
	struct sbx_timer *t, *first = NULL;
	int64_t passed;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	for (t = p->timers.t; t < p->timers.t + SBX_TIMERS_MAX; t++) {
		if (!t->sent || t->sig != sig ||
		    ((t->notify & SIGEV_THREAD_ID) && t->tid != tid))
			continue;
		if (first != NULL)
			return (1);
		first = t;
		t->sent = 0;
		p->timers.changed = 1;
		si->code = SI_KERNEL;
		si->addr = 0;
		passed = t->stale ? 0 : timer_passed(p, t, SBX_Os_Mono());
		if (t >= p->timers.t + SBX_TIMERS_OF_PROC) {
			t->missed = passed < INT32_MAX ? passed : INT32_MAX;
			si->code = SI_TIMER;
			si->addr = (uint64_t)(t - p->timers.t -
			    SBX_TIMERS_OF_PROC) | (uint64_t)t->missed << 32;
			si->value = t->value;
		}
		if (!t->stale)
			timer_forward(p, t, passed + 1);
		t->stale = 0;
	}
	return (0);
}

void
SBX_Timers_Dropped(struct sbx_proc *p, unsigned sig)
{
	struct sbx_timer *t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	for (t = p->timers.t; t < p->timers.t + SBX_TIMERS_MAX; t++) {
		if (!t->sent || t->sig != sig)
			continue;
		t->sent = 0;
		p->timers.changed = 1;
		if (!t->stale)
			timer_in_vain(p, t, SBX_Os_Mono());
		t->stale = 0;
	}
}

/* What has been waited counts from the beginning of each request. */
void
SBX_Timers_Freeze(struct sbx_proc *p)
{
	struct sbx_timer *t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	for (t = p->timers.t; t < p->timers.t + SBX_TIMERS_MAX; t++) {
		t->until = timer_until(p, t);
		t->waited = 0;
	}
}

void
SBX_Timers_Thaw(struct sbx_proc *p, int64_t ns)
{
	struct sbx_timer *t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	for (t = p->timers.t; t < p->timers.t + SBX_TIMERS_MAX; t++)
		if (t->relative && t->until < SBX_NEVER - 1 - ns)
			t->until += ns;
	p->timers.changed = 1;
}

/*--------------------------------------------------------------------
 * Setting
 */

/* To go off in (ns), 0 for not at all, and each (every) then. */
static void
timer_set(struct sbx_proc *p, struct sbx_timer *t, int64_t ns, int64_t every)
{

	p->timers.changed = 1;
	if (t->until != SBX_NEVER)
		p->timers.n--;
	t->stale = t->sent;
	t->missed = 0;
	t->every = every;
	t->until = SBX_NEVER;
	t->waited = p->waited;
	if (ns == 0)
		return;
	t->until = SBX_Sys_Until(ns);
	p->timers.n++;
	/* the watchdog has to know */
	p->threads.look = 1;
}

/* How long until it goes off, 0 if it does not. */
static int64_t
timer_left(const struct sbx_proc *p, const struct sbx_timer *t)
{
	int64_t now = SBX_Os_Mono(), left;

	if (t->until == SBX_NEVER)
		return (0);
	left = timer_until(p, t) - now;
	if (left <= 0 && t->every > 0)
		left += (timer_passed(p, t, now) + 1) * t->every;
	if (left <= 0)
		left = t->notify == SIGEV_NONE ? 0 : 1;
	return (left);
}

/*--------------------------------------------------------------------
 * Those that a process has: in microseconds
 */

static void
timer_to_val(struct timeval *tv, int64_t ns)
{

	/* what is left of one is not nothing */
	ns += 999;
	tv->tv_sec = ns / 1000000000;
	tv->tv_usec = ns % 1000000000 / 1000;
}

static int64_t
timer_from_val(const struct timeval *tv)
{

	if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return (-1);
	return (tv->tv_sec > INT64_C(4000000000) ?
	    INT64_C(4000000000000000000) :
	    tv->tv_sec * 1000000000 + tv->tv_usec * 1000);
}

int64_t
SBX_Sys_getitimer(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_timer *t;
	struct itimerval iv;

	if (a[0] >= SBX_TIMERS_OF_PROC)
		return (-EINVAL);
	t = &p->timers.t[a[0]];
	timer_to_val(&iv.it_interval, t->every);
	timer_to_val(&iv.it_value, timer_left(p, t));
	return (SBX_Sys_Put(p, a[1], &iv, sizeof iv));
}

int64_t
SBX_Sys_setitimer(struct sbx_proc *p, const uint64_t *a)
{
	struct itimerval iv;
	int64_t ns, every;

	if (a[0] >= SBX_TIMERS_OF_PROC)
		return (-EINVAL);
	memset(&iv, 0, sizeof iv);
	if (a[1] != 0 && SBX_Sys_Get(p, &iv, a[1], sizeof iv))
		return (-EFAULT);
	ns = timer_from_val(&iv.it_value);
	every = timer_from_val(&iv.it_interval);
	if (ns < 0 || every < 0)
		return (-EINVAL);
	if (a[2] != 0 && SBX_Sys_getitimer(p, (uint64_t[2]){ a[0], a[2] }))
		return (-EFAULT);
	timer_set(p, &p->timers.t[a[0]], ns, every);
	p->timers.t[a[0]].relative = 1;
	return (0);
}

int64_t
SBX_Sys_alarm(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_timer *t = &p->timers.t[ITIMER_REAL];
	int64_t left = timer_left(p, t);

	timer_set(p, t, (int64_t)(uint32_t)a[0] * 1000000000, 0);
	t->relative = 1;
	/* rounded, but for what would be nothing */
	return (left > 0 && left < 1000000000 ? 1 :
	    (left + 500000000) / 1000000000);
}

/*--------------------------------------------------------------------
 * Those that it makes
 */

struct timer_event {			/* struct sigevent */
	uint64_t		value;
	int32_t			signo, notify, tid, rest[11];
};

static struct sbx_timer *
timer_get(struct sbx_proc *p, uint64_t id)
{
	struct sbx_timer *t;

	if ((uint32_t)id >= SBX_TIMERS_MAX - SBX_TIMERS_OF_PROC)
		return (NULL);
	t = &p->timers.t[SBX_TIMERS_OF_PROC + (uint32_t)id];
	return (t->used ? t : NULL);
}

/* Returns it, or a negative errno. */
static int
timer_clock(struct sbx_proc *p, uint64_t clk)
{
	int i = SBX_Sys_Clock(p, clk);

	switch (i) {
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return (-EOPNOTSUPP);
	default:
		return (i < 0 ? -EINVAL : i);
	}
}

static int
timer_event_bad(struct sbx_proc *p, const struct timer_event *ev)
{

	if (ev->notify == SIGEV_NONE)
		return (0);
	if (ev->notify != SIGEV_SIGNAL && ev->notify != SIGEV_THREAD &&
	    ev->notify != SIGEV_THREAD_ID)
		return (1);
	return (ev->signo < 1 || ev->signo > SBX_NSIG ||
	    (ev->notify == SIGEV_THREAD_ID &&
	    SBX_Thread_Find(p, ev->tid) == NULL));
}

int64_t
SBX_Sys_timer_create(struct sbx_proc *p, const uint64_t *a)
{
	struct timer_event ev;
	struct sbx_timer *t;
	int32_t id;
	int clk;

	clk = timer_clock(p, a[0]);
	if (clk < 0)
		return (clk);
	for (id = 0; id < SBX_TIMERS_MAX - SBX_TIMERS_OF_PROC; id++)
		if (!p->timers.t[SBX_TIMERS_OF_PROC + id].used)
			break;
	if (id == SBX_TIMERS_MAX - SBX_TIMERS_OF_PROC)
		return (-EAGAIN);
	memset(&ev, 0, sizeof ev);
	ev.signo = SIGALRM;
	ev.value = (uint64_t)id;
	if (a[1] != 0 && SBX_Sys_Get(p, &ev, a[1], sizeof ev))
		return (-EFAULT);
	if (timer_event_bad(p, &ev))
		return (-EINVAL);
	if (SBX_Sys_Put(p, a[2], &id, sizeof id))
		return (-EFAULT);
	t = &p->timers.t[SBX_TIMERS_OF_PROC + id];
	memset(t, 0, sizeof *t);
	t->used = 1;
	t->clock = clk;
	t->notify = ev.notify;
	t->sig = (unsigned)ev.signo;
	t->tid = ev.tid;
	t->value = ev.value;
	t->until = SBX_NEVER;
	p->timers.changed = 1;
	return (0);
}

int64_t
SBX_Sys_timer_delete(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_timer *t = timer_get(p, a[0]);

	if (t == NULL)
		return (-EINVAL);
	timer_set(p, t, 0, 0);
	/* what it has sent stays sent, but is nobody's */
	t->used = t->sent = t->stale = 0;
	return (0);
}

/* struct itimerspec: the interval is first. */
static int64_t
timer_put(struct sbx_proc *p, const struct sbx_timer *t, uint64_t va)
{

	return (SBX_Sys_TimePut(p, va, t->every) ||
	    SBX_Sys_TimePut(p, va + sizeof(struct timespec),
	    timer_left(p, t)) ? -EFAULT : 0);
}

int64_t
SBX_Sys_timer_gettime(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_timer *t = timer_get(p, a[0]);

	return (t == NULL ? -EINVAL : timer_put(p, t, a[1]));
}

int64_t
SBX_Sys_timer_getoverrun(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_timer *t = timer_get(p, a[0]);

	return (t == NULL ? -EINVAL : t->missed);
}

int64_t
SBX_Sys_timer_settime(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_timer *t = timer_get(p, a[0]);
	int64_t i, every, ns;

	if (a[2] == 0)
		return (-EINVAL);
	i = SBX_Sys_TimeGet(p, a[2], &every);
	if (i == 0)
		i = SBX_Sys_TimeGet(p, a[2] + sizeof(struct timespec), &ns);
	if (i == 0 && t == NULL)
		i = -EINVAL;
	if (i == 0 && a[3] != 0)
		i = timer_put(p, t, a[3]);
	if (i != 0)
		return (i);
	t->relative = !(a[1] & TIMER_ABSTIME);
	if (ns != 0 && !t->relative) {
		AZ(SBX_Sys_TimeLeft(p, (uint64_t)t->clock, &ns));
		/* in the past is now */
		if (ns <= 0)
			ns = 1;
	}
	timer_set(p, t, ns, every);
	return (0);
}
