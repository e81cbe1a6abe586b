/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program's memory map: brk and mmap.
 *
 * All memory that the program may ever have is mapped, readable and writable,
 * when it is loaded: one arena, from which brk takes upwards and mmap takes
 * downwards. So a request that allocates changes no page table, and freeing
 * is bookkeeping. Memory that is handed out a second time is zeroed then.
 *
 * Rights are exact, but for two things: what munmap() gives back stays as it
 * was until it is handed out again, and in a request a mapping that is for
 * reading only can be written to.
 */

#ifndef SBX_MM_H_INCLUDED
#define SBX_MM_H_INCLUDED

#include <stdint.h>

#include "machine/machine.h"

/* Mappings at a time. Above it mmap() says ENOMEM. */
#define SBX_MM_EXTENTS_MAX	512

/* Pages whose protection one request may change before its VM is replaced
 * instead of reset. */
#define SBX_MM_EDITS_MAX	1024

struct sbx_mm_extent {
	uint64_t		lo, hi;
	int			backed;		/* filled from a file */
};

/* Plain data: the snapshot is a copy of it. */
struct sbx_mm {
	unsigned		magic;
#define SBX_MM_MAGIC		0x7a3d90e1
	int			changed;	/* since the snapshot */
	uint64_t		lo, hi;		/* the arena */
	uint64_t		brk;		/* end of brk, from lo */
	uint64_t		used;		/* lowest mmap ever had */
	uint64_t		idle_lo, idle_hi;	/* the last, unused */
	uint64_t		idle_used;	/* (used) before it */
	int			narrowed;	/* by mprotect, somewhere */
	unsigned		n_extent;
	struct sbx_mm_extent	extent[SBX_MM_EXTENTS_MAX]; /* ascending */
};

/* The page table entries a request has changed, to be put back. */
struct sbx_mm_edits {
	unsigned		n;
	int			overflow;	/* more than fit */
	struct sbx_edit		edit[SBX_MM_EDITS_MAX];	/* old values */
};

void SBX_Mm_Init(struct sbx_mm *, uint64_t lo, uint64_t hi);

/* (to) becomes what (from) is; as cheap as it can be. */
void SBX_Mm_Copy(struct sbx_mm *to, const struct sbx_mm *from);

/*
 * Find and take room for (len) bytes, a multiple of the page size; or take
 * exactly [at, at + len) if (at) is not 0, which must be in the arena and
 * above brk; what was there is gone. Returns the address, 0 if there is no
 * room. (*zero) is where memory starts that has been used before: what lies in
 * the mapping at or above it must be zeroed by the caller.
 */
uint64_t SBX_Mm_Map(struct sbx_mm *, uint64_t at, uint64_t len,
    uint64_t *zero);

/* What was mapped last, at [lo, hi), is not going to be used as it is. If it is
 * unmapped before anything else is mapped, it is as if it had never been:
 * (used) is the lowest mmap before. Runtimes try many places so. */
void SBX_Mm_Idle(struct sbx_mm *, uint64_t lo, uint64_t hi, uint64_t used);

/* [lo, hi), which has just been mapped, is a file's: -1 if there are too many
 * mappings. */
int SBX_Mm_Back(struct sbx_mm *, uint64_t lo, uint64_t hi);

/* True if something of [lo, hi) is. */
int SBX_Mm_Backed(const struct sbx_mm *, uint64_t lo, uint64_t hi);

/* Give [lo, hi) back, whole pages, any mixture of mapped and not. Returns -1
 * if there are too many mappings. */
int SBX_Mm_Unmap(struct sbx_mm *, uint64_t lo, uint64_t hi);

/* True if nothing is mapped in [lo, hi), and it is in the arena. */
int SBX_Mm_Free(const struct sbx_mm *, uint64_t lo, uint64_t hi);

/* How far brk may grow. */
uint64_t SBX_Mm_BrkMax(const struct sbx_mm *);

#endif
