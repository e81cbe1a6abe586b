/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * ready.c: what descriptors are ready for, and waiting until one is.
 */

#include "config.h"

#include <poll.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/channel.h"
#include "linux/proc.h"
#include "linux/syscall.h"

/* Linux says that a pipe can be written to if a whole page can. */
#define READY_ROOM		4096

/* True if there is an open end of kind (kind) of pipe (n). */
static int
ready_end(const struct sbx_proc *p, unsigned n, enum sbx_ofd_e kind)
{
	unsigned u;

	for (u = 0; u < SBX_FD_MAX; u++)
		if (p->files.ofd[u].refs > 0 && p->files.ofd[u].kind == kind &&
		    p->files.ofd[u].node == n)
			return (1);
	return (0);
}

static unsigned
ready_set(struct sbx_proc *p, const struct sbx_ofd *ofd, unsigned depth)
{
	const struct sbx_channel *ch = SBX_Channel_Get(p, ofd);
	const struct sbx_watch *w;
	unsigned u;

	for (u = 0; u < ch->n && depth < SBX_CHANNEL_NEST; u++) {
		/* sets in sets: 64 to the power of that, at worst */
		if (SBX_Sys_Late(p)) {
			SBX_Proc_KillLate(p);
			return (0);
		}
		w = &ch->mem.watch[u];
		if (!w->off && (SBX_Ready(p, &p->files.ofd[w->ofd],
		    depth + 1) & (w->events | POLLERR | POLLHUP)))
			return (POLLIN);
	}
	return (0);
}

static unsigned
ready_socket(const struct sbx_proc *p, const struct sbx_channel *ch)
{

	/* closed: one can read that it is, and write, and be told */
	if (ch->peer < 0)
		return (POLLIN | POLLOUT | POLLHUP);
	assert(ch->peer < SBX_CHANNELS_MAX);
	return ((ch->bytes > 0 ? POLLIN : 0) |
	    (SBX_CHANNEL_MEM - p->channels.ch[ch->peer].bytes >= READY_ROOM ?
	    POLLOUT : 0));
}

unsigned
SBX_Ready(struct sbx_proc *p, const struct sbx_ofd *ofd, unsigned depth)
{
	const struct sbx_channel *ch;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	AN(ofd);
	if (ofd->kind == SBX_OFD_OUTPUT || ofd->kind == SBX_OFD_ERROR)
		return (POLLOUT);
	if (!SBX_Channel_Is(ofd))
		return (POLLIN | POLLOUT);
	ch = SBX_Channel_Get(p, ofd);
	switch (ofd->kind) {
	case SBX_OFD_PIPE_IN:
		return ((ch->bytes > 0 ? POLLIN : 0) |
		    (ready_end(p, ofd->node, SBX_OFD_PIPE_OUT) ? 0 : POLLHUP));
	case SBX_OFD_PIPE_OUT:
		return ((SBX_CHANNEL_MEM - ch->bytes >= READY_ROOM ?
		    POLLOUT : 0) |
		    (ready_end(p, ofd->node, SBX_OFD_PIPE_IN) ? 0 : POLLERR));
	case SBX_OFD_SOCKET:
		return (ready_socket(p, ch));
	case SBX_OFD_EVENT:
		return ((ch->count > 0 ? POLLIN : 0) |
		    (ch->count < UINT64_MAX - 1 ? POLLOUT : 0));
	case SBX_OFD_TIMER:
		return (ch->until <= SBX_Os_Mono() ? POLLIN : 0);
	default:
		return (ready_set(p, ofd, depth));
	}
}

/* When the next timer goes off. One that has, perhaps since this call looked,
 * is told once: look again; then it is not what anybody waits for. */
static int
ready_timer(struct sbx_proc *p, int64_t *first)
{
	const struct sbx_ofd *ofd;
	struct sbx_channel *ch;
	int64_t now = SBX_Os_Mono();
	unsigned u;
	int gone_off = 0;

	for (u = 0; u < SBX_FD_MAX; u++) {
		ofd = &p->files.ofd[u];
		if (ofd->refs == 0 || ofd->kind != SBX_OFD_TIMER)
			continue;
		ch = SBX_Channel_Get(p, ofd);
		if (ch->until > now) {
			if (ch->until < *first)
				*first = ch->until;
		} else if (ch->at != (uint64_t)ch->until) {
			ch = SBX_Channel_Change(p, ofd);
			ch->at = (uint64_t)ch->until;
			gone_off = 1;
		}
	}
	return (gone_off);
}

int
SBX_Ready_Wait(struct sbx_proc *p, int64_t limit, int restarts)
{
	struct sbx_waiting w = {
		.wait = SBX_WAIT_FILE,
		.until = limit,
		.relative = 1,
		.restarts = restarts,
	};

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	return (ready_timer(p, &w.until) || SBX_Thread_Wait(p, &w));
}

int64_t
SBX_Ready_Limit(struct sbx_proc *p, int64_t ns)
{
	struct sbx_thread *t = SBX_Thread_Me(p);

	if (t->again == SBX_AGAIN_NOW)
		return (t->limit);
	t = SBX_Thread_Change(p);
	t->limit = ns < 0 ? SBX_NEVER : SBX_Sys_Until(ns);
	return (t->limit);
}
