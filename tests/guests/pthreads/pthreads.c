/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Uses threads as programs do, by the C library: some that exist before the
 * first request and some that a request makes. The path says for what; the
 * answer is what came of it, the same for each request.
 */

#define _GNU_SOURCE	1

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../guest.h"

#define WORKERS		4
#define N(a)		(sizeof (a) / sizeof (a)[0])

static void
must(int err)
{

	if (err != 0)
		abort();
}

/*--------------------------------------------------------------------
 * A pool that waits for work when the program is frozen. Each worker keeps
 * count in a variable of its own, and a sum in its registers.
 */

static pthread_mutex_t pool_mtx = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pool_work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t pool_done = PTHREAD_COND_INITIALIZER;
static unsigned pool_todo, pool_finished;
static unsigned pool_ready;
static unsigned pool_counts[WORKERS];
static double pool_sums[WORKERS];
static __thread unsigned mine;

static void *
pool_worker(void *priv)
{
	unsigned id = (unsigned)(uintptr_t)priv;
	double sum = id;
	char name[16] = "worker 0";

	name[7] = (char)('0' + id);
	must(prctl(PR_SET_NAME, name));
	must(pthread_mutex_lock(&pool_mtx));
	pool_ready++;
	for (;;) {
		while (pool_todo == 0) {
			pthread_cond_signal(&pool_done);
			must(pthread_cond_wait(&pool_work, &pool_mtx));
		}
		pool_todo--;
		mine++;
		sum += 0.5;
		pool_counts[id] = mine;
		pool_sums[id] = sum;
		pool_finished++;
		must(pthread_mutex_unlock(&pool_mtx));
		must(sched_yield());
		must(pthread_mutex_lock(&pool_mtx));
	}
	return (NULL);
}

static void
pool(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	unsigned u, n = (unsigned)guest_long(rq, "n", 100), sum = 0;
	double d = 0;

	must(pthread_mutex_lock(&pool_mtx));
	pool_todo = n;
	must(pthread_cond_broadcast(&pool_work));
	while (pool_finished < n)
		must(pthread_cond_wait(&pool_done, &pool_mtx));
	must(pthread_mutex_unlock(&pool_mtx));
	for (u = 0; u < WORKERS; u++) {
		sum += pool_counts[u];
		if (pool_counts[u] > 0)
			d += pool_sums[u] - u;
	}
	sandbox_printf(rp, "%u done, counted %u, summed %u, mine %u\n",
	    pool_finished, sum, (unsigned)(2 * d), mine);
}

/*--------------------------------------------------------------------
 * Threads that a request makes
 */

/* Computes, without a system call: only a timer can give others a turn. */
static void *
spin_main(void *priv)
{
	volatile double *res = priv;
	double x = *res, y = 0;
	unsigned u;

	for (u = 0; u < 20000000; u++)
		y = y * 0.999 + x;
	*res = y;
	return (priv);
}

/* They all get the same time, and come to what one alone comes to. */
static void
spin(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_t thr[WORKERS];
	double res[WORKERS + 1];
	void *p;
	size_t u;

	(void)rq;
	for (u = 0; u < N(thr); u++) {
		res[u] = 1.25;
		must(pthread_create(&thr[u], NULL, spin_main, &res[u]));
	}
	res[WORKERS] = 1.25;
	(void)spin_main(&res[WORKERS]);
	for (u = 0; u < N(thr); u++) {
		must(pthread_join(thr[u], &p));
		if (p != &res[u] || res[u] != res[WORKERS])
			abort();
	}
	sandbox_puts(rp, "all the same\n");
}

/* One spins until another, which sleeps, says that it may end. */
static volatile int flag;

static void *
flag_main(void *priv)
{
	struct timespec ts = { 0, 20000000 };

	(void)priv;
	must(nanosleep(&ts, NULL));
	flag = 1;
	return (NULL);
}

static void
wake_spinner(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_t thr;

	(void)rq;
	must(pthread_create(&thr, NULL, flag_main, NULL));
	while (!flag)
		continue;
	must(pthread_join(thr, NULL));
	sandbox_puts(rp, "woken\n");
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static unsigned passed, serial, guarded;

static void *
barrier_main(void *priv)
{
	unsigned u;
	int i;

	for (u = 0; u < 10; u++) {
		i = pthread_barrier_wait(&barrier);
		must(pthread_rwlock_wrlock(&rwlock));
		passed++;
		serial += i == PTHREAD_BARRIER_SERIAL_THREAD;
		must(pthread_rwlock_unlock(&rwlock));
	}
	must(sem_post(&sem));
	return (priv);
}

static void
barriers(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_t thr[WORKERS];
	size_t u;

	(void)rq;
	must(pthread_barrier_init(&barrier, NULL, WORKERS));
	must(sem_init(&sem, 0, 0));
	for (u = 0; u < N(thr); u++)
		must(pthread_create(&thr[u], NULL, barrier_main, NULL));
	for (u = 0; u < N(thr); u++)
		must(sem_wait(&sem));
	for (u = 0; u < N(thr); u++)
		must(pthread_join(thr[u], NULL));
	sandbox_printf(rp, "%u passed, %u serial\n", passed, serial);
}

/* A thread ends with a lock that another one waits for: that is told. */
static pthread_mutex_t robust;

static void *
robust_main(void *priv)
{
	struct timespec ts = { 0, 10000000 };

	must(pthread_mutex_lock(&robust));
	must(sem_post(&sem));
	must(nanosleep(&ts, NULL));
	return (priv);
}

static void
robust_lock(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_mutexattr_t attr;
	pthread_t thr;
	int i;

	(void)rq;
	must(pthread_mutexattr_init(&attr));
	must(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	must(pthread_mutex_init(&robust, &attr));
	must(sem_init(&sem, 0, 0));
	must(pthread_create(&thr, NULL, robust_main, NULL));
	must(sem_wait(&sem));
	i = pthread_mutex_lock(&robust);
	must(pthread_mutex_consistent(&robust));
	must(pthread_mutex_unlock(&robust));
	must(pthread_join(thr, NULL));
	sandbox_printf(rp, "%s\n", i == EOWNERDEAD ? "EOWNERDEAD" : "?");
}

/* What ends at a time ends then, and not before. */
static void
timed(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;
	struct timespec t0, t1;
	long ms;
	int i;

	(void)rq;
	must(clock_gettime(CLOCK_REALTIME, &t0));
	t1 = t0;
	t1.tv_nsec += 30000000;
	t1.tv_sec += t1.tv_nsec / 1000000000;
	t1.tv_nsec %= 1000000000;
	must(pthread_mutex_lock(&mtx));
	i = pthread_cond_timedwait(&cond, &mtx, &t1);
	must(clock_gettime(CLOCK_REALTIME, &t1));
	ms = (t1.tv_sec - t0.tv_sec) * 1000 +
	    (t1.tv_nsec - t0.tv_nsec) / 1000000;
	sandbox_printf(rp, "%s, %s\n", i == ETIMEDOUT ? "ETIMEDOUT" : "?",
	    ms < 29 ? "early" : ms > 5000 ? "late" : "in time");
}

static void *
count_main(void *priv)
{

	must(pthread_mutex_lock(&pool_mtx));
	guarded++;
	must(pthread_mutex_unlock(&pool_mtx));
	return (priv);
}

/* One after the other: what a thread takes is free when it has ended. */
static void
many(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	long i, n = guest_long(rq, "n", 300);
	pthread_t thr;

	for (i = 0; i < n; i++) {
		must(pthread_create(&thr, NULL, count_main, NULL));
		must(pthread_join(thr, NULL));
	}
	sandbox_printf(rp, "%u ended\n", guarded);
}

/* The C library is not asked, as it would want a stack for each. */
static void
ten_thousand(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	unsigned u, n = 0;
	long r, last = 0;

	(void)rq;
	for (u = 0; u < 10000; u++) {
		__asm__ volatile("syscall\n\t"
		    "test %%rax, %%rax\n\t"
		    "jnz 1f\n"
		    "0:\tmov $34, %%eax\n\t"	/* pause() */
		    "syscall\n\t"
		    "jmp 0b\n"
		    "1:" : "=a" (r) : "0" (SYS_clone),
		    "D" (0x10f00), "S" (16),
		    "d" (0) : "rcx", "r11", "memory");
		if (r > 0)
			n++;
		else
			last = r;
	}
	sandbox_printf(rp, "%u, then %ld\n", n, last);
}

/* Nobody is there to wake anybody. */
static void *
lock_main(void *priv)
{

	must(pthread_mutex_lock(&pool_mtx));
	return (priv);
}

static void
deadlock(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_t thr;

	(void)rq;
	(void)rp;
	must(pthread_mutex_lock(&pool_mtx));
	must(pthread_create(&thr, NULL, lock_main, NULL));
	must(pthread_join(thr, NULL));
}

/* Answers from another thread than the one that got the request. */
static void *
answer_main(void *priv)
{

	(void)sandbox_next(sandbox_reply_end(priv));
	return (NULL);
}

static void
answer(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_t thr;

	(void)rq;
	sandbox_puts(rp, "from another thread\n");
	must(pthread_create(&thr, NULL, answer_main, rp));
	must(pthread_join(thr, NULL));
	abort();
}

/* The thread that got the request ends; the process does not. */
static void
answer_exit(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_t thr;

	(void)rq;
	sandbox_puts(rp, "the last one\n");
	must(pthread_create(&thr, NULL, answer_main, rp));
	pthread_exit(NULL);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static const struct guest_path cases[] = {
		{ "/pool", pool },
		{ "/spin", spin },
		{ "/wake", wake_spinner },
		{ "/barrier", barriers },
		{ "/robust", robust_lock },
		{ "/timed", timed },
		{ "/many", many },
		{ "/ten-thousand", ten_thousand },
		{ "/deadlock", deadlock },
		{ "/answer", answer },
		{ "/exit", answer_exit },
	};

	GUEST_PATH(rq, rp, cases);
}

int
main(void)
{
	pthread_t thr;
	unsigned u;

	for (u = 0; u < WORKERS; u++)
		must(pthread_create(&thr, NULL, pool_worker,
		    (void *)(uintptr_t)u));
	must(pthread_mutex_lock(&pool_mtx));
	/* half of them wait when it is frozen, the others have yet to run */
	while (pool_ready < WORKERS / 2)
		must(pthread_cond_wait(&pool_done, &pool_mtx));
	must(pthread_mutex_unlock(&pool_mtx));
	return (guest_serve(bad));
}
