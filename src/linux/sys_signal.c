/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_signal.c: the calls that are about signals.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/signals.h"
#include "linux/syscall.h"
#include "linux/thread.h"

/* As small as Linux lets an alternate stack be. */
#define SIGNAL_STACK_MIN	2048

int64_t
SBX_Sys_rt_sigaction(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_sigaction new, *sa;

	if (a[0] < 1 || a[0] > SBX_NSIG || a[3] != sizeof(uint64_t))
		return (-EINVAL);
	if (a[1] != 0 && (a[0] == SIGKILL || a[0] == SIGSTOP))
		return (-EINVAL);
	sa = &p->sigaction[a[0] - 1];
	if (a[1] != 0 && SBX_Sys_Get(p, &new, a[1], sizeof new))
		return (-EFAULT);
	if (a[2] != 0 && SBX_Sys_Put(p, a[2], sa, sizeof *sa))
		return (-EFAULT);
	if (a[1] == 0)
		return (0);
	*sa = new;
	p->changed = 1;
	if (SBX_Signal_Ignored(p, (unsigned)a[0]))
		SBX_Signal_Drop(p, (unsigned)a[0]);
	return (0);
}

int64_t
SBX_Sys_rt_sigprocmask(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t set, old = SBX_Thread_Me(p)->sigmask;

	if (a[3] != sizeof set)
		return (-EINVAL);
	if (a[1] != 0) {
		if (SBX_Sys_Get(p, &set, a[1], sizeof set))
			return (-EFAULT);
		if (a[0] == SIG_BLOCK)
			set |= old;
		else if (a[0] == SIG_UNBLOCK)
			set = old & ~set;
		else if (a[0] != SIG_SETMASK)
			return (-EINVAL);
		SBX_Signal_Mask(p, set);
	}
	return (a[2] == 0 ? 0 : SBX_Sys_Put(p, a[2], &old, sizeof old));
}

int64_t
SBX_Sys_rt_sigpending(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_thread *t = SBX_Thread_Me(p);
	uint64_t set = (t->pending | p->threads.pending) & t->sigmask;

	if (a[1] > sizeof set)
		return (-EINVAL);
	return (SBX_Sys_Put(p, a[0], &set, a[1]));
}

int64_t
SBX_Sys_sigaltstack(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_thread *t = SBX_Thread_Me(p);
	uint64_t new[3], old[3];
	int on;

	on = SBX_Signal_OnStack(t, SBX_Machine_Regs(p->machine)->rsp);
	memcpy(old, t->sigstack, sizeof old);
	if (on)
		old[1] |= SS_ONSTACK;
	if (a[0] != 0) {
		if (SBX_Sys_Get(p, new, a[0], sizeof new))
			return (-EFAULT);
		if (on)
			return (-EPERM);
		new[1] = (uint32_t)new[1];
		if (new[1] == SS_ONSTACK)
			new[1] = 0;
		if (new[1] != 0 && new[1] != SS_DISABLE)
			return (-EINVAL);
		if (new[1] == 0 && new[2] < SIGNAL_STACK_MIN)
			return (-ENOMEM);
	}
	if (a[1] != 0 && SBX_Sys_Put(p, a[1], old, sizeof old))
		return (-EFAULT);
	if (a[0] != 0)
		memcpy(SBX_Thread_Change(p)->sigstack, new, sizeof new);
	return (0);
}

/*--------------------------------------------------------------------
 * Sending
 */

int64_t
SBX_Sys_kill(struct sbx_proc *p, const uint64_t *a)
{
	int32_t pid = (int32_t)a[0];

	if (a[1] > SBX_NSIG)
		return (-EINVAL);
	if (pid != 1 && pid != 0 && pid != -1)
		return (-ESRCH);
	if (a[1] != 0)
		(void)SBX_Signal_Send(p, NULL, (unsigned)a[1]);
	return (0);
}

static int64_t
signal_tkill(struct sbx_proc *p, uint64_t tid, uint64_t sig)
{
	struct sbx_thread *t;

	if (sig > SBX_NSIG || (int32_t)tid <= 0)
		return (-EINVAL);
	t = SBX_Thread_Find(p, (int32_t)tid);
	if (t == NULL)
		return (-ESRCH);
	if (sig != 0)
		(void)SBX_Signal_Send(p, t, (unsigned)sig);
	return (0);
}

int64_t
SBX_Sys_tkill(struct sbx_proc *p, const uint64_t *a)
{

	return (signal_tkill(p, a[0], a[1]));
}

int64_t
SBX_Sys_tgkill(struct sbx_proc *p, const uint64_t *a)
{

	if ((int32_t)a[0] <= 0)
		return (-EINVAL);
	return ((int32_t)a[0] == 1 ? signal_tkill(p, a[1], a[2]) : -ESRCH);
}

/*--------------------------------------------------------------------
 * Waiting
 */

int64_t
SBX_Sys_pause(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_waiting w = { .wait = SBX_WAIT_SIGNAL, .until = SBX_NEVER };

	(void)a;
	(void)SBX_Thread_Wait(p, &w);
	return (-EINTR);
}

int64_t
SBX_Sys_rt_sigsuspend(struct sbx_proc *p, const uint64_t *a)
{
	int64_t i;

	if (a[0] == 0)
		return (a[1] == sizeof(uint64_t) ? -EFAULT : -EINVAL);
	i = SBX_Signal_Instead(p, a[0], a[1]);
	if (i != 0)
		return (i);
	return (SBX_Signal_Due(p, SBX_Thread_Me(p)) ? -EINTR :
	    SBX_Sys_pause(p, a));
}

/* One of (set) that is pending already, or 0. */
static int64_t
signal_pending(struct sbx_proc *p, uint64_t set, uint64_t info)
{
	struct sbx_thread *t = SBX_Thread_Me(p);
	struct sbx_siginfo si;

	set &= t->pending | p->threads.pending;
	if (set == 0)
		return (0);
	SBX_Signal_Take(p, t, (unsigned)__builtin_ctzll(set) + 1, &si);
	return (info != 0 && SBX_Sys_Put(p, info, &si, sizeof si) ? -EFAULT :
	    si.signo);
}

int64_t
SBX_Sys_rt_sigtimedwait(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_waiting w = { .wait = SBX_WAIT_SIGNAL, .until = SBX_NEVER,
	    .relative = 1 };
	int64_t i, ns = 0;

	if (a[3] != sizeof w.addr)
		return (-EINVAL);
	if (SBX_Sys_Get(p, &w.addr, a[0], sizeof w.addr))
		return (-EFAULT);
	w.addr &= ~SBX_SIG_ALWAYS;
	i = signal_pending(p, w.addr, a[1]);
	if (i == 0 && a[2] != 0) {
		i = SBX_Sys_TimeGet(p, a[2], &ns);
		w.until = SBX_Sys_Until(ns);
	}
	if (i != 0)
		return (i);
	return (SBX_Thread_Wait(p, &w) ? -EAGAIN : 0);
}

/*--------------------------------------------------------------------
 * The end of a handler
 */

int64_t
SBX_Sys_rt_sigreturn(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_thread *t = SBX_Thread_Change(p);
	struct sbx_err err;

	(void)a;
	SBX_Err_Clear(&err);
	if (SBX_Machine_Save(p->machine, &t->cpu, &err)) {
		SBX_Proc_Kill(p, SBX_KILL_host, "%s", err.msg);
		return (0);
	}
	t->saved = 1;
	p->threads.loaded = -1;
	p->threads.look = 1;
	if (SBX_Signal_Return(p, t))
		SBX_Proc_Kill(p, SBX_KILL_fault, "the guest returned from a "
		    "signal handler with a frame that is not one");
	return (0);
}
