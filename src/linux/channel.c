/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * channel.c: pipes, counters and timers.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/channel.h"
#include "linux/proc.h"
#include "linux/syscall.h"

/* Writes of this many bytes are whole or not at all, as in Linux. */
#define CHANNEL_ATOMIC		4096

#define CHANNEL_COUNT_MAX	(UINT64_MAX - 1)

void
SBX_Channels_Init(struct sbx_channels *cs)
{

	AN(cs);
	INIT_OBJ(cs, SBX_CHANNELS_MAGIC);
}

void
SBX_Channels_Fini(struct sbx_channels *cs)
{
	unsigned u;

	CHECK_OBJ_NOTNULL(cs, SBX_CHANNELS_MAGIC);
	for (u = 0; u < SBX_CHANNELS_MAX; u++)
		free(cs->ch[u].mem.any);
	cs->magic = 0;
}

/* Of its memory what counts. */
static int
channel_copy(struct sbx_channel *to, const struct sbx_channel *from)
{
	void *mem = to->mem.any;
	uint64_t l;

	if (from->mem.any != NULL && mem == NULL) {
		mem = sbx_os.calloc(1, SBX_CHANNEL_MEM);
		if (mem == NULL)
			return (-1);
	}
	*to = *from;
	to->mem.any = mem;
	to->changed = 0;
	if (from->n > 0)
		memcpy(mem, from->mem.any, from->n * sizeof *from->mem.watch);
	else if (from->mem.any != NULL && from->bytes > 0) {
		l = SBX_CHANNEL_MEM - from->at;
		if (l > from->bytes)
			l = from->bytes;
		memcpy(to->mem.b + from->at, from->mem.b + from->at, l);
		memcpy(to->mem.b, from->mem.b, from->bytes - l);
	}
	return (0);
}

int
SBX_Channels_Copy(struct sbx_channels *to, const struct sbx_channels *from,
    int all)
{
	unsigned u;

	CHECK_OBJ_NOTNULL(to, SBX_CHANNELS_MAGIC);
	CHECK_OBJ_NOTNULL(from, SBX_CHANNELS_MAGIC);
	for (u = 0; u < SBX_CHANNELS_MAX; u++)
		if ((all || to->ch[u].changed) &&
		    channel_copy(&to->ch[u], &from->ch[u]))
			return (-1);
	to->changed = 0;
	to->watched = from->watched;
	to->paired = from->paired;
	to->turn = from->turn;
	return (0);
}

int
SBX_Channel_Is(const struct sbx_ofd *ofd)
{

	AN(ofd);
	return (ofd->kind >= SBX_OFD_PIPE_IN && ofd->kind <= SBX_OFD_EPOLL);
}

struct sbx_channel *
SBX_Channel_Get(struct sbx_proc *p, const struct sbx_ofd *ofd)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	assert(SBX_Channel_Is(ofd));
	assert(ofd->node < SBX_CHANNELS_MAX);
	return (&p->channels.ch[ofd->node]);
}

struct sbx_channel *
SBX_Channel_Change(struct sbx_proc *p, const struct sbx_ofd *ofd)
{
	struct sbx_channel *ch;

	ch = SBX_Channel_Get(p, ofd);
	ch->changed = p->channels.changed = 1;
	return (ch);
}

/* The other end of a socket, or NULL: it is closed. */
static struct sbx_channel *
channel_peer(struct sbx_proc *p, const struct sbx_channel *ch)
{

	assert(ch->peer < SBX_CHANNELS_MAX);
	return (ch->peer < 0 ? NULL : &p->channels.ch[ch->peer]);
}

/* There is more to read, or more room: whoever waits looks again. */
static void
channel_moved(struct sbx_proc *p, struct sbx_channel *ch)
{

	ch->changed = p->channels.changed = 1;
	ch->turn = ++p->channels.turn;
	SBX_Thread_WakeFiles(p);
}

/*--------------------------------------------------------------------
 * Opening and closing
 */

/* True if a description of one of the kinds (lo) to (hi) refers to (n). */
static int
channel_has(const struct sbx_proc *p, unsigned n, int lo, int hi)
{
	const struct sbx_ofd *ofd;
	unsigned u;

	for (u = 0; u < SBX_FD_MAX; u++) {
		ofd = &p->files.ofd[u];
		if (ofd->refs > 0 && (int)ofd->kind >= lo &&
		    (int)ofd->kind <= hi && ofd->node == n)
			return (1);
	}
	return (0);
}

static int
channel_new(struct sbx_proc *p)
{
	struct sbx_channel *ch;
	unsigned n;
	void *mem;

	for (n = 0; n < SBX_CHANNELS_MAX; n++)
		if (!channel_has(p, n, SBX_OFD_PIPE_IN, SBX_OFD_EPOLL))
			break;
	if (n == SBX_CHANNELS_MAX)
		return (-EMFILE);
	ch = &p->channels.ch[n];
	mem = ch->mem.any;
	if (mem == NULL)
		mem = sbx_os.calloc(1, SBX_CHANNEL_MEM);
	if (mem == NULL)
		return (-ENOMEM);
	memset(ch, 0, sizeof *ch);
	ch->mem.any = mem;
	ch->until = SBX_NEVER;
	ch->peer = -1;
	ch->turn = ++p->channels.turn;
	ch->changed = p->channels.changed = 1;
	return ((int)n);
}

int
SBX_Channel_Open(struct sbx_proc *p, int kind, int flags, unsigned n)
{
	struct sbx_files *fs;
	struct sbx_ofd *ofd;
	unsigned fd;
	int i;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	fs = &p->files;
	for (fd = 0; fd < SBX_FD_MAX && fs->fd[fd].used; fd++)
		continue;
	if (fd == SBX_FD_MAX)
		return (-EMFILE);
	if (n == SBX_CHANNELS_MAX) {
		i = channel_new(p);
		if (i < 0)
			return (i);
		n = (unsigned)i;
	}
	/* as many descriptions as descriptors, so one is free */
	for (ofd = fs->ofd; ofd < fs->ofd + SBX_FD_MAX - 1; ofd++)
		if (ofd->refs == 0)
			break;
	AZ(ofd->refs);
	memset(ofd, 0, sizeof *ofd);
	ofd->kind = (enum sbx_ofd_e)kind;
	ofd->refs = 1;
	ofd->flags = flags & ~O_CLOEXEC;
	ofd->node = n;
	fs->fd[fd].used = 1;
	fs->fd[fd].cloexec = (flags & O_CLOEXEC) != 0;
	fs->fd[fd].ofd = (uint16_t)(ofd - fs->ofd);
	fs->changed = 1;
	return ((int)fd);
}

/* A set forgets descriptions that are closed. */
static void
channel_forget(struct sbx_proc *p, const struct sbx_ofd *ofd)
{
	struct sbx_channel *ch = SBX_Channel_Get(p, ofd);
	unsigned u;

	for (u = 0; u < ch->n; u++) {
		if (p->files.ofd[ch->mem.watch[u].ofd].refs > 0)
			continue;
		ch->mem.watch[u--] = ch->mem.watch[--ch->n];
		ch->changed = p->channels.changed = 1;
	}
}

/* An end of a pair is closed: its channel may be another's soon. */
static void
channel_part(struct sbx_proc *p, const struct sbx_ofd *ofd)
{
	struct sbx_channel *ch = SBX_Channel_Get(p, ofd);

	if (ch->peer < 0 || channel_has(p, (unsigned)ch->peer, SBX_OFD_SOCKET,
	    SBX_OFD_SOCKET))
		return;
	ch->peer = -1;
	channel_moved(p, ch);
}

void
SBX_Channel_Closed(struct sbx_proc *p)
{
	const struct sbx_ofd *ofd;
	unsigned u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	for (u = 0; p->channels.paired && u < SBX_FD_MAX; u++) {
		ofd = &p->files.ofd[u];
		if (ofd->refs > 0 && ofd->kind == SBX_OFD_SOCKET)
			channel_part(p, ofd);
	}
	for (u = 0; p->channels.watched && u < SBX_FD_MAX; u++) {
		ofd = &p->files.ofd[u];
		if (ofd->refs > 0 && ofd->kind == SBX_OFD_EPOLL)
			channel_forget(p, ofd);
	}
	SBX_Thread_WakeFiles(p);
}

/*--------------------------------------------------------------------
 * Reading and writing: these return -EAGAIN where one may have to wait.
 */

/* True if somebody could still write what (ofd) reads. */
static int
channel_has_writer(struct sbx_proc *p, const struct sbx_ofd *ofd)
{

	if (ofd->kind == SBX_OFD_SOCKET)
		return (SBX_Channel_Get(p, ofd)->peer >= 0);
	return (channel_has(p, ofd->node, SBX_OFD_PIPE_OUT, SBX_OFD_PIPE_OUT));
}

static int64_t
channel_pipe_read(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{
	struct sbx_channel *ch = SBX_Channel_Get(p, ofd), *peer = NULL;
	uint64_t l;

	if (ch->bytes == 0)
		return (channel_has_writer(p, ofd) ? -EAGAIN : 0);
	if (ofd->kind == SBX_OFD_SOCKET)
		peer = channel_peer(p, ch);
	if (len > ch->bytes)
		len = ch->bytes;
	l = SBX_CHANNEL_MEM - ch->at;
	if (l > len)
		l = len;
	if (SBX_Sys_Put(p, va, ch->mem.b + ch->at, l) ||
	    SBX_Sys_Put(p, va + l, ch->mem.b, len - l))
		return (-EFAULT);
	ch->at = (ch->at + len) % SBX_CHANNEL_MEM;
	ch->bytes -= len;
	channel_moved(p, ch);
	/* which has room now */
	if (peer != NULL)
		channel_moved(p, peer);
	return ((int64_t)len);
}

static int64_t
channel_put(struct sbx_proc *p, struct sbx_channel *ch, uint64_t va,
    uint64_t len)
{
	uint64_t l, at, room = SBX_CHANNEL_MEM - ch->bytes;

	if (room == 0 || (len <= CHANNEL_ATOMIC && len > room))
		return (-EAGAIN);
	if (len > room)
		len = room;
	at = (ch->at + ch->bytes) % SBX_CHANNEL_MEM;
	l = SBX_CHANNEL_MEM - at;
	if (l > len)
		l = len;
	/* what is behind the end has changed, whether it works or not */
	ch->changed = p->channels.changed = 1;
	if (SBX_Sys_Get(p, ch->mem.b + at, va, l) ||
	    SBX_Sys_Get(p, ch->mem.b, va + l, len - l))
		return (-EFAULT);
	ch->bytes += len;
	channel_moved(p, ch);
	return ((int64_t)len);
}

static int64_t
channel_pipe_write(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{

	if (!channel_has(p, ofd->node, SBX_OFD_PIPE_IN, SBX_OFD_PIPE_IN)) {
		(void)SBX_Signal_Send(p, SBX_Thread_Me(p), SIGPIPE);
		return (-EPIPE);
	}
	return (channel_put(p, SBX_Channel_Get(p, ofd), va, len));
}

/* Without SIGPIPE: as if all asked for MSG_NOSIGNAL, which most do. */
static int64_t
channel_socket_write(struct sbx_proc *p, const struct sbx_ofd *ofd,
    uint64_t va, uint64_t len)
{
	struct sbx_channel *peer;

	peer = channel_peer(p, SBX_Channel_Get(p, ofd));
	return (peer == NULL ? -EPIPE : channel_put(p, peer, va, len));
}

static int64_t
channel_event_read(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{
	struct sbx_channel *ch = SBX_Channel_Get(p, ofd);
	uint64_t v = ch->count;

	if (len < sizeof v)
		return (-EINVAL);
	if (v == 0)
		return (-EAGAIN);
	/* (every) says that it is a semaphore */
	if (ch->every)
		v = 1;
	if (SBX_Sys_Put(p, va, &v, sizeof v))
		return (-EFAULT);
	ch->count -= v;
	channel_moved(p, ch);
	return (sizeof v);
}

static int64_t
channel_event_write(struct sbx_proc *p, const struct sbx_ofd *ofd,
    uint64_t va, uint64_t len)
{
	struct sbx_channel *ch = SBX_Channel_Get(p, ofd);
	uint64_t v;

	if (len < sizeof v)
		return (-EINVAL);
	if (SBX_Sys_Get(p, &v, va, sizeof v))
		return (-EFAULT);
	if (v == UINT64_MAX)
		return (-EINVAL);
	if (v > CHANNEL_COUNT_MAX - ch->count)
		return (-EAGAIN);
	ch->count += v;
	channel_moved(p, ch);
	return (sizeof v);
}

/* How often it has gone off since it was read. */
static int64_t
channel_timer_read(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{
	struct sbx_channel *ch = SBX_Channel_Get(p, ofd);
	int64_t now = SBX_Os_Mono();
	uint64_t v = 1;

	if (len < sizeof v)
		return (-EINVAL);
	if (ch->until > now)
		return (-EAGAIN);
	if (ch->every > 0)
		v += (uint64_t)(now - ch->until) / (uint64_t)ch->every;
	if (SBX_Sys_Put(p, va, &v, sizeof v))
		return (-EFAULT);
	ch->until = ch->every > 0 ? ch->until + (int64_t)v * ch->every :
	    SBX_NEVER;
	channel_moved(p, ch);
	return (sizeof v);
}

static int64_t
channel_read(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{

	switch (ofd->kind) {
	case SBX_OFD_PIPE_IN:
	case SBX_OFD_SOCKET:
		return (len == 0 ? 0 : channel_pipe_read(p, ofd, va, len));
	case SBX_OFD_EVENT:
		return (channel_event_read(p, ofd, va, len));
	case SBX_OFD_TIMER:
		return (channel_timer_read(p, ofd, va, len));
	case SBX_OFD_PIPE_OUT:
		return (-EBADF);
	default:
		return (-EINVAL);
	}
}

static int64_t
channel_write(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{

	switch (ofd->kind) {
	case SBX_OFD_PIPE_OUT:
		return (len == 0 ? 0 : channel_pipe_write(p, ofd, va, len));
	case SBX_OFD_SOCKET:
		return (len == 0 ? 0 : channel_socket_write(p, ofd, va, len));
	case SBX_OFD_EVENT:
		return (channel_event_write(p, ofd, va, len));
	case SBX_OFD_PIPE_IN:
		return (-EBADF);
	default:
		return (-EINVAL);
	}
}

/* Both directions: until something can be done, or the thread has to wait. */
static int64_t
channel_wait(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len, int writing)
{
	int64_t i;

	for (;;) {
		i = writing ? channel_write(p, ofd, va, len) :
		    channel_read(p, ofd, va, len);
		if (i != -EAGAIN || (ofd->flags & O_NONBLOCK))
			return (i);
		if (!SBX_Ready_Wait(p, SBX_NEVER, 1))
			return (0);
		if (p->kill != SBX_KILL_NONE)
			return (-EINTR);
	}
}

int64_t
SBX_Channel_Read(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{

	return (channel_wait(p, ofd, va, len, 0));
}

int64_t
SBX_Channel_Write(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{

	return (channel_wait(p, ofd, va, len, 1));
}

/*--------------------------------------------------------------------
 * The calls
 */

static int64_t
channel_pipe(struct sbx_proc *p, uint64_t va, uint64_t flags)
{
	const struct sbx_ofd *ofd;
	int32_t fds[2];

	if (flags & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return (-EINVAL);
	fds[0] = SBX_Channel_Open(p, SBX_OFD_PIPE_IN, (int)flags,
	    SBX_CHANNELS_MAX);
	if (fds[0] < 0)
		return (fds[0]);
	ofd = SBX_Files_Get(&p->files, (uint64_t)fds[0]);
	AN(ofd);
	fds[1] = SBX_Channel_Open(p, SBX_OFD_PIPE_OUT,
	    (int)flags | O_WRONLY, ofd->node);
	if (fds[1] < 0) {
		AZ(SBX_Files_Close(&p->files, (uint64_t)fds[0]));
		return (fds[1]);
	}
	if (SBX_Sys_Put(p, va, fds, sizeof fds)) {
		AZ(SBX_Files_Close(&p->files, (uint64_t)fds[0]));
		AZ(SBX_Files_Close(&p->files, (uint64_t)fds[1]));
		return (-EFAULT);
	}
	return (0);
}

int64_t
SBX_Sys_pipe(struct sbx_proc *p, const uint64_t *a)
{

	return (channel_pipe(p, a[0], 0));
}

int64_t
SBX_Sys_pipe2(struct sbx_proc *p, const uint64_t *a)
{

	return (channel_pipe(p, a[0], a[1]));
}

static int64_t
channel_event(struct sbx_proc *p, uint64_t value, uint64_t flags)
{
	struct sbx_channel *ch;
	int fd;

	if (flags & ~(uint64_t)(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		return (-EINVAL);
	fd = SBX_Channel_Open(p, SBX_OFD_EVENT,
	    (int)(flags & ~(uint64_t)EFD_SEMAPHORE) | O_RDWR,
	    SBX_CHANNELS_MAX);
	if (fd < 0)
		return (fd);
	ch = SBX_Channel_Change(p, SBX_Files_Get(&p->files, (uint64_t)fd));
	ch->count = (uint32_t)value;
	ch->every = (flags & EFD_SEMAPHORE) != 0;
	return (fd);
}

int64_t
SBX_Sys_eventfd(struct sbx_proc *p, const uint64_t *a)
{

	return (channel_event(p, a[0], 0));
}

int64_t
SBX_Sys_eventfd2(struct sbx_proc *p, const uint64_t *a)
{

	return (channel_event(p, a[0], a[1]));
}

/*--------------------------------------------------------------------
 * Pairs of sockets: a pipe in each direction. There are no others.
 */

/* Two ends that know each other. Returns 0, or a negative errno with none. */
static int
channel_pair(struct sbx_proc *p, int flags, int32_t fds[2])
{
	const struct sbx_ofd *a, *b;

	fds[0] = SBX_Channel_Open(p, SBX_OFD_SOCKET, flags | O_RDWR,
	    SBX_CHANNELS_MAX);
	if (fds[0] < 0)
		return (fds[0]);
	fds[1] = SBX_Channel_Open(p, SBX_OFD_SOCKET, flags | O_RDWR,
	    SBX_CHANNELS_MAX);
	if (fds[1] < 0) {
		AZ(SBX_Files_Close(&p->files, (uint64_t)fds[0]));
		return (fds[1]);
	}
	a = SBX_Files_Get(&p->files, (uint64_t)fds[0]);
	b = SBX_Files_Get(&p->files, (uint64_t)fds[1]);
	SBX_Channel_Change(p, a)->peer = (int)b->node;
	SBX_Channel_Change(p, b)->peer = (int)a->node;
	p->channels.paired = 1;
	return (0);
}

int64_t
SBX_Sys_socketpair(struct sbx_proc *p, const uint64_t *a)
{
	int32_t fds[2];
	int i;

	if (a[0] != AF_UNIX)
		return (-EAFNOSUPPORT);
	if ((a[1] & ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM)
		return (-ESOCKTNOSUPPORT);
	if (a[2] != 0)
		return (-EPROTONOSUPPORT);
	/* SOCK_CLOEXEC and SOCK_NONBLOCK are O_CLOEXEC and O_NONBLOCK */
	i = channel_pair(p, (int)(a[1] & ~(uint64_t)SOCK_STREAM), fds);
	if (i < 0)
		return (i);
	if (SBX_Sys_Put(p, a[3], fds, sizeof fds)) {
		AZ(SBX_Files_Close(&p->files, (uint64_t)fds[0]));
		AZ(SBX_Files_Close(&p->files, (uint64_t)fds[1]));
		return (-EFAULT);
	}
	return (0);
}

/* Both directions, with (flags) of which MSG_DONTWAIT alone makes a
 * difference. */
static int64_t
channel_message(struct sbx_proc *p, const uint64_t *a, int writing)
{
	const struct sbx_ofd *ofd;
	struct sbx_ofd now;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (ofd->kind != SBX_OFD_SOCKET)
		return (-ENOTSOCK);
	if (a[3] & ~(uint64_t)(MSG_DONTWAIT | MSG_NOSIGNAL))
		return (-EOPNOTSUPP);
	if (writing && a[4] != 0)
		return (-EISCONN);
	now = *ofd;
	if (a[3] & MSG_DONTWAIT)
		now.flags |= O_NONBLOCK;
	return (writing ? SBX_Channel_Write(p, &now, a[1], a[2]) :
	    SBX_Channel_Read(p, &now, a[1], a[2]));
}

int64_t
SBX_Sys_sendto(struct sbx_proc *p, const uint64_t *a)
{

	return (channel_message(p, a, 1));
}

int64_t
SBX_Sys_recvfrom(struct sbx_proc *p, const uint64_t *a)
{
	const uint32_t none = 0;

	/* nobody has an address */
	if (a[5] != 0 && SBX_Sys_Put(p, a[5], &none, sizeof none))
		return (-EFAULT);
	return (channel_message(p, a, 0));
}

/*--------------------------------------------------------------------
 * What there is to know of a socket: it is an end of a pair, without a name.
 */

static int64_t
channel_is_socket(struct sbx_proc *p, uint64_t fd)
{
	const struct sbx_ofd *ofd = SBX_Files_Get(&p->files, fd);

	return (ofd == NULL ? -EBADF : ofd->kind != SBX_OFD_SOCKET ?
	    -ENOTSOCK : 0);
}

/* As much of (b) as the guest has room for; (len) is where it says how much. */
static int64_t
channel_tell(struct sbx_proc *p, uint64_t va, uint64_t len, const void *b,
    uint32_t l)
{
	int32_t room;

	if (SBX_Sys_Get(p, &room, len, sizeof room))
		return (-EFAULT);
	if (room < 0)
		return (-EINVAL);
	return (SBX_Sys_Put(p, va, b, (uint32_t)room < l ? (uint32_t)room :
	    l) || SBX_Sys_Put(p, len, &l, sizeof l) ? -EFAULT : 0);
}

int64_t
SBX_Sys_getsockname(struct sbx_proc *p, const uint64_t *a)
{
	const uint16_t family = AF_UNIX;
	int64_t i;

	i = channel_is_socket(p, a[0]);
	return (i != 0 ? i : channel_tell(p, a[1], a[2], &family,
	    sizeof family));
}

int64_t
SBX_Sys_getsockopt(struct sbx_proc *p, const uint64_t *a)
{
	int32_t v;
	int64_t i;

	i = channel_is_socket(p, a[0]);
	if (i != 0)
		return (i);
	if (a[1] != SOL_SOCKET)
		return (-EOPNOTSUPP);
	switch (a[2]) {
	case SO_TYPE:
		v = SOCK_STREAM;
		break;
	case SO_DOMAIN:
		v = AF_UNIX;
		break;
	case SO_SNDBUF:
	case SO_RCVBUF:
		v = SBX_CHANNEL_MEM;
		break;
	case SO_ERROR:
	case SO_PROTOCOL:
	case SO_ACCEPTCONN:
	case SO_KEEPALIVE:
	case SO_REUSEADDR:
		v = 0;
		break;
	default:
		return (-ENOPROTOOPT);
	}
	return (channel_tell(p, a[3], a[4], &v, sizeof v));
}

/* Sizes and times of what is in memory: nothing to be set. */
int64_t
SBX_Sys_setsockopt(struct sbx_proc *p, const uint64_t *a)
{
	int64_t i;

	i = channel_is_socket(p, a[0]);
	return (i != 0 ? i : a[1] == SOL_SOCKET ? 0 : -EOPNOTSUPP);
}
