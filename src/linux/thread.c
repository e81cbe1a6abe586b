/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * thread.c: the threads there are.
 */

#include "config.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "linux/thread.h"

static void
thread_init(struct sbx_thread *t, int32_t tid)
{

	memset(t, 0, offsetof(struct sbx_thread, cpu));
	t->magic = SBX_THREAD_MAGIC;
	t->state = SBX_THREAD_RUNS;
	t->tid = tid;
	t->until = SBX_NEVER;
	t->sigstack[1] = SS_DISABLE;
}

void
SBX_Threads_Init(struct sbx_threads *ts)
{

	AN(ts);
	INIT_OBJ(ts, SBX_THREADS_MAGIC);
	thread_init(&ts->first, 1);
	ts->t[0] = &ts->first;
	ts->n = 1;
	ts->last_tid = 1;
}

void
SBX_Threads_Fini(struct sbx_threads *ts)
{
	unsigned u;

	CHECK_OBJ_NOTNULL(ts, SBX_THREADS_MAGIC);
	for (u = 1; u < SBX_THREADS_MAX; u++)
		free(ts->t[u]);
	ts->magic = 0;
}

/* Room for a thread stays when it ends: the next one will want it. */
static struct sbx_thread *
thread_room(struct sbx_threads *ts, unsigned u)
{

	if (ts->t[u] == NULL)
		ts->t[u] = sbx_os.calloc(1, sizeof *ts->t[u]);
	return (ts->t[u]);
}

static void
thread_copy(struct sbx_thread *to, const struct sbx_thread *from)
{

	memcpy(to, from, from->saved ? sizeof *to :
	    offsetof(struct sbx_thread, cpu));
	to->changed = 0;
}

int
SBX_Threads_Copy(struct sbx_threads *to, const struct sbx_threads *from,
    int all)
{
	const struct sbx_thread *f;
	unsigned u;

	CHECK_OBJ_NOTNULL(to, SBX_THREADS_MAGIC);
	CHECK_OBJ_NOTNULL(from, SBX_THREADS_MAGIC);
	for (u = 0; u < SBX_THREADS_MAX; u++) {
		f = from->t[u];
		if (f == NULL || f->state == SBX_THREAD_FREE) {
			if (to->t[u] != NULL)
				to->t[u]->state = SBX_THREAD_FREE;
			continue;
		}
		if (thread_room(to, u) == NULL)
			return (-1);
		if (all || to->t[u]->changed)
			thread_copy(to->t[u], f);
	}
	to->changed = to->look = to->yield = 0;
	to->n = from->n;
	to->last_tid = from->last_tid;
	to->order = from->order;
	to->frozen = from->frozen;
	to->pending = from->pending;
	to->cur = from->cur;
	to->loaded = from->loaded;
	return (0);
}

struct sbx_thread *
SBX_Thread_Me(struct sbx_proc *p)
{
	struct sbx_thread *t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	t = p->threads.t[p->threads.cur];
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	return (t);
}

struct sbx_thread *
SBX_Thread_Change(struct sbx_proc *p)
{
	struct sbx_thread *t;

	t = SBX_Thread_Me(p);
	t->changed = p->threads.changed = 1;
	return (t);
}

struct sbx_thread *
SBX_Thread_Find(struct sbx_proc *p, int32_t tid)
{
	struct sbx_thread *t;
	unsigned u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = p->threads.t[u];
		if (t != NULL && t->state != SBX_THREAD_FREE && t->tid == tid)
			return (t);
	}
	return (NULL);
}

struct sbx_thread *
SBX_Thread_New(struct sbx_proc *p)
{
	struct sbx_threads *ts;
	struct sbx_thread *t;
	unsigned u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	ts = &p->threads;
	for (u = 0; u < SBX_THREADS_MAX; u++)
		if (ts->t[u] == NULL || ts->t[u]->state == SBX_THREAD_FREE)
			break;
	/* a guest that starts and ends threads for days has had them all */
	if (u == SBX_THREADS_MAX || ts->last_tid == INT32_MAX)
		return (NULL);
	t = thread_room(ts, u);
	if (t == NULL)
		return (NULL);
	thread_init(t, ++ts->last_tid);
	t->order = ++ts->order;
	t->changed = ts->changed = 1;
	ts->n++;
	ts->look = 1;
	return (t);
}

void
SBX_Thread_Undo(struct sbx_proc *p, struct sbx_thread *t)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	t->state = SBX_THREAD_FREE;
	p->threads.n--;
}

void
SBX_Thread_Exit(struct sbx_proc *p, int status)
{
	struct sbx_threads *ts;
	struct sbx_thread *t;
	uint32_t zero = 0;

	t = SBX_Thread_Change(p);
	ts = &p->threads;
	if (ts->n == 1) {
		SBX_Proc_Exit(p, status);
		return;
	}
	SBX_Futex_Exit(p, t);
	if (t->clear_tid != 0 &&
	    !SBX_Sys_Put(p, t->clear_tid, &zero, sizeof zero))
		(void)SBX_Futex_Wake(p, t->clear_tid, 1, UINT32_MAX);
	t->state = SBX_THREAD_FREE;
	ts->n--;
	ts->look = 1;
}
