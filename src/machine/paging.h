/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Building a guest's page tables, at load, in the golden image.
 */

#ifndef SBX_PAGING_H_INCLUDED
#define SBX_PAGING_H_INCLUDED

#include <stdint.h>

#include "machine/gmem.h"

struct sbx_err;

/* What a mapping allows, besides reading. 0 and SBX_MAP_NONE differ. */
#define SBX_MAP_USER		0x1u	/* ring 3, else ring 0 only */
#define SBX_MAP_WRITE		0x2u
#define SBX_MAP_EXEC		0x4u
#define SBX_MAP_NONE		0x8u	/* present for nobody */

struct sbx_paging {
	unsigned		magic;
#define SBX_PAGING_MAGIC	0x0b21d7f5
	struct sbx_gmem		*gmem;
	uint64_t		next;		/* free table, physical */
	uint64_t		end;		/* of the room for tables */
};

/*
 * Bytes of physical memory to set aside for the tables of (mem) bytes.
 */
uint64_t SBX_Paging_Room(uint64_t mem);

/*
 * Begin an empty address space with (room) bytes for its tables behind
 * SBX_SYS_END, and map those tables for ring 0 at SBX_GVA_TABLES.
 */
int SBX_Paging_Init(struct sbx_paging *, struct sbx_gmem *, uint64_t room,
    struct sbx_err *err);

/*
 * Map [va, va + len) to [pa, pa + len). All whole pages. Returns -1 and fills
 * (err) if a page is mapped already or the room for tables is used up.
 */
int SBX_Paging_Map(struct sbx_paging *, sandbox_gva_t, sbx_gpa_t,
    uint64_t len, unsigned flags, struct sbx_err *err);

/* The entry that maps physical page (pa) like (flags) say. */
uint64_t SBX_Paging_Entry(sbx_gpa_t, unsigned flags);

#endif
