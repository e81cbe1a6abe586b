/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a guest can open, and its descriptors: files of the host's that are
 * allowed (allow.h), /tmp (tmpfs.h), text that we make up (procfs.h), and a few
 * devices that we play ourselves.
 */

#ifndef SBX_FILE_H_INCLUDED
#define SBX_FILE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "linux/allow.h"
#include "linux/tmpfs.h"

#define SBX_FD_MAX		64	/* descriptors of a guest */
#define SBX_FILES_OPEN_MAX	16	/* of them, files: the host's, too */
#define SBX_PATH_MAX		4096

enum sbx_ofd_e {
	SBX_OFD_NONE = 0,
	SBX_OFD_INPUT,		/* standard input: always at its end */
	SBX_OFD_OUTPUT,		/* standard output, to the log */
	SBX_OFD_ERROR,		/* standard error, to the log */
	SBX_OFD_NULL,		/* /dev/null */
	SBX_OFD_ZERO,		/* /dev/zero */
	SBX_OFD_RANDOM,		/* /dev/random, /dev/urandom */
	/* channel.h, in this order: */
	SBX_OFD_PIPE_IN,	/* what is read from */
	SBX_OFD_PIPE_OUT,
	SBX_OFD_SOCKET,		/* an end of socketpair() */
	SBX_OFD_EVENT,
	SBX_OFD_TIMER,
	SBX_OFD_EPOLL,
	/* what can be sought in: */
	SBX_OFD_FILE,		/* a file of the host */
	SBX_OFD_DIR,		/* a directory of the host */
	SBX_OFD_TMP,		/* a file or directory in /tmp */
	SBX_OFD_TEXT,		/* made up, see procfs.h */
};

/* An open file description: what dup() shares. */
struct sbx_ofd {
	enum sbx_ofd_e		kind;
	unsigned		refs;		/* descriptors */
	int			flags;		/* of F_GETFL */
	unsigned		node;		/* TMP: see tmpfs.h; TEXT;
						 * channel.h */
	int64_t			pos;
	struct sbx_file		*file;		/* FILE, DIR */
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
	char			cwd[SBX_PATH_MAX]; /* "" is "/" */
	struct sbx_tmp		tmp;		/* has its own (changed) */
};

/* Descriptors 0, 1 and 2 and nothing else; /tmp is empty. */
void SBX_Files_Init(struct sbx_files *, const struct sbx_allow *);

/* Close everything. */
void SBX_Files_Fini(struct sbx_files *);

/* (to), which has been initialised, becomes what (from) is, as far as it has
 * changed. */
void SBX_Files_Copy(struct sbx_files *to, const struct sbx_files *from);
void SBX_Files_Reset(struct sbx_files *to, const struct sbx_files *from);

/* These return a descriptor or 0, or a negative errno as Linux would. A path is
 * absolute, without "//", "." and "..". */
int SBX_Files_Open(struct sbx_files *, const char *path, int flags);
int SBX_Files_Close(struct sbx_files *, uint64_t fd);
int SBX_Files_Dup(struct sbx_files *, uint64_t fd, unsigned lowest,
    int cloexec);
int SBX_Files_DupTo(struct sbx_files *, uint64_t fd, uint64_t to,
    int cloexec);

/* stat() of a path; with (nofollow) lstat(). */
int SBX_Files_Stat(const struct sbx_files *, const char *path, int nofollow,
    struct stat *);

/* The working directory becomes (path), which is one that is there: 0, or a
 * negative errno. */
int SBX_Files_Chdir(struct sbx_files *, const char *path);

/* The description behind a descriptor, or NULL. */
struct sbx_ofd *SBX_Files_Get(struct sbx_files *, uint64_t fd);
struct sbx_fd *SBX_Files_Fd(struct sbx_files *, uint64_t fd);

/* What fstat() says about it, as far as a guest may know. */
void SBX_Ofd_Stat(const struct sbx_files *, const struct sbx_ofd *,
    struct stat *);

/* True for a directory. (path), if not NULL and it is one, is its path: "" if
 * it has been removed. */
int SBX_Ofd_IsDir(const struct sbx_files *, const struct sbx_ofd *,
    char *path);

#endif
