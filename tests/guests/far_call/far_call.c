/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A call whose argument lies where nobody has written yet, so that the host
 * has to find memory for it, and makes the guest's ring 0 change page tables
 * for that, in the middle of the call; while another thread could run. The
 * memory has been somebody's who could only read it.
 *
 *	/log		a call of the sandbox's, the first of the request
 *	/fault		the program itself writes there, then the same
 *	/read		a thread that waits has what it reads put there
 */

#define _GNU_SOURCE	1

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../guest.h"

#define MB		((size_t)1 << 20)
#define RW		(PROT_READ | PROT_WRITE)
#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define LEN		100

static char *far_away;
static int ends[2];
static volatile long got;

static void *
spin(void *priv)
{

	for (;;)
		__asm__ volatile("pause");
	return (priv);
}

static void *
reader(void *priv)
{

	got = read(ends[0], priv, 5);
	return (NULL);
}

static long
log_far(void)
{

	return (guest_call(SANDBOX_CALL_LOG, SANDBOX_LOG_INFO,
	    (uintptr_t)far_away, LEN, 0, 0, 0));
}

static long
read_far(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, reader, far_away) != 0)
		abort();
	while (sched_yield() == 0 && got == 0)
		if (write(ends[1], "hello", 5) != 5)
			abort();
	return (memcmp(far_away, "hello", 5) == 0 ? got : -1);
}

static void
answer(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	long r = 0;

	if (sandbox_path_is(rq, "/fault"))
		far_away[LEN] = 'x';
	if (sandbox_path_is(rq, "/log") || sandbox_path_is(rq, "/fault"))
		r = log_far();
	else if (sandbox_path_is(rq, "/read"))
		r = read_far();
	sandbox_printf(rp, "it said %ld\n", r);
}

int
main(void)
{
	pthread_t t;
	void *p;

	p = mmap(NULL, 8 * MB, RW, ANON, -1, 0);
	if (p == MAP_FAILED || mprotect(p, 8 * MB, PROT_READ) != 0 ||
	    pipe(ends) != 0 || pthread_create(&t, NULL, spin, NULL) != 0)
		return (1);
	(void)munmap(p, 8 * MB);
	far_away = mmap(NULL, 4096 * MB, RW, ANON | MAP_NORESERVE, -1, 0);
	return (far_away == MAP_FAILED ? 1 : guest_serve(answer));
}
