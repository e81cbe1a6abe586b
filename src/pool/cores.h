/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Core files of a pool's killed VMs.
 *
 * A thread of its own writes them, one at a time, because a disk may be slow
 * and the pool's thread has VMs to make. What dies meanwhile gets none. A VM
 * whose core is being written does not count as one of max_vms; it comes back
 * to the pool to be destroyed.
 *
 * For care.c and pool.c. The pool's lock protects all of it.
 */

#ifndef SBX_CORES_H_INCLUDED
#define SBX_CORES_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

struct sbx_cores;
struct sbx_err;
struct sbx_gen;
struct sbx_pool;
struct sbx_pool_stats;
struct sbx_vm;

/* Opens the directory. Without the lock. Returns -1 and fills (err) if it will
 * not do. */
int SBX_Cores_New(struct sbx_pool *, struct sbx_cores **, struct sbx_err *err);
void SBX_Cores_Destroy(struct sbx_cores **);

/*
 * A VM that is on no list any more is about to be destroyed. Returns 1 if it is
 * to get a core first: it will be on the list of old ones when it has one. With
 * the lock, gives it up meanwhile. The pool's thread, or who stands in for it.
 */
int SBX_Cores_Take(struct sbx_cores *, struct sbx_vm *);

/* Wait for the core that is being written. Without the lock. The same
 * thread. */
void SBX_Cores_Wait(struct sbx_cores *);

/* The generation whose VM is getting one, or NULL. With the lock. */
const struct sbx_gen *SBX_Cores_Gen(const struct sbx_cores *);

/* Set the counters that are about cores. With the lock. */
void SBX_Cores_Stats(const struct sbx_cores *, struct sbx_pool_stats *);

/* See SBX_Pool_CoreNews(). With the lock. */
int SBX_Cores_News(const struct sbx_cores *, uint64_t *seen, int *bad,
    char *buf, size_t size);

#endif
