/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What Linux keeps for a process: descriptors, signals, names, timers. Each is
 * asked for before the snapshot and again later; that a call is not there, and
 * says so both times, is fine.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../guest.h"
#include "residue.h"

#define N_FDS		32
#define N_SIGNALS	65
#define N_THREADS	4

struct answer {
	long			ret;
	uint8_t			out[80];
};

static struct answer fd_flags[N_FDS], fd_status[N_FDS], fd_offset[N_FDS];
static struct answer signals[N_SIGNALS];
static struct answer threads[N_THREADS];
static uint64_t tids[N_THREADS];	/* 0: as a sandbox would have them */
static struct answer mask, altstack, pending, tid, cwd, mode, free_fd, name, timer, files,
    dumpable, nice_value, robust, tmp_file, tmp_size, alarm_left, made,
    stack_limit, memory_limit;

static const char tmp_name[] = "/tmp/sandbox-residue";

/* One call, with what it writes to its (nth) argument, counted from 0, kept.
 * (-1): it writes nothing. */
static struct answer
ask(long nr, int nth, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct answer an;
	uint64_t arg[4] = { a, b, c, d };

	memset(&an, 0, sizeof an);
	if (nth >= 0)
		arg[nth] = (uintptr_t)an.out;
	an.ret = guest_call(nr, arg[0], arg[1], arg[2], arg[3], 0, 0);
	return (an);
}

static struct answer
ask_mode(void)
{
	struct answer an;

	an = ask(SYS_umask, -1, 022, 0, 0, 0);
	(void)ask(SYS_umask, -1, (uint64_t)an.ret, 0, 0, 0);
	return (an);
}

static struct answer
ask_free_fd(void)
{
	struct answer an;

	an = ask(SYS_dup, -1, 0, 0, 0, 0);
	if (an.ret >= 0)
		(void)ask(SYS_close, -1, (uint64_t)an.ret, 0, 0, 0);
	return (an);
}

/* Ask for everything, and have (use) do with it what it is for. */
typedef void use_f(const char *name, struct answer *was, struct answer is);

static void
ask_fds(use_f *use)
{
	char buf[32];
	uint64_t i;

	for (i = 0; i < N_FDS; i++) {
		(void)snprintf(buf, sizeof buf, "fd%u.flags", (unsigned)i);
		use(buf, &fd_flags[i],
		    ask(SYS_fcntl, -1, i, F_GETFD, 0, 0));
		(void)snprintf(buf, sizeof buf, "fd%u.status", (unsigned)i);
		use(buf, &fd_status[i],
		    ask(SYS_fcntl, -1, i, F_GETFL, 0, 0));
		(void)snprintf(buf, sizeof buf, "fd%u.offset", (unsigned)i);
		use(buf, &fd_offset[i],
		    ask(SYS_lseek, -1, i, 0, SEEK_CUR, 0));
	}
	use("fd.free", &free_fd, ask_free_fd());
}

static void
ask_signals(use_f *use)
{
	char buf[32];
	uint64_t i;

	for (i = 1; i < N_SIGNALS; i++) {
		(void)snprintf(buf, sizeof buf, "signal%u", (unsigned)i);
		use(buf, &signals[i],
		    ask(SYS_rt_sigaction, 2, i, 0, 0, 8));
	}
	use("signal.mask", &mask, ask(SYS_rt_sigprocmask, 2, 0, 0, 0, 8));
	use("signal.altstack", &altstack, ask(SYS_sigaltstack, 1, 0, 0, 0, 0));
	use("signal.pending", &pending, ask(SYS_rt_sigpending, 0, 0, 8, 0, 0));
}

/* Which others there are, by number. */
static void
ask_threads(use_f *use)
{
	uint64_t i, pid = (uint64_t)getpid();
	char buf[32];

	use("thread", &tid, ask(SYS_gettid, -1, 0, 0, 0, 0));
	for (i = 0; i < N_THREADS; i++) {
		(void)snprintf(buf, sizeof buf, "thread%u", (unsigned)i + 1);
		use(buf, &threads[i],
		    ask(SYS_tgkill, -1, pid, tids[i] != 0 ? tids[i] :
		    pid + i + 1, 0, 0));
	}
}

static void
ask_all(use_f *use)
{

	ask_fds(use);
	ask_signals(use);
	ask_threads(use);
	use("cwd", &cwd, ask(SYS_getcwd, 0, 0, 64, 0, 0));
	use("umask", &mode, ask_mode());
	use("name", &name, ask(SYS_prctl, 1, PR_GET_NAME, 0, 0, 0));
	use("dumpable", &dumpable,
	    ask(SYS_prctl, -1, PR_GET_DUMPABLE, 0, 0, 0));
	use("timer", &timer, ask(SYS_getitimer, 1, ITIMER_VIRTUAL, 0, 0, 0));
	use("alarm", &alarm_left, ask(SYS_getitimer, 1, ITIMER_REAL, 0, 0, 0));
	use("timer.made", &made, ask(SYS_timer_gettime, 1, 0, 0, 0, 0));
	use("limit.files", &files,
	    ask(SYS_getrlimit, 1, RLIMIT_NOFILE, 0, 0, 0));
	use("limit.stack", &stack_limit,
	    ask(SYS_prlimit64, 3, 0, RLIMIT_STACK, 0, 0));
	use("limit.memory", &memory_limit,
	    ask(SYS_prlimit64, 3, 0, RLIMIT_AS, 0, 0));
	use("nice", &nice_value,
	    ask(SYS_getpriority, -1, PRIO_PROCESS, 0, 0, 0));
	use("tmp", &tmp_file,
	    ask(SYS_access, -1, (uintptr_t)tmp_name, F_OK, 0, 0));
	use("tmp.size", &tmp_size,
	    ask(SYS_truncate, -1, (uintptr_t)tmp_name, 7, 0, 0));
	use("robust", &robust, ask(SYS_get_robust_list, 1, 0, 0,
	    (uintptr_t)robust.out + 72, 0));
}

static void
use_keep(const char *what, struct answer *was, struct answer is)
{

	(void)what;
	*was = is;
}

static void
use_report(const char *what, struct answer *was, struct answer is)
{

	size_t l;

	/* Without the zeros at the end, so that people can read it. */
	for (l = sizeof is; l > sizeof is.ret; l--)
		if (((uint8_t *)&is)[l - 1] != 0 ||
		    ((uint8_t *)was)[l - 1] != 0)
			break;
	report(what, was, &is, NULL, l);
}

void
kernel_boot(void)
{

	(void)unlink(tmp_name);
	objects_boot();
	ask_all(use_keep);
}

void
kernel_report(void)
{

	ask_all(use_report);
	objects_report();
}

/*--------------------------------------------------------------------
 * Filling
 */

static void
fill_handler(int sig)
{

	(void)sig;
}

static void
fill_signals(void)
{
	static char stack[16384];
	struct sigaction sa;
	stack_t ss;
	sigset_t set;
	int i, n;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = fill_handler;
	sa.sa_flags = SA_RESTART | SA_ONSTACK;
	sigfillset(&sa.sa_mask);
	for (i = n = 0; i < N_SIGNALS; i++)
		n += (sigaction(i, &sa, NULL) == 0);
	note("sigaction", n);
	memset(&ss, 0, sizeof ss);
	ss.ss_sp = stack;
	ss.ss_size = sizeof stack;
	note("sigaltstack", sigaltstack(&ss, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGWINCH);
	note("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
	note("raise", raise(SIGUSR2));
}

/* Threads that wait for ever; without a stack, as they need none. */
static void
fill_threads(void)
{
	unsigned u;
	long r;

	for (u = 0; u < N_THREADS; u++) {
		__asm__ volatile("syscall\n\t"
		    "test %%rax, %%rax\n\t"
		    "jnz 1f\n"
		    "0:\tmov $34, %%eax\n\t"	/* pause() */
		    "syscall\n\t"
		    "jmp 0b\n"
		    "1:" : "=a" (r) : "0" (SYS_clone), "D" (0x10f00), "S" (16),
		    "d" (0) : "rcx", "r11", "memory");
		note("thread", r);
		tids[u] = (uint64_t)r;
	}
}

static void
fill_fds(void)
{
	int fd[2], i;

	note("fcntl.cloexec", fcntl(0, F_SETFD, FD_CLOEXEC));
	note("fcntl.status", fcntl(1, F_SETFL, O_NONBLOCK | O_APPEND));
	note("lseek", lseek(3, 1, SEEK_SET));
	note("open.null", open("/dev/null", O_RDWR | O_CLOEXEC));
	note("open.exe", open("/proc/self/exe", O_RDONLY));
	note("epoll", epoll_create1(0));
	note("pipe", pipe(fd));
	note("pipe.write", write(fd[1], "filled", 6));
	note("eventfd", eventfd(7, 0));
	note("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
	note("tmp", open(tmp_name, O_RDWR | O_CREAT, 0600));
	note("mkdir", mkdir("/tmp/sandbox-residue.d", 0700));
	note("memfd", memfd_create("fill", 0));
	for (i = 0; i < 8; i++)
		(void)dup(i % 3);
	note("dup2", dup2(1, N_FDS - 1));
	note("close", close(2));
}

void
kernel_fill(void)
{
	static const struct itimerval hour = { { 0, 0 }, { 3600, 0 } };
	static const struct itimerspec soon = { { 90, 0 }, { 90, 0 } };
	static const struct rlimit few = { 100, 100 };
	int32_t id = 0;

	objects_fill();
	fill_signals();
	note("chdir", chdir("/tmp"));
	note("umask", (int)umask(0));
	note("name", prctl(PR_SET_NAME, "filled", 0, 0, 0));
	note("dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	note("timer", setitimer(ITIMER_VIRTUAL, &hour, NULL));
	note("alarm", (int)alarm(100));
	note("timer.create", guest_call(SYS_timer_create, CLOCK_MONOTONIC, 0,
	    (uintptr_t)&id, 0, 0, 0));
	note("timer.set", guest_call(SYS_timer_settime, (uint64_t)id, 0,
	    (uintptr_t)&soon, 0, 0, 0));
	note("limit", setrlimit(RLIMIT_NOFILE, &few));
	note("limit.stack", guest_call(SYS_prlimit64, 0, RLIMIT_STACK,
	    (uintptr_t)&few, 0, 0, 0));
	note("nice", setpriority(PRIO_PROCESS, 0, 5));
	note("robust",
	    guest_call(SYS_set_robust_list, 0x5ee5ee5ee000, 24, 0, 0, 0, 0));
	fill_fds();
	fill_threads();
}
