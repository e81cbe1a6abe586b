/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files in /proc and /sys, as far as C libraries and run times read them. They
 * tell of the VM and the program in it, and nothing of the host but its CPU.
 */

#ifndef SBX_PROCFS_H_INCLUDED
#define SBX_PROCFS_H_INCLUDED

#include <stdint.h>

struct sbx_proc;

/* Bytes of one of them, at most. */
#define SBX_PROCFS_MAX		32768

/* The number of the file at an absolute path, or -1. */
int SBX_Procfs_Find(const char *path);

/* True if there is one below (path), or a device: it is a directory. */
int SBX_Procfs_Above(const char *path);

/* As pread(2); each call makes the text anew. A negative errno if it fails. */
int64_t SBX_Procfs_Pread(struct sbx_proc *, unsigned node, void *,
    uint64_t len, uint64_t off);

#endif
