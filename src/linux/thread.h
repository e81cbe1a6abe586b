/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads of a guest, on its one vCPU.
 *
 * One thread's registers are in the vCPU, those of the others are here. A
 * thread leaves the vCPU when it waits, yields or ends, in a system call; or,
 * if another one could run, when the watchdog says that its time is up. A
 * program with one thread pays for none of this.
 */

#ifndef SBX_THREAD_H_INCLUDED
#define SBX_THREAD_H_INCLUDED

#include <stdint.h>

#include "machine/machine.h"

struct sbx_fault;
struct sbx_proc;

#define SBX_THREADS_MAX		128	/* above it clone() says EAGAIN */

/* How long a thread runs while another could, in nanoseconds; in steps of the
 * watchdog's. */
#define SBX_SLICE		5000000

/* No time at which something ends by itself. */
#define SBX_NEVER		INT64_MAX

enum sbx_thread_e {
	SBX_THREAD_FREE = 0,		/* there is none */
	SBX_THREAD_RUNS,		/* or could */
	SBX_THREAD_WAITS,
};

enum sbx_again_e {
	SBX_AGAIN_NOT = 0,
	SBX_AGAIN_DUE,
	SBX_AGAIN_NOW,			/* until is that of the first time */
};

enum sbx_wait_e {
	SBX_WAIT_SLEEP = 0,		/* for its time to come */
	SBX_WAIT_FUTEX,			/* at an address */
	SBX_WAIT_FILE,			/* for any descriptor to change */
	SBX_WAIT_SIGNAL,		/* for any signal */
};

struct sbx_thread {
	unsigned		magic;
#define SBX_THREAD_MAGIC	0x2c9e57d4
	enum sbx_thread_e	state;
	int			changed;	/* since the snapshot */
	int32_t			tid;
	uint64_t		order;		/* in the queue of its state */

	/* In a system call: */
	int			calling;	/* left the vCPU by one */
	uint64_t		nr;
	uint64_t		args[6];
	int64_t			result;
	enum sbx_again_e	again;		/* call it once more */

	/* SBX_THREAD_WAITS: */
	enum sbx_wait_e		wait;
	int			relative;	/* stands still while frozen */
	int64_t			until;		/* SBX_Os_Mono() */
	int64_t			limit;		/* of the call that waits */
	uint64_t		addr;		/* SLEEP: for what remains */
	uint32_t		bits;

	/* Signals */
	uint64_t		sigmask;
	uint64_t		pending;	/* for this one */
	uint64_t		pending_user;	/* of it, from kill() */
	uint64_t		sigmask_old;	/* before sigsuspend() */
	int			suspended;	/* in it, or its like */
	int			restarts;	/* the wait's call does */
	int			restart;	/* a signal has ended one */
	uint64_t		sigstack[3];	/* ss_sp, ss_flags, ss_size */

	uint64_t		clear_tid;	/* address, 0: none */
	uint64_t		robust;		/* struct robust_list_head */
	char			name[16];	/* prctl(PR_SET_NAME) */

	int			saved;		/* cpu is valid */
	struct sbx_cpu		cpu;
};

struct sbx_threads {
	unsigned		magic;
#define SBX_THREADS_MAGIC	0x7be0431a
	int			changed;	/* since the snapshot */
	int			look;		/* before a return: schedule */
	int			yield;		/* somebody else first */
	unsigned		n;		/* that exist */
	int32_t			last_tid;
	uint64_t		order;		/* the last one given */
	int64_t			armed;		/* the watchdog's deadline */
	int64_t			frozen;		/* SBX_Os_Mono() */
	uint64_t		pending;	/* signals all block */
	unsigned		cur;		/* calls now */
	int			loaded;		/* in the vCPU, or -1 */
	struct sbx_thread	*t[SBX_THREADS_MAX];	/* [0] is first */
	struct sbx_thread	first;
};

/*--------------------------------------------------------------------
 * thread.c: which there are
 */

/* One thread, number 1. */
void SBX_Threads_Init(struct sbx_threads *);
void SBX_Threads_Fini(struct sbx_threads *);

/* (to) becomes what (from) is; only what has changed is looked at if (all) is
 * not set. Returns -1 if there is no memory, which can not be if (to) has been
 * a copy of (from) before. */
int SBX_Threads_Copy(struct sbx_threads *to, const struct sbx_threads *from,
    int all);

/* The one that makes the system call. It may be changed: */
struct sbx_thread *SBX_Thread_Me(struct sbx_proc *);
struct sbx_thread *SBX_Thread_Change(struct sbx_proc *);

/* By number, or NULL. */
struct sbx_thread *SBX_Thread_Find(struct sbx_proc *, int32_t tid);

/* A new one, which runs, with an empty cpu; NULL if there are too many. */
struct sbx_thread *SBX_Thread_New(struct sbx_proc *);

/* It could not be made after all. */
void SBX_Thread_Undo(struct sbx_proc *, struct sbx_thread *);

/* The calling one ends: tells who waits for it. Kills the process if it is
 * the last. */
void SBX_Thread_Exit(struct sbx_proc *, int status);

/*--------------------------------------------------------------------
 * futex.c: for those who wake but do not wait. (<linux/futex.h> is the
 * system's, so this has no header of its own.)
 */

/* Wake up to (n) that wait at (addr) for one of (bits), in the order in which
 * they came. Returns how many. */
int64_t SBX_Futex_Wake(struct sbx_proc *, uint64_t addr, uint64_t n,
    uint32_t bits);

/* (t) ends: locks in its list that it holds are marked as left by the dead. */
void SBX_Futex_Exit(struct sbx_proc *, struct sbx_thread *);

/*--------------------------------------------------------------------
 * sched.c: which one runs
 */

/*
 * The calling thread waits, until (until) at the latest. Returns 0 if it does;
 * the caller returns, with any value: who wakes it says what the call returns.
 * Returns 1 if the time is over already; in a program with one thread this
 * sleeps until it is. Nobody to wake it, and no time: the process is killed.
 */
struct sbx_waiting {
	enum sbx_wait_e		wait;
	int64_t			until;
	int			relative;
	int			restarts;	/* with SA_RESTART */
	uint64_t		addr;
	uint32_t		bits;
};
int SBX_Thread_Wait(struct sbx_proc *, const struct sbx_waiting *);

/* End a wait: the call returns (result). */
void SBX_Thread_Wake(struct sbx_proc *, struct sbx_thread *, int64_t result);

/* Something about a descriptor has changed: whoever waits for that looks
 * again. */
void SBX_Thread_WakeFiles(struct sbx_proc *);

/* Let others run first, if there are any that can. */
void SBX_Thread_Yield(struct sbx_proc *);

/* A request begins, or the boot; the watchdog is armed for the deadline. */
void SBX_Sched_Begin(struct sbx_proc *);

/* The calling thread's system call returns (result), or it waits. Sleeps until
 * there is somebody to run. Returns -1 if the process has been killed. */
int SBX_Sched_Return(struct sbx_proc *, int64_t result);

/* The machine was kicked. Returns 0 if the process' time is up, 1 if the
 * machine goes on with whoever is next, -1 if the process has been killed. */
int SBX_Sched_Kicked(struct sbx_proc *);

/* An exception. Returns 1 if the program has a handler for it, and the machine
 * goes on there; 0 if not; -1 if the process has been killed. */
int SBX_Sched_Fault(struct sbx_proc *, const struct sbx_fault *);

/* After an exception the program goes on where it was, at the same instruction.
 * Returns -1 if the process has been killed. */
int SBX_Sched_Again(struct sbx_proc *);

/* Nobody else gets to run before the calling thread returns: for what runs
 * the machine itself. */
void SBX_Sched_Hold(struct sbx_proc *);

#endif
