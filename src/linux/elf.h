/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading an executable: check, then plan. Nothing is loaded here; what is
 * in the plan has been checked, and only the plan is used afterwards.
 */

#ifndef SBX_ELF_H_INCLUDED
#define SBX_ELF_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

struct sbx_err;

/* Segments that are loaded, at most. Linkers make four to six. */
#define SBX_ELF_SEGS_MAX	32

/* Where position independent programs go, always: all of a program's requests
 * run from one image. As low as others are, so that they need no page tables
 * of their own. */
#define SBX_ELF_PIE_BASE	UINT64_C(0x400000)

/* The name of an interpreter, with its NUL. */
#define SBX_ELF_INTERP_MAX	256

struct sbx_elf_seg {
	uint64_t		lo, hi;		/* whole pages */
	uint64_t		vaddr;		/* the file's bytes go here */
	uint64_t		off, len;	/* bytes in the file */
	unsigned		flags;		/* SBX_MAP_... */
};

struct sbx_elf {
	uint64_t		entry;
	uint64_t		phdr;		/* address of program headers */
	unsigned		phnum;
	unsigned		phent;
	uint64_t		base;		/* added to what the file says */
	char			interp[SBX_ELF_INTERP_MAX]; /* "": static */
	unsigned		n_seg;
	struct sbx_elf_seg	seg[SBX_ELF_SEGS_MAX]; /* ascending */
};

/*
 * Check the (len) bytes at (file), which must not change meanwhile, and make
 * the plan. (base) is where it goes if it is position independent. Returns -1
 * and fills (err) with what is wrong with the file and what to do about it.
 */
int SBX_Elf_Plan(const void *file, size_t len, uint64_t base,
    struct sbx_elf *, struct sbx_err *err);

#endif
