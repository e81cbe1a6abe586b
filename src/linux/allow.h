/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The files of the host that a program may read: regular files and directories
 * below paths that the VCL author has named, and the program's own.
 *
 * A path is looked up by the kernel below an allowed directory that is held
 * open, with RESOLVE_BENEATH, so that neither ".." nor a symbolic link leads
 * out of it. What is in /proc is not allowed by a directory above it. A link
 * that leads to another allowed path is followed here. Guests see ENOENT for
 * what they may not read: the same as for what is not there.
 *
 * Nothing here is changed once a program has been loaded, so that all of its
 * VMs can use it at the same time. Functions return a negative errno if they
 * fail.
 */

#ifndef SBX_ALLOW_H_INCLUDED
#define SBX_ALLOW_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

struct sbx_err;
struct stat;

struct sbx_allow;

/* A file or directory of the host, held open by all that refer to it. */
struct sbx_file;

/* Open (files), a NULL-ended list of absolute paths. */
int SBX_Allow_New(const char * const *files, struct sbx_allow **,
    struct sbx_err *err);
void SBX_Allow_Destroy(struct sbx_allow **);

/* Let the program read its own file, too, if it can be opened. Once. */
void SBX_Allow_Own(struct sbx_allow *, const char *path);

/* True if a program may read the file (path), which is absolute. */
int SBX_Allow_Has(const struct sbx_allow *, const char *path);

/*
 * Read all of an allowed file, up to (max) bytes, into memory from calloc(),
 * the caller's. Returns 0, or a negative errno: -ENOENT if it is not there or
 * not allowed.
 */
int SBX_Allow_Read(const struct sbx_allow *, const char *path, size_t max,
    void **b, size_t *len);

/* A reference to a file or directory, to be given back by SBX_File_Rel(). */
int SBX_Allow_Open(const struct sbx_allow *, const char *path,
    struct sbx_file **);

/* What stat() says about it, as far as a guest may know; with (nofollow)
 * lstat(). */
int SBX_Allow_Stat(const struct sbx_allow *, const char *path, int nofollow,
    struct stat *);

/* True if an allowed path is below (path): it is a directory then. */
int SBX_Allow_Above(const struct sbx_allow *, const char *path);

/* The length of what a symbolic link says, which is not NUL terminated. */
int SBX_Allow_Readlink(const struct sbx_allow *, const char *path, char *buf,
    size_t len);

/* Take "//", "." and ".." out of an absolute path, and '/' from its end. What
 * is a symbolic link is not known here; nothing is allowed by it. */
void SBX_Path_Clean(char *path);

struct sbx_file *SBX_File_Ref(struct sbx_file *);
void SBX_File_Rel(struct sbx_file **);
void SBX_File_Stat(const struct sbx_file *, struct stat *);
int SBX_File_IsDir(const struct sbx_file *);

/* Of a directory: as it was opened. */
const char *SBX_File_Path(const struct sbx_file *);

/* As pread(2), of a regular file. */
int64_t SBX_File_Pread(const struct sbx_file *, void *, uint64_t len,
    uint64_t off);

/*
 * Entries of a directory, as getdents64(2) has them, from where (*pos) says,
 * which then says where the next ones are.
 */
int64_t SBX_File_Dents(const struct sbx_file *, int64_t *pos, void *buf,
    size_t len);

#endif
