/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * farmem.c: the pages and page tables of reservations.
 *
 * Entries are added by the host, which is seen on all platforms, and taken
 * away by the guest's ring 0, because on platform P that is the only way.
 */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "linux/mem.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "machine/machine.h"
#include "machine/paging.h"

#define FAR_TABLE	(SBX_PTE_P | SBX_PTE_W | SBX_PTE_U | SBX_PTE_A | \
			    SBX_PTE_D)

/* The entry at physical address (at), which maps (va), becomes (value). */
static void
far_set(struct sbx_proc *p, uint64_t at, uint64_t va, uint64_t value)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(p);
	struct sbx_edit old;
	uint64_t *e;

	e = SBX_Gmem_Phys(gm, (sbx_gpa_t){ at }, sizeof *e);
	old.entry = SBX_GVA_TABLES + at - SBX_SYS_END;
	old.value = *e;
	old.addr = va;
	SBX_Mem_Undo(p, &old);
	*e = value;
	SBX_Gmem_Touch(gm, (sbx_gpa_t){ at }, sizeof *e);
}

/* True if a table is where tables are: a guest that got into its own ring 0
 * may have written anything. */
static int
far_is_table(const struct sbx_proc *p, uint64_t pa)
{

	return (pa >= SBX_SYS_END && pa < p->far.table_end &&
	    pa % SBX_PAGE == 0);
}

/* Where the entry for (va) is, physically; tables are made on the way. 0 if
 * there is no room for one. */
static uint64_t
far_entry(struct sbx_proc *p, uint64_t va)
{
	uint64_t table = SBX_SYS_END, at, *e;
	int shift;

	for (shift = 39; ; shift -= 9) {
		at = table + (va >> shift & 511) * sizeof *e;
		if (shift == 12)
			return (at);
		e = SBX_Gmem_Phys(SBX_Sys_Gmem(p), (sbx_gpa_t){ at },
		    sizeof *e);
		if (!(*e & SBX_PTE_P)) {
			if (p->far.table == p->far.table_end)
				return (0);
			far_set(p, at, va, p->far.table | FAR_TABLE);
			p->far.table += SBX_PAGE;
			p->far.changed = 1;
		}
		table = *e & SBX_PTE_ADDR;
		if (!far_is_table(p, table))
			return (0);
	}
}

/* The first entry in [*va, hi) that maps something, or NULL. */
static const uint64_t *
far_next(struct sbx_proc *p, uint64_t *va, uint64_t hi)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(p);
	const uint64_t *e;
	uint64_t table, step;
	int shift;

	while (*va < hi && p->kill == SBX_KILL_NONE && !SBX_Sys_Late(p)) {
		table = SBX_SYS_END;
		for (shift = 39; ; shift -= 9) {
			e = SBX_Gmem_Phys(gm, (sbx_gpa_t){ table +
			    (*va >> shift & 511) * sizeof *e }, sizeof *e);
			if (shift == 12 && *e != 0)
				return (e);
			table = *e & SBX_PTE_ADDR;
			if (shift == 12 || !(*e & SBX_PTE_P) ||
			    !far_is_table(p, table))
				break;
		}
		step = UINT64_C(1) << shift;
		*va = (*va & ~(step - 1)) + step;
	}
	return (NULL);
}

/*--------------------------------------------------------------------
 * Coming
 */

/* Memory for as much of [lo, hi) as lies in a row and has none; (lo) has
 * none. Returns 0 if there is not even a page. */
static uint64_t
far_back(struct sbx_proc *p, uint64_t lo, uint64_t hi, unsigned flags)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(p);
	const uint64_t *e;
	uint64_t len, room, va, at, off;

	for (len = SBX_PAGE; lo + len < hi; len += SBX_PAGE) {
		e = SBX_Gmem_Entry(gm, (sandbox_gva_t){ lo + len });
		if (e != NULL && *e != 0)
			break;
	}
	for (room = len; (va = SBX_Mem_Take(p, &room)) == 0; room = len) {
		if (len == SBX_PAGE)
			return (0);
		len = SBX_PAGE;
	}
	for (off = 0; off < len; off += SBX_PAGE) {
		e = SBX_Gmem_Entry(gm, (sandbox_gva_t){ va + off });
		at = far_entry(p, lo + off);
		if (e == NULL || at == 0) {
			SBX_Mem_Give(p, va + off, len - off);
			break;
		}
		far_set(p, at, lo + off, SBX_Paging_Entry(
		    (sbx_gpa_t){ *e & SBX_PTE_ADDR }, flags));
	}
	return (off);
}

int
SBX_Far_Missing(void *proc, uint64_t va)
{
	const struct sbx_far_map *m;
	struct sbx_proc *p;
	const uint64_t *e;
	uint64_t lo, hi;

	CAST_OBJ_NOTNULL(p, proc, SBX_PROC_MAGIC);
	m = SBX_Far_Find(&p->far, va);
	if (m == NULL || (m->flags & SBX_MAP_NONE))
		return (0);
	va = SBX_Page_Down(va);
	e = SBX_Gmem_Entry(SBX_Sys_Gmem(p), (sandbox_gva_t){ va });
	if (e != NULL && *e != 0)
		return (0);
	/* the block, from its beginning if that has nothing either */
	lo = va & ~(SBX_FAR_BLOCK - 1);
	hi = lo + SBX_FAR_BLOCK;
	if (lo < m->lo)
		lo = m->lo;
	if (hi > m->hi)
		hi = m->hi;
	e = SBX_Gmem_Entry(SBX_Sys_Gmem(p), (sandbox_gva_t){ lo });
	if ((e != NULL && *e != 0) || far_back(p, lo, hi, m->flags) <= va - lo)
		if (far_back(p, va, hi, m->flags) == 0) {
			SBX_Proc_Given(p, 0);
			return (0);
		}
	SBX_Proc_Given(p, 1);
	return (1);
}

int
SBX_Far_Populate(struct sbx_proc *p, uint64_t lo, uint64_t hi)
{
	const uint64_t *e;

	for (; lo < hi; lo += SBX_PAGE) {
		if (SBX_Sys_Late(p))
			return (-1);
		e = SBX_Gmem_Entry(SBX_Sys_Gmem(p), (sandbox_gva_t){ lo });
		if ((e == NULL || *e == 0) && !SBX_Far_Missing(p, lo))
			return (-1);
	}
	return (0);
}

int64_t
SBX_Far_Mmap(struct sbx_proc *p, uint64_t at, uint64_t len, unsigned flags,
    int fixed)
{
	uint64_t va;
	int64_t i;

	if (fixed) {
		i = SBX_Far_Munmap(p, at, at + len);
		if (i < 0)
			return (i);
	}
	va = SBX_Far_Map(&p->far, at, len, flags);
	assert(va == 0 || !fixed || va == at);
	return (va == 0 ? -ENOMEM : (int64_t)va);
}

int
SBX_Far_Has(struct sbx_proc *p, uint64_t lo, uint64_t hi)
{
	const struct sbx_far_map *m;
	const uint64_t *e;
	uint64_t va, at;

	for (m = p->far.map; m < p->far.map + p->far.n; m++)
		for (va = m->lo; (e = far_next(p, &va, m->hi)) != NULL;
		    va += SBX_PAGE) {
			at = (*e & SBX_PTE_ADDR) - p->layout->arena_pa +
			    p->mm.lo;
			if (at >= lo && at < hi)
				return (1);
		}
	return (0);
}

/*--------------------------------------------------------------------
 * Going, and changing
 */

int64_t
SBX_Far_Munmap(struct sbx_proc *p, uint64_t lo, uint64_t hi)
{
	struct sbx_batch b;
	const uint64_t *e;
	uint64_t va, pa;

	if (SBX_Far_Unmap(&p->far, lo, hi))
		return (-ENOMEM);
	SBX_Batch_Init(&b, p);
	for (va = lo; (e = far_next(p, &va, hi)) != NULL; va += SBX_PAGE) {
		pa = *e & SBX_PTE_ADDR;
		SBX_Batch_Edit(&b, va, 0);
		/* it came from the arena, which lies in a row */
		if (pa >= p->layout->arena_pa && pa - p->layout->arena_pa <
		    p->mm.hi - p->mm.lo)
			SBX_Mem_Give(p, p->mm.lo +
			    (pa - p->layout->arena_pa), SBX_PAGE);
	}
	SBX_Batch_Flush(&b);
	return (0);
}

int64_t
SBX_Far_Mprotect(struct sbx_proc *p, uint64_t lo, uint64_t hi, unsigned flags)
{
	const struct sbx_far_map *m;
	struct sbx_batch b;
	const uint64_t *e;
	uint64_t va, new;

	for (va = lo; va < hi; va = m->hi) {
		m = SBX_Far_Find(&p->far, va);
		if (m == NULL)
			return (-ENOMEM);
	}
	if ((flags & SBX_MAP_EXEC) && !p->layout->exec)
		return (-EACCES);
	if (SBX_Far_Protect(&p->far, lo, hi, flags))
		return (-ENOMEM);
	SBX_Batch_Init(&b, p);
	for (va = lo; (e = far_next(p, &va, hi)) != NULL; va += SBX_PAGE) {
		new = SBX_Paging_Entry((sbx_gpa_t){ *e & SBX_PTE_ADDR },
		    flags);
		if (new != *e)
			SBX_Batch_Edit(&b, va, new);
	}
	SBX_Batch_Flush(&b);
	return (0);
}

int64_t
SBX_Far_Forget(struct sbx_proc *p, uint64_t lo, uint64_t hi)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(p);
	const uint64_t *e;
	sbx_gpa_t gpa;

	for (; (e = far_next(p, &lo, hi)) != NULL; lo += SBX_PAGE) {
		if (SBX_Sys_Late(p))
			return (-EINTR);
		gpa.pa = *e & SBX_PTE_ADDR;
		if (gpa.pa > gm->size - SBX_PAGE)
			return (-ENOMEM);
		SBX_Gmem_Forget(gm, gpa);
	}
	return (0);
}
