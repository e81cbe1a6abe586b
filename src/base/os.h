/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The host's system calls, behind a table, so that a test can make the Nth
 * one fail. They behave as the C library's functions of the same name do.
 */

#ifndef SBX_OS_H_INCLUDED
#define SBX_OS_H_INCLUDED

#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <linux/openat2.h>

struct stat;
struct statfs;

struct sbx_os {
#define OSCALL(ret, name, parm, arg)	ret (*name) parm;
#include "tbl/os_calls.h"
};

/* In production nobody ever writes to this table. */
extern struct sbx_os sbx_os;

/* What sbx_os starts out as. */
extern const struct sbx_os sbx_os_real;

/* Close a descriptor that is open, and forget it. */
void SBX_Os_CloseFd(int *fdp);

/* A copy of a string, or NULL. */
char *SBX_Os_Strdup(const char *);

/* What this thread has computed, in nanoseconds. A system call. */
int64_t SBX_Os_Cpu(void);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds. */
int64_t SBX_Os_Mono(void);
int64_t SBX_Os_Wall(void);

/* The same in seconds, and back. */
static inline double
SBX_Os_Seconds(int64_t ns)
{

	return ((double)ns * 1e-9);
}

static inline int64_t
SBX_Os_Nano(double seconds)
{

	return ((int64_t)(seconds * 1e9));
}

/* The same as the kernel wants it; (ns) >= 0. */
static inline struct timespec
SBX_Os_Timespec(int64_t ns)
{
	const struct timespec ts = {
		.tv_sec = ns / 1000000000,
		.tv_nsec = ns % 1000000000,
	};

	return (ts);
}

/* Allocate zeroed memory with a magic, or NULL. Freed with FREE_OBJ(). */
#define SBX_ALLOC_OBJ(to, type_magic)					\
	do {								\
		(to) = sbx_os.calloc(1, sizeof *(to));			\
		if ((to) != NULL)					\
			(to)->magic = (type_magic);			\
	} while (0)

#endif
