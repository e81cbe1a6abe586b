/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reservations: address space far away from everything else, of any size, with
 * nothing behind it. Run times reserve gigabytes, open parts of them, and use
 * less.
 *
 * What is open there gets memory when it is touched first, by the program or
 * by a system call: SBX_FAR_BLOCK at a time, taken from the arena as mmap()
 * takes it. That costs an exit. Page tables grow with it; a request's entries
 * are taken out again as those of mprotect() are, so that much of it costs the
 * VM (SBX_MM_EDITS_MAX).
 */

#ifndef SBX_FAR_H_INCLUDED
#define SBX_FAR_H_INCLUDED

#include <stdint.h>

struct sbx_proc;

#define SBX_FAR_MAPS_MAX	128	/* ranges of equal rights */

/* Reservations at least this large are far away. */
#define SBX_FAR_MIN		(UINT64_C(1) << 20)

/* Bytes that are mapped at a time, if they are in one range. */
#define SBX_FAR_BLOCK		(UINT64_C(64) << 10)

struct sbx_far_map {
	uint64_t		lo, hi;		/* whole pages */
	unsigned		flags;		/* SBX_MAP_... */
};

/* Plain data: the snapshot is a copy of it. */
struct sbx_far {
	unsigned		magic;
#define SBX_FAR_MAGIC		0x39c7e0b5
	int			changed;	/* since the snapshot */
	uint64_t		lo, hi;		/* where they may be */
	uint64_t		table;		/* free table, physical */
	uint64_t		table_end;
	unsigned		n;
	struct sbx_far_map	map[SBX_FAR_MAPS_MAX];	/* ascending */
};

/* (table) to (table_end) is room for page tables. */
void SBX_Far_Init(struct sbx_far *, uint64_t lo, uint64_t hi, uint64_t table,
    uint64_t table_end);
void SBX_Far_Copy(struct sbx_far *to, const struct sbx_far *from);

/* True if all of [lo, hi) is where reservations may be. */
int SBX_Far_Is(const struct sbx_far *, uint64_t lo, uint64_t hi);

/* The range at (va), or NULL. */
const struct sbx_far_map *SBX_Far_Find(const struct sbx_far *, uint64_t va);

/*
 * Set (len) bytes of address space aside: at (at), if that is free. Returns
 * the address, 0 if there is none.
 */
uint64_t SBX_Far_Map(struct sbx_far *, uint64_t at, uint64_t len,
    unsigned flags);

/* Forget [lo, hi), any mixture of mapped and not, or give what is mapped of it
 * other rights. Return -1 if there are too many ranges; nothing has happened
 * then. */
int SBX_Far_Unmap(struct sbx_far *, uint64_t lo, uint64_t hi);
int SBX_Far_Protect(struct sbx_far *, uint64_t lo, uint64_t hi,
    unsigned flags);

/*--------------------------------------------------------------------
 * Pages [farmem.c]
 */

/* What may be touched at (va) but is not there yet: get it. Returns 1 if it is
 * there now. Also for machine/gmem.h. */
int SBX_Far_Missing(void *proc, uint64_t va);

/* mmap(), munmap(), mprotect() and madvise(MADV_DONTNEED), for whole pages in
 * [lo, hi). A negative errno if they fail. */
int64_t SBX_Far_Mmap(struct sbx_proc *, uint64_t at, uint64_t len,
    unsigned flags, int fixed);
int64_t SBX_Far_Munmap(struct sbx_proc *, uint64_t lo, uint64_t hi);
int64_t SBX_Far_Mprotect(struct sbx_proc *, uint64_t lo, uint64_t hi,
    unsigned flags);
int64_t SBX_Far_Forget(struct sbx_proc *, uint64_t lo, uint64_t hi);

/* True if something of the arena's [lo, hi) is seen in a reservation, though
 * the program may have given it back. */
int SBX_Far_Has(struct sbx_proc *, uint64_t lo, uint64_t hi);

/* All of [lo, hi) that may be touched is there. */
int SBX_Far_Populate(struct sbx_proc *, uint64_t lo, uint64_t hi);

#endif
