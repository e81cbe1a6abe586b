/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a guest can open, and its descriptors.
 *
 * Only regular files that the VCL author has allowed, read-only, and a few
 * devices that we play ourselves. A path is looked up by the kernel below an
 * allowed directory that is held open, with RESOLVE_BENEATH, so that neither
 * ".." nor a symbolic link leads out of it.
 */

#ifndef SBX_FILE_H_INCLUDED
#define SBX_FILE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

struct sbx_err;
struct stat;

#define SBX_FD_MAX		64	/* descriptors of a guest */
#define SBX_FILES_OPEN_MAX	16	/* of them, files: the host's, too */
#define SBX_PATH_MAX		4096

/* The allowed files of a program, opened when it is loaded. */
struct sbx_allow;

/* Open (files), a NULL-ended list of absolute paths. */
int SBX_Allow_New(const char * const *files, struct sbx_allow **,
    struct sbx_err *err);
void SBX_Allow_Destroy(struct sbx_allow **);

/* Let the program read its own file, too, if it can be opened. Once. */
void SBX_Allow_Own(struct sbx_allow *, const char *path);

/* True if a program may read (path), which is absolute. */
int SBX_Allow_Has(const struct sbx_allow *, const char *path);

/*
 * Read all of an allowed file, up to (max) bytes, into memory from calloc(),
 * the caller's. Returns 0, or a negative errno: -ENOENT if it is not there or
 * not allowed.
 */
int SBX_Allow_Read(const struct sbx_allow *, const char *path, size_t max,
    void **b, size_t *len);

enum sbx_ofd_e {
	SBX_OFD_NONE = 0,
	SBX_OFD_INPUT,		/* standard input: always at its end */
	SBX_OFD_OUTPUT,		/* standard output, to the log */
	SBX_OFD_ERROR,		/* standard error, to the log */
	SBX_OFD_NULL,		/* /dev/null */
	SBX_OFD_ZERO,		/* /dev/zero */
	SBX_OFD_RANDOM,		/* /dev/random, /dev/urandom */
	SBX_OFD_FILE,		/* a file of the host */
};

/* A file of the host, held open by all that refer to it. */
struct sbx_file;

/* An open file description: what dup() shares. */
struct sbx_ofd {
	enum sbx_ofd_e		kind;
	unsigned		refs;		/* descriptors */
	int			flags;		/* of F_GETFL */
	int64_t			pos;
	struct sbx_file		*file;
};

struct sbx_fd {
	uint8_t			used;
	uint8_t			cloexec;
	uint16_t		ofd;
};

struct sbx_files {
	unsigned		magic;
#define SBX_FILES_MAGIC		0x2be50f4d
	int			changed;	/* since the snapshot */
	const struct sbx_allow	*allow;
	struct sbx_fd		fd[SBX_FD_MAX];
	struct sbx_ofd		ofd[SBX_FD_MAX];
};

/* Descriptors 0, 1 and 2 and nothing else. */
void SBX_Files_Init(struct sbx_files *, const struct sbx_allow *);

/* Close everything. */
void SBX_Files_Fini(struct sbx_files *);

/* (to), which has been initialised, becomes what (from) is. */
void SBX_Files_Copy(struct sbx_files *to, const struct sbx_files *from);

/* These return a descriptor or 0, or a negative errno as Linux would. */
int SBX_Files_Open(struct sbx_files *, const char *path, int flags);
int SBX_Files_Close(struct sbx_files *, uint64_t fd);
int SBX_Files_Dup(struct sbx_files *, uint64_t fd, unsigned lowest,
    int cloexec);
int SBX_Files_DupTo(struct sbx_files *, uint64_t fd, uint64_t to,
    int cloexec);

/* The description behind a descriptor, or NULL. */
struct sbx_ofd *SBX_Files_Get(struct sbx_files *, uint64_t fd);
struct sbx_fd *SBX_Files_Fd(struct sbx_files *, uint64_t fd);

/* Size in bytes, and contents, of a SBX_OFD_FILE. Pread as pread(2), with a
 * negative errno. */
int64_t SBX_Ofd_Size(const struct sbx_ofd *);
int64_t SBX_Ofd_Pread(const struct sbx_ofd *, void *, uint64_t len,
    uint64_t off);

/* What fstat() says about it, as far as a guest may know. */
void SBX_Ofd_Stat(const struct sbx_ofd *, struct stat *);

#endif
