/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of the program's, for those who play a kernel that has some of it.
 * [sys_mem.c]
 */

#ifndef SBX_MEM_H_INCLUDED
#define SBX_MEM_H_INCLUDED

#include <stdint.h>

#include "machine/machine.h"

struct sbx_proc;

/*
 * Changes to page table entries that are there. They are made at the latest
 * with Flush, by the guest's ring 0, before the program is frozen too:
 * hardware that has the old translation of a page cached may fault on it even
 * where the new one allows more, and platform P does not see the host narrow
 * one. A page that was not present is there at once, without ring 0. The guest
 * is killed if it fails.
 */
struct sbx_batch {
	struct sbx_proc		*p;
	unsigned		n;
	struct sbx_edit		e[SBX_EDITS_MAX];
};

void SBX_Batch_Init(struct sbx_batch *, struct sbx_proc *);
void SBX_Batch_Edit(struct sbx_batch *, uint64_t va, uint64_t value);
void SBX_Batch_Flush(struct sbx_batch *);

/* Remember what an entry was, for the reset after a request. */
void SBX_Mem_Undo(struct sbx_proc *, const struct sbx_edit *old);

/*
 * The host's memory behind the guest's, whatever the guest may do with it: as
 * many of the (len) bytes at (va) as lie in a row, 0 if not even the first is
 * the program's. With (write) they count as written.
 */
uint64_t SBX_Mem_Behind(struct sbx_proc *, uint64_t va, uint64_t len,
    int write, uint8_t **b);

/* Fill [va, va + len) with zeroes, whatever the guest may do with it: 0,
 * -EFAULT or -EINTR. */
int64_t SBX_Mem_Zero(struct sbx_proc *, uint64_t va, uint64_t len);

/* Map (*len) bytes, rounded up, readable, writable and zero. The address, or 0
 * if there is no room. */
uint64_t SBX_Mem_Take(struct sbx_proc *, uint64_t *len);
void SBX_Mem_Give(struct sbx_proc *, uint64_t va, uint64_t len);

#endif
