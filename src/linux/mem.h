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

struct sbx_proc;

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
