/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whom a pool lets in: the program's share (share.h) and what kills it
 * (poison.h), with the pool's counters. Protected by the pool's lock.
 */

#ifndef SBX_DOOR_H_INCLUDED
#define SBX_DOOR_H_INCLUDED

#include "pool/poison.h"
#include "pool/share.h"

struct sbx_err;
struct sbx_pool_stats;
struct sbx_program_cfg;
struct sbx_vm;

struct sbx_door {
	struct sbx_share	share;
	struct sbx_poison	poison;
};

/* Returns -1 and fills (err) if there are no random bytes. */
int SBX_Door_Init(struct sbx_door *, const struct sbx_program_cfg *,
    struct sbx_err *err);

/* May this request have a VM? Returns 0 if so, and then Give follows. Returns
 * -1, counts and fills (err) if not. */
int SBX_Door_Enter(struct sbx_door *, struct sbx_ask *,
    struct sbx_pool_stats *, struct sbx_err *err);

/* It has got this VM, or none. */
void SBX_Door_Give(struct sbx_door *, const struct sbx_ask *, struct sbx_vm *);

/* The request does not count any more for what may be under way, and pays. */
void SBX_Door_Over(struct sbx_door *, struct sbx_vm *);

/* The VM comes back; how did it end, and what did it cost? (answered) if there
 * was an answer. */
void SBX_Door_Leave(struct sbx_door *, struct sbx_vm *, int answered);

/* Is the program paused? Not if it is time to try. */
int SBX_Door_IsShut(const struct sbx_door *);

/* The program is another one: what killed the old one may be fine. */
void SBX_Door_Forgive(struct sbx_door *);

/* The gauges. */
void SBX_Door_Stats(const struct sbx_door *, struct sbx_pool_stats *);

#endif
