/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program: an executable file, started once and frozen, and its pool.
 *
 * Programs with the same file and the same configuration are one and the same:
 * opening one again gives a reference. That is what lets a new VCL take over
 * the golden image and the warm VMs of the one that it replaces.
 *
 * Open, Close, Warm and Cool may be called by one thread at a time only; in
 * varnishd that is the CLI thread.
 */

#ifndef SBX_PROGRAM_H_INCLUDED
#define SBX_PROGRAM_H_INCLUDED

#include <stdint.h>

struct sbx_err;
struct sbx_pool;
struct sbx_program;

/* Everything is copied by SBX_Program_Open(). Sizes in bytes, times in
 * seconds. tbl/limits.h has the defaults and the allowed ranges. */
struct sbx_program_cfg {
	const char		*path;		/* absolute */
	const char * const	*argv;		/* argv[1] and on, NULL ended;
						 * argv[0] is path */
	const char * const	*envp;		/* "NAME=value", NULL ended */
	const char * const	*files;		/* absolute, NULL ended; may
						 * be read; a directory means
						 * all that is below it */
#define LIMIT(type, name, unit, dflt, min, max, text)	type name;
#include "tbl/limits.h"
};

/* Fill (cfg) with the defaults; path is NULL, and the lists are empty. */
void SBX_Program_Defaults(struct sbx_program_cfg *);

/*
 * Check the configuration, load the file, start the program, wait until it
 * says that it is ready, and freeze it; or take a reference on one that is
 * there already. Blocks for up to boot_timeout. Returns -1 and fills (err),
 * with one sentence that names the file, the cause and a remedy, and with the
 * last lines that the guest wrote.
 */
int SBX_Program_Open(const struct sbx_program_cfg *, struct sbx_program **,
    struct sbx_err *err);

/* Give the reference back. *(prg) is NULL afterwards. */
void SBX_Program_Close(struct sbx_program **prg);

/*
 * Count users that want to serve. The first Warm creates the minimum of VMs,
 * as far as a second suffices, and starts the pool's upkeep thread; the last Cool stops that thread and
 * destroys the VMs, the golden image stays. Warm returns -1 and fills (err) if
 * not one VM could be created. No VM may be borrowed at the last Cool.
 */
int SBX_Program_Warm(struct sbx_program *, struct sbx_err *err);
void SBX_Program_Cool(struct sbx_program *);

/* The pool, valid as long as the reference is. */
struct sbx_pool *SBX_Program_Pool(const struct sbx_program *);

/* The configuration as it is in force. */
const struct sbx_program_cfg *SBX_Program_Cfg(const struct sbx_program *);

#endif
