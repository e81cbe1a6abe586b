/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which function an address is in, for people who read why a guest was killed.
 *
 * The table is made from the very bytes that are loaded, and kept: the file may
 * have been replaced, or the worker not be allowed to read it, when it is
 * wanted. It has what is needed and no more: 16 bytes and a name for each
 * function. The files that it was made from are in it, too, with their
 * addresses, for core files.
 *
 * Libraries that a dynamic linker loads are not in it: a debugger finds these
 * by itself.
 *
 * Nothing in it changes once it has been made: any thread may read it.
 */

#ifndef SBX_SYMBOL_H_INCLUDED
#define SBX_SYMBOL_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "linux/elf.h"

struct sbx_err;
struct sbx_symbols;

/* Functions that are kept of one program, at most, and bytes of their names:
 * 6 MB together. Those in excess, the last ones of the file, have no name. A
 * static program with glibc has 2,000. */
#define SBX_SYMBOLS_MAX		((size_t)131072)
#define SBX_SYMBOLS_NAMES_MAX	((size_t)4 << 20)

/* A longer name is cut. C++ and Rust make names of hundreds of bytes. */
#define SBX_SYMBOL_NAME_MAX	120

/* Room for what SBX_Symbols_Find() and SBX_Proc_Where() say, with its NUL. */
#define SBX_SYMBOL_TEXT_MAX	(SBX_SYMBOL_NAME_MAX + 48)

/* The executable, and its dynamic linker. */
#define SBX_SYMBOLS_FILES_MAX	2

/* What of a file is where. */
struct sbx_symbols_file {
	char			*path;
	unsigned		n_seg;
	struct sbx_elf_seg	seg[SBX_ELF_SEGS_MAX];
};

/* An empty table; -1 and (err) if there is no memory. */
int SBX_Symbols_New(struct sbx_symbols **, struct sbx_err *err);
void SBX_Symbols_Destroy(struct sbx_symbols **);

/*
 * Take the names from the (len) bytes at (file), from which (elf) was made:
 * its symbol table, or if it has been stripped what is there for dynamic
 * linking. A file without any, or with one that makes no sense, has none, which
 * is not an error. Returns -1 and fills (err) if there is no memory.
 */
int SBX_Symbols_Add(struct sbx_symbols *, const void *file, size_t len,
    const struct sbx_elf *, const char *path, struct sbx_err *err);

/*
 * Write "function+0x1a" to (buf), which has (size) bytes. Nothing but printable
 * ASCII without blanks and quotes is written, whatever the file says, and no
 * more than SBX_SYMBOL_TEXT_MAX bytes. Returns 0, or -1 if it is not known what
 * is at (va); (buf) is an empty string then. (syms) may be NULL.
 */
int SBX_Symbols_Find(const struct sbx_symbols *syms, uint64_t va, char *buf,
    size_t size);

/* Files it was made from, from 0 on, NULL at the end. (syms) may be NULL. */
const struct sbx_symbols_file *SBX_Symbols_File(const struct sbx_symbols *,
    unsigned);

#endif
