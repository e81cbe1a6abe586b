/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What descriptors can be but files: pipes, counters (eventfd), timers
 * (timerfd), sets of descriptors (epoll) and pairs of sockets. All of it is the
 * process' own, nothing of it the host's.
 *
 * A channel exists as long as an open file description refers to it, by number
 * in (node); nobody counts.
 */

#ifndef SBX_CHANNEL_H_INCLUDED
#define SBX_CHANNEL_H_INCLUDED

#include <stdint.h>

struct sbx_ofd;
struct sbx_proc;

#define SBX_CHANNELS_MAX	24	/* above it: EMFILE */
#define SBX_CHANNEL_MEM		65536	/* bytes in a pipe, as in Linux */
#define SBX_CHANNEL_NEST	4	/* epolls in one another */

/* A descriptor in a set. */
struct sbx_watch {
	uint32_t		events;		/* EPOLL... */
	uint16_t		fd;
	uint16_t		ofd;
	int			off;		/* EPOLLONESHOT was */
	uint64_t		data;
	uint64_t		seen;		/* EPOLLET: turn reported last */
};

struct sbx_channel {
	int			changed;	/* since the snapshot */
	uint64_t		turn;		/* of its last change */
	uint64_t		bytes;		/* in it, of SBX_CHANNEL_MEM */
	uint64_t		count;		/* eventfd's; timerfd's clock */
	uint64_t		at;		/* first byte; next to report;
						 * timer's (until), told */
	int64_t			until;		/* timer, SBX_Os_Mono() */
	int64_t			every;
	unsigned		n;		/* descriptors in the set */
	int			peer;		/* socket's; -1: closed */
	union {
		void			*any;
		uint8_t			*b;
		struct sbx_watch	*watch;
	} mem;					/* SBX_CHANNEL_MEM bytes */
};

struct sbx_channels {
	unsigned		magic;
#define SBX_CHANNELS_MAGIC	0x3d84f0b5
	int			changed;	/* since the snapshot */
	int			watched;	/* there is an epoll */
	int			paired;		/* there are sockets */
	uint64_t		turn;		/* the last one given */
	struct sbx_channel	ch[SBX_CHANNELS_MAX];
};

/*--------------------------------------------------------------------
 * channel.c
 */

void SBX_Channels_Init(struct sbx_channels *);
void SBX_Channels_Fini(struct sbx_channels *);

/* (to) becomes what (from) is; only what has changed if not (all). Returns -1
 * if there is no memory, as SBX_Threads_Copy(). */
int SBX_Channels_Copy(struct sbx_channels *to,
    const struct sbx_channels *from, int all);

/* True if (ofd) is one of these. */
int SBX_Channel_Is(const struct sbx_ofd *);

/* The channel behind (ofd), which is one. It may be changed: */
struct sbx_channel *SBX_Channel_Get(struct sbx_proc *, const struct sbx_ofd *);
struct sbx_channel *SBX_Channel_Change(struct sbx_proc *,
    const struct sbx_ofd *);

/* read() and write(): a count, or a negative errno. The calling thread may
 * have to wait: what is returned does not matter then. */
int64_t SBX_Channel_Read(struct sbx_proc *, const struct sbx_ofd *,
    uint64_t va, uint64_t len);
int64_t SBX_Channel_Write(struct sbx_proc *, const struct sbx_ofd *,
    uint64_t va, uint64_t len);

/* Descriptors have been closed: those who wait at the other end of a pipe, and
 * sets, are told. */
void SBX_Channel_Closed(struct sbx_proc *);

/* A new descriptor for channel (n), which may be SBX_CHANNELS_MAX: one that
 * nobody uses. Returns it, or a negative errno. */
int SBX_Channel_Open(struct sbx_proc *, int kind, int flags, unsigned n);

/*--------------------------------------------------------------------
 * ready.c: what can be done without waiting
 */

/* POLLIN, POLLOUT, POLLERR and POLLHUP of (ofd), which may be anything. */
unsigned SBX_Ready(struct sbx_proc *, const struct sbx_ofd *, unsigned depth);

/*
 * Wait for a descriptor to change, until (limit) at the latest, or with
 * SBX_NEVER; (restarts) says if Linux makes the call again after a signal.
 * Returns 0 if the thread waits, and the caller returns. 1: look again.
 */
int SBX_Ready_Wait(struct sbx_proc *, int64_t limit, int restarts);

/* The time limit of this call: (ns) from now, negative for none; if it is
 * being made again, what it was the first time. */
int64_t SBX_Ready_Limit(struct sbx_proc *, int64_t ns);

#endif
