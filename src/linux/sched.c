/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sched.c: which thread has the vCPU.
 *
 * A thread goes on until it waits, yields, ends, or has had a slice while
 * another one could run; then comes whoever has been ready for longest. So
 * what happens is the same each time but for slices and times.
 *
 * (cur) is the thread whose system call is being answered, (loaded) the one
 * whose registers are in the machine. They differ while calls of threads that
 * have waited are made once more, and when the loaded one has ended.
 *
 * A program with one thread and no timer set has none of this.
 */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/debugger.h"
#include "linux/proc.h"
#include "linux/signals.h"
#include "linux/syscall.h"
#include "linux/thread.h"
#include "linux/timer.h"
#include "machine/watchdog.h"

/* One thread, and nothing that could make it do something else. */
static int
sched_alone(const struct sbx_proc *p)
{

	return (p->threads.n == 1 && p->timers.n == 0 &&
	    !SBX_Signal_Due(p, p->threads.t[p->threads.cur]));
}

/*--------------------------------------------------------------------
 * Waiting
 */

int
SBX_Thread_Wait(struct sbx_proc *p, const struct sbx_waiting *w)
{
	struct sbx_threads *ts;
	struct sbx_thread *t;
	int64_t now;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	ts = &p->threads;
	now = SBX_Os_Mono();
	if (w->until <= now)
		return (1);
	if (sched_alone(p) && w->until != SBX_NEVER) {
		SBX_Sys_Sleep(p, w->until - now);
		return (1);
	}
	if (sched_alone(p)) {
		SBX_Proc_Kill(p, SBX_KILL_fault, "the guest waits for %s "
		    "(deadlock)", w->wait == SBX_WAIT_FUTEX ?
		    "a lock that nobody can release" :
		    "something that can not happen");
		return (1);
	}
	t = SBX_Thread_Change(p);
	t->state = SBX_THREAD_WAITS;
	t->order = ++ts->order;
	t->wait = w->wait;
	t->until = w->until;
	t->relative = w->relative;
	t->addr = w->addr;
	t->bits = w->bits;
	t->restarts = w->restarts;
	ts->look = 1;
	return (0);
}

void
SBX_Thread_Wake(struct sbx_proc *p, struct sbx_thread *t, int64_t result)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	assert(t->state == SBX_THREAD_WAITS);
	t->state = SBX_THREAD_RUNS;
	t->order = ++p->threads.order;
	t->result = result;
	t->until = SBX_NEVER;
	t->changed = p->threads.changed = 1;
	p->threads.look = 1;
}

void
SBX_Thread_WakeFiles(struct sbx_proc *p)
{
	struct sbx_thread *t;
	unsigned u;
	int64_t until;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (p->threads.n == 1)
		return;
	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = p->threads.t[u];
		if (t == NULL || t->state != SBX_THREAD_WAITS ||
		    t->wait != SBX_WAIT_FILE)
			continue;
		until = t->until;
		SBX_Thread_Wake(p, t, 0);
		t->until = until;
		t->again = SBX_AGAIN_DUE;
	}
}

void
SBX_Thread_Yield(struct sbx_proc *p)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (p->threads.n > 1)
		p->threads.look = p->threads.yield = 1;
}

/*--------------------------------------------------------------------
 * Time
 */

/* When the first of the waits ends, or a timer goes off; (idle) if nobody
 * runs. */
static int64_t
sched_timer(const struct sbx_proc *p, int idle)
{
	const struct sbx_thread *t;
	int64_t first = SBX_Timers_First(p, idle);
	unsigned u;

	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = p->threads.t[u];
		if (t != NULL && t->state == SBX_THREAD_WAITS &&
		    t->until < first)
			first = t->until;
	}
	return (first);
}

/* Wake those whose time has come, and let timers go off. */
static void
sched_expire(struct sbx_proc *p, int64_t now)
{
	struct sbx_thread *t;
	unsigned u;

	SBX_Timers_Expire(p, now);
	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = p->threads.t[u];
		if (t == NULL || t->state != SBX_THREAD_WAITS ||
		    t->until > now)
			continue;
		SBX_Thread_Wake(p, t, t->wait == SBX_WAIT_SLEEP ? 0 :
		    t->wait == SBX_WAIT_SIGNAL ? -EAGAIN : -ETIMEDOUT);
		if (t->wait == SBX_WAIT_FILE) {
			t->again = SBX_AGAIN_DUE;
			t->until = now;
		}
	}
}

static int
sched_others(const struct sbx_threads *ts)
{
	unsigned u;

	for (u = 0; u < SBX_THREADS_MAX; u++)
		if (u != ts->cur && ts->t[u] != NULL &&
		    ts->t[u]->state == SBX_THREAD_RUNS)
			return (1);
	return (0);
}

/* Let the watchdog kick the machine when something is due. */
static void
sched_arm(struct sbx_proc *p)
{
	struct sbx_threads *ts = &p->threads;
	int64_t at = p->deadline, then;

	if (!sched_alone(p)) {
		then = sched_timer(p, 0);
		if (then < at)
			at = then;
		/* it could not be made to handle its signal yet: soon */
		then = sched_others(ts) || SBX_Signal_Due(p, ts->t[ts->cur]) ?
		    SBX_Os_Mono() + SBX_SLICE : at;
		if (then < at)
			at = then;
	}
	if (p->debugger != NULL) {
		then = SBX_Os_Mono() + SBX_DEBUGGER_TICK;
		if (then < at)
			at = then;
	}
	if (at != ts->armed)
		SBX_Watchdog_Rearm(p->machine, at);
	ts->armed = at;
}

/* Time has stood still for (ns). */
static int64_t
sched_later(int64_t at, int64_t ns)
{

	return (at >= SBX_NEVER - 1 - ns ? at : at + ns);
}

void
SBX_Sched_Begin(struct sbx_proc *p)
{
	struct sbx_threads *ts;
	struct sbx_thread *t;
	unsigned u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	ts = &p->threads;
	ts->armed = p->deadline;
	/* the last call of a request does not return */
	ts->look = ts->yield = 0;
	if (sched_alone(p))
		return;
	if (p->timers.n > 0 && p->serving)
		SBX_Timers_Thaw(p, p->start - ts->frozen);
	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = ts->t[u];
		if (t == NULL || t->state != SBX_THREAD_WAITS ||
		    !t->relative || t->until == SBX_NEVER)
			continue;
		t->until = sched_later(t->until, p->start - ts->frozen);
		if (t->wait == SBX_WAIT_FILE)
			t->limit = sched_later(t->limit,
			    p->start - ts->frozen);
		t->changed = ts->changed = 1;
	}
	sched_arm(p);
}

void
SBX_Sched_Hold(struct sbx_proc *p)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	/* 0: nobody runs it now */
	if (p->threads.armed == 0 || p->threads.armed == p->deadline)
		return;
	SBX_Watchdog_Rearm(p->machine, p->deadline);
	p->threads.armed = p->deadline;
	p->threads.look = 1;
}

/*--------------------------------------------------------------------
 * Who is next
 */

/* The one that has been ready for longest, or -1. */
static int
sched_first(const struct sbx_threads *ts)
{
	const struct sbx_thread *t;
	int u, first = -1;

	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = ts->t[u];
		if (t != NULL && t->state == SBX_THREAD_RUNS &&
		    (first < 0 || t->order < ts->t[first]->order))
			first = u;
	}
	return (first);
}

/* Nobody can run: sleep until somebody can. */
static void
sched_idle(struct sbx_proc *p)
{
	int64_t until = sched_timer(p, 1);

	if (until == SBX_NEVER)
		SBX_Proc_Kill(p, SBX_KILL_fault, "every thread of the guest "
		    "(%u) waits for another (deadlock)", p->threads.n);
	else {
		SBX_Sched_Hold(p);
		SBX_Sys_Sleep(p, until - SBX_Os_Mono());
	}
}

/* Returns -1 if the process has been killed. */
static int
sched_choose(struct sbx_proc *p, int u)
{
	struct sbx_threads *ts = &p->threads;
	struct sbx_thread *t;

	while (p->kill == SBX_KILL_NONE) {
		sched_expire(p, SBX_Os_Mono());
		if (u < 0)
			u = sched_first(ts);
		if (u < 0) {
			sched_idle(p);
			continue;
		}
		t = ts->t[u];
		ts->cur = (unsigned)u;
		if (t->again == SBX_AGAIN_NOT)
			return (0);
		/* it has waited for this; it may have to go on waiting */
		t->again = SBX_AGAIN_NOW;
		t->result = SBX_Syscall(p, t->nr, t->args);
		t->again = SBX_AGAIN_NOT;
		if (t->state == SBX_THREAD_RUNS && p->kill == SBX_KILL_NONE)
			return (0);
		u = -1;
	}
	return (-1);
}

/* Registers of the loaded thread out of the machine. */
static int
sched_save(struct sbx_proc *p)
{
	struct sbx_threads *ts = &p->threads;
	struct sbx_thread *t;
	struct sbx_err err;

	if (ts->loaded < 0)
		return (0);
	t = ts->t[ts->loaded];
	ts->loaded = -1;
	if (t->state == SBX_THREAD_FREE)
		return (0);
	SBX_Err_Clear(&err);
	if (SBX_Machine_Save(p->machine, &t->cpu, &err)) {
		SBX_Proc_Kill(p, err.kind == SBX_FAIL_HOST ? SBX_KILL_host :
		    SBX_KILL_fault, "%s", err.msg);
		return (-1);
	}
	t->saved = t->changed = ts->changed = 1;
	return (0);
}

/* The current thread's registers into the machine, if need be. */
static int
sched_load(struct sbx_proc *p)
{
	struct sbx_threads *ts = &p->threads;
	struct sbx_thread *t = ts->t[ts->cur];

	if ((int)ts->cur == ts->loaded && !SBX_Signal_Due(p, t)) {
		if (t->calling)
			SBX_Machine_Return(p->machine, (uint64_t)t->result);
		t->calling = 0;
		return (0);
	}
	if (sched_save(p))
		return (-1);
	AN(t->saved);
	if (t->calling)
		t->cpu.regs.rax = (uint64_t)t->result;
	if (SBX_Signal_Due(p, t))
		SBX_Signal_Deliver(p, t);
	t->calling = 0;
	t->changed = ts->changed = 1;
	if (p->kill != SBX_KILL_NONE)
		return (-1);
	SBX_Machine_Load(p->machine, &t->cpu);
	ts->loaded = (int)ts->cur;
	return (0);
}

int
SBX_Sched_Return(struct sbx_proc *p, int64_t result)
{
	struct sbx_threads *ts;
	struct sbx_thread *t;
	int u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	ts = &p->threads;
	if (!ts->look) {
		SBX_Machine_Return(p->machine, (uint64_t)result);
		return (0);
	}
	t = SBX_Thread_Change(p);
	/* but for the end of a signal handler, which does not return */
	t->calling = ts->loaded >= 0;
	t->nr = p->nr;
	memcpy(t->args, p->args, sizeof t->args);
	u = -1;
	if (t->state == SBX_THREAD_RUNS) {
		t->result = result;
		if (ts->yield)
			t->order = ++ts->order;
		else
			u = (int)ts->cur;
	} else if (t->state == SBX_THREAD_WAITS && SBX_Signal_Due(p, t))
		/* it came while the program was in code of ours */
		SBX_Signal_Interrupt(p, t);
	ts->look = ts->yield = 0;
	if (sched_choose(p, u) || sched_load(p))
		return (-1);
	ts->look = 0;
	sched_arm(p);
	return (0);
}

int
SBX_Sched_Kicked(struct sbx_proc *p)
{
	struct sbx_threads *ts;
	int64_t now;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	ts = &p->threads;
	now = SBX_Os_Mono();
	if (now >= p->deadline)
		return (0);
	/* in any case a new deadline, so that this kick is forgotten */
	ts->armed = -1;
	sched_expire(p, now);
	if (p->kill != SBX_KILL_NONE)
		return (-1);
	if ((sched_others(ts) || SBX_Signal_Due(p, SBX_Thread_Me(p))) &&
	    SBX_Machine_CanSave(p->machine)) {
		SBX_Thread_Change(p)->order = ++ts->order;
		if (sched_choose(p, -1) || sched_load(p))
			return (-1);
	}
	/* what could not be handled yet is at the end of the next call */
	ts->look = SBX_Signal_Due(p, SBX_Thread_Me(p));
	ts->yield = 0;
	sched_arm(p);
	return (1);
}

int
SBX_Sched_Again(struct sbx_proc *p)
{
	struct sbx_thread *t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	t = SBX_Thread_Change(p);
	if (sched_save(p))
		return (-1);
	SBX_Machine_Load(p->machine, &t->cpu);
	p->threads.loaded = (int)p->threads.cur;
	return (0);
}

int
SBX_Sched_Fault(struct sbx_proc *p, const struct sbx_fault *f)
{
	struct sbx_thread *t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (!SBX_Signal_Handles(p, f))
		return (0);
	t = SBX_Thread_Change(p);
	if (sched_save(p))
		return (-1);
	/* without a stack for the handler it is as if there were none */
	if (SBX_Signal_Fault(p, t, f))
		return (0);
	/* to make room for the frame may have gone wrong */
	if (p->kill != SBX_KILL_NONE)
		return (-1);
	SBX_Machine_Load(p->machine, &t->cpu);
	p->threads.loaded = (int)p->threads.cur;
	return (1);
}
