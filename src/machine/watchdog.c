/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * watchdog.c: deadlines.
 *
 * Hand-shake, so that the signal reaches the thread while it runs the machine
 * and never later: the watchdog moves ARMED to KICKING, sends the signal, and
 * moves on to KICKED; whoever disarms waits while it is KICKING.
 *
 * Locking: watch_mtx protects the list and the thread's life. Leaf lock.
 */

#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/machine.h"
#include "machine/watchdog.h"

static pthread_mutex_t watch_mtx = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t watch_cond;
static VTAILQ_HEAD(, sbx_machine) watch_head =
    VTAILQ_HEAD_INITIALIZER(watch_head);
static pthread_t watch_thread;
static int watch_stop;
static int watch_signo;
static struct sigaction watch_old;

static void
watch_handler(int signo)
{

	(void)signo;
}

/*
 * Take the first real-time signal that nobody uses.
 */
static int
watch_signal(struct sbx_err *err)
{
	struct sigaction sa, old;
	int signo;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = watch_handler;
	sa.sa_flags = SA_RESTART;
	AZ(sigemptyset(&sa.sa_mask));
	for (signo = SIGRTMIN; signo <= SIGRTMAX; signo++) {
		AZ(sigaction(signo, NULL, &old));
		if ((old.sa_flags & SA_SIGINFO) || old.sa_handler != SIG_DFL)
			continue;
		AZ(sigaction(signo, &sa, &watch_old));
		watch_signo = signo;
		return (0);
	}
	return (SBX_Err_Set(err, SBX_FAIL_HOST, 0,
	    "every real-time signal is in use"));
}

static void
watch_kick(struct sbx_machine *m, int64_t now)
{
	int k;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	k = atomic_load(&m->kick);
	if (k != SBX_KICK_ARMED && k != SBX_KICK_KICKED)
		return;
	if (now < atomic_load(&m->deadline))
		return;
	if (!atomic_compare_exchange_strong(&m->kick, &k, SBX_KICK_KICKING))
		return;
	/* re-armed in between: the new deadline is later, leave it alone */
	if (now >= atomic_load(&m->deadline)) {
		__atomic_store_n(&m->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		AZ(pthread_kill(m->thread, watch_signo));
		k = SBX_KICK_KICKED;
	}
	atomic_store(&m->kick, k);
}

static void *
watch_main(void *priv)
{
	struct sbx_machine *m;
	struct timespec ts;
	int64_t now;

	AZ(priv);
	AZ(pthread_mutex_lock(&watch_mtx));
	while (!watch_stop) {
		now = SBX_Os_Mono();
		VTAILQ_FOREACH(m, &watch_head, watch_list)
			watch_kick(m, now);
		ts = SBX_Os_Timespec(now + SBX_WATCHDOG_PERIOD);
		(void)pthread_cond_timedwait(&watch_cond, &watch_mtx, &ts);
	}
	AZ(pthread_mutex_unlock(&watch_mtx));
	return (NULL);
}

int
SBX_Watchdog_Start(struct sbx_err *err)
{
	pthread_condattr_t attr;
	int e;

	if (watch_signal(err))
		return (-1);
	AZ(pthread_condattr_init(&attr));
	AZ(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	AZ(pthread_cond_init(&watch_cond, &attr));
	AZ(pthread_condattr_destroy(&attr));
	watch_stop = 0;
	e = sbx_os.pthread_create(&watch_thread, NULL, watch_main, NULL);
	if (e != 0) {
		AZ(pthread_cond_destroy(&watch_cond));
		AZ(sigaction(watch_signo, &watch_old, NULL));
		return (SBX_Err_Set(err, SBX_FAIL_HOST, e,
		    "thread for deadlines"));
	}
	(void)pthread_setname_np(watch_thread, "sbx-watchdog");
	return (0);
}

void
SBX_Watchdog_Stop(void)
{

	AZ(pthread_mutex_lock(&watch_mtx));
	assert(VTAILQ_EMPTY(&watch_head));
	watch_stop = 1;
	AZ(pthread_cond_signal(&watch_cond));
	AZ(pthread_mutex_unlock(&watch_mtx));
	AZ(pthread_join(watch_thread, NULL));
	AZ(pthread_cond_destroy(&watch_cond));
	AZ(sigaction(watch_signo, &watch_old, NULL));
}

void
SBX_Watchdog_Add(struct sbx_machine *m)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AZ(pthread_mutex_lock(&watch_mtx));
	VTAILQ_INSERT_TAIL(&watch_head, m, watch_list);
	AZ(pthread_mutex_unlock(&watch_mtx));
}

void
SBX_Watchdog_Remove(struct sbx_machine *m)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	assert(atomic_load(&m->kick) == SBX_KICK_IDLE);
	AZ(pthread_mutex_lock(&watch_mtx));
	VTAILQ_REMOVE(&watch_head, m, watch_list);
	AZ(pthread_mutex_unlock(&watch_mtx));
}

/* The signal must get through; nothing of varnishd's blocks it today, so one
 * look per thread is enough. */
static void
watch_unblock(void)
{
	static __thread int done;
	sigset_t set;

	if (done)
		return;
	AZ(sigemptyset(&set));
	AZ(sigaddset(&set, watch_signo));
	AZ(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	done = 1;
}

void
SBX_Watchdog_Arm(struct sbx_machine *m, int64_t deadline)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	assert(atomic_load(&m->kick) == SBX_KICK_IDLE);
	watch_unblock();
	m->thread = pthread_self();
	atomic_store(&m->deadline, deadline);
	atomic_store(&m->kick, SBX_KICK_ARMED);
}

void
SBX_Watchdog_Disarm(struct sbx_machine *m)
{
	int k;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	do {
		k = atomic_load(&m->kick);
		assert(k != SBX_KICK_IDLE);
		while (k == SBX_KICK_KICKING) {
			(void)sched_yield();
			k = atomic_load(&m->kick);
		}
	} while (!atomic_compare_exchange_strong(&m->kick, &k,
	    SBX_KICK_IDLE));
	__atomic_store_n(&m->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

void
SBX_Watchdog_Rearm(struct sbx_machine *m, int64_t deadline)
{

	SBX_Watchdog_Disarm(m);
	SBX_Watchdog_Arm(m, deadline);
}

int
SBX_Watchdog_Kicked(const struct sbx_machine *m)
{

	/* not while KICKING: it may turn out that it is not time yet */
	return (atomic_load(&m->kick) == SBX_KICK_KICKED);
}
