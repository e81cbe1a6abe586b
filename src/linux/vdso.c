/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * vdso.c: what a guest's C library calls instead of the clock system calls, as
 * Linux's vDSO does. Guest code: compiled into a shared object of its own,
 * which is a blob for the host (vdso_blob.S).
 *
 * The clock is the CPU's time stamp counter, from the moment and the times at
 * which the request began. The host rounds the rate down (kvm.c), so that no
 * request sees a time that the next one does not see yet.
 */

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "machine/layout.h"

#define NS			UINT64_C(1000000000)

int __vdso_clock_gettime(clockid_t, struct timespec *);
int __vdso_clock_getres(clockid_t, struct timespec *);
int __vdso_gettimeofday(struct timeval *, void *);
time_t __vdso_time(time_t *);
long __vdso_getcpu(unsigned *, unsigned *, void *);

static long
vdso_syscall(long nr, long a, long b)
{
	long r;

	__asm__ volatile ("syscall" : "=a" (r) : "a" (nr), "D" (a), "S" (b) :
	    "rcx", "r11", "memory");
	return (r);
}

/* The request's clock, or NULL while the program starts. */
static const volatile struct sbx_clock *
vdso_clock(void)
{
	uintptr_t at;

	at = *(const volatile uintptr_t *)(uintptr_t)
	    (SBX_SYS_ENTRY_DATA + SBX_ENTRY_CLOCK);
	return ((const volatile struct sbx_clock *)at);
}

/* Nanoseconds since the request began. */
static uint64_t
vdso_elapsed(const volatile struct sbx_clock *c)
{
	uint32_t lo, hi;
	uint64_t tsc;

	__asm__ volatile ("lfence; rdtsc" : "=a" (lo), "=d" (hi) : :
	    "memory");
	tsc = ((uint64_t)hi << 32 | lo) - c->tsc;
	/* another CPU's may be a little behind */
	if (tsc >> 63)
		tsc = 0;
	return ((uint64_t)((unsigned __int128)tsc * c->mult >> 32));
}

static int
vdso_gettime(clockid_t clk, struct timespec *ts)
{
	const volatile struct sbx_clock *c = vdso_clock();
	uint64_t ns;

	if (c == 0 || !(clk == CLOCK_REALTIME || clk == CLOCK_MONOTONIC ||
	    clk == CLOCK_REALTIME_COARSE || clk == CLOCK_MONOTONIC_COARSE))
		return ((int)vdso_syscall(SYS_clock_gettime, clk, (long)ts));
	ns = vdso_elapsed(c);
	if (clk == CLOCK_REALTIME || clk == CLOCK_REALTIME_COARSE)
		ns += (uint64_t)c->wall_ns;
	else
		ns += (uint64_t)c->mono_ns;
	ts->tv_sec = (time_t)(ns / NS);
	ts->tv_nsec = (long)(ns % NS);
	return (0);
}

int
__vdso_clock_gettime(clockid_t clk, struct timespec *ts)
{

	return (vdso_gettime(clk, ts));
}

int
__vdso_clock_getres(clockid_t clk, struct timespec *ts)
{

	return ((int)vdso_syscall(SYS_clock_getres, clk, (long)ts));
}

int
__vdso_gettimeofday(struct timeval *tv, void *tz)
{
	struct timespec ts;
	int i;

	if (tz != 0)
		return ((int)vdso_syscall(SYS_gettimeofday, (long)tv,
		    (long)tz));
	i = vdso_gettime(CLOCK_REALTIME, &ts);
	if (i == 0 && tv != 0) {
		tv->tv_sec = ts.tv_sec;
		tv->tv_usec = ts.tv_nsec / 1000;
	}
	return (i);
}

time_t
__vdso_time(time_t *t)
{
	struct timespec ts;

	(void)vdso_gettime(CLOCK_REALTIME, &ts);
	if (t != 0)
		*t = ts.tv_sec;
	return (ts.tv_sec);
}

/* There is one CPU. */
long
__vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{

	(void)unused;
	if (cpu != 0)
		*cpu = 0;
	if (node != 0)
		*node = 0;
	return (0);
}
