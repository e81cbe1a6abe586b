/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_poll.c: waiting for one of several descriptors, and timers that are
 * descriptors.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/channel.h"
#include "linux/proc.h"
#include "linux/syscall.h"

/* What select() calls ready. */
#define SELECT_IN		(POLLIN | POLLHUP | POLLERR)
#define SELECT_OUT		(POLLOUT | POLLERR)
#define SELECT_MAX		1024

/* What epoll_ctl() takes besides POLL... */
#define EPOLL_FLAGS		(EPOLLET | EPOLLONESHOT | EPOLLWAKEUP |	\
	EPOLLEXCLUSIVE)

/* A time as Linux' calls have it: NULL is for ever. */
static int64_t
poll_timespec(struct sbx_proc *p, uint64_t va, int64_t *ns)
{

	*ns = -1;
	return (va == 0 ? 0 : SBX_Sys_TimeGet(p, va, ns));
}

static int64_t
poll_ms(uint64_t ms)
{

	return ((int32_t)ms < 0 ? -1 : (int64_t)(int32_t)ms * 1000000);
}

/*--------------------------------------------------------------------
 * poll
 */

/* One look: how many are ready. */
static int64_t
poll_look(struct sbx_proc *p, struct pollfd *fds, unsigned n)
{
	const struct sbx_ofd *ofd;
	unsigned u, r;
	int64_t ready = 0;

	for (u = 0; u < n; u++) {
		fds[u].revents = 0;
		if (fds[u].fd < 0)
			continue;
		ofd = SBX_Files_Get(&p->files, (uint64_t)fds[u].fd);
		r = ofd == NULL ? POLLNVAL : SBX_Ready(p, ofd, 0) &
		    ((uint16_t)fds[u].events | POLLERR | POLLHUP);
		fds[u].revents = (short)r;
		ready += r != 0;
	}
	return (ready);
}

static int64_t
poll_call(struct sbx_proc *p, uint64_t va, uint64_t n, int64_t ns)
{
	struct pollfd fds[SBX_FD_MAX];
	int64_t i, limit;

	if (n > SBX_FD_MAX)
		return (-EINVAL);
	if (SBX_Sys_Get(p, fds, va, n * sizeof *fds))
		return (-EFAULT);
	limit = SBX_Ready_Limit(p, ns);
	for (;;) {
		i = poll_look(p, fds, (unsigned)n);
		if (i == 0 && SBX_Signal_Due(p, SBX_Thread_Me(p)))
			return (-EINTR);
		if (i > 0 || ns == 0 || limit <= SBX_Os_Mono())
			break;
		if (!SBX_Ready_Wait(p, limit, 0))
			return (0);
		if (p->kill != SBX_KILL_NONE)
			return (-EINTR);
	}
	return (SBX_Sys_Put(p, va, fds, n * sizeof *fds) ? -EFAULT : i);
}

int64_t
SBX_Sys_poll(struct sbx_proc *p, const uint64_t *a)
{

	return (poll_call(p, a[0], a[1], poll_ms(a[2])));
}

int64_t
SBX_Sys_ppoll(struct sbx_proc *p, const uint64_t *a)
{
	int64_t i, ns;

	i = poll_timespec(p, a[2], &ns);
	if (i == 0)
		i = SBX_Signal_Instead(p, a[3], a[4]);
	return (i == 0 ? SBX_Signal_Over(p, poll_call(p, a[0], a[1], ns)) : i);
}

/*--------------------------------------------------------------------
 * select
 */

struct poll_sets {
	unsigned		bytes;		/* of each */
	uint64_t		in[3][SELECT_MAX / 64];
	uint64_t		out[3][SELECT_MAX / 64];
};

/* One look. Returns how many, or -EBADF. */
static int64_t
select_look(struct sbx_proc *p, struct poll_sets *s, unsigned n)
{
	static const unsigned what[3] = { SELECT_IN, SELECT_OUT, 0 };
	const struct sbx_ofd *ofd;
	uint64_t bit;
	unsigned fd, u, r;
	int64_t ready = 0;

	memset(s->out, 0, sizeof s->out);
	for (fd = 0; fd < n; fd++) {
		bit = UINT64_C(1) << fd % 64;
		if (!((s->in[0][fd / 64] | s->in[1][fd / 64] |
		    s->in[2][fd / 64]) & bit))
			continue;
		ofd = SBX_Files_Get(&p->files, fd);
		if (ofd == NULL)
			return (-EBADF);
		r = SBX_Ready(p, ofd, 0);
		for (u = 0; u < 3; u++)
			if ((s->in[u][fd / 64] & bit) && (r & what[u])) {
				s->out[u][fd / 64] |= bit;
				ready++;
			}
	}
	return (ready);
}

static int64_t
select_call(struct sbx_proc *p, const uint64_t *a, int64_t ns)
{
	struct poll_sets s;
	unsigned u, n = (unsigned)a[0];
	int64_t i, limit;

	if ((int32_t)a[0] < 0)
		return (-EINVAL);
	if (n > SELECT_MAX)
		n = SELECT_MAX;
	memset(&s, 0, sizeof s);
	s.bytes = (n + 63) / 64 * 8;
	for (u = 0; u < 3; u++)
		if (a[1 + u] != 0 && SBX_Sys_Get(p, s.in[u], a[1 + u],
		    s.bytes))
			return (-EFAULT);
	limit = SBX_Ready_Limit(p, ns);
	for (;;) {
		i = select_look(p, &s, n);
		if (i == 0 && SBX_Signal_Due(p, SBX_Thread_Me(p)))
			return (-EINTR);
		if (i != 0 || ns == 0 || limit <= SBX_Os_Mono())
			break;
		if (!SBX_Ready_Wait(p, limit, 0))
			return (0);
		if (p->kill != SBX_KILL_NONE)
			return (-EINTR);
	}
	for (u = 0; i >= 0 && u < 3; u++)
		if (a[1 + u] != 0 && SBX_Sys_Put(p, a[1 + u], s.out[u],
		    s.bytes))
			return (-EFAULT);
	return (i);
}

/* With a struct timeval, which Linux writes what is left of: not we. */
int64_t
SBX_Sys_select(struct sbx_proc *p, const uint64_t *a)
{
	int64_t tv[2], ns = -1;

	if (a[4] != 0) {
		if (SBX_Sys_Get(p, tv, a[4], sizeof tv))
			return (-EFAULT);
		if (tv[0] < 0 || tv[1] < 0 || tv[1] >= 1000000)
			return (-EINVAL);
		ns = tv[0] > INT64_C(4000000000) ?
		    INT64_C(4000000000000000000) :
		    tv[0] * 1000000000 + tv[1] * 1000;
	}
	return (select_call(p, a, ns));
}

/* The sixth argument is where the mask and its size are. */
int64_t
SBX_Sys_pselect6(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t mask[2] = { 0, 0 };
	int64_t i, ns;

	if (a[5] != 0 && SBX_Sys_Get(p, mask, a[5], sizeof mask))
		return (-EFAULT);
	i = poll_timespec(p, a[4], &ns);
	if (i == 0)
		i = SBX_Signal_Instead(p, mask[0], mask[1]);
	return (i == 0 ? SBX_Signal_Over(p, select_call(p, a, ns)) : i);
}

/*--------------------------------------------------------------------
 * epoll
 */

static int64_t
epoll_create_call(struct sbx_proc *p, uint64_t flags)
{
	int fd;

	if (flags & ~(uint64_t)EPOLL_CLOEXEC)
		return (-EINVAL);
	fd = SBX_Channel_Open(p, SBX_OFD_EPOLL, (int)flags | O_RDWR,
	    SBX_CHANNELS_MAX);
	if (fd >= 0)
		p->channels.watched = 1;
	return (fd);
}

int64_t
SBX_Sys_epoll_create(struct sbx_proc *p, const uint64_t *a)
{

	return ((int32_t)a[0] <= 0 ? -EINVAL : epoll_create_call(p, 0));
}

int64_t
SBX_Sys_epoll_create1(struct sbx_proc *p, const uint64_t *a)
{

	return (epoll_create_call(p, a[0]));
}

/* True if set (ofd) is (n) or has it in it, or is nested too deep to tell. */
static int
epoll_reaches(struct sbx_proc *p, const struct sbx_ofd *ofd, unsigned n,
    unsigned depth)
{
	const struct sbx_channel *ch;
	unsigned u;

	if (ofd->kind != SBX_OFD_EPOLL)
		return (0);
	if (ofd->node == n || depth == SBX_CHANNEL_NEST || SBX_Sys_Late(p))
		return (1);
	ch = SBX_Channel_Get(p, ofd);
	for (u = 0; u < ch->n; u++)
		if (epoll_reaches(p, &p->files.ofd[ch->mem.watch[u].ofd], n,
		    depth + 1))
			return (1);
	return (0);
}

static struct sbx_watch *
epoll_find(const struct sbx_channel *ch, uint64_t fd, unsigned ofd)
{
	unsigned u;

	for (u = 0; u < ch->n; u++)
		if (ch->mem.watch[u].fd == fd && ch->mem.watch[u].ofd == ofd)
			return (&ch->mem.watch[u]);
	return (NULL);
}

static int64_t
epoll_add(struct sbx_proc *p, const struct sbx_ofd *set, uint64_t fd,
    const struct epoll_event *ev)
{
	struct sbx_channel *ch = SBX_Channel_Change(p, set);
	const struct sbx_ofd *ofd = SBX_Files_Get(&p->files, fd);
	struct sbx_watch *w;

	/* files are always ready, and Linux does not take them */
	if (!SBX_Channel_Is(ofd) && ofd->kind != SBX_OFD_INPUT &&
	    ofd->kind != SBX_OFD_OUTPUT && ofd->kind != SBX_OFD_ERROR)
		return (-EPERM);
	if (epoll_reaches(p, ofd, set->node, 0))
		return (-ELOOP);
	if (ch->n == SBX_FD_MAX)
		return (-ENOSPC);
	w = &ch->mem.watch[ch->n++];
	memset(w, 0, sizeof *w);
	w->fd = (uint16_t)fd;
	w->ofd = (uint16_t)(ofd - p->files.ofd);
	w->events = ev->events;
	w->data = ev->data.u64;
	SBX_Thread_WakeFiles(p);
	return (0);
}

static int64_t
epoll_change(struct sbx_proc *p, const struct sbx_ofd *set,
    struct sbx_watch *w, int op, const struct epoll_event *ev)
{
	struct sbx_channel *ch = SBX_Channel_Change(p, set);

	if (op == EPOLL_CTL_DEL) {
		*w = ch->mem.watch[--ch->n];
		return (0);
	}
	w->events = ev->events;
	w->data = ev->data.u64;
	w->off = 0;
	w->seen = 0;
	SBX_Thread_WakeFiles(p);
	return (0);
}

int64_t
SBX_Sys_epoll_ctl(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *set, *ofd;
	struct epoll_event ev;
	struct sbx_watch *w;
	int op = (int)a[1];

	memset(&ev, 0, sizeof ev);
	if (op != EPOLL_CTL_DEL && SBX_Sys_Get(p, &ev, a[3], sizeof ev))
		return (-EFAULT);
	set = SBX_Files_Get(&p->files, a[0]);
	ofd = SBX_Files_Get(&p->files, a[2]);
	if (set == NULL || ofd == NULL)
		return (-EBADF);
	if (set->kind != SBX_OFD_EPOLL || set == ofd)
		return (-EINVAL);
	w = epoll_find(SBX_Channel_Get(p, set), a[2],
	    (unsigned)(ofd - p->files.ofd));
	switch (op) {
	case EPOLL_CTL_ADD:
		return (w != NULL ? -EEXIST : epoll_add(p, set, a[2], &ev));
	case EPOLL_CTL_MOD:
	case EPOLL_CTL_DEL:
		return (w == NULL ? -ENOENT :
		    epoll_change(p, set, w, op, &ev));
	default:
		return (-EINVAL);
	}
}

/* What there is to report of (w), 0 for nothing. */
static unsigned
epoll_ready(struct sbx_proc *p, struct sbx_watch *w)
{
	const struct sbx_ofd *ofd = &p->files.ofd[w->ofd];
	uint64_t turn;
	unsigned r;

	if (w->off)
		return (0);
	r = SBX_Ready(p, ofd, 1) & (w->events | EPOLLERR | EPOLLHUP) &
	    ~EPOLL_FLAGS;
	if (r == 0 || !(w->events & EPOLLET))
		return (r);
	/* something must have happened since it was told last; a timer that
	 * goes off has no turn of its own */
	turn = !SBX_Channel_Is(ofd) ? 1 : ofd->kind == SBX_OFD_TIMER ?
	    (uint64_t)SBX_Channel_Get(p, ofd)->until :
	    SBX_Channel_Get(p, ofd)->turn;
	if (turn == w->seen)
		return (0);
	w->seen = turn;
	return (r);
}

/* One look: begins behind what was reported last, so that each gets its turn.
 * Returns how many. */
static int64_t
epoll_look(struct sbx_proc *p, const struct sbx_ofd *set,
    struct epoll_event *ev, unsigned max)
{
	struct sbx_channel *ch = SBX_Channel_Change(p, set);
	struct sbx_watch *w;
	unsigned u, r, i, n = 0;

	for (u = 0; u < ch->n && n < max; u++) {
		i = (unsigned)(ch->at + u) % ch->n;
		w = &ch->mem.watch[i];
		r = epoll_ready(p, w);
		if (r == 0)
			continue;
		w->off = (w->events & EPOLLONESHOT) != 0;
		ev[n].events = r;
		ev[n++].data.u64 = w->data;
		if (n == max)
			ch->at = i + 1;
	}
	return (n);
}

static int64_t
epoll_call(struct sbx_proc *p, const uint64_t *a, int64_t ns)
{
	struct epoll_event ev[SBX_FD_MAX];
	const struct sbx_ofd *set;
	unsigned max = SBX_FD_MAX;
	int64_t i, limit;

	if ((int32_t)a[2] <= 0)
		return (-EINVAL);
	if ((uint32_t)a[2] < max)
		max = (uint32_t)a[2];
	limit = SBX_Ready_Limit(p, ns);
	for (;;) {
		set = SBX_Files_Get(&p->files, a[0]);
		if (set == NULL)
			return (-EBADF);
		if (set->kind != SBX_OFD_EPOLL)
			return (-EINVAL);
		i = epoll_look(p, set, ev, max);
		if (i > 0 || ns == 0 || limit <= SBX_Os_Mono())
			break;
		if (SBX_Signal_Due(p, SBX_Thread_Me(p)))
			return (-EINTR);
		if (!SBX_Ready_Wait(p, limit, 0))
			return (0);
		if (p->kill != SBX_KILL_NONE)
			return (-EINTR);
	}
	return (SBX_Sys_Put(p, a[1], ev, (uint64_t)i * sizeof *ev) ?
	    -EFAULT : i);
}

int64_t
SBX_Sys_epoll_wait(struct sbx_proc *p, const uint64_t *a)
{

	return (epoll_call(p, a, poll_ms(a[3])));
}

int64_t
SBX_Sys_epoll_pwait(struct sbx_proc *p, const uint64_t *a)
{
	int64_t i;

	i = SBX_Signal_Instead(p, a[4], a[5]);
	return (i == 0 ? SBX_Signal_Over(p, epoll_call(p, a, poll_ms(a[3]))) :
	    i);
}

int64_t
SBX_Sys_epoll_pwait2(struct sbx_proc *p, const uint64_t *a)
{
	int64_t i, ns;

	i = poll_timespec(p, a[3], &ns);
	if (i == 0)
		i = SBX_Signal_Instead(p, a[4], a[5]);
	return (i == 0 ? SBX_Signal_Over(p, epoll_call(p, a, ns)) : i);
}

/*--------------------------------------------------------------------
 * Timers
 */

int64_t
SBX_Sys_timerfd_create(struct sbx_proc *p, const uint64_t *a)
{
	int fd;

	if (a[1] & ~(uint64_t)(TFD_CLOEXEC | TFD_NONBLOCK))
		return (-EINVAL);
	if (a[0] != CLOCK_REALTIME && a[0] != CLOCK_MONOTONIC &&
	    a[0] != CLOCK_BOOTTIME)
		return (-EINVAL);
	fd = SBX_Channel_Open(p, SBX_OFD_TIMER, (int)a[1] | O_RDWR,
	    SBX_CHANNELS_MAX);
	if (fd >= 0)
		SBX_Channel_Change(p, SBX_Files_Get(&p->files,
		    (uint64_t)fd))->count = a[0];
	return (fd);
}

/* struct itimerspec: the interval is first. */
static int64_t
timer_put(struct sbx_proc *p, const struct sbx_channel *ch, uint64_t va)
{
	int64_t left;

	left = ch->until == SBX_NEVER ? 0 : ch->until - SBX_Os_Mono();
	if (left <= 0 && ch->until != SBX_NEVER)
		left = 1;
	return (SBX_Sys_TimePut(p, va, ch->every) ||
	    SBX_Sys_TimePut(p, va + sizeof(struct timespec), left) ?
	    -EFAULT : 0);
}

int64_t
SBX_Sys_timerfd_gettime(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (ofd->kind != SBX_OFD_TIMER)
		return (-EINVAL);
	return (timer_put(p, SBX_Channel_Get(p, ofd), a[1]));
}

int64_t
SBX_Sys_timerfd_settime(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;
	struct sbx_channel *ch;
	int64_t i, every, ns;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (ofd->kind != SBX_OFD_TIMER ||
	    (a[1] & ~(uint64_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)))
		return (-EINVAL);
	i = SBX_Sys_TimeGet(p, a[2], &every);
	if (i == 0)
		i = SBX_Sys_TimeGet(p, a[2] + sizeof(struct timespec), &ns);
	ch = SBX_Channel_Change(p, ofd);
	if (i == 0 && a[3] != 0)
		i = timer_put(p, ch, a[3]);
	if (i != 0)
		return (i);
	ch->every = every;
	ch->until = SBX_NEVER;
	if (ns != 0) {
		if (a[1] & TFD_TIMER_ABSTIME)
			AZ(SBX_Sys_TimeLeft(p, ch->count, &ns));
		ch->until = SBX_Sys_Until(ns);
	}
	SBX_Thread_WakeFiles(p);
	return (0);
}
