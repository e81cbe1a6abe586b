/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What execve() does before anything is loaded: which files make up a program.
 *
 * A script is run by the interpreter in its first line, a dynamic executable
 * is started by the dynamic linker that it names. Both have to be files that
 * the program may read.
 */

#ifndef SBX_EXEC_H_INCLUDED
#define SBX_EXEC_H_INCLUDED

#include <stddef.h>

#include "linux/elf.h"

struct sbx_allow;
struct sbx_err;

/* Bytes of the first line of a script, as Linux. */
#define SBX_EXEC_LINE_MAX	256

/* Bytes of an interpreter or dynamic linker. */
#define SBX_EXEC_FILE_MAX	((size_t)256 << 20)

struct sbx_exec {
	unsigned		magic;
#define SBX_EXEC_MAGIC		0x3e9a60d4
	const char		*path;		/* of the program */
	const char * const	*envp;
	const struct sbx_allow	*allow;
	char			line[SBX_EXEC_LINE_MAX + 1];
	const char		*exe;		/* the executable: argv[0] */
	const char		**argv;		/* from argv[1], NULL ended */
	const void		*file;		/* the executable's bytes */
	size_t			file_len;
	void			*script_file;	/* or NULL: the interpreter */
	void			*linker_file;	/* or NULL: static */
	size_t			linker_len;
	struct sbx_elf		elf;
	struct sbx_elf		linker;
};

/*
 * Find out what has to be loaded for the (len) bytes at (file), which are those
 * of (path) and stay the caller's, as everything else that is handed in does.
 * Returns -1 and fills (err) with what is wrong, or missing, and what to do.
 */
int SBX_Exec_Init(struct sbx_exec *, const void *file, size_t len,
    const char *path, const char * const *argv, const char * const *envp,
    const struct sbx_allow *, struct sbx_err *err);
void SBX_Exec_Fini(struct sbx_exec *);

/*
 * What the executable is linked with and may not read, as a sentence that
 * begins with "; " and says what to do; "" if there is nothing. For when a
 * dynamic linker has given up.
 */
void SBX_Exec_Missing(const struct sbx_exec *, char *buf, size_t len);

#endif
