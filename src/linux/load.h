/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Putting a program into the memory of its boot machine.
 *
 * Physically, behind the host's 64 KB: page tables, segments, stack, request
 * window, arena. Virtually: segments where they were linked to be, the dynamic
 * linker's behind them, then arena (brk, mmap), stack, request window, with
 * unmapped pages in between.
 */

#ifndef SBX_LOAD_H_INCLUDED
#define SBX_LOAD_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

struct sbx_elf;
struct sbx_err;
struct sbx_gmem;
struct sbx_kvm;
struct sbx_layout;
struct sbx_symbols;

struct sbx_load {
	const void		*file;		/* what (elf) was made from */
	const struct sbx_elf	*elf;
	const void		*interp_file;	/* of a dynamic program, NULL: */
	const struct sbx_elf	*interp;	/* it is static */
	const char		*path;		/* argv[0] */
	const char		*execfn;	/* AT_EXECFN */
	const char * const	*argv;		/* from argv[1], NULL ended */
	const char * const	*envp;
	uint64_t		body_max;	/* largest request body */
	int			exec;		/* it may make code */
	const struct sbx_symbols *symbols;	/* or NULL */
};

/* Where an interpreter goes, which is position independent: behind the program,
 * with unmapped pages in between. */
uint64_t SBX_Load_InterpBase(const struct sbx_elf *);

/* Bytes of arguments and environment together, pointers included. */
#define SBX_LOAD_ARGS_MAX	65536

/*
 * Fill (gm), which is all zeroes, and (layout). Returns -1 and fills (err) if
 * the memory does not suffice, saying how much is needed.
 */
int SBX_Load(const struct sbx_kvm *, struct sbx_gmem *,
    const struct sbx_load *, struct sbx_layout *, struct sbx_err *err);

#endif
