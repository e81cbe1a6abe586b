/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A process: the one program that runs in a machine, as Linux would keep
 * account of it.
 *
 * All guest-visible state outside of memory and CPU is in struct sbx_proc,
 * and SBX_Proc_Reset() knows each member of it.
 */

#ifndef SBX_PROC_H_INCLUDED
#define SBX_PROC_H_INCLUDED

#include <stdint.h>

#include "base/err.h"
#include "linux/channel.h"
#include "linux/far.h"
#include "linux/file.h"
#include "linux/host.h"
#include "linux/mm.h"
#include "linux/signals.h"
#include "linux/thread.h"
#include "linux/timer.h"

struct sbx_debugger;
struct sbx_machine;
struct sbx_symbols;

enum sbx_kill_e {
	SBX_KILL_NONE = 0,
#define KILL(name, text)	SBX_KILL_##name,
#include "tbl/kills.h"
	SBX_KILL__MAX
};

/* Where the loader has put things; the same for all VMs of a program. */
struct sbx_layout {
	uint64_t		entry;
	uint64_t		program_lo;	/* its first segment */
	uint64_t		arena_lo, arena_hi;
	uint64_t		arena_pa;	/* all of it in a row */
	uint64_t		far_lo, far_hi;
	uint64_t		table, table_end; /* free tables, physical */
	uint64_t		stack_lo, stack_hi;
	uint64_t		window;		/* the request block */
	uint64_t		clock;		/* in it: struct sbx_clock */
	uint64_t		window_len;	/* the body follows */
	uint64_t		body_max;
	uint64_t		sp;		/* at the first instruction */
	uint64_t		auxv, auxv_len;	/* above it */
	int			exec;		/* it may make code */
	int			dynamic;	/* it has a dynamic linker */
	const struct sbx_symbols *symbols;	/* or NULL: no names */
};

/* The user and the group that a program finds itself to be: "nobody" on every
 * Linux. */
#define SBX_PROC_UID		65534

/* The guest's share of the log, per request. */
#define SBX_LOG_LINES_MAX	100
#define SBX_LOG_BYTES_MAX	16384
#define SBX_LOG_LINE_MAX	1024	/* SANDBOX_MAX_LOG */

/* How much is kept of what a program wrote last: before it was ready all of it
 * counts, in a request what it wrote to descriptor 2. */
#define SBX_TAIL_MAX		512

/* What a program was killed by and where, for people and for core files. A
 * kill for what it did in a system call has signo 0. */
struct sbx_death {
	enum sbx_kill_e		why;		/* as (kill), but stays */
	int			signo;		/* Linux would have sent it */
	int			code;		/* si_code */
	uint64_t		rip;		/* 0: not known */
	uint64_t		addr;		/* of memory, if it was that */
	int			has_addr;
};

struct sbx_line {
	unsigned		len;
	char			b[SBX_LOG_LINE_MAX];
};

struct sbx_proc {
	unsigned		magic;
#define SBX_PROC_MAGIC		0x5d0b7c3e
	struct sbx_machine	*machine;
	const struct sbx_layout	*layout;
	const char		*path;		/* of the executable */
	const struct sbx_debugger *debugger;	/* or NULL */

	/* Snapshot and reset: guest-visible. */
	int			changed;	/* the next one has */
	struct sbx_sigaction	sigaction[SBX_NSIG];
	struct sbx_mm		mm;		/* has its own (changed) */
	struct sbx_far		far;		/* has its own (changed) */
	struct sbx_files	files;		/* has its own (changed) */
	struct sbx_threads	threads;	/* has its own (changed) */
	struct sbx_channels	channels;	/* has its own (changed) */
	struct sbx_timers	timers;		/* has its own (changed) */

	/* Reset: undone through the machine, see SBX_Proc_Undo(). */
	struct sbx_mm_edits	edits;

	/* Per request: cleared. A new process is cleared from here to the
	 * end, see proc_clear(). */
	const struct sbx_host	*host;
	int			serving;	/* frozen already */
	int64_t			start;		/* SBX_Os_Mono() */
	int64_t			deadline;	/* SBX_Os_Mono() */
	int64_t			waited;		/* ns, not the guest's CPU */
	struct sbx_line		out[2];		/* unfinished lines */
	unsigned		log_lines;
	unsigned		log_bytes;
	uint64_t		log_dropped;
	uint64_t		syscalls;
	uint64_t		nr;		/* the call being answered */
	const uint64_t		*args;
	enum sbx_kill_e		kill;		/* first reason wins */
	struct sbx_err		err;
	struct sbx_death	death;		/* if (kill) */

	/* While booting: what may explain that it fails. */
	int			status;		/* of exit() */
	int			refused;	/* memory, at some time */
	int			refused_last;	/* and got none since */

	/* Per request or while booting: the last words. */
	unsigned		tail_len;
	char			tail[SBX_TAIL_MAX];
};

/* A process that has not run yet. */
void SBX_Proc_Init(struct sbx_proc *, struct sbx_machine *,
    const struct sbx_layout *, const struct sbx_allow *, const char *path);
void SBX_Proc_Fini(struct sbx_proc *);

/* A process, already initialised, that is where (golden) was frozen. Returns
 * -1 if there is no memory. */
int SBX_Proc_Copy(struct sbx_proc *, const struct sbx_proc *golden);

/* Begin a request: (host) and the deadline are for it alone. */
void SBX_Proc_Begin(struct sbx_proc *, const struct sbx_host *host,
    int64_t start, int64_t deadline);

/* The request is over: unfinished lines go to the log. */
void SBX_Proc_End(struct sbx_proc *);

/*
 * Undo page table edits through the machine, which must be able to run.
 * Returns -1 and fills (err) if that is not possible: the VM has to go.
 */
int SBX_Proc_Undo(struct sbx_proc *, struct sbx_err *err);

/* Put back all else. */
void SBX_Proc_Reset(struct sbx_proc *, const struct sbx_proc *golden);

/* The guest has done something that it has to die for. The first reason is
 * kept. */
void SBX_Proc_Kill(struct sbx_proc *, enum sbx_kill_e, const char *fmt, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/* The same, and Linux would have sent a signal: before SBX_Proc_Kill(). (addr)
 * is the address that could not be accessed, or NULL. */
void SBX_Proc_Signal(struct sbx_proc *, int signo, int code,
    const uint64_t *addr);

/*
 * An address in the program for a person, "0x401a2b (function+0x1b)", without
 * the part in brackets if it is not known. (buf) has SBX_SYMBOL_TEXT_MAX bytes
 * (linux/symbol.h). Returns (buf).
 */
const char *SBX_Proc_Where(const struct sbx_proc *, uint64_t rip, char *buf);

/* Where it is now, while a system call is answered, or was at the last exit; 0
 * if that is not known. */
uint64_t SBX_Proc_Rip(const struct sbx_proc *);

/* True if it has been killed for something that it did itself, so that somebody
 * may want to look at it. */
int SBX_Proc_WantsCore(const struct sbx_proc *);

/* It has called exit(). */
void SBX_Proc_Exit(struct sbx_proc *, int status);

/* It has asked for memory, and got some, or not. */
void SBX_Proc_Given(struct sbx_proc *, int given);

/* CPU time of this request, nanoseconds: all the time that has passed, but for
 * what the guest slept and waited. */
int64_t SBX_Proc_Cpu(const struct sbx_proc *);

/* The request's time is up, or the boot's. */
void SBX_Proc_KillLate(struct sbx_proc *);

/* A line for the log, within the guest's share. Control characters are
 * replaced here. Returns -1 if it was dropped. */
int SBX_Proc_Log(struct sbx_proc *, enum sbx_log_e, const char *, size_t);

/* Bytes that the guest wrote to descriptor 1 or 2. */
void SBX_Proc_Output(struct sbx_proc *, enum sbx_log_e, const char *,
    size_t);

#endif
