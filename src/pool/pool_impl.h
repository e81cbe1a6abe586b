/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A pool from the inside: for pool.c, care.c and cores.c, and nobody else.
 */

#ifndef SBX_POOL_IMPL_H_INCLUDED
#define SBX_POOL_IMPL_H_INCLUDED

#include <pthread.h>

#include "vqueue.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/door.h"
#include "pool/gen.h"
#include "pool/pool_priv.h"

struct pool_waiter;
struct sbx_cores;

/* Stacks of idle VMs. CPUs share them where there are more. */
#define POOL_STACKS		64

struct sbx_pool {
	unsigned		magic;
#define SBX_POOL_MAGIC		0x5ac61e07
	const struct sbx_program_cfg *cfg;
	pthread_condattr_t	condattr;	/* CLOCK_MONOTONIC */
	pthread_t		thread;

	pthread_mutex_t		mtx;		/* protects the rest */
	pthread_cond_t		cond;		/* upkeep and Stop wait */
	int			warm;
	int			stop;
	struct sbx_gen		*gen;		/* the present one */
	VTAILQ_HEAD(, sbx_gen)	old_gens;	/* that have VMs left */
	unsigned		n_vms;		/* exist, or are being made */
	unsigned		n_old;		/* the same of older ones */
	unsigned		n_busy;		/* lent out */
	unsigned		n_wait;
	unsigned		n_idle;
	struct sbx_vms		idle[POOL_STACKS];
	struct sbx_vms		dead;
	struct sbx_vms		old;		/* to be destroyed */
	struct sbx_cores	*cores;		/* NULL: none wanted */
	VTAILQ_HEAD(, pool_waiter) waiters;
	double			backoff;	/* seconds, 0: none */
	double			backoff_until;
	struct sbx_err		backoff_err;
	unsigned		n_making;	/* by care.c, of n_vms */
	uint64_t		n_next;		/* for the next generation */
	uint64_t		serial;		/* of the last VM */
	struct sbx_door		door;
	struct sbx_pool_stats	stats;
	struct {
		int64_t		queued, run, cpu, slept, reset;
	} ns;					/* sums, see SBX_Pool_Stats() */
};

/* A VM is READY: it goes to the first in line, or on a stack; unless it is of
 * an older generation. With the lock. */
void SBX_Pool_Offer(struct sbx_pool *, struct sbx_vm *);

/* Take a VM from its stack. With the lock. */
void SBX_Pool_Unidle(struct sbx_pool *, struct sbx_vm *);

/* VMs that count for max_vms: all but one whose core is being written. With
 * the lock. */
unsigned SBX_Pool_Counted(const struct sbx_pool *);

/* Nobody who waits in line will get a VM. With the lock. */
void SBX_Pool_WakeAll(struct sbx_pool *);

#endif
