/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The system calls of Linux, as guests see them.
 *
 * Every argument is the guest's: a handler checks it, or hands it to
 * something that does (machine/gmem.h). What takes long looks at
 * SBX_Sys_Late() now and then.
 */

#ifndef SBX_SYSCALL_H_INCLUDED
#define SBX_SYSCALL_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "machine/gmem.h"

struct sbx_proc;

/* (a) are the six arguments. Returns the result, or a negative errno. May
 * kill the process instead; the result does not matter then. */
typedef int64_t sbx_syscall_f(struct sbx_proc *, const uint64_t *a);

/* Answer system call (nr). */
int64_t SBX_Syscall(struct sbx_proc *, uint64_t nr, const uint64_t *a);

/*
 * If set, called after each call of a guest's, ours among them, on the thread
 * that runs it, with what it returns; (gone) if it does not return. For
 * sandbox-run: in production nobody ever writes to it.
 */
typedef void sbx_trace_f(struct sbx_proc *, uint64_t nr, const uint64_t *a,
    int64_t result, int gone);
extern sbx_trace_f *sbx_trace;

/* Bytes that are read, written or filled between two looks at the time. */
#define SBX_SYS_CHUNK		(UINT64_C(1) << 16)

/*--------------------------------------------------------------------
 * For the handlers.
 */

#define SYSCALL(name, handler, ...)	sbx_syscall_f SBX_Sys_##handler;
#define ANOTHER(name, handler, ...)
#include "tbl/syscalls.h"

struct sbx_gmem *SBX_Sys_Gmem(struct sbx_proc *);

/* Copy a struct to the guest: 0 or -EFAULT. */
int64_t SBX_Sys_Put(struct sbx_proc *, uint64_t va, const void *, uint64_t);

/* Copy a struct from the guest: 0 or -EFAULT. */
int64_t SBX_Sys_Get(struct sbx_proc *, void *, uint64_t va, uint64_t);

/* Copy a path from the guest, to (len) bytes: 0, -EFAULT or -ENAMETOOLONG. */
int64_t SBX_Sys_Path(struct sbx_proc *, char *, size_t len, uint64_t va);

/* True if the request's time is up. */
int SBX_Sys_Late(struct sbx_proc *);

/* Nanoseconds of a guest's timespec: 0, -EFAULT or -EINVAL. What overflows is
 * longer than any deadline. */
int64_t SBX_Sys_TimeGet(struct sbx_proc *, uint64_t va, int64_t *ns);

/* Which of Linux' clocks 0 to 7 is (clk): itself, or if it is that of some
 * process or thread one of the two for CPU time; -1: there is none such. */
int SBX_Sys_Clock(struct sbx_proc *, uint64_t clk);

/* Turn a time of clock (clk) into the time until then, negative if it has
 * passed: 0 or -EINVAL. */
int64_t SBX_Sys_TimeLeft(struct sbx_proc *, uint64_t clk, int64_t *ns);

/* Write (ns), 0 if it is negative, as a timespec: 0 or -EFAULT. */
int64_t SBX_Sys_TimePut(struct sbx_proc *, uint64_t va, int64_t ns);

/* In (ns) from now, in SBX_Os_Mono() time; before SBX_NEVER. */
int64_t SBX_Sys_Until(int64_t ns);

/* Sleep for (ns). A guest that sleeps until its deadline is killed. */
void SBX_Sys_Sleep(struct sbx_proc *, int64_t ns);

#endif
