/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_time.c: clocks and sleeping. Clocks are the host's, never frozen.
 */

#include "config.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/syscall.h"

/* Negative ones are made of a number, a bit for threads, and what is
 * counted. */
#define TIME_WHOSE(clk)		(~((int32_t)(clk) >> 3))
#define TIME_THREAD		4
#define TIME_COUNTED		3
#define TIME_COUNTED_MAX	2

int
SBX_Sys_Clock(struct sbx_proc *p, uint64_t clk)
{
	int32_t id;

	if ((int32_t)clk >= 0)
		return ((uint32_t)clk <= CLOCK_BOOTTIME ? (int)clk : -1);
	id = TIME_WHOSE(clk);
	if ((clk & TIME_COUNTED) > TIME_COUNTED_MAX)
		return (-1);
	if (clk & TIME_THREAD)
		return (id == 0 || SBX_Thread_Find(p, id) != NULL ?
		    CLOCK_THREAD_CPUTIME_ID : -1);
	return (id == 0 || id == 1 ? CLOCK_PROCESS_CPUTIME_ID : -1);
}

/* The two CPU time clocks count from the request's start, without what it slept
 * and waited. */
static int
time_now(struct sbx_proc *p, uint64_t clk, struct timespec *ts)
{
	int id = SBX_Sys_Clock(p, clk);

	if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID) {
		*ts = SBX_Os_Timespec(SBX_Proc_Cpu(p));
		return (0);
	}
	return (id < 0 ? -1 : clock_gettime(id, ts));
}

int64_t
SBX_Sys_clock_gettime(struct sbx_proc *p, const uint64_t *a)
{
	struct timespec ts;

	if (time_now(p, a[0], &ts))
		return (-EINVAL);
	return (SBX_Sys_Put(p, a[1], &ts, sizeof ts));
}

int64_t
SBX_Sys_clock_getres(struct sbx_proc *p, const uint64_t *a)
{
	struct timespec ts = { 0, 1 };

	if (SBX_Sys_Clock(p, a[0]) < 0)
		return (-EINVAL);
	return (a[1] == 0 ? 0 : SBX_Sys_Put(p, a[1], &ts, sizeof ts));
}

int64_t
SBX_Sys_gettimeofday(struct sbx_proc *p, const uint64_t *a)
{
	struct timespec ts;
	struct timeval tv;

	AZ(time_now(p, CLOCK_REALTIME, &ts));
	tv.tv_sec = ts.tv_sec;
	tv.tv_usec = ts.tv_nsec / 1000;
	return (a[0] == 0 ? 0 : SBX_Sys_Put(p, a[0], &tv, sizeof tv));
}

int64_t
SBX_Sys_time(struct sbx_proc *p, const uint64_t *a)
{
	struct timespec ts;
	int64_t t;

	AZ(time_now(p, CLOCK_REALTIME, &ts));
	t = ts.tv_sec;
	if (a[0] != 0 && SBX_Sys_Put(p, a[0], &t, sizeof t))
		return (-EFAULT);
	return (t);
}

/* struct tms: user, system and the same for children, in 1/100 s */
int64_t
SBX_Sys_times(struct sbx_proc *p, const uint64_t *a)
{
	int64_t now = SBX_Os_Mono();
	int64_t tms[4] = { SBX_Proc_Cpu(p) / 10000000, 0, 0, 0 };

	if (a[0] != 0 && SBX_Sys_Put(p, a[0], tms, sizeof tms))
		return (-EFAULT);
	return (now / 10000000);
}

int64_t
SBX_Sys_TimeGet(struct sbx_proc *p, uint64_t va, int64_t *ns)
{
	struct timespec ts;

	if (SBX_Sys_Get(p, &ts, va, sizeof ts))
		return (-EFAULT);
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= 1000000000)
		return (-EINVAL);
	*ns = ts.tv_sec > INT64_C(4000000000) ? INT64_C(4000000000000000000) :
	    ts.tv_sec * 1000000000 + ts.tv_nsec;
	return (0);
}

int64_t
SBX_Sys_TimeLeft(struct sbx_proc *p, uint64_t clk, int64_t *ns)
{
	struct timespec now;

	if (time_now(p, clk, &now))
		return (-EINVAL);
	*ns -= now.tv_sec * 1000000000 + now.tv_nsec;
	return (0);
}

int64_t
SBX_Sys_TimePut(struct sbx_proc *p, uint64_t va, int64_t ns)
{
	const struct timespec ts = SBX_Os_Timespec(ns < 0 ? 0 : ns);

	return (SBX_Sys_Put(p, va, &ts, sizeof ts));
}

/* (rem) gets what is left if a signal ends it; 0: nobody wants to know. */
static int64_t
time_sleep(struct sbx_proc *p, int64_t ns, int relative, uint64_t rem)
{
	const struct sbx_waiting w = {
		.wait = SBX_WAIT_SLEEP,
		.until = SBX_Sys_Until(ns),
		.relative = relative,
		.addr = rem,
	};

	(void)SBX_Thread_Wait(p, &w);
	return (0);
}

int64_t
SBX_Sys_nanosleep(struct sbx_proc *p, const uint64_t *a)
{
	int64_t i, ns;

	i = SBX_Sys_TimeGet(p, a[0], &ns);
	return (i == 0 ? time_sleep(p, ns, 1, a[1]) : i);
}

int64_t
SBX_Sys_clock_nanosleep(struct sbx_proc *p, const uint64_t *a)
{
	int64_t i, ns;

	i = SBX_Sys_TimeGet(p, a[2], &ns);
	if (i != 0 || !(a[1] & TIMER_ABSTIME))
		return (i == 0 ? time_sleep(p, ns, 1, a[3]) : i);
	i = SBX_Sys_TimeLeft(p, a[0], &ns);
	return (i == 0 ? time_sleep(p, ns, 0, 0) : i);
}
