/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The directory that core files of a program go to, and how many may be there.
 *
 * It is opened once, when the program is loaded: files go into that very
 * directory, whatever its path leads to later. Files that are there already
 * count, those of other processes and of earlier days, too, so that a program
 * that crashes all the time takes so much of the disk and no more; nothing is
 * ever overwritten or removed.
 *
 * Does not change once it has been made: any thread may use it.
 */

#ifndef SBX_COREDIR_H_INCLUDED
#define SBX_COREDIR_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

struct sbx_coredir;
struct sbx_err;
struct sbx_proc;
struct sbx_program_cfg;

/* Bytes of the path of a core file, with its NUL. */
#define SBX_CORE_PATH_MAX	4352

/* Entries of the directory that are looked at. One with more is full. */
#define SBX_CORE_ENTRIES_MAX	100000

/*
 * Open cfg->core_dir, which must be absolute, and check that files can be made
 * there. Returns -1 and fills (err) if not, with what to do.
 */
int SBX_Coredir_New(const struct sbx_program_cfg *, struct sbx_coredir **,
    struct sbx_err *err);
void SBX_Coredir_Destroy(struct sbx_coredir **);

/*
 * Write a core of (p), see linux/core.h for (maybe) and for who may do that.
 * (path) has SBX_CORE_PATH_MAX bytes and gets the file's. Returns 0, or 1 if
 * max_cores files are there already, or -1 and fills (err); there is no file
 * then.
 */
int SBX_Coredir_Write(const struct sbx_coredir *, struct sbx_proc *,
    const uint64_t *maybe, char *path, struct sbx_err *err);

#endif
