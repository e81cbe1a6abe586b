/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Pipes, eventfd, timerfd, and waiting for them by poll(), select() and
 * epoll. Some are made before the first request, and have something in them;
 * each request takes it out and leaves other things. The path says what to
 * do; the answer is what came of it, the same for each request.
 */

#define _GNU_SOURCE	1

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../guest.h"

#define N(a)		(sizeof (a) / sizeof (a)[0])

static int boot_pipe[2], boot_event, boot_epoll;

static void
must(int ok)
{

	if (!ok)
		abort();
}

static long
ms_since(const struct timespec *t0)
{
	struct timespec t1;

	must(clock_gettime(CLOCK_MONOTONIC, &t1) == 0);
	return ((t1.tv_sec - t0->tv_sec) * 1000 +
	    (t1.tv_nsec - t0->tv_nsec) / 1000000);
}

/* What was in it at the snapshot is there each time. */
static void
boot(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	char buf[16] = "";
	struct epoll_event ev[4];
	uint64_t v = 0;
	int n;

	(void)rq;
	n = epoll_wait(boot_epoll, ev, 4, 0);
	must(read(boot_pipe[0], buf, sizeof buf - 1) > 0);
	must(read(boot_event, &v, sizeof v) == sizeof v);
	sandbox_printf(rp, "%d ready, \"%s\", %lu", n, buf, (unsigned long)v);
	sandbox_printf(rp, ", then %d\n", epoll_wait(boot_epoll, ev, 4, 0));
	v = 99;
	must(write(boot_event, &v, sizeof v) == sizeof v);
	must(write(boot_pipe[1], "left behind", 11) == 11);
	close(boot_pipe[1]);
	(void)eventfd(7, 0);
	(void)epoll_create1(0);
}

static void
pipes(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static char in[70000], out[70000];
	struct iovec iov[2] = { { in, 3 }, { in + 3, 4 } };
	struct stat st;
	ssize_t full, i, n = 0;
	size_t u;
	int fd[2], again, end, broken;

	(void)rq;
	for (u = 0; u < sizeof in; u++)
		in[u] = (char)(u * 7 + u / 251);
	must(pipe2(fd, O_NONBLOCK) == 0);
	again = read(fd[0], out, 1) == -1 ? errno : 0;
	must(writev(fd[1], iov, 2) == 3);
	must(read(fd[0], out, 100) == 3 && memcmp(in, out, 3) == 0);
	full = write(fd[1], in, sizeof in);
	must(write(fd[1], in, 1) == -1 && errno == EAGAIN);
	while ((i = read(fd[0], out + n, 777)) > 0)
		n += i;
	must(n == full && memcmp(in, out, (size_t)n) == 0);
	must(lseek(fd[0], 0, SEEK_SET) == -1 && errno == ESPIPE);
	must(fstat(fd[0], &st) == 0 && S_ISFIFO(st.st_mode));
	must(write(fd[1], "x", 1) == 1);
	close(fd[1]);
	must(read(fd[0], out, 10) == 1);
	end = (int)read(fd[0], out, 10);
	must(pipe(fd) == 0);
	(void)signal(SIGPIPE, SIG_IGN);
	close(fd[0]);
	broken = write(fd[1], "x", 1) == -1 ? errno : 0;
	sandbox_printf(rp, "%s, %zd, %d, %s\n",
	    again == EAGAIN ? "EAGAIN" : "?", full, end,
	    broken == EPIPE ? "EPIPE" : "?");
}

static void
events(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	uint64_t v = UINT64_MAX - 1, a = 0, b = 0, c = 0;
	int fd, sem, again, inval;

	(void)rq;
	fd = eventfd(3, EFD_NONBLOCK);
	sem = eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE);
	must(fd >= 0 && sem >= 0);
	must(read(fd, &a, sizeof a) == sizeof a);
	again = read(fd, &b, sizeof b) == -1 ? errno : 0;
	must(read(sem, &b, sizeof b) == sizeof b);
	must(write(fd, &v, sizeof v) == sizeof v);
	v = 1;
	must(write(fd, &v, sizeof v) == -1 && errno == EAGAIN);
	must(read(fd, &c, sizeof c) == sizeof c);
	v = UINT64_MAX;
	inval = write(fd, &v, sizeof v) == -1 ? errno : 0;
	sandbox_printf(rp, "%lu, %lu, %lx, %s, %s\n", (unsigned long)a,
	    (unsigned long)b, (unsigned long)c,
	    again == EAGAIN ? "EAGAIN" : "?", inval == EINVAL ? "EINVAL" : "?");
}

static void
timers(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct itimerspec its = { { 0, 10000000 }, { 0, 20000000 } };
	struct itimerspec once = { { 0, 0 }, { 0, 0 } };
	struct timespec t0;
	struct pollfd pfd;
	uint64_t v = 0;
	long first, all;
	int fd, idle, i, n = 0;

	(void)rq;
	/* the end of a wait that comes between its look and its sleep */
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	for (i = 0; i < 600; i++) {
		once.it_value.tv_nsec = 10000 + i * 200;
		must(timerfd_settime(fd, 0, &once, NULL) == 0);
		must(read(fd, &v, sizeof v) == sizeof v);
	}
	/* one that has gone off, which nobody minds */
	must(timerfd_settime(fd, 0, &once, NULL) == 0);
	must(usleep(1000) == 0);
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	must(clock_gettime(CLOCK_MONOTONIC, &t0) == 0);
	must(timerfd_settime(fd, 0, &its, NULL) == 0);
	pfd.fd = fd;
	pfd.events = POLLIN;
	idle = poll(&pfd, 1, 0);
	must(poll(&pfd, 1, 5000) == 1);
	first = ms_since(&t0);
	for (; n < 5; n += (int)v)
		must(read(fd, &v, sizeof v) == sizeof v);
	all = ms_since(&t0);
	must(timerfd_gettime(fd, &its) == 0);
	sandbox_printf(rp, "%d, %s, %s, %s\n", idle,
	    first >= 19 && first < 1000 ? "first in time" : "first wrong",
	    all >= 55 && all < 1500 ? "all in time" : "wrong",
	    its.it_interval.tv_nsec == 10000000 ? "armed" : "?");
}

static void *
late_writer(void *priv)
{
	struct timespec ts = { 0, 10000000 };
	const int *fd = priv;
	uint64_t one = 1;

	must(nanosleep(&ts, NULL) == 0);
	must(write(*fd, &one, sizeof one) == sizeof one);
	return (NULL);
}

/* A thread waits, in each way there is, for another to write. */
static void
waiting(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 4711 };
	struct timespec ts = { 5, 0 };
	struct timeval tv = { 5, 0 };
	struct pollfd pfd;
	pthread_t thr;
	uint64_t v;
	fd_set set;
	int fd, ep, how, n = 0;

	(void)rq;
	fd = eventfd(0, 0);
	ep = epoll_create1(0);
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
	for (how = 0; how < 6; how++) {
		must(pthread_create(&thr, NULL, late_writer, &fd) == 0);
		pfd.fd = fd;
		pfd.events = POLLIN;
		FD_ZERO(&set);
		FD_SET(fd, &set);
		if (how == 0)
			must(poll(&pfd, 1, -1) == 1);
		else if (how == 1)
			must(ppoll(&pfd, 1, &ts, NULL) == 1);
		else if (how == 2)
			must(select(fd + 1, &set, NULL, NULL, &tv) == 1);
		else if (how == 3)
			must(pselect(fd + 1, &set, NULL, NULL, &ts, NULL) ==
			    1);
		else if (how == 4)
			must(epoll_wait(ep, &ev, 1, -1) == 1 &&
			    ev.data.u64 == 4711);
		must(read(fd, &v, sizeof v) == sizeof v);
		n += (int)v;
		must(pthread_join(thr, NULL) == 0);
	}
	sandbox_printf(rp, "%d times\n", n);
}

/* When nothing comes, they end in time. */
static void
limits(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct timeval tv = { 0, 20000 };
	struct timespec t0;
	struct pollfd pfd;
	long ms[3];
	fd_set set;
	int fd[2], ep, r[3];

	(void)rq;
	must(pipe(fd) == 0);
	ep = epoll_create1(0);
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev) == 0);
	pfd.fd = fd[0];
	pfd.events = POLLIN;
	must(clock_gettime(CLOCK_MONOTONIC, &t0) == 0);
	r[0] = poll(&pfd, 1, 20);
	ms[0] = ms_since(&t0);
	r[1] = epoll_wait(ep, &ev, 1, 20);
	ms[1] = ms_since(&t0);
	FD_ZERO(&set);
	FD_SET(fd[0], &set);
	r[2] = select(fd[0] + 1, &set, NULL, NULL, &tv);
	ms[2] = ms_since(&t0);
	sandbox_printf(rp, "%d %d %d, %s\n", r[0], r[1], r[2],
	    ms[0] >= 19 && ms[1] >= 38 && ms[2] >= 57 && ms[2] < 2000 ?
	    "in time" : "wrong");
}

static void
epolls(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct epoll_event ev, out[8];
	uint64_t one = 1, v;
	int fd[3], outer, inner, loop, file, edge[3], shot[2], u, n;

	(void)rq;
	outer = epoll_create1(EPOLL_CLOEXEC);
	inner = epoll_create1(0);
	for (u = 0; u < 3; u++)
		must((fd[u] = eventfd(0, 0)) >= 0);
	/* edge: told once for each write */
	ev.events = EPOLLIN | EPOLLET;
	ev.data.u32 = 1;
	must(epoll_ctl(inner, EPOLL_CTL_ADD, fd[0], &ev) == 0);
	must(write(fd[0], &one, 8) == 8);
	edge[0] = epoll_wait(inner, out, 8, 0);
	edge[1] = epoll_wait(inner, out, 8, 0);
	must(write(fd[0], &one, 8) == 8);
	edge[2] = epoll_wait(inner, out, 8, 0);
	/* one shot: once, until it is armed again */
	ev.events = EPOLLIN | EPOLLONESHOT;
	must(epoll_ctl(inner, EPOLL_CTL_ADD, fd[1], &ev) == 0);
	must(write(fd[1], &one, 8) == 8);
	shot[0] = epoll_wait(inner, out, 8, 0);
	shot[1] = epoll_wait(inner, out, 8, 0);
	must(epoll_ctl(inner, EPOLL_CTL_MOD, fd[1], &ev) == 0);
	/* one in the other, but not in a circle */
	ev.events = EPOLLIN;
	must(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &ev) == 0);
	n = epoll_wait(outer, out, 8, 0);
	loop = epoll_ctl(inner, EPOLL_CTL_ADD, outer, &ev) == -1 ? errno : 0;
	must(epoll_ctl(outer, EPOLL_CTL_ADD, outer, &ev) == -1 &&
	    errno == EINVAL);
	must(epoll_ctl(inner, EPOLL_CTL_ADD, fd[1], &ev) == -1 &&
	    errno == EEXIST);
	must(epoll_ctl(inner, EPOLL_CTL_DEL, fd[2], &ev) == -1 &&
	    errno == ENOENT);
	file = open("/proc/self/exe", O_RDONLY);
	if (file >= 0)
		must(epoll_ctl(inner, EPOLL_CTL_ADD, file, &ev) == -1 &&
		    errno == EPERM);
	/* what is closed is forgotten, what is there twice is not */
	must(read(fd[1], &v, 8) == 8 && write(fd[1], &one, 8) == 8);
	u = dup(fd[1]);
	close(fd[1]);
	must(epoll_wait(inner, out, 8, 0) == 1);
	ev.events = EPOLLIN;
	close(u);
	must(epoll_wait(inner, out, 8, 0) == 0);
	sandbox_printf(rp, "edge %d %d %d, shot %d %d, nested %d, %s\n",
	    edge[0], edge[1], edge[2], shot[0], shot[1], n,
	    loop == ELOOP ? "ELOOP" : "?");
}

static void
sockets(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	char buf[16] = "";
	struct pollfd pfd[2];
	int fd[2], on = 1, n[4];

	(void)rq;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
	must(socketpair(AF_INET, SOCK_STREAM, 0, fd) == -1 &&
	    errno == EAFNOSUPPORT);
	pfd[0].fd = fd[0];
	pfd[1].fd = fd[1];
	pfd[0].events = pfd[1].events = POLLIN | POLLOUT;
	must(poll(pfd, 2, 0) == 2 && pfd[0].revents == POLLOUT);
	must(send(fd[0], "there", 5, MSG_NOSIGNAL) == 5);
	must(write(fd[1], "back", 4) == 4);
	must(poll(pfd, 2, 0) == 2 && pfd[1].revents == (POLLIN | POLLOUT));
	n[0] = (int)recv(fd[1], buf, sizeof buf, 0);
	must(memcmp(buf, "there", 5) == 0);
	n[1] = (int)read(fd[0], buf, sizeof buf);
	must(memcmp(buf, "back", 4) == 0);
	must(recv(fd[0], buf, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	must(ioctl(fd[1], FIONBIO, &on) == 0);
	must(read(fd[1], buf, 1) == -1 && errno == EAGAIN);
	must(send(fd[0], "last", 4, 0) == 4);
	close(fd[0]);
	/* what it had is another's now, and not what this one writes to */
	(void)eventfd(0, 0);
	must(poll(pfd + 1, 1, 0) == 1 && (pfd[1].revents & POLLHUP));
	n[2] = (int)read(fd[1], buf, sizeof buf);
	n[3] = (int)read(fd[1], buf, sizeof buf);
	must(write(fd[1], "x", 1) == -1 && errno == EPIPE);
	sandbox_printf(rp, "%d %d %d %d\n", n[0], n[1], n[2], n[3]);
}

/* As many as there are, of each kind. */
static void
many(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int i, n = 0, sets[64], depth, fd[2];

	(void)rq;
	while (n < 64 && (sets[n] = epoll_create1(0)) >= 0)
		n++;
	must(errno == EMFILE && pipe(fd) == -1 && errno == EMFILE);
	/* a chain, in which each is asked for each of those above it */
	for (depth = 0; depth + 1 < n; depth++)
		if (epoll_ctl(sets[depth + 1], EPOLL_CTL_ADD, sets[depth],
		    &ev) != 0)
			break;
	for (i = 0; i < n; i++)
		must(epoll_wait(sets[i], &ev, 1, 0) == 0);
	sandbox_printf(rp, "%d, %d deep\n", n, depth);
}

static void
stuck(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct pollfd pfd = { .events = POLLIN };
	int fd[2];
	char c;

	(void)rp;
	must(pipe(fd) == 0);
	pfd.fd = fd[0];
	if (sandbox_path_is(rq, "/stuck-poll"))
		(void)poll(&pfd, 1, -1);
	else
		(void)read(fd[0], &c, 1);
}

static volatile sig_atomic_t handled;

static void
handler(int sig)
{

	handled = sig;
}

static void *
interrupted(void *priv)
{
	const int *fd = priv;
	char c;

	must(read(fd[0], &c, 1) == -1);
	return (errno == EINTR && handled == SIGUSR1 ? priv : NULL);
}

/* A signal for a thread that is about to look again: something else than it
 * waits for has just happened. */
static void
signalled(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct sigaction sa = { .sa_handler = handler };
	int fd[2], other[2];
	pthread_t t;
	void *r;

	(void)rq;
	must(sigaction(SIGUSR1, &sa, NULL) == 0);
	must(pipe(fd) == 0 && pipe(other) == 0);
	must(pthread_create(&t, NULL, interrupted, fd) == 0);
	must(usleep(1000) == 0);
	must(write(other[1], "x", 1) == 1);
	must(pthread_kill(t, SIGUSR1) == 0);
	must(pthread_join(t, &r) == 0);
	sandbox_printf(rp, "%s\n", r == fd ? "EINTR" : "wrong");
}

/* Each of four sets has the next one in it as often as there are numbers for
 * it, and the last one a timer; and poll() is asked for all of that 64 times. */
static void
deep(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct pollfd pfd[64];
	int set[5], i, n;

	(void)rq;
	(void)rp;
	for (i = 0; i < 4; i++)
		must((set[i] = epoll_create1(0)) >= 0);
	must((set[4] = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
	for (i = 0; i < 4; i++)
		for (n = set[4] + 1; n < 64; n++)
			must(dup2(set[i + 1], n) == n &&
			    epoll_ctl(set[i], EPOLL_CTL_ADD, n, &ev) == 0 &&
			    close(n) == 0);
	for (i = 0; i < 64; i++)
		pfd[i] = (struct pollfd){ .fd = set[0], .events = POLLIN };
	(void)poll(pfd, N(pfd), 0);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static const struct guest_path cases[] = {
		{ "/boot", boot },
		{ "/pipe", pipes },
		{ "/event", events },
		{ "/timer", timers },
		{ "/wait", waiting },
		{ "/limit", limits },
		{ "/epoll", epolls },
		{ "/many", many },
		{ "/socket", sockets },
		{ "/stuck", stuck },
		{ "/stuck-poll", stuck },
		{ "/deep", deep },
		{ "/signal", signalled },
	};

	GUEST_PATH(rq, rp, cases);
}

int
main(void)
{
	struct epoll_event ev = { .events = EPOLLIN };

	must(pipe2(boot_pipe, O_CLOEXEC) == 0);
	/* more than a pipe holds: once taken for that */
	boot_event = eventfd(3000000000U, 0);
	boot_epoll = epoll_create1(0);
	must(write(boot_pipe[1], "from the start", 14) == 14);
	must(epoll_ctl(boot_epoll, EPOLL_CTL_ADD, boot_pipe[0], &ev) == 0);
	must(epoll_ctl(boot_epoll, EPOLL_CTL_ADD, boot_event, &ev) == 0);
	return (guest_serve(bad));
}
