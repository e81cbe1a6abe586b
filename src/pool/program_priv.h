/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program from the inside: for program.c and deploy.c and nobody else.
 *
 * Locking, outermost first:
 *
 *	the caller's thread: Open, Close, Warm and Cool are called by one thread
 *		at a time. It has (list) and (refs).
 *	life	is held while the pool is started, stopped or switched to
 *		another generation, which the caller's thread and the program's
 *		own do. No request ever takes it.
 *	mtx	protects what has its name beside it. Leaf lock.
 */

#ifndef SBX_PROGRAM_PRIV_H_INCLUDED
#define SBX_PROGRAM_PRIV_H_INCLUDED

#include <pthread.h>
#include <sys/stat.h>

#include "vqueue.h"

#include "pool/program.h"

struct sbx_gen;
struct sbx_kvm;

struct sbx_program {
	unsigned		magic;
#define SBX_PROGRAM_MAGIC	0x60d92b1f
	VTAILQ_ENTRY(sbx_program) list;
	unsigned		refs;
	struct sbx_program_cfg	cfg;		/* own copies */
	struct sbx_kvm		*kvm;
	struct sbx_pool		*pool;

	pthread_mutex_t		life;
	unsigned		warm;		/* life */

	pthread_mutex_t		mtx;
	struct stat		st;		/* mtx; of the file, when read */
	struct sbx_program_info	info;		/* mtx */

	/* The thread that reloads, once that has been asked for. */
	pthread_cond_t		cond;
	pthread_t		thread;
	int			has_thread;	/* mtx */
	int			wanted;		/* mtx; somebody asks for it */
	int			busy;		/* mtx */
	int			stop;		/* mtx */
	int			orphan;		/* mtx; thread frees it */
	sbx_reload_f		*tell;		/* mtx */
	char			who[SBX_WHO_MAX]; /* mtx */
};

/*
 * Read the file, start the program in it and, if there is a probe, make a VM
 * and send it that. Blocks for up to boot_timeout and request_timeout. Any
 * thread. Returns -1 and fills (err). [program.c]
 */
int SBX_Program_Load(struct sbx_program *, struct sbx_gen **, struct stat *,
    struct sbx_err *err);

/* Nobody has a reference any more, and no thread is at it. [program.c] */
void SBX_Program_Free(struct sbx_program **);

/* What is known about a file that has begun to serve. With mtx. [deploy.c] */
void SBX_Program_Serves(struct sbx_program *, const struct stat *);

/* Nobody has a reference any more: free it, or, if it is being reloaded, have
 * that thread do so. Does not wait for a guest. [deploy.c] */
void SBX_Program_Leave(struct sbx_program **);

#endif
