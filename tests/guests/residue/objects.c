/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a program has made before the snapshot and a request then uses: a pipe
 * with bytes in it, a counter, a timer, a set of what is waited for, a file, a
 * folder, and a thread that waits to be woken.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../guest.h"
#include "residue.h"

#define COUNTER		5
#define PERIOD		100000000	/* seconds: more than a test takes */
#define COOKIE		0xc00c1e

static const char file_name[] = "/tmp/sandbox-residue.b";
static const char other_name[] = "/tmp/sandbox-residue.c";
static const char dir_name[] = "/tmp/sandbox-residue.e";
static const char boot[] = "boot";

static int pipe_fd[2], event_fd, timer_fd, epoll_fd, file_fd;
static long boot_tid;

/* What the thread waits for, and says then. */
volatile uint32_t objects_word;
volatile uint64_t objects_woken;

/* Without a stack, which it does not need: waits for the word to change, says
 * that it did, and ends. */
static long
objects_thread(void)
{
	long r;

	__asm__ volatile("syscall\n\t"
	    "test %%rax, %%rax\n\t"
	    "jnz 2f\n"
	    "0:\tlea objects_word(%%rip), %%rdi\n\t"
	    "mov $128, %%esi\n\t"		/* wait, private */
	    "xor %%edx, %%edx\n\t"
	    "xor %%r10d, %%r10d\n\t"
	    "mov $202, %%eax\n\t"
	    "syscall\n\t"
	    "cmpl $0, objects_word(%%rip)\n\t"
	    "je 0b\n\t"
	    "lock incq objects_woken(%%rip)\n\t"
	    "xor %%edi, %%edi\n\t"
	    "mov $60, %%eax\n\t"		/* exit */
	    "syscall\n"
	    "2:" : "=a" (r) : "0" (SYS_clone), "D" (0x10f00), "S" (16),
	    "d" (0) : "rcx", "r11", "r10", "memory");
	return (r);
}

static void
objects_arm(long seconds, long nanoseconds)
{
	struct itimerspec it;

	memset(&it, 0, sizeof it);
	it.it_interval.tv_sec = it.it_value.tv_sec = seconds;
	it.it_value.tv_nsec = nanoseconds;
	note("timerfd.set", timerfd_settime(timer_fd, 0, &it, NULL));
}

static void
objects_watch(int op, int fd, uint64_t cookie)
{
	struct epoll_event ev;

	memset(&ev, 0, sizeof ev);
	ev.events = EPOLLIN;
	ev.data.u64 = cookie;
	note("epoll.ctl", epoll_ctl(epoll_fd, op, fd, &ev));
}

void
objects_boot(void)
{

	(void)unlink(other_name);
	(void)rmdir(dir_name);
	if (pipe2(pipe_fd, O_NONBLOCK) == 0)
		note("boot.write", write(pipe_fd[1], boot, 4));
	event_fd = eventfd(COUNTER, EFD_NONBLOCK);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	objects_arm(PERIOD, 0);
	epoll_fd = epoll_create1(0);
	objects_watch(EPOLL_CTL_ADD, pipe_fd[0], COOKIE);
	file_fd = open(file_name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	note("boot.file", write(file_fd, boot, 4));
	note("boot.mkdir", mkdir(dir_name, 0700));
	boot_tid = objects_thread();
}

/* All of it, differently. */
void
objects_fill(void)
{
	uint64_t n = 100;
	char buf[64];

	note("pipe.read", read(pipe_fd[0], buf, 2));
	note("pipe.write.boot", write(pipe_fd[1], "filled", 6));
	note("event.write", write(event_fd, &n, sizeof n));
	objects_arm(0, 1);
	objects_watch(EPOLL_CTL_DEL, pipe_fd[0], 0);
	objects_watch(EPOLL_CTL_ADD, event_fd, FILL_WORD);
	objects_watch(EPOLL_CTL_ADD, timer_fd, FILL_WORD);
	note("file.write", write(file_fd, "filled", 6));
	note("file.truncate", ftruncate(file_fd, 100000));
	note("file.rename", rename(file_name, other_name));
	note("dir.rmdir", rmdir(dir_name));
	objects_word = 1;
	note("futex", guest_call(SYS_futex, (uintptr_t)&objects_word,
	    FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10, 0, 0, 0));
	/* it has its turn now */
	(void)guest_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	note("woken", (long)objects_woken);
	/* and those that a request makes are left as they are */
	timer_fd = timerfd_create(CLOCK_REALTIME, 0);
	objects_arm(1, 0);
}

static void
report_text(const char *name, const char *is, long len)
{
	char want[8] = "boot", got[8] = "";

	if (len > 0)
		memcpy(got, is, len < 8 ? (size_t)len : sizeof got);
	report(name, want, got, NULL, sizeof want);
}

void
objects_report(void)
{
	struct epoll_event ev[4];
	struct itimerspec it;
	struct stat st;
	uint64_t n = 0;
	char buf[64];

	memset(ev, 0, sizeof ev);
	report_long("epoll.events", 1, epoll_wait(epoll_fd, ev, 4, 0));
	report_long("epoll.cookie", COOKIE, (long)ev[0].data.u64);
	report_text("pipe", buf, read(pipe_fd[0], buf, sizeof buf));
	report_long("event.read", sizeof n, read(event_fd, &n, sizeof n));
	report_long("event", COUNTER, (long)n);
	memset(&it, 0, sizeof it);
	report_long("timer.get", 0, timerfd_gettime(timer_fd, &it));
	report_long("timer.every", PERIOD, it.it_interval.tv_sec);
	report_long("timer.armed", 1, it.it_value.tv_sec > 0);
	report_long("timer.expired", -1, read(timer_fd, &n, sizeof n));
	report_long("file.offset", 4, lseek(file_fd, 0, SEEK_CUR));
	memset(&st, 0, sizeof st);
	report_long("file.stat", 0, stat(file_name, &st));
	report_long("file.size", 4, st.st_size);
	report_text("file", buf, pread(file_fd, buf, sizeof buf, 0));
	report_long("file.other", -1, access(other_name, F_OK));
	report_long("dir", 0, access(dir_name, F_OK));
	report_long("thread.boot", 0, guest_call(SYS_tgkill,
	    (uint64_t)getpid(), (uint64_t)boot_tid, 0, 0, 0, 0));
	report_long("thread.woken", 0, (long)objects_woken);
}
