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
 * A program can be reloaded: what its file is by now is started anew, beside
 * the one that serves, and takes its place when it is ready. All who have a
 * reference get the new one, since it is one program. It keeps its pool.
 *
 * Open, Close, Warm and Cool may be called by one thread at a time only; in
 * varnishd that is the CLI thread. The other functions may be called by any
 * thread that knows of a reference.
 */

#ifndef SBX_PROGRAM_H_INCLUDED
#define SBX_PROGRAM_H_INCLUDED

#include <stdint.h>

#include "base/err.h"

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
	const char		*probe_url;	/* or NULL: no probe */
	const char		*core_dir;	/* absolute; NULL: no cores */
#define LIMIT(type, name, unit, dflt, min, max, text)	type name;
#include "tbl/limits.h"
};

/* Fill (cfg) with the defaults; path is NULL, and the lists are empty. */
void SBX_Program_Defaults(struct sbx_program_cfg *);

/*
 * Check the configuration, load the file, start the program, wait until it
 * says that it is ready, freeze it and send it the probe; or take a reference
 * on one that is there already. Blocks for up to boot_timeout, and
 * request_timeout with a probe. Returns -1 and fills (err),
 * with one sentence that names the file, the cause and a remedy, and with the
 * last lines that the guest wrote.
 */
int SBX_Program_Open(const struct sbx_program_cfg *, struct sbx_program **,
    struct sbx_err *err);

/* Give the reference back. *(prg) is NULL afterwards. */
void SBX_Program_Close(struct sbx_program **prg);

/*
 * Count users that want to serve. The first Warm creates the minimum of VMs, or
 * as many as a program with the same configuration and another file has, as far
 * as a second suffices, and starts the pool's upkeep thread; the last Cool
 * stops that thread and destroys the VMs, the golden image stays. Warm returns
 * -1 and fills (err) if not one VM could be created. No VM may be borrowed at
 * the last Cool.
 */
int SBX_Program_Warm(struct sbx_program *, struct sbx_err *err);
void SBX_Program_Cool(struct sbx_program *);

/*
 * Reloading. It happens on a thread of its own; one that is asked for while
 * another goes on follows that one, once, however many ask for it. What comes
 * of it is told to (tell), on that thread, for the one who asked last. If all
 * references are given back meanwhile it is given up.
 */

/* Whose reload it is, for the log, with its NUL. */
#define SBX_WHO_MAX		128

struct sbx_reload {
	const char		*who;
	const char		*path;
	const struct sbx_err	*err;		/* why it failed, or NULL */
	unsigned		generation;	/* that serves now */
	uint64_t		vms;		/* that were ready by then */
	double			boot;		/* seconds until ready */
	double			time;		/* seconds, all told */
};

typedef void sbx_reload_f(const struct sbx_reload *);

/* Ask for it, and do not wait. (who) is copied. Returns -1 and fills (err) if
 * there can be no thread; (tell) is not called then. */
int SBX_Program_Reload(struct sbx_program *, const char *who,
    sbx_reload_f *tell, struct sbx_err *err);

/* What is serving, and what became of the last reload. */
struct sbx_program_info {
	unsigned		generation;	/* 1, 2 after a reload, and so on */
	double			since;		/* when it began to serve, UTC */
	double			file_time;	/* when its file was written, UTC */
	int			reloading;	/* asked for, or going on */
	double			failed;		/* when, UTC, or 0: it did not */
	char			error[SBX_ERR_MAX]; /* or empty: it did not */
};

void SBX_Program_Info(struct sbx_program *, struct sbx_program_info *);

/* The pool, valid as long as the reference is. */
struct sbx_pool *SBX_Program_Pool(const struct sbx_program *);

/* The configuration as it is in force. */
const struct sbx_program_cfg *SBX_Program_Cfg(const struct sbx_program *);

#endif
