/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Timers that send signals, and calls that wait with another signal mask. The
 * path says which; the answer is what came of it, and the same outside of a
 * sandbox. Each leaves what it can: the next request must not see it.
 */

#define _GNU_SOURCE	1

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../guest.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid
#endif

static volatile int count, last_sig, last_code, last_value, last_overrun;
static volatile int in_mask;

static void
must(int err)
{

	if (err != 0)
		abort();
}

static void
on_signal(int sig, siginfo_t *si, void *priv)
{
	sigset_t set;

	(void)priv;
	count++;
	last_sig = sig;
	last_code = si->si_code;
	if (si->si_code == SI_TIMER) {
		last_value = si->si_value.sival_int;
		last_overrun = si->si_overrun;
	}
	must(pthread_sigmask(SIG_SETMASK, NULL, &set));
	in_mask = sigismember(&set, SIGUSR1) * 10 + sigismember(&set, sig);
}

static void
handle(int sig, int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = on_signal;
	sa.sa_flags = SA_SIGINFO | flags;
	must(sigemptyset(&sa.sa_mask));
	must(sigaction(sig, &sa, NULL));
	count = 0;
}

static struct itimerval
val(long first, long every)
{
	struct itimerval iv = {
		{ every / 1000, every % 1000 * 1000 },
		{ first / 1000, first % 1000 * 1000 },
	};

	return (iv);
}

static struct itimerspec
spec(long first, long every)
{
	struct itimerspec is = {
		{ every / 1000, every % 1000 * 1000000 },
		{ first / 1000, first % 1000 * 1000000 },
	};

	return (is);
}

static void
set(int which, long first, long every)
{
	struct itimerval iv = val(first, every);

	must(setitimer(which, &iv, NULL));
}

static int
is_set(int which)
{
	struct itimerval iv;

	must(getitimer(which, &iv));
	return (iv.it_value.tv_sec != 0 || iv.it_value.tv_usec != 0);
}

static int64_t
now(void)
{
	struct timespec ts;

	must(clock_gettime(CLOCK_MONOTONIC, &ts));
	return (ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000);
}

/* Without a system call. */
static void
spin(int n)
{

	while (count < n)
		continue;
}

/* A signal that has been sent is blocked, and pending. */
static void
pend(int sig)
{
	sigset_t one;

	must(sigemptyset(&one));
	must(sigaddset(&one, sig));
	must(pthread_sigmask(SIG_BLOCK, &one, NULL));
	must(kill(getpid(), sig));
}

static int
blocked(int sig)
{
	sigset_t is;

	must(pthread_sigmask(SIG_SETMASK, NULL, &is));
	return (sigismember(&is, sig));
}

/*--------------------------------------------------------------------
 * setitimer(), alarm()
 */

static void
real(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	int before = is_set(ITIMER_REAL);
	int64_t t = now();

	(void)rq;
	handle(SIGALRM, 0);
	set(ITIMER_REAL, 20, 20);
	spin(3);
	t = now() - t;
	sandbox_printf(rp, "%d before, signal %d, code %d, %s\n", before,
	    last_sig, last_code, t >= 55 ? "in time" : "too early");
}

static void
prof(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 150000000 };
	int slept;

	(void)rq;
	handle(SIGPROF, 0);
	handle(SIGVTALRM, 0);
	set(ITIMER_PROF, 100, 0);
	while (nanosleep(&ts, &ts))
		continue;
	/* that was no CPU time */
	slept = count;
	spin(1);
	slept = slept * 100 + last_sig;
	set(ITIMER_VIRTUAL, 50, 0);
	spin(2);
	sandbox_printf(rp, "signal %d, then %d, %d left\n", slept, last_sig,
	    is_set(ITIMER_PROF) + is_set(ITIMER_VIRTUAL));
}

static void
alarms(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	unsigned first, second, third;

	(void)rq;
	first = alarm(100);
	second = alarm(0);
	third = alarm(7);
	sandbox_printf(rp, "%u, %u, %u, %d left\n", first, second, third,
	    is_set(ITIMER_REAL));
}

static void
sleeps(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 30, 0 };
	int i, p;

	(void)rq;
	handle(SIGALRM, SA_RESTART);
	set(ITIMER_REAL, 20, 0);
	i = nanosleep(&ts, &ts);
	sandbox_printf(rp, "sleep %d %s, %s left\n", i,
	    errno == EINTR ? "EINTR" : "?",
	    ts.tv_sec == 29 ? "most" : "not so much");
	set(ITIMER_REAL, 20, 0);
	p = pause();
	sandbox_printf(rp, "pause %d %s, %d signals\n", p,
	    errno == EINTR ? "EINTR" : "?", count);
}

/*--------------------------------------------------------------------
 * timer_create()
 */

static timer_t
create(clockid_t clk, int notify, int sig, int value)
{
	struct sigevent ev;
	timer_t t;

	memset(&ev, 0, sizeof ev);
	ev.sigev_notify = notify;
	ev.sigev_signo = sig;
	ev.sigev_value.sival_int = value;
	ev.sigev_notify_thread_id = gettid();
	must(timer_create(clk, &ev, &t));
	return (t);
}

static void
settime(timer_t t, int flags, long first, long every)
{
	struct itimerspec is = spec(first, every);

	must(timer_settime(t, flags, &is, NULL));
}

static void
created(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	timer_t a, b;
	int again, first;

	(void)rq;
	handle(SIGRTMIN, 0);
	handle(SIGUSR1, 0);
	a = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 77);
	settime(a, 0, 10, 10);
	spin(2);
	must(timer_delete(a));
	again = timer_delete(a) == -1 && errno == EINVAL;
	first = last_value;
	count = 0;
	b = create(CLOCK_REALTIME, SIGEV_THREAD_ID, SIGUSR1, 88);
	/* a time that has been is now */
	settime(b, TIMER_ABSTIME, 1000, 0);
	spin(1);
	sandbox_printf(rp, "value %d, then %d, code %d, again %d\n", first,
	    last_value, last_code, again);
}

static void
cpu(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 100000000 };
	timer_t t;
	int slept;

	(void)rq;
	handle(SIGUSR2, 0);
	t = create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR2, 5);
	settime(t, 0, 50, 0);
	must(nanosleep(&ts, NULL));
	slept = count;
	spin(1);
	sandbox_printf(rp, "%d while asleep, value %d\n", slept, last_value);
}

/* Nobody hears it, and nobody is harmed. */
static void
ignored(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 60000000 };
	int i;

	(void)rq;
	must(signal(SIGUSR1, SIG_IGN) == SIG_ERR);
	settime(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1), 0, 1, 1);
	i = nanosleep(&ts, NULL);
	handle(SIGUSR1, 0);
	spin(2);
	sandbox_printf(rp, "sleep %d, then heard\n", i);
}

/* Nobody takes the signal for ten intervals. */
static void
overrun(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 105000000 };
	sigset_t one;
	timer_t t;
	siginfo_t si;
	int sig;

	(void)rq;
	must(sigemptyset(&one));
	must(sigaddset(&one, SIGRTMIN + 1));
	must(pthread_sigmask(SIG_BLOCK, &one, NULL));
	t = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 1, 3);
	settime(t, 0, 10, 10);
	must(nanosleep(&ts, NULL));
	sig = sigwaitinfo(&one, &si);
	sandbox_printf(rp, "%s, value %d, %s, %s\n",
	    sig == SIGRTMIN + 1 ? "taken" : "?", si.si_value.sival_int,
	    si.si_overrun >= 8 && si.si_overrun < 1000 ? "late" : "not late",
	    timer_getoverrun(t) == si.si_overrun ? "the same" : "another");
}

static volatile int rung;
static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void
ring(union sigval v)
{

	must(pthread_mutex_lock(&mtx));
	rung += v.sival_int;
	must(pthread_cond_signal(&cond));
	must(pthread_mutex_unlock(&mtx));
}

/* In a thread of the C library's. */
static void
threads(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct sigevent ev;
	timer_t t;

	(void)rq;
	memset(&ev, 0, sizeof ev);
	ev.sigev_notify = SIGEV_THREAD;
	ev.sigev_notify_function = ring;
	ev.sigev_value.sival_int = 4;
	must(timer_create(CLOCK_MONOTONIC, &ev, &t));
	settime(t, 0, 10, 10);
	must(pthread_mutex_lock(&mtx));
	while (rung < 12)
		must(pthread_cond_wait(&cond, &mtx));
	must(pthread_mutex_unlock(&mtx));
	sandbox_printf(rp, "%s\n", rung % 4 == 0 ? "rung" : "?");
	must(timer_delete(t));
}

static void
none(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 30000000 };
	struct itimerspec is, old;
	timer_t t;
	int running;

	(void)rq;
	t = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	settime(t, 0, 10000, 500);
	must(timer_gettime(t, &is));
	running = is.it_value.tv_sec == 9 && is.it_interval.tv_nsec ==
	    500000000;
	is = spec(10, 0);
	must(timer_settime(t, 0, &is, &old));
	must(nanosleep(&ts, NULL));
	must(timer_gettime(t, &is));
	sandbox_printf(rp, "running %d, was %d, over %d\n", running,
	    (int)old.it_value.tv_sec, is.it_value.tv_sec == 0 &&
	    is.it_value.tv_nsec == 0);
}

static void
errors(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct itimerval iv = val(-5000, 0);
	struct itimerspec is = spec(1, 0);
	struct sigevent ev;
	timer_t t;
	int i, n = 0;

	(void)rq;
	memset(&ev, 0, sizeof ev);
	ev.sigev_signo = 99;
	sandbox_printf(rp, "%d", setitimer(ITIMER_REAL, &iv, NULL) == -1 ?
	    errno : 0);
	sandbox_printf(rp, " %d", setitimer((enum __itimer_which)3, &iv,
	    NULL) == -1 ? errno : 0);
	sandbox_printf(rp, " %ld", syscall(SYS_timer_create, CLOCK_MONOTONIC,
	    &ev, &t) == -1 ? (long)errno : 0);
	sandbox_printf(rp, " %ld", syscall(SYS_timer_create, 99, NULL, &t) ==
	    -1 ? (long)errno : 0);
	sandbox_printf(rp, " %ld", syscall(SYS_timer_create, CLOCK_MONOTONIC,
	    NULL, 8) == -1 ? (long)errno : 0);
	sandbox_printf(rp, " %ld", syscall(SYS_timer_settime, 12345, 0, &is,
	    NULL) == -1 ? (long)errno : 0);
	is.it_value.tv_nsec = 1000000000;
	t = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	sandbox_printf(rp, " %d", timer_settime(t, 0, &is, NULL) == -1 ?
	    errno : 0);
	/* here there is an end to it */
	for (i = 0; i < 8; i++) {
		(void)create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
		n++;
	}
	sandbox_printf(rp, ", %d made\n", n);
}

/*--------------------------------------------------------------------
 * Another mask while a call waits
 */

static void
suspend(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	sigset_t mask;
	int i;

	(void)rq;
	handle(SIGUSR2, 0);
	handle(SIGALRM, 0);
	pend(SIGUSR1);
	pend(SIGALRM);
	must(sigfillset(&mask));
	must(sigdelset(&mask, SIGUSR2));
	/* USR2 alone may come, and it comes later */
	must(signal(SIGUSR1, SIG_IGN) == SIG_ERR);
	settime(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR2, 0), 0, 20, 0);
	i = sigsuspend(&mask);
	sandbox_printf(rp, "%d %s, signal %d, mask %d, then %d %d %d\n", i,
	    errno == EINTR ? "EINTR" : "?", last_sig, in_mask,
	    blocked(SIGUSR1), blocked(SIGALRM), blocked(SIGUSR2));
}

/* What a call that waits came to, and what is blocked then. */
static void
said(struct sandbox_reply *rp, const char *call, int i)
{
	int err = errno;

	sandbox_printf(rp, "%s %d%s, %d signals, mask %d, then %d\n", call, i,
	    i == -1 ? err == EINTR ? " EINTR" : " ?" : "", count, in_mask,
	    blocked(SIGUSR1));
	count = in_mask = 0;
}

static void
masks(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec none0 = { 0, 0 }, ts = { 10, 0 };
	struct epoll_event ev = { .events = EPOLLIN };
	struct pollfd pfd;
	sigset_t open, closed;
	fd_set fds;
	int ep, fd;

	(void)rq;
	handle(SIGUSR1, SA_RESTART);
	must(sigemptyset(&open));
	must(sigfillset(&closed));
	fd = eventfd(0, 0);
	ep = epoll_create1(0);
	pfd.fd = fd;
	pfd.events = POLLIN;
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	pend(SIGUSR1);
	said(rp, "ppoll", ppoll(&pfd, 1, &ts, &open));
	pend(SIGUSR1);
	said(rp, "ppoll at once", ppoll(&pfd, 1, &none0, &open));
	pend(SIGUSR1);
	FD_ZERO(&fds);
	FD_SET(fd, &fds);
	said(rp, "pselect", pselect(fd + 1, &fds, NULL, NULL, &ts, &open));
	pend(SIGUSR1);
	said(rp, "epoll", epoll_pwait(ep, &ev, 1, 10000, &open));
	/* something is ready: that comes first */
	pend(SIGUSR1);
	must(eventfd_write(fd, 1));
	said(rp, "ready", ppoll(&pfd, 1, &ts, &open));
	said(rp, "ready", epoll_pwait(ep, &ev, 1, 10000, &open));
	must(pthread_sigmask(SIG_SETMASK, &open, NULL));
	said(rp, "unblocked", 0);
	/* and the other way round: blocked while it waits */
	FD_ZERO(&fds);
	set(ITIMER_REAL, 10, 0);
	handle(SIGALRM, 0);
	ts.tv_sec = 0;
	ts.tv_nsec = 50000000;
	said(rp, "closed", pselect(0, NULL, NULL, NULL, &ts, &closed));
}

static void *
wait_main(void *priv)
{
	sigset_t one;
	siginfo_t si;

	must(sigemptyset(&one));
	must(sigaddset(&one, SIGUSR2));
	*(int *)priv = sigwaitinfo(&one, &si) * 100 + si.si_code;
	return (NULL);
}

/* All threads block it; the one that asks for it gets it. */
static void
shared(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 20000000 };
	sigset_t one;
	pthread_t thr;
	int early = 0, late = 0;

	(void)rq;
	must(sigemptyset(&one));
	must(sigaddset(&one, SIGUSR2));
	must(pthread_sigmask(SIG_BLOCK, &one, NULL));
	must(kill(getpid(), SIGUSR2));
	must(pthread_create(&thr, NULL, wait_main, &early));
	must(pthread_join(thr, NULL));
	must(pthread_create(&thr, NULL, wait_main, &late));
	must(nanosleep(&ts, NULL));
	must(kill(getpid(), SIGUSR2));
	must(pthread_join(thr, NULL));
	sandbox_printf(rp, "%d, %d\n", early, late);
}

static void *
write_main(void *priv)
{
	struct timespec ts = { 0, 60000000 };

	while (nanosleep(&ts, &ts))
		continue;
	must(write(*(int *)priv, "x", 1) == 1 ? 0 : 1);
	return (NULL);
}

/* A read that a signal comes into goes on, or does not. */
static void
restart(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	pthread_t thr;
	int fd[2], i, n;
	char c;

	(void)rq;
	must(pipe(fd));
	for (i = 0; i < 2; i++) {
		handle(SIGALRM, i == 0 ? SA_RESTART : 0);
		must(pthread_create(&thr, NULL, write_main, &fd[1]));
		set(ITIMER_REAL, 20, 0);
		n = (int)read(fd[0], &c, 1);
		sandbox_printf(rp, "read %d%s, %d signals\n", n,
		    n == -1 && errno == EINTR ? " EINTR" : "", count);
		must(pthread_join(thr, NULL));
	}
}

/*--------------------------------------------------------------------*/

static timer_t booted;

/* One that was set before the program was ready goes on. */
static void
boot(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct itimerspec is;

	(void)rq;
	count = 0;
	spin(2);
	must(timer_gettime(booted, &is));
	sandbox_printf(rp, "signal %d, value %d, every %ld ms\n",
	    last_sig == SIGRTMIN + 2, last_value,
	    is.it_interval.tv_nsec / 1000000);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static const struct guest_path cases[] = {
		{ "/real", real },
		{ "/prof", prof },
		{ "/alarm", alarms },
		{ "/sleep", sleeps },
		{ "/ignored", ignored },
		{ "/create", created },
		{ "/cpu", cpu },
		{ "/overrun", overrun },
		{ "/thread", threads },
		{ "/none", none },
		{ "/errors", errors },
		{ "/suspend", suspend },
		{ "/masks", masks },
		{ "/shared", shared },
		{ "/restart", restart },
		{ "/boot", boot },
	};
	size_t i = GUEST_CASE(rq, rp, cases);

	if (i == GUEST_CASES(cases))
		return;
	/* it would come in between */
	if (cases[i].func != boot)
		must(timer_delete(booted));
	cases[i].func(rq, rp);
}

int
main(void)
{

	handle(SIGRTMIN + 2, SA_RESTART);
	booted = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 2, 9);
	settime(booted, 0, 20, 20);
	return (guest_serve(bad));
}
