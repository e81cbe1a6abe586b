/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_thread.c: beginning, naming and ending threads.
 */

#include "config.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include <linux/membarrier.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "linux/proc.h"
#include "linux/syscall.h"
#include "linux/thread.h"

/* Without all of the first it would be a process; the others make no
 * difference to a thread. */
#define CLONE_NEEDS		(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define CLONE_TAKES		(CLONE_NEEDS | CLONE_FS | CLONE_FILES |	\
	CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |		\
	CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_DETACHED |	\
	CLONE_IO | CLONE_PTRACE)

/* struct clone_args, as it was at first */
struct thread_clone {
	uint64_t		flags, pidfd, child_tid, parent_tid, signal;
	uint64_t		stack, stack_size, tls;
};

static int64_t
thread_clone(struct sbx_proc *p, const struct thread_clone *c)
{
	const struct sbx_thread *me = SBX_Thread_Me(p);
	struct sbx_thread *t;
	struct sbx_err err;

	if ((c->flags & CLONE_NEEDS) != CLONE_NEEDS)
		return (-EAGAIN);
	if ((c->flags & ~(uint64_t)CLONE_TAKES) != 0 || c->stack == 0)
		return (-EINVAL);
	if ((c->flags & CLONE_SETTLS) && c->tls >= SBX_GVA_USER_END)
		return (-EPERM);
	t = SBX_Thread_New(p);
	if (t == NULL)
		return (-EAGAIN);
	SBX_Err_Clear(&err);
	if (SBX_Machine_Copy(p->machine, &t->cpu, &err)) {
		SBX_Thread_Undo(p, t);
		return (-EAGAIN);
	}
	t->saved = 1;
	t->cpu.regs.rax = 0;
	t->cpu.regs.rsp = c->stack;
	if (c->flags & CLONE_SETTLS)
		t->cpu.fs_base = c->tls;
	t->sigmask = me->sigmask;
	memcpy(t->name, me->name, sizeof t->name);
	if (c->flags & CLONE_CHILD_CLEARTID)
		t->clear_tid = c->child_tid;
	/* as in Linux, what can not be written is not */
	if (c->flags & CLONE_PARENT_SETTID)
		(void)SBX_Sys_Put(p, c->parent_tid, &t->tid, sizeof t->tid);
	if (c->flags & CLONE_CHILD_SETTID)
		(void)SBX_Sys_Put(p, c->child_tid, &t->tid, sizeof t->tid);
	return (t->tid);
}

int64_t
SBX_Sys_clone(struct sbx_proc *p, const uint64_t *a)
{
	const struct thread_clone c = {
		.flags = a[0] & ~UINT64_C(0xff),
		.stack = a[1],
		.parent_tid = a[2],
		.child_tid = a[3],
		.tls = a[4],
	};

	return (thread_clone(p, &c));
}

int64_t
SBX_Sys_clone3(struct sbx_proc *p, const uint64_t *a)
{
	struct thread_clone c;

	if (a[1] < sizeof c)
		return (-EINVAL);
	if (SBX_Sys_Get(p, &c, a[0], sizeof c))
		return (-EFAULT);
	if ((c.stack == 0) != (c.stack_size == 0))
		return (-EINVAL);
	c.stack += c.stack_size;
	return (thread_clone(p, &c));
}

int64_t
SBX_Sys_gettid(struct sbx_proc *p, const uint64_t *a)
{

	(void)a;
	return (SBX_Thread_Me(p)->tid);
}

int64_t
SBX_Sys_set_tid_address(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_thread *t = SBX_Thread_Change(p);

	t->clear_tid = a[0];
	return (t->tid);
}

int64_t
SBX_Sys_exit(struct sbx_proc *p, const uint64_t *a)
{

	SBX_Thread_Exit(p, (int)(a[0] & 0xff));
	return (0);
}

int64_t
SBX_Sys_exit_group(struct sbx_proc *p, const uint64_t *a)
{

	SBX_Proc_Exit(p, (int)(a[0] & 0xff));
	return (0);
}

int64_t
SBX_Sys_sched_yield(struct sbx_proc *p, const uint64_t *a)
{

	(void)a;
	SBX_Thread_Yield(p);
	return (0);
}

/*--------------------------------------------------------------------
 * Scheduling: there is one CPU, and all threads are alike.
 */

int64_t
SBX_Sys_getcpu(struct sbx_proc *p, const uint64_t *a)
{
	const uint32_t zero = 0;

	if ((a[0] != 0 && SBX_Sys_Put(p, a[0], &zero, sizeof zero)) ||
	    (a[1] != 0 && SBX_Sys_Put(p, a[1], &zero, sizeof zero)))
		return (-EFAULT);
	return (0);
}

static int
thread_is(struct sbx_proc *p, uint64_t tid)
{

	return (tid == 0 || SBX_Thread_Find(p, (int32_t)tid) != NULL);
}

int64_t
SBX_Sys_sched_getaffinity(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t mask = 1;

	if (a[1] < sizeof mask)
		return (-EINVAL);
	if (!thread_is(p, a[0]))
		return (-ESRCH);
	if (SBX_Sys_Put(p, a[2], &mask, sizeof mask))
		return (-EFAULT);
	return (sizeof mask);
}

int64_t
SBX_Sys_sched_setaffinity(struct sbx_proc *p, const uint64_t *a)
{
	uint8_t mask;

	if (!thread_is(p, a[0]))
		return (-ESRCH);
	if (a[1] == 0)
		return (-EINVAL);
	if (SBX_Sys_Get(p, &mask, a[2], sizeof mask))
		return (-EFAULT);
	return (mask & 1 ? 0 : -EINVAL);
}

/* SCHED_OTHER, which is 0, and the only priority that it has. */
int64_t
SBX_Sys_sched_getscheduler(struct sbx_proc *p, const uint64_t *a)
{

	return (thread_is(p, a[0]) ? SCHED_OTHER : -ESRCH);
}

int64_t
SBX_Sys_sched_getparam(struct sbx_proc *p, const uint64_t *a)
{
	const struct sched_param none = { .sched_priority = 0 };

	if (!thread_is(p, a[0]))
		return (-ESRCH);
	return (SBX_Sys_Put(p, a[1], &none, sizeof none));
}

int64_t
SBX_Sys_sched_setscheduler(struct sbx_proc *p, const uint64_t *a)
{
	struct sched_param sp;

	if (!thread_is(p, a[0]))
		return (-ESRCH);
	if (SBX_Sys_Get(p, &sp, a[2], sizeof sp))
		return (-EFAULT);
	return (a[1] != SCHED_OTHER ? -EPERM :
	    sp.sched_priority == 0 ? 0 : -EINVAL);
}

/* There is one CPU: what a thread wrote every other one sees. */
int64_t
SBX_Sys_membarrier(struct sbx_proc *p, const uint64_t *a)
{
	const int64_t all = MEMBARRIER_CMD_GLOBAL |
	    MEMBARRIER_CMD_GLOBAL_EXPEDITED |
	    MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
	    MEMBARRIER_CMD_PRIVATE_EXPEDITED |
	    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;

	(void)p;
	if (a[0] == MEMBARRIER_CMD_QUERY)
		return (all);
	return ((a[0] & (uint64_t)all) != 0 &&
	    (a[0] & (a[0] - 1)) == 0 && a[1] == 0 ? 0 : -EINVAL);
}
