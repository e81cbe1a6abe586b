/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_proc.c: who and what a process is; signals; limits; the end.
 */

#include "config.h"

#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

#include <linux/futex.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "machine/machine.h"

int64_t
SBX_Sys_zero(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (0);
}

/* There is one process, with one thread, and both are number 1. */
int64_t
SBX_Sys_one(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (1);
}

int64_t
SBX_Sys_nobody(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (SBX_PROC_UID);
}

/* There are no more processes or threads to be had. */
int64_t
SBX_Sys_again(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (-EAGAIN);
}

int64_t
SBX_Sys_exit(struct sbx_proc *p, const uint64_t *a)
{

	SBX_Proc_Kill(p, SBX_KILL_exit, "the guest called exit(%d)",
	    (int)(a[0] & 0xff));
	return (0);
}

int64_t
SBX_Sys_arch_prctl(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t base;
	int gs;

	gs = a[0] == ARCH_SET_GS || a[0] == ARCH_GET_GS;
	switch (a[0]) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (a[1] >= SBX_GVA_USER_END)
			return (-EPERM);
		return (SBX_Machine_SetBase(p->machine, gs, a[1]) ?
		    -ENOMEM : 0);
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		if (SBX_Machine_GetBase(p->machine, gs, &base))
			return (-ENOMEM);
		return (SBX_Sys_Put(p, a[1], &base, sizeof base));
	default:
		return (-EINVAL);
	}
}

int64_t
SBX_Sys_prctl(struct sbx_proc *p, const uint64_t *a)
{
	char name[sizeof p->name] = "";

	switch (a[0]) {
	case PR_SET_NAME:
		if (SBX_Gmem_StrIn(SBX_Sys_Gmem(p), name, sizeof name,
		    (sandbox_gva_t){ a[1] }) == -1)
			return (-EFAULT);
		name[sizeof name - 1] = '\0';
		memcpy(p->name, name, sizeof name);
		p->changed = 1;
		return (0);
	case PR_GET_NAME:
		return (SBX_Sys_Put(p, a[1], p->name, sizeof p->name));
	default:
		return (-EINVAL);
	}
}

/*--------------------------------------------------------------------
 * Signals
 */

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
	if (a[1] != 0) {
		*sa = new;
		p->changed = 1;
	}
	return (0);
}

int64_t
SBX_Sys_rt_sigprocmask(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t set, old = p->sigmask;

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
		p->sigmask = set;
		p->changed = 1;
	}
	return (a[2] == 0 ? 0 : SBX_Sys_Put(p, a[2], &old, sizeof old));
}

int64_t
SBX_Sys_sigaltstack(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t new[3];

	if (a[0] != 0 && SBX_Sys_Get(p, new, a[0], sizeof new))
		return (-EFAULT);
	if (a[1] != 0 && SBX_Sys_Put(p, a[1], p->sigstack,
	    sizeof p->sigstack))
		return (-EFAULT);
	if (a[0] != 0) {
		memcpy(p->sigstack, new, sizeof p->sigstack);
		p->changed = 1;
	}
	return (0);
}

static int64_t
proc_signal(struct sbx_proc *p, uint64_t sig)
{
	uint64_t handler;

	if (sig > SBX_NSIG)
		return (-EINVAL);
	if (sig == 0)
		return (0);
	handler = p->sigaction[sig - 1].handler;
	if (handler == (uintptr_t)SIG_IGN || (handler == 0 &&
	    (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG ||
	    sig == SIGWINCH)))
		return (0);
	SBX_Proc_Kill(p, SBX_KILL_fault,
	    "the guest sent itself signal %d (%s)%s", (int)sig,
	    strsignal((int)sig), handler == 0 || sig == SIGABRT ? "" :
	    "; handlers are not run");
	return (0);
}

int64_t
SBX_Sys_kill(struct sbx_proc *p, const uint64_t *a)
{
	int32_t pid = (int32_t)a[0];

	return (pid == 1 || pid == 0 || pid == -1 ?
	    proc_signal(p, a[1]) : -ESRCH);
}

int64_t
SBX_Sys_tgkill(struct sbx_proc *p, const uint64_t *a)
{

	return ((int32_t)a[0] == 1 && (int32_t)a[1] == 1 ?
	    proc_signal(p, a[2]) : -ESRCH);
}

/*--------------------------------------------------------------------
 * Limits and descriptions
 */

static int64_t
proc_rlimit(struct sbx_proc *p, uint64_t what, uint64_t va)
{
	uint64_t v;

	switch (what) {
	case RLIMIT_STACK:
		v = p->layout->stack_hi - p->layout->stack_lo;
		break;
	case RLIMIT_NOFILE:
		v = SBX_FD_MAX;
		break;
	case RLIMIT_NPROC:
		v = 1;
		break;
	case RLIMIT_CORE:
		v = 0;
		break;
	default:
		if (what >= RLIM_NLIMITS)
			return (-EINVAL);
		v = RLIM_INFINITY;
		break;
	}
	return (SBX_Sys_Put(p, va, (uint64_t[2]){ v, v },
	    2 * sizeof(uint64_t)));
}

int64_t
SBX_Sys_getrlimit(struct sbx_proc *p, const uint64_t *a)
{

	return (proc_rlimit(p, a[0], a[1]));
}

int64_t
SBX_Sys_prlimit64(struct sbx_proc *p, const uint64_t *a)
{

	if (a[0] > 1)
		return (-ESRCH);
	if (a[2] != 0)
		return (-EPERM);
	return (a[3] == 0 ? 0 : proc_rlimit(p, a[1], a[3]));
}

int64_t
SBX_Sys_getrusage(struct sbx_proc *p, const uint64_t *a)
{
	struct rusage ru;
	int64_t us;

	memset(&ru, 0, sizeof ru);
	us = SBX_Proc_Cpu(p) / 1000;
	ru.ru_utime.tv_sec = us / 1000000;
	ru.ru_utime.tv_usec = us % 1000000;
	return (SBX_Sys_Put(p, a[1], &ru, sizeof ru));
}

int64_t
SBX_Sys_sysinfo(struct sbx_proc *p, const uint64_t *a)
{
	struct sysinfo si;

	memset(&si, 0, sizeof si);
	si.uptime = SBX_Os_Mono() / 1000000000;
	si.totalram = SBX_Sys_Gmem(p)->size;
	si.freeram = SBX_Mm_BrkMax(&p->mm) - p->mm.brk;
	si.procs = 1;
	si.mem_unit = 1;
	return (SBX_Sys_Put(p, a[0], &si, sizeof si));
}

/* The release is that of the oldest kernel whose calls we play; C libraries
 * refuse to start below 3.2. */
int64_t
SBX_Sys_uname(struct sbx_proc *p, const uint64_t *a)
{
	struct utsname u;

	memset(&u, 0, sizeof u);
	strcpy(u.sysname, "Linux");
	strcpy(u.nodename, "sandbox");
	strcpy(u.release, "5.10.0-sandbox");
	strcpy(u.version, "vmod_sandbox");
	strcpy(u.machine, "x86_64");
	return (SBX_Sys_Put(p, a[0], &u, sizeof u));
}

int64_t
SBX_Sys_sched_getaffinity(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t mask = 1;

	if (a[1] < sizeof mask)
		return (-EINVAL);
	if (SBX_Sys_Put(p, a[2], &mask, sizeof mask))
		return (-EFAULT);
	return (sizeof mask);
}

int64_t
SBX_Sys_getrandom(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t l, done = 0;
	uint8_t *b;
	ssize_t n;

	if (a[2] & ~(uint64_t)7)
		return (-EINVAL);
	while (done < a[1] && done < INT32_MAX && !SBX_Sys_Late(p)) {
		l = a[1] - done < SBX_SYS_CHUNK ? a[1] - done : SBX_SYS_CHUNK;
		l = SBX_Gmem_Span(SBX_Sys_Gmem(p),
		    (sandbox_gva_t){ a[0] + done }, l, SBX_ACC_WRITE, &b);
		if (l == 0)
			return (done > 0 ? (int64_t)done : -EFAULT);
		n = sbx_os.getrandom(b, l, 0);
		if (n < 0)
			return (done > 0 ? (int64_t)done : -errno);
		done += (uint64_t)n;
	}
	return ((int64_t)done);
}

/*--------------------------------------------------------------------
 * futex: with one thread, nobody can ever wake another.
 */

/* Wait until the time is over: relative, or in WAIT_BITSET absolute. */
static int64_t
proc_futex_wait(struct sbx_proc *p, const uint64_t *a)
{
	uint32_t v;
	int64_t i, ns;

	if (SBX_Sys_Get(p, &v, a[0], sizeof v))
		return (-EFAULT);
	if (v != (uint32_t)a[2])
		return (-EAGAIN);
	if (a[3] == 0) {
		SBX_Proc_Kill(p, SBX_KILL_fault, "the guest waits for a lock "
		    "that nobody can release (deadlock)");
		return (0);
	}
	i = SBX_Sys_TimeGet(p, a[3], &ns);
	if (i == 0 && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
		i = SBX_Sys_TimeLeft(p, a[1] & FUTEX_CLOCK_REALTIME ?
		    CLOCK_REALTIME : CLOCK_MONOTONIC, &ns);
	if (i != 0)
		return (i);
	SBX_Sys_Sleep(p, ns);
	return (-ETIMEDOUT);
}

int64_t
SBX_Sys_futex(struct sbx_proc *p, const uint64_t *a)
{

	switch (a[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return (proc_futex_wait(p, a));
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return (0);
	default:
		return (-ENOSYS);
	}
}
