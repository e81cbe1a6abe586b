/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A pool, for program.c and tests.
 */

#ifndef SBX_POOL_PRIV_H_INCLUDED
#define SBX_POOL_PRIV_H_INCLUDED

#include "pool/pool.h"

struct sbx_gen;
struct sbx_program_cfg;

/* An empty, cold pool of a generation, which must be empty, too, and is the
 * pool's from now on if there is one. (cfg) must outlive it. */
int SBX_Pool_New(struct sbx_gen **, const struct sbx_program_cfg *,
    struct sbx_pool **, struct sbx_err *err);
void SBX_Pool_Destroy(struct sbx_pool **);

/*
 * Start, Stop and Switch are called by one thread at a time: the caller has a
 * lock for that.
 */

/* Create min_vms VMs, or (n) if that is more, or as many as can be had in a
 * second, and start upkeep, which creates the rest of min_vms. Returns -1 and
 * fills (err) if not even one can be had; the pool is cold again then. */
int SBX_Pool_Start(struct sbx_pool *, uint64_t n, struct sbx_err *err);

/* Refuse requests from now on, wait until all VMs have been given back, stop
 * upkeep and destroy the VMs. */
void SBX_Pool_Stop(struct sbx_pool *);

/*
 * From now on requests get VMs of another generation, which is the pool's from
 * now on: those that are made already, and new ones. Those who wait in line get
 * some at once. VMs of the old one that are lent out serve on, and go when they
 * are given back; the last one takes the old generation along. While the pool
 * is cold the new generation must be empty.
 */
void SBX_Pool_Switch(struct sbx_pool *, struct sbx_gen **);

/* How many VMs a new generation should have before the pool switches to it:
 * as many as there are now, but not so many that there are more than twice
 * max_vms in all. At least one. They count until Switch or NoSwitch. */
uint64_t SBX_Pool_Room(struct sbx_pool *);

/* There was to be a new generation, and there is none. */
void SBX_Pool_NoSwitch(struct sbx_pool *);

/*
 * One step of upkeep at time (now), in seconds: destroy, create or retire one
 * VM. Returns when it wants to be called again at the latest; (now) if there
 * is more to do at once.
 */
double SBX_Pool_Tick(struct sbx_pool *, double now);

#endif
