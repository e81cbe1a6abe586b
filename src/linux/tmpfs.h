/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * /tmp: files and directories of the program's own, in its own memory.
 *
 * What is in a file is in the arena, as if the program had mapped it, so that
 * it counts as the program's memory and is reset with it. Names and sizes are
 * here. A program that writes to that part of its arena changes its files, and
 * harms nobody else.
 *
 * Functions return a negative errno if they fail. Paths are absolute, below
 * "/tmp", without "." and "..".
 */

#ifndef SBX_TMPFS_H_INCLUDED
#define SBX_TMPFS_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

struct sbx_proc;
struct stat;

#define SBX_TMP_NODES_MAX	128	/* files and directories, /tmp too */
#define SBX_TMP_NAME_MAX	127	/* bytes of a name */

struct sbx_tmp_node {
	uint8_t			used;
	uint8_t			dir;
	uint8_t			linked;		/* has a name */
	uint8_t			refs;		/* open descriptions */
	uint8_t			parent;
	char			name[SBX_TMP_NAME_MAX + 1];
	int64_t			mtime;		/* nanoseconds */
	uint64_t		va;		/* of the bytes */
	uint64_t		size;		/* bytes; behind them zeroes */
	uint64_t		room;		/* bytes, whole pages */
};

/* Plain data: the snapshot is a copy of it. Node 0 is /tmp itself. */
struct sbx_tmp {
	unsigned		magic;
#define SBX_TMP_MAGIC		0x1d07a3f8
	int			changed;	/* since the snapshot */
	unsigned		n;		/* nodes that were ever used */
	struct sbx_tmp_node	node[SBX_TMP_NODES_MAX];
};

void SBX_Tmp_Init(struct sbx_tmp *);
void SBX_Tmp_Copy(struct sbx_tmp *to, const struct sbx_tmp *from);

/* True if (path) is /tmp or below it. */
int SBX_Tmp_Is(const char *path);

/* The node of a path. */
int SBX_Tmp_Find(const struct sbx_tmp *, const char *path);

/* Make a node, which must not be there; its directory must. */
int SBX_Tmp_Make(struct sbx_tmp *, const char *path, int dir);

/* Remove a file, or with (dir) an empty directory. A file goes on existing
 * while it is open. */
int SBX_Tmp_Remove(struct sbx_tmp *, const char *path, int dir);

int SBX_Tmp_Rename(struct sbx_tmp *, const char *from, const char *to);

/* A description of it begins and ends. */
void SBX_Tmp_Ref(struct sbx_tmp *, unsigned node);
void SBX_Tmp_Rel(struct sbx_tmp *, unsigned node);

void SBX_Tmp_Stat(const struct sbx_tmp *, unsigned node, struct stat *);

/* Write the path of a node, which has to fit. -ENOENT if it has none any more:
 * nothing is written then. */
int SBX_Tmp_Path(const struct sbx_tmp *, unsigned node, char *buf, size_t len);

/* Entries of directory (node), see SBX_File_Dents(). */
int64_t SBX_Tmp_Dents(const struct sbx_tmp *, unsigned node, int64_t *pos,
    void *buf, size_t len);

/* What is in a file. (b) may be memory of the guest's. */
int64_t SBX_Tmp_Pread(struct sbx_proc *, unsigned node, void *b, uint64_t len,
    uint64_t off);
int64_t SBX_Tmp_Pwrite(struct sbx_proc *, unsigned node, const void *b,
    uint64_t len, uint64_t off);
int64_t SBX_Tmp_Truncate(struct sbx_proc *, unsigned node, uint64_t size);

/* True if something of [lo, hi) is in a file, though the program may have given
 * it back. */
int SBX_Tmp_Has(const struct sbx_tmp *, uint64_t lo, uint64_t hi);

#endif
