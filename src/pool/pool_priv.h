/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A pool, for program.c and tests.
 */

#ifndef SBX_POOL_PRIV_H_INCLUDED
#define SBX_POOL_PRIV_H_INCLUDED

#include "pool/pool.h"

struct sbx_image;
struct sbx_program_cfg;

/* An empty, cold pool. (img) and (cfg) must outlive it. */
int SBX_Pool_New(const struct sbx_image *, const struct sbx_program_cfg *,
    struct sbx_pool **, struct sbx_err *err);
void SBX_Pool_Destroy(struct sbx_pool **);

/* Create min_vms VMs, or as many as can be had in a second, and start upkeep,
 * which creates the rest. Returns -1 and fills (err) if not even one can be
 * had; the pool is cold again then. */
int SBX_Pool_Start(struct sbx_pool *, struct sbx_err *err);

/* Refuse requests from now on, wait until all VMs have been given back, stop
 * upkeep and destroy the VMs. */
void SBX_Pool_Stop(struct sbx_pool *);

/*
 * One step of upkeep at time (now), in seconds: destroy, create or retire one
 * VM. Returns when it wants to be called again at the latest; (now) if there
 * is more to do at once.
 */
double SBX_Pool_Tick(struct sbx_pool *, double now);

#endif
