/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Timers that send signals: setitimer(), alarm() and timer_create(). They are
 * looked at when a thread is chosen to run, and the watchdog ends what runs
 * when one goes off. As in Linux, one whose signal is pending does not go off
 * again before somebody has taken it.
 */

#ifndef SBX_TIMER_H_INCLUDED
#define SBX_TIMER_H_INCLUDED

#include <stdint.h>

struct sbx_proc;
struct sbx_siginfo;

#define SBX_TIMERS_OF_PROC	3	/* setitimer()'s, by number */
#define SBX_TIMERS_MAX		(SBX_TIMERS_OF_PROC + 16) /* then EAGAIN */

struct sbx_timer {
	int			used;
	int			clock;		/* CLOCK_... */
	int			notify;		/* SIGEV_... */
	unsigned		sig;
	int32_t			tid;		/* SIGEV_THREAD_ID */
	int			relative;	/* stands still while frozen */
	int			sent;		/* its signal is pending */
	int			stale;		/* and from before it was set */
	uint64_t		value;		/* for the handler */
	int64_t			until;		/* SBX_Os_Mono(), or NEVER */
	int64_t			every;		/* 0: once */
	int64_t			waited;		/* CPU: not counted, then */
	int64_t			missed;		/* while the last was pending */
};

/* Plain data: the snapshot is a copy of it. */
struct sbx_timers {
	unsigned		magic;
#define SBX_TIMERS_MAGIC	0x61d3e9c8
	int			changed;	/* since the snapshot */
	unsigned		n;		/* that are set */
	struct sbx_timer	t[SBX_TIMERS_MAX];
};

void SBX_Timers_Init(struct sbx_timers *);

/* (to) becomes what (from) is. */
void SBX_Timers_Copy(struct sbx_timers *to, const struct sbx_timers *from);

/* When the next one goes off; SBX_NEVER: none. (idle) if nobody is going to
 * run: CPU time stands still. */
int64_t SBX_Timers_First(const struct sbx_proc *, int idle);

/* Those whose time has come by (now) send their signals. May kill. */
void SBX_Timers_Expire(struct sbx_proc *, int64_t now);

/* Thread (tid) has taken (sig): (si) says which timer's, if it was one.
 * Returns 1 if another one has sent it, too. */
int SBX_Timers_Took(struct sbx_proc *, int32_t tid, unsigned sig,
    struct sbx_siginfo *si);

/* (sig) is not pending any more, and nobody has taken it. */
void SBX_Timers_Dropped(struct sbx_proc *, unsigned sig);

/* The program has been frozen; it goes on (ns) later. */
void SBX_Timers_Freeze(struct sbx_proc *);
void SBX_Timers_Thaw(struct sbx_proc *, int64_t ns);

#endif
