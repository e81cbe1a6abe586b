/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Waits for something that never comes, in the system call that the path
 * names. If the call returns, answers with what it returned.
 */

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

#include "../guest.h"

static struct timespec ever = { INT64_MAX, 0 };
static uint64_t words[8];

static const struct {
	const char	*path;
	long		nr;
	uint64_t	a, b, c, d;
} calls[] = {
#define P(x)		((uintptr_t)(x))
	{ "/pause",	SYS_pause,	0, 0, 0, 0 },
	{ "/nanosleep",	SYS_nanosleep,	P(&ever), 0, 0, 0 },
	{ "/clock_nanosleep", SYS_clock_nanosleep, CLOCK_MONOTONIC, 0,
	    P(&ever), 0 },
	{ "/poll",	SYS_poll,	0, 0, UINT64_MAX, 0 },
	{ "/ppoll",	SYS_ppoll,	0, 0, 0, 0 },
	{ "/select",	SYS_select,	0, 0, 0, 0 },
	{ "/futex",	SYS_futex,	P(words), 128, 0, 0 },
	{ "/futex_pi",	SYS_futex,	P(words), 134, 0, 0 },
	{ "/sigsuspend", SYS_rt_sigsuspend, P(words), 8, 0, 0 },
	{ "/sigwait",	SYS_rt_sigtimedwait, P(words), 0, 0, 8 },
	{ "/wait",	SYS_wait4,	UINT64_MAX, 0, 0, 0 },
	{ "/read",	SYS_read,	0, P(words), 8, 0 },
	{ "/yield",	SYS_sched_yield, 0, 0, 0, 0 },
};

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct epoll_event ev;
	size_t i;
	long r;
	int fd;

	if (sandbox_path_is(rq, "/epoll")) {
		fd = epoll_create1(0);
		r = epoll_wait(fd, &ev, 1, -1);
		sandbox_printf(rp, "%ld\n", r);
		return;
	}
	i = GUEST_CASE(rq, rp, calls);
	if (i == GUEST_CASES(calls))
		return;
	r = guest_call(calls[i].nr, calls[i].a, calls[i].b, calls[i].c,
	    calls[i].d, 0, 0);
	sandbox_printf(rp, "%ld\n", r);
}

int
main(void)
{

	return (guest_serve(bad));
}
