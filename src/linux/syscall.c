/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * syscall.c: the table, and what handlers have in common.
 */

#include "config.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "machine/machine.h"
#include "machine/watchdog.h"

static sbx_syscall_f * const sys_table[] = {
#define SYSCALL(name, handler, ...)	[SYS_##name] = SBX_Sys_##handler,
#define ANOTHER(name, handler, ...)	[SYS_##name] = SBX_Sys_##handler,
#include "tbl/syscalls.h"
};

sbx_trace_f *sbx_trace;

int64_t
SBX_Syscall(struct sbx_proc *p, uint64_t nr, const uint64_t *a)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	AN(a);
	p->syscalls++;
	p->nr = nr;
	p->args = a;
	if (nr >= sizeof sys_table / sizeof *sys_table ||
	    sys_table[nr] == NULL)
		return (-ENOSYS);
	return (sys_table[nr](p, a));
}

struct sbx_gmem *
SBX_Sys_Gmem(struct sbx_proc *p)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(p->machine, SBX_MACHINE_MAGIC);
	return (&p->machine->gmem);
}

int64_t
SBX_Sys_Put(struct sbx_proc *p, uint64_t va, const void *b, uint64_t l)
{

	return (SBX_Gmem_CopyOut(SBX_Sys_Gmem(p), (sandbox_gva_t){ va }, b,
	    l) ? -EFAULT : 0);
}

int64_t
SBX_Sys_Get(struct sbx_proc *p, void *b, uint64_t va, uint64_t l)
{

	return (SBX_Gmem_CopyIn(SBX_Sys_Gmem(p), b, (sandbox_gva_t){ va },
	    l) ? -EFAULT : 0);
}

int64_t
SBX_Sys_Path(struct sbx_proc *p, char *path, size_t len, uint64_t va)
{
	int i;

	i = SBX_Gmem_StrIn(SBX_Sys_Gmem(p), path, len,
	    (sandbox_gva_t){ va });
	return (i == -1 ? -EFAULT : i == -2 ? -ENAMETOOLONG : 0);
}

int
SBX_Sys_Late(struct sbx_proc *p)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	/* it may also be that a thread's time is up */
	return (SBX_Watchdog_Kicked(p->machine) &&
	    SBX_Os_Mono() >= p->deadline);
}

int64_t
SBX_Sys_Until(int64_t ns)
{
	int64_t now = SBX_Os_Mono();

	return (ns < SBX_NEVER - now ? now + ns : SBX_NEVER - 1);
}

void
SBX_Sys_Sleep(struct sbx_proc *p, int64_t ns)
{
	struct timespec ts;
	int64_t until, now;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	now = SBX_Os_Mono();
	until = ns < p->deadline - now ? now + ns : p->deadline;
	ts = SBX_Os_Timespec(until);
	/* signals that are not the watchdog's do not end it */
	while (until > now && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
	    &ts, NULL) == EINTR && !SBX_Sys_Late(p))
		continue;
	p->waited += SBX_Os_Mono() - now;
	if (SBX_Os_Mono() >= p->deadline)
		SBX_Proc_KillLate(p);
}
