/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * file.c: descriptors, and what is behind a path.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "linux/file.h"
#include "linux/procfs.h"
#include "machine/layout.h"

/*--------------------------------------------------------------------
 * Descriptors
 */

static void
files_std(struct sbx_files *fs, unsigned fd, enum sbx_ofd_e kind, int flags)
{

	fs->fd[fd].used = 1;
	fs->fd[fd].ofd = (uint16_t)fd;
	fs->ofd[fd].kind = kind;
	fs->ofd[fd].refs = 1;
	fs->ofd[fd].flags = flags;
}

void
SBX_Files_Init(struct sbx_files *fs, const struct sbx_allow *allow)
{

	AN(fs);
	memset(fs, 0, offsetof(struct sbx_files, tmp));
	fs->magic = SBX_FILES_MAGIC;
	fs->allow = allow;
	SBX_Tmp_Init(&fs->tmp);
	files_std(fs, 0, SBX_OFD_INPUT, O_RDONLY);
	files_std(fs, 1, SBX_OFD_OUTPUT, O_WRONLY);
	files_std(fs, 2, SBX_OFD_ERROR, O_WRONLY);
}

void
SBX_Files_Fini(struct sbx_files *fs)
{
	unsigned u;

	CHECK_OBJ_NOTNULL(fs, SBX_FILES_MAGIC);
	for (u = 0; u < SBX_FD_MAX; u++)
		if (fs->ofd[u].file != NULL)
			SBX_File_Rel(&fs->ofd[u].file);
	memset(fs, 0, offsetof(struct sbx_files, tmp));
}

static void
files_copy(struct sbx_files *to, const struct sbx_files *from)
{
	unsigned u;

	for (u = 0; u < SBX_FD_MAX; u++)
		if (to->ofd[u].file != NULL)
			SBX_File_Rel(&to->ofd[u].file);
	memcpy(to->fd, from->fd, sizeof to->fd);
	memcpy(to->ofd, from->ofd, sizeof to->ofd);
	memcpy(to->cwd, from->cwd, strlen(from->cwd) + 1);
	for (u = 0; u < SBX_FD_MAX; u++)
		if (to->ofd[u].file != NULL)
			(void)SBX_File_Ref(to->ofd[u].file);
	to->changed = 0;
}

void
SBX_Files_Copy(struct sbx_files *to, const struct sbx_files *from)
{

	CHECK_OBJ_NOTNULL(to, SBX_FILES_MAGIC);
	CHECK_OBJ_NOTNULL(from, SBX_FILES_MAGIC);
	to->allow = from->allow;
	files_copy(to, from);
	SBX_Tmp_Copy(&to->tmp, &from->tmp);
}

void
SBX_Files_Reset(struct sbx_files *to, const struct sbx_files *from)
{

	CHECK_OBJ_NOTNULL(to, SBX_FILES_MAGIC);
	CHECK_OBJ_NOTNULL(from, SBX_FILES_MAGIC);
	if (to->changed)
		files_copy(to, from);
	if (to->tmp.changed)
		SBX_Tmp_Copy(&to->tmp, &from->tmp);
}

struct sbx_fd *
SBX_Files_Fd(struct sbx_files *fs, uint64_t fd)
{

	CHECK_OBJ_NOTNULL(fs, SBX_FILES_MAGIC);
	if (fd >= SBX_FD_MAX || !fs->fd[fd].used)
		return (NULL);
	return (&fs->fd[fd]);
}

struct sbx_ofd *
SBX_Files_Get(struct sbx_files *fs, uint64_t fd)
{
	struct sbx_fd *f;

	f = SBX_Files_Fd(fs, fd);
	return (f == NULL ? NULL : &fs->ofd[f->ofd]);
}

static int
files_slot(const struct sbx_files *fs, unsigned lowest)
{
	unsigned u;

	for (u = lowest; u < SBX_FD_MAX; u++)
		if (!fs->fd[u].used)
			return ((int)u);
	return (-EMFILE);
}

static enum sbx_ofd_e
files_device(const char *path)
{

	if (!strcmp(path, "/dev/null"))
		return (SBX_OFD_NULL);
	if (!strcmp(path, "/dev/zero"))
		return (SBX_OFD_ZERO);
	if (!strcmp(path, "/dev/random") || !strcmp(path, "/dev/urandom"))
		return (SBX_OFD_RANDOM);
	return (SBX_OFD_NONE);
}

static unsigned
files_held(const struct sbx_files *fs)
{
	unsigned u, n = 0;

	for (u = 0; u < SBX_FD_MAX; u++)
		n += fs->ofd[u].file != NULL;
	return (n);
}

static int
files_open_host(struct sbx_files *fs, const char *path, int flags,
    struct sbx_ofd *new)
{
	int i;

	if (files_held(fs) >= SBX_FILES_OPEN_MAX)
		return (-EMFILE);
	i = SBX_Allow_Open(fs->allow, path, &new->file);
	if (i < 0)
		return (i);
	new->kind = SBX_File_IsDir(new->file) ? SBX_OFD_DIR : SBX_OFD_FILE;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		i = -EEXIST;
	else if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
		i = new->kind == SBX_OFD_DIR ? -EISDIR : -EROFS;
	else if ((flags & O_DIRECTORY) && new->kind != SBX_OFD_DIR)
		i = -ENOTDIR;
	if (i < 0)
		SBX_File_Rel(&new->file);
	return (i);
}

static int
files_open_tmp(struct sbx_files *fs, const char *path, int flags,
    struct sbx_ofd *new)
{
	int node;

	node = SBX_Tmp_Find(&fs->tmp, path);
	if (node >= 0 && (flags & O_CREAT) && (flags & O_EXCL))
		return (-EEXIST);
	if (node == -ENOENT && (flags & O_CREAT) && !(flags & O_DIRECTORY))
		node = SBX_Tmp_Make(&fs->tmp, path, 0);
	if (node < 0)
		return (node);
	if (fs->tmp.node[node].dir && ((flags & O_ACCMODE) != O_RDONLY ||
	    (flags & (O_CREAT | O_TRUNC))))
		return (-EISDIR);
	if (!fs->tmp.node[node].dir && (flags & O_DIRECTORY))
		return (-ENOTDIR);
	new->kind = SBX_OFD_TMP;
	new->node = (unsigned)node;
	return (0);
}

/* Find what (path) is. Returns 0, or a negative errno. */
static int
files_find(struct sbx_files *fs, const char *path, int flags,
    struct sbx_ofd *new)
{
	int i;

	memset(new, 0, sizeof *new);
	new->kind = files_device(path);
	if (new->kind != SBX_OFD_NONE)
		return (flags & O_DIRECTORY ? -ENOTDIR : 0);
	/* what is allowed in /tmp is seen in it */
	i = files_open_host(fs, path, flags, new);
	if (i != -ENOENT)
		return (i);
	if (SBX_Tmp_Is(path))
		return (files_open_tmp(fs, path, flags, new));
	i = SBX_Procfs_Find(path);
	if (i < 0)
		return (flags & O_CREAT ? -EROFS : -ENOENT);
	if ((flags & O_ACCMODE) != O_RDONLY)
		return (-EACCES);
	new->kind = SBX_OFD_TEXT;
	new->node = (unsigned)i;
	return (flags & O_DIRECTORY ? -ENOTDIR : 0);
}

int
SBX_Files_Open(struct sbx_files *fs, const char *path, int flags)
{
	struct sbx_ofd *ofd, new;
	int fd, i;

	CHECK_OBJ_NOTNULL(fs, SBX_FILES_MAGIC);
	fd = files_slot(fs, 0);
	if (fd < 0)
		return (fd);
	i = files_find(fs, path, flags, &new);
	if (i < 0)
		return (i);
	/* as many descriptions as descriptors, so one is free */
	for (ofd = fs->ofd; ofd < fs->ofd + SBX_FD_MAX - 1; ofd++)
		if (ofd->refs == 0)
			break;
	AZ(ofd->refs);
	new.refs = 1;
	new.flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |
	    O_CLOEXEC);
	*ofd = new;
	if (ofd->kind == SBX_OFD_TMP)
		SBX_Tmp_Ref(&fs->tmp, ofd->node);
	fs->fd[fd].used = 1;
	fs->fd[fd].cloexec = (flags & O_CLOEXEC) != 0;
	fs->fd[fd].ofd = (uint16_t)(ofd - fs->ofd);
	fs->changed = 1;
	return (fd);
}

int
SBX_Files_Close(struct sbx_files *fs, uint64_t fd)
{
	struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(fs, fd);
	if (ofd == NULL)
		return (-EBADF);
	memset(&fs->fd[fd], 0, sizeof fs->fd[fd]);
	fs->changed = 1;
	assert(ofd->refs > 0);
	if (--ofd->refs > 0)
		return (0);
	if (ofd->kind == SBX_OFD_TMP)
		SBX_Tmp_Rel(&fs->tmp, ofd->node);
	if (ofd->file != NULL)
		SBX_File_Rel(&ofd->file);
	memset(ofd, 0, sizeof *ofd);
	return (0);
}

static int
files_dup(struct sbx_files *fs, uint64_t fd, unsigned to, int cloexec)
{
	struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(fs, fd);
	AN(ofd);
	ofd->refs++;
	fs->fd[to] = fs->fd[fd];
	fs->fd[to].cloexec = cloexec != 0;
	fs->changed = 1;
	return ((int)to);
}

int
SBX_Files_Dup(struct sbx_files *fs, uint64_t fd, unsigned lowest,
    int cloexec)
{
	int to;

	if (SBX_Files_Get(fs, fd) == NULL)
		return (-EBADF);
	if (lowest >= SBX_FD_MAX)
		return (-EINVAL);
	to = files_slot(fs, lowest);
	if (to < 0)
		return (to);
	return (files_dup(fs, fd, (unsigned)to, cloexec));
}

int
SBX_Files_DupTo(struct sbx_files *fs, uint64_t fd, uint64_t to, int cloexec)
{

	if (SBX_Files_Get(fs, fd) == NULL || to >= SBX_FD_MAX)
		return (-EBADF);
	if (fd == to)
		return ((int)to);
	if (fs->fd[to].used)
		AZ(SBX_Files_Close(fs, to));
	return (files_dup(fs, fd, (unsigned)to, cloexec));
}

/*--------------------------------------------------------------------
 * Looking
 */

static void
files_stat_dir(struct stat *st)
{

	memset(st, 0, sizeof *st);
	st->st_mode = S_IFDIR | 0555;
	st->st_nlink = 1;
	st->st_blksize = SBX_PAGE;
}

static void
files_stat_device(enum sbx_ofd_e kind, struct stat *st)
{

	memset(st, 0, sizeof *st);
	st->st_mode = kind == SBX_OFD_PIPE_IN || kind == SBX_OFD_PIPE_OUT ?
	    S_IFIFO | 0600 : kind == SBX_OFD_SOCKET ? S_IFSOCK | 0777 :
	    S_IFCHR | 0666;
	st->st_nlink = 1;
	st->st_blksize = SBX_PAGE;
	st->st_ino = (ino_t)kind;
}

static void
files_stat_text(unsigned node, struct stat *st)
{

	memset(st, 0, sizeof *st);
	st->st_mode = S_IFREG | 0444;
	st->st_nlink = 1;
	st->st_blksize = SBX_PAGE;
	st->st_dev = 2;
	st->st_ino = node + 1;
}

int
SBX_Files_Stat(const struct sbx_files *fs, const char *path, int nofollow,
    struct stat *st)
{
	enum sbx_ofd_e kind;
	int i;

	CHECK_OBJ_NOTNULL(fs, SBX_FILES_MAGIC);
	kind = files_device(path);
	if (kind != SBX_OFD_NONE) {
		files_stat_device(kind, st);
		return (0);
	}
	i = SBX_Allow_Stat(fs->allow, path, nofollow, st);
	if (i != -ENOENT)
		return (i);
	if (SBX_Tmp_Is(path)) {
		i = SBX_Tmp_Find(&fs->tmp, path);
		if (i >= 0) {
			SBX_Tmp_Stat(&fs->tmp, (unsigned)i, st);
			return (0);
		}
	}
	if (i == -ENOENT && SBX_Procfs_Find(path) >= 0) {
		files_stat_text((unsigned)SBX_Procfs_Find(path), st);
		return (0);
	}
	if (i == -ENOENT && (SBX_Allow_Above(fs->allow, path) ||
	    SBX_Procfs_Above(path))) {
		files_stat_dir(st);
		return (0);
	}
	return (i);
}

int
SBX_Files_Chdir(struct sbx_files *fs, const char *path)
{
	struct stat st;
	int i;

	i = SBX_Files_Stat(fs, path, 0, &st);
	if (i != 0)
		return (i);
	if (!S_ISDIR(st.st_mode))
		return (-ENOTDIR);
	assert(strlen(path) < sizeof fs->cwd);
	(void)snprintf(fs->cwd, sizeof fs->cwd, "%s",
	    strcmp(path, "/") ? path : "");
	fs->changed = 1;
	return (0);
}

void
SBX_Ofd_Stat(const struct sbx_files *fs, const struct sbx_ofd *ofd,
    struct stat *st)
{

	CHECK_OBJ_NOTNULL(fs, SBX_FILES_MAGIC);
	AN(ofd);
	AN(st);
	switch (ofd->kind) {
	case SBX_OFD_FILE:
	case SBX_OFD_DIR:
		SBX_File_Stat(ofd->file, st);
		break;
	case SBX_OFD_TMP:
		SBX_Tmp_Stat(&fs->tmp, ofd->node, st);
		break;
	case SBX_OFD_TEXT:
		files_stat_text(ofd->node, st);
		break;
	default:
		files_stat_device(ofd->kind, st);
		break;
	}
}

int
SBX_Ofd_IsDir(const struct sbx_files *fs, const struct sbx_ofd *ofd,
    char *path)
{

	AN(ofd);
	if (ofd->kind == SBX_OFD_DIR) {
		if (path != NULL)
			(void)snprintf(path, SBX_PATH_MAX, "%s",
			    SBX_File_Path(ofd->file));
		return (1);
	}
	if (ofd->kind != SBX_OFD_TMP || !fs->tmp.node[ofd->node].dir)
		return (0);
	if (path != NULL && SBX_Tmp_Path(&fs->tmp, ofd->node, path,
	    SBX_PATH_MAX) == -ENOENT)
		path[0] = '\0';
	return (1);
}
