/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * paging.c: building page tables. 4 KB pages only: copy-on-write, dirty log
 * and reset all work on those, so larger ones would gain nothing.
 */

#include "config.h"

#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "machine/paging.h"

/* Tables for mappings that are not in one piece: three levels for each of the
 * system area, the tables' window, a few ELF segments and arenas. */
#define PAGING_SPARE		64

uint64_t
SBX_Paging_Room(uint64_t mem)
{

	uint64_t n = mem / SBX_PAGE / 512;

	/* the last level for all of memory; the one above it; and both for
	 * the window in which these tables are seen; once more the last level,
	 * for memory that is scattered over reservations */
	return ((2 * n + n / 256 + n / 512 + PAGING_SPARE) * SBX_PAGE);
}

uint64_t
SBX_Paging_Entry(sbx_gpa_t gpa, unsigned flags)
{
	uint64_t e;

	e = gpa.pa | SBX_PTE_A | SBX_PTE_D;
	if (!(flags & SBX_MAP_NONE))
		e |= SBX_PTE_P;
	if (flags & SBX_MAP_USER)
		e |= SBX_PTE_U;
	if (flags & SBX_MAP_WRITE)
		e |= SBX_PTE_W;
	if (!(flags & SBX_MAP_EXEC))
		e |= SBX_PTE_NX;
	return (e);
}

/* The next level's table behind an entry, made if need be. 0 if no room. */
static uint64_t
paging_table(struct sbx_paging *pg, uint64_t *e)
{

	if (!(*e & SBX_PTE_P)) {
		if (pg->next == pg->end)
			return (0);
		*e = pg->next | SBX_PTE_P | SBX_PTE_W | SBX_PTE_U |
		    SBX_PTE_A | SBX_PTE_D;
		pg->next += SBX_PAGE;
	}
	return (*e & SBX_PTE_ADDR);
}

static uint64_t *
paging_entry(struct sbx_paging *pg, uint64_t va)
{
	uint64_t table, *e;
	int shift;

	table = SBX_SYS_END;
	for (shift = 39; ; shift -= 9) {
		e = SBX_Gmem_Phys(pg->gmem, (sbx_gpa_t){ table }, SBX_PAGE);
		e += (va >> shift) & 511;
		if (shift == 12)
			return (e);
		table = paging_table(pg, e);
		if (table == 0)
			return (NULL);
	}
}

int
SBX_Paging_Map(struct sbx_paging *pg, sandbox_gva_t gva, sbx_gpa_t gpa,
    uint64_t len, unsigned flags, struct sbx_err *err)
{
	uint64_t off, *e;

	CHECK_OBJ_NOTNULL(pg, SBX_PAGING_MAGIC);
	AZ(gva.va % SBX_PAGE);
	AZ(gpa.pa % SBX_PAGE);
	AZ(len % SBX_PAGE);
	for (off = 0; off < len; off += SBX_PAGE) {
		e = paging_entry(pg, gva.va + off);
		if (e == NULL)
			return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
			    "the program's memory map is too scattered"));
		if (*e != 0)
			return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
			    "two mappings overlap at address 0x%jx",
			    (uintmax_t)(gva.va + off)));
		*e = SBX_Paging_Entry((sbx_gpa_t){ gpa.pa + off }, flags);
	}
	return (0);
}

int
SBX_Paging_Init(struct sbx_paging *pg, struct sbx_gmem *gm, uint64_t room,
    struct sbx_err *err)
{

	AN(pg);
	CHECK_OBJ_NOTNULL(gm, SBX_GMEM_MAGIC);
	INIT_OBJ(pg, SBX_PAGING_MAGIC);
	pg->gmem = gm;
	pg->next = SBX_SYS_END + SBX_PAGE;	/* the root is the first */
	pg->end = SBX_SYS_END + room;
	return (SBX_Paging_Map(pg, (sandbox_gva_t){ SBX_GVA_TABLES },
	    (sbx_gpa_t){ SBX_SYS_END }, room, SBX_MAP_WRITE, err));
}
