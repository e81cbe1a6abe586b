/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A process in memory that no CPU ever runs: what system calls, requests and
 * answers need, without KVM.
 */

#ifndef WORLD_H_INCLUDED
#define WORLD_H_INCLUDED

#include "hostcall/exchange.h"
#include "linux/proc.h"
#include "machine/kvm.h"
#include "machine/machine.h"
#include "machine/paging.h"

#define WORLD_SIZE		(UINT64_C(8) << 20)
#define WORLD_ARENA		UINT64_C(0x1000000)
#define WORLD_ARENA_LEN		(UINT64_C(2) << 20)
#define WORLD_STACK		UINT64_C(0x2000000)
#define WORLD_STACK_LEN		(UINT64_C(64) << 10)
#define WORLD_WINDOW		UINT64_C(0x3000000)
#define WORLD_BODY		(UINT64_C(64) << 10)
#define WORLD_RO		UINT64_C(0x4000000)	/* a read-only page */
#define WORLD_KERNEL		UINT64_C(0x5000000)	/* ring 0's page */

struct world {
	void			*mem;
	struct sbx_machine	m;
	struct kvm_run		run;		/* registers, all 0 */
	struct sbx_kvm		kvm;		/* nothing of it */
	struct sbx_layout	layout;
	struct sbx_allow	*allow;
	struct sbx_proc		proc;
	struct sbx_exchange	x;
	char			log[65536];	/* "kind:line\n" ... */
	size_t			log_len;
	struct sbx_host		host;
};

/* (files) may be NULL. Serving, with the deadline far away. */
void World_New(struct world *, const char * const *files);
void World_Fini(struct world *);

/* Write to and read from the guest; they must succeed. */
void World_Put(struct world *, uint64_t va, const void *, size_t);
void World_Get(struct world *, uint64_t va, void *, size_t);

#endif
