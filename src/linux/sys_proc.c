/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_proc.c: who and what a process is; limits.
 */

#include "config.h"

#include <asm/prctl.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

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

/* There is one process, and it is number 1. */
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

/*--------------------------------------------------------------------
 * What there is not
 */

/* There are no more processes to be had. */
int64_t
SBX_Sys_again(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (-EAGAIN);
}

/* Nor is there one to wait for. */
int64_t
SBX_Sys_no_child(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (-ECHILD);
}

/* No other program may be run. */
int64_t
SBX_Sys_no_program(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (-EACCES);
}

/* Attributes of files: as file systems say that have none. */
int64_t
SBX_Sys_no_xattr(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (-EOPNOTSUPP);
}

/* Links, devices, other groups: nobody may. */
int64_t
SBX_Sys_no_right(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (-EPERM);
}

/* No kind of network but SANDBOX_CALL_FETCH. */
int64_t
SBX_Sys_no_network(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (-EAFNOSUPPORT);
}

/*--------------------------------------------------------------------*/

/* Groups and sessions of processes. */
int64_t
SBX_Sys_group(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	return ((int32_t)a[0] == 0 || (int32_t)a[0] == 1 ? 1 : -ESRCH);
}

/* Real, effective and saved, all the same. */
int64_t
SBX_Sys_nobodies(struct sbx_proc *p, const uint64_t *a)
{
	const uint32_t id = SBX_PROC_UID;
	unsigned u;

	for (u = 0; u < 3; u++)
		if (SBX_Sys_Put(p, a[u], &id, sizeof id))
			return (-EFAULT);
	return (0);
}

/* To become what one is, which programs do to drop what they had, is all that
 * is allowed. */
int64_t
SBX_Sys_set_nobody(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	return ((uint32_t)a[0] == SBX_PROC_UID ? 0 : -EPERM);
}

static int
proc_is_nobody(uint64_t id)
{

	return ((uint32_t)id == SBX_PROC_UID || (uint32_t)id == UINT32_MAX);
}

int64_t
SBX_Sys_set_nobodies(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	return (proc_is_nobody(a[0]) && proc_is_nobody(a[1]) ? 0 : -EPERM);
}

int64_t
SBX_Sys_setresuid(struct sbx_proc *p, const uint64_t *a)
{

	return (proc_is_nobody(a[2]) ? SBX_Sys_set_nobodies(p, a) : -EPERM);
}

/* It is 20 less than this: 0. */
int64_t
SBX_Sys_getpriority(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	return (a[0] > PRIO_USER ? -EINVAL : 20);
}

/* SCHED_OTHER and its like have none, the others the same as in Linux. */
static int64_t
proc_priority(uint64_t policy, int64_t most)
{

	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return (most);
	case SCHED_OTHER:
	case 3:		/* SCHED_BATCH */
	case 5:		/* SCHED_IDLE */
		return (0);
	default:
		return (-EINVAL);
	}
}

int64_t
SBX_Sys_sched_get_priority_max(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	return (proc_priority(a[0], 99));
}

int64_t
SBX_Sys_sched_get_priority_min(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	return (proc_priority(a[0], 1));
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
	char name[sizeof SBX_Thread_Me(p)->name] = "";

	switch (a[0]) {
	case PR_SET_NAME:
		if (SBX_Gmem_StrIn(SBX_Sys_Gmem(p), name, sizeof name,
		    (sandbox_gva_t){ a[1] }) == -1)
			return (-EFAULT);
		name[sizeof name - 1] = '\0';
		memcpy(SBX_Thread_Change(p)->name, name, sizeof name);
		return (0);
	case PR_GET_NAME:
		return (SBX_Sys_Put(p, a[1], SBX_Thread_Me(p)->name,
		    sizeof name));
	default:
		return (-EINVAL);
	}
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
		/* what C libraries give to each thread, and all of it is
		 * memory of the VM's; the first one has eight times that */
		v = (p->layout->stack_hi - p->layout->stack_lo) / 8;
		break;
	case RLIMIT_NOFILE:
		v = SBX_FD_MAX;
		break;
	case RLIMIT_NPROC:
		v = SBX_THREADS_MAX;
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
