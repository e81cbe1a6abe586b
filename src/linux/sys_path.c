/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_path.c: calls that take a path.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "linux/proc.h"
#include "linux/syscall.h"

/* Types of file systems, of statfs(2) */
#define PATH_FS_TMP		0x01021994
#define PATH_FS_HOST		0xef53

#define PATH_O_TMPFILE		020000000

/*--------------------------------------------------------------------
 * Paths
 */

/* A path from the guest, made absolute and clean: 0 or a negative errno.
 * (path) has SBX_PATH_MAX bytes. */
static int64_t
path_get(struct sbx_proc *p, uint64_t dirfd, uint64_t va, char *path)
{
	const struct sbx_ofd *ofd;
	size_t l;
	int64_t i;
	char first;

	if (SBX_Sys_Get(p, &first, va, 1))
		return (-EFAULT);
	if (first == '\0')
		return (-ENOENT);
	path[0] = '\0';
	if (first != '/' && (int32_t)dirfd == AT_FDCWD)
		(void)snprintf(path, SBX_PATH_MAX, "%s", p->files.cwd);
	else if (first != '/') {
		ofd = SBX_Files_Get(&p->files, (uint32_t)dirfd);
		if (ofd == NULL)
			return (-EBADF);
		if (!SBX_Ofd_IsDir(&p->files, ofd, path))
			return (-ENOTDIR);
		if (path[0] == '\0')
			return (-ENOENT);
	}
	l = strlen(path);
	if (l + 2 > SBX_PATH_MAX)
		return (-ENAMETOOLONG);
	path[l++] = '/';
	i = SBX_Sys_Path(p, path + l, SBX_PATH_MAX - l, va);
	if (i == 0)
		SBX_Path_Clean(path);
	return (i);
}

static int
path_is_exe(const char *path)
{

	return (!strcmp(path, "/proc/self/exe") ||
	    !strcmp(path, "/proc/1/exe"));
}

/* The one link that is not the host's. */
static void
path_follow(const struct sbx_proc *p, char *path)
{

	if (path_is_exe(path))
		(void)snprintf(path, SBX_PATH_MAX, "%s", p->path);
}

static int64_t
path_stat(struct sbx_proc *p, uint64_t dirfd, uint64_t va, uint64_t flags,
    struct stat *st)
{
	const struct sbx_ofd *ofd;
	char path[SBX_PATH_MAX], c = '\0';
	int64_t i;

	if ((flags & AT_EMPTY_PATH) && (va == 0 ||
	    (!SBX_Sys_Get(p, &c, va, 1) && c == '\0'))) {
		ofd = SBX_Files_Get(&p->files, (uint32_t)dirfd);
		if (ofd == NULL)
			return (-EBADF);
		SBX_Ofd_Stat(&p->files, ofd, st);
		return (0);
	}
	i = path_get(p, dirfd, va, path);
	if (i != 0)
		return (i);
	path_follow(p, path);
	return (SBX_Files_Stat(&p->files, path,
	    (flags & AT_SYMLINK_NOFOLLOW) != 0, st));
}

/*--------------------------------------------------------------------
 * Open
 */

/* The number of a descriptor that a path stands for, or -1. */
static int
path_descriptor(const char *path)
{
	int n, end = 0;

	if (!strcmp(path, "/dev/stdin"))
		return (0);
	if (!strcmp(path, "/dev/stdout"))
		return (1);
	if (!strcmp(path, "/dev/stderr"))
		return (2);
	if (sscanf(path, "/dev/fd/%2d%n", &n, &end) != 1 || n < 0 ||
	    path[end] != '\0')
		return (-1);
	return (n);
}

static int64_t
path_open(struct sbx_proc *p, uint64_t dirfd, uint64_t va, uint64_t flags)
{
	char path[SBX_PATH_MAX];
	const struct sbx_ofd *ofd;
	int64_t i;

	if (flags & PATH_O_TMPFILE)
		return (-EOPNOTSUPP);
	i = path_get(p, dirfd, va, path);
	if (i != 0)
		return (i);
	path_follow(p, path);
	if (path_descriptor(path) >= 0)
		return (SBX_Files_Dup(&p->files,
		    (unsigned)path_descriptor(path), 0,
		    (flags & O_CLOEXEC) != 0));
	i = SBX_Files_Open(&p->files, path, (int)flags);
	if (i < 0 || !(flags & O_TRUNC))
		return (i);
	ofd = SBX_Files_Get(&p->files, (uint64_t)i);
	AN(ofd);
	if (ofd->kind == SBX_OFD_TMP && (flags & O_ACCMODE) != O_RDONLY)
		(void)SBX_Tmp_Truncate(p, ofd->node, 0);
	return (i);
}

int64_t
SBX_Sys_open(struct sbx_proc *p, const uint64_t *a)
{

	return (path_open(p, (uint64_t)AT_FDCWD, a[0], a[1]));
}

int64_t
SBX_Sys_creat(struct sbx_proc *p, const uint64_t *a)
{

	return (path_open(p, (uint64_t)AT_FDCWD, a[0],
	    O_CREAT | O_WRONLY | O_TRUNC));
}

int64_t
SBX_Sys_openat(struct sbx_proc *p, const uint64_t *a)
{

	return (path_open(p, a[0], a[1], a[2]));
}

/*--------------------------------------------------------------------
 * Look
 */

int64_t
SBX_Sys_stat(struct sbx_proc *p, const uint64_t *a)
{
	struct stat st;
	int64_t i;

	i = path_stat(p, (uint64_t)AT_FDCWD, a[0], 0, &st);
	return (i != 0 ? i : SBX_Sys_Put(p, a[1], &st, sizeof st));
}

int64_t
SBX_Sys_lstat(struct sbx_proc *p, const uint64_t *a)
{
	struct stat st;
	int64_t i;

	i = path_stat(p, (uint64_t)AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, &st);
	return (i != 0 ? i : SBX_Sys_Put(p, a[1], &st, sizeof st));
}

int64_t
SBX_Sys_newfstatat(struct sbx_proc *p, const uint64_t *a)
{
	struct stat st;
	int64_t i;

	i = path_stat(p, a[0], a[1], a[3], &st);
	return (i != 0 ? i : SBX_Sys_Put(p, a[2], &st, sizeof st));
}

static struct statx_timestamp
path_time(const struct timespec *ts)
{
	struct statx_timestamp t;

	memset(&t, 0, sizeof t);
	t.tv_sec = ts->tv_sec;
	t.tv_nsec = (uint32_t)ts->tv_nsec;
	return (t);
}

int64_t
SBX_Sys_statx(struct sbx_proc *p, const uint64_t *a)
{
	struct stat st;
	struct statx sx;
	int64_t i;

	i = path_stat(p, a[0], a[1], a[2], &st);
	if (i != 0)
		return (i);
	memset(&sx, 0, sizeof sx);
	sx.stx_mask = STATX_BASIC_STATS;
	sx.stx_blksize = (uint32_t)st.st_blksize;
	sx.stx_nlink = (uint32_t)st.st_nlink;
	sx.stx_uid = st.st_uid;
	sx.stx_gid = st.st_gid;
	sx.stx_mode = (uint16_t)st.st_mode;
	sx.stx_ino = st.st_ino;
	sx.stx_size = (uint64_t)st.st_size;
	sx.stx_blocks = (uint64_t)st.st_blocks;
	sx.stx_atime = path_time(&st.st_atim);
	sx.stx_ctime = path_time(&st.st_ctim);
	sx.stx_mtime = path_time(&st.st_mtim);
	sx.stx_dev_major = major(st.st_dev);
	sx.stx_dev_minor = minor(st.st_dev);
	return (SBX_Sys_Put(p, a[4], &sx, sizeof sx));
}

static int64_t
path_access(struct sbx_proc *p, uint64_t dirfd, uint64_t va, uint64_t mode)
{
	struct stat st;
	int64_t i;

	i = path_stat(p, dirfd, va, 0, &st);
	if (i != 0)
		return (i);
	if ((mode & W_OK) && !(st.st_mode & 0222))
		return (-EROFS);
	return ((mode & X_OK) && !(st.st_mode & 0111) ? -EACCES : 0);
}

int64_t
SBX_Sys_access(struct sbx_proc *p, const uint64_t *a)
{

	return (path_access(p, (uint64_t)AT_FDCWD, a[0], a[1]));
}

int64_t
SBX_Sys_faccessat(struct sbx_proc *p, const uint64_t *a)
{

	return (path_access(p, a[0], a[1], a[2]));
}

static const char *
path_cwd(const struct sbx_proc *p)
{

	return (p->files.cwd[0] == '\0' ? "/" : p->files.cwd);
}

/* What is a link, and what it says: its length, or a negative errno. */
static int64_t
path_link(struct sbx_proc *p, const char *path, char *buf)
{
	struct stat st;
	int64_t i;

	if (path_is_exe(path))
		return (snprintf(buf, SBX_PATH_MAX, "%s", p->path));
	if (!strcmp(path, "/proc/self/cwd"))
		return (snprintf(buf, SBX_PATH_MAX, "%s", path_cwd(p)));
	if (!strcmp(path, "/proc/self/root"))
		return (snprintf(buf, SBX_PATH_MAX, "/"));
	if (!strcmp(path, "/proc/self"))
		return (snprintf(buf, SBX_PATH_MAX, "1"));
	i = SBX_Allow_Readlink(p->files.allow, path, buf, SBX_PATH_MAX);
	if (i == -ENOENT && !SBX_Files_Stat(&p->files, path, 1, &st))
		return (-EINVAL);
	return (i);
}

static int64_t
path_readlink(struct sbx_proc *p, uint64_t dirfd, uint64_t va, uint64_t to,
    uint64_t len)
{
	char path[SBX_PATH_MAX], buf[SBX_PATH_MAX];
	int64_t i;

	i = path_get(p, dirfd, va, path);
	if (i != 0)
		return (i);
	i = path_link(p, path, buf);
	if (i < 0)
		return (i);
	if (i >= SBX_PATH_MAX)
		i = SBX_PATH_MAX - 1;
	if ((uint64_t)i > len)
		i = (int64_t)len;
	return (SBX_Sys_Put(p, to, buf, (uint64_t)i) ? -EFAULT : i);
}

int64_t
SBX_Sys_readlink(struct sbx_proc *p, const uint64_t *a)
{

	return (path_readlink(p, (uint64_t)AT_FDCWD, a[0], a[1], a[2]));
}

int64_t
SBX_Sys_readlinkat(struct sbx_proc *p, const uint64_t *a)
{

	return (path_readlink(p, a[0], a[1], a[2], a[3]));
}

int64_t
SBX_Sys_getcwd(struct sbx_proc *p, const uint64_t *a)
{
	const char *cwd = path_cwd(p);
	size_t l = strlen(cwd) + 1;

	if (a[1] < l)
		return (-ERANGE);
	return (SBX_Sys_Put(p, a[0], cwd, l) ? -EFAULT : (int64_t)l);
}

int64_t
SBX_Sys_chdir(struct sbx_proc *p, const uint64_t *a)
{
	char path[SBX_PATH_MAX];
	int64_t i;

	i = path_get(p, (uint64_t)AT_FDCWD, a[0], path);
	if (i != 0)
		return (i);
	return (SBX_Files_Chdir(&p->files, path));
}

int64_t
SBX_Sys_fchdir(struct sbx_proc *p, const uint64_t *a)
{
	char path[SBX_PATH_MAX];
	const struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (!SBX_Ofd_IsDir(&p->files, ofd, path))
		return (-ENOTDIR);
	return (path[0] == '\0' ? -ENOENT : SBX_Files_Chdir(&p->files, path));
}

static int64_t
path_statfs(struct sbx_proc *p, int tmp, uint64_t va)
{
	struct statfs sf;

	memset(&sf, 0, sizeof sf);
	sf.f_type = tmp ? PATH_FS_TMP : PATH_FS_HOST;
	sf.f_bsize = sf.f_frsize = SBX_PAGE;
	sf.f_blocks = (p->mm.hi - p->mm.lo) / SBX_PAGE;
	if (tmp)
		sf.f_bfree = sf.f_bavail =
		    (SBX_Mm_BrkMax(&p->mm) - p->mm.brk) / SBX_PAGE;
	sf.f_files = SBX_TMP_NODES_MAX;
	sf.f_namelen = SBX_TMP_NAME_MAX;
	sf.f_flags = tmp ? 0 : 1;	/* ST_RDONLY */
	return (SBX_Sys_Put(p, va, &sf, sizeof sf));
}

int64_t
SBX_Sys_statfs(struct sbx_proc *p, const uint64_t *a)
{
	char path[SBX_PATH_MAX];
	struct stat st;
	int64_t i;

	i = path_get(p, (uint64_t)AT_FDCWD, a[0], path);
	if (i == 0)
		i = SBX_Files_Stat(&p->files, path, 0, &st);
	return (i != 0 ? i : path_statfs(p, SBX_Tmp_Is(path), a[1]));
}

int64_t
SBX_Sys_fstatfs(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(&p->files, a[0]);
	return (ofd == NULL ? -EBADF :
	    path_statfs(p, ofd->kind == SBX_OFD_TMP, a[1]));
}

/*--------------------------------------------------------------------
 * Change: in /tmp only
 */

/* A path in /tmp, or why nothing can be changed there: (made) if it need not
 * exist. */
static int64_t
path_get_tmp(struct sbx_proc *p, uint64_t dirfd, uint64_t va, int made,
    char *path)
{
	struct stat st;
	int64_t i;

	i = path_get(p, dirfd, va, path);
	if (i != 0)
		return (i);
	i = SBX_Files_Stat(&p->files, path, 1, &st);
	if (i != 0 && i != -ENOENT)
		return (i);
	if (SBX_Tmp_Is(path) && (i != 0 || (st.st_mode & 0222)))
		return (0);
	return (i == 0 && made ? -EEXIST : i == 0 || made ? -EROFS : -ENOENT);
}

static int64_t
path_mkdir(struct sbx_proc *p, uint64_t dirfd, uint64_t va)
{
	char path[SBX_PATH_MAX];
	int64_t i;

	i = path_get_tmp(p, dirfd, va, 1, path);
	if (i == 0)
		i = SBX_Tmp_Make(&p->files.tmp, path, 1);
	return (i > 0 ? 0 : i);
}

int64_t
SBX_Sys_mkdir(struct sbx_proc *p, const uint64_t *a)
{

	return (path_mkdir(p, (uint64_t)AT_FDCWD, a[0]));
}

int64_t
SBX_Sys_mkdirat(struct sbx_proc *p, const uint64_t *a)
{

	return (path_mkdir(p, a[0], a[1]));
}

static int64_t
path_remove(struct sbx_proc *p, uint64_t dirfd, uint64_t va, int dir)
{
	char path[SBX_PATH_MAX];
	int64_t i;

	i = path_get_tmp(p, dirfd, va, 0, path);
	return (i != 0 ? i : SBX_Tmp_Remove(&p->files.tmp, path, dir));
}

int64_t
SBX_Sys_unlink(struct sbx_proc *p, const uint64_t *a)
{

	return (path_remove(p, (uint64_t)AT_FDCWD, a[0], 0));
}

int64_t
SBX_Sys_rmdir(struct sbx_proc *p, const uint64_t *a)
{

	return (path_remove(p, (uint64_t)AT_FDCWD, a[0], 1));
}

int64_t
SBX_Sys_unlinkat(struct sbx_proc *p, const uint64_t *a)
{

	if (a[2] & ~(uint64_t)AT_REMOVEDIR)
		return (-EINVAL);
	return (path_remove(p, a[0], a[1], a[2] != 0));
}

static int64_t
path_rename(struct sbx_proc *p, const uint64_t *from, const uint64_t *to)
{
	char old[SBX_PATH_MAX], new[SBX_PATH_MAX];
	int64_t i;

	i = path_get_tmp(p, from[0], from[1], 0, old);
	if (i == 0)
		i = path_get_tmp(p, to[0], to[1], 1, new);
	return (i != 0 ? i : SBX_Tmp_Rename(&p->files.tmp, old, new));
}

int64_t
SBX_Sys_rename(struct sbx_proc *p, const uint64_t *a)
{

	return (path_rename(p, (uint64_t[2]){ (uint64_t)AT_FDCWD, a[0] },
	    (uint64_t[2]){ (uint64_t)AT_FDCWD, a[1] }));
}

int64_t
SBX_Sys_renameat(struct sbx_proc *p, const uint64_t *a)
{

	return (path_rename(p, a, a + 2));
}

int64_t
SBX_Sys_renameat2(struct sbx_proc *p, const uint64_t *a)
{

	return (a[4] != 0 ? -EINVAL : path_rename(p, a, a + 2));
}

int64_t
SBX_Sys_truncate(struct sbx_proc *p, const uint64_t *a)
{
	char path[SBX_PATH_MAX];
	int64_t i;

	i = path_get_tmp(p, (uint64_t)AT_FDCWD, a[0], 0, path);
	if (i == 0)
		i = SBX_Tmp_Find(&p->files.tmp, path);
	return (i < 0 ? i : SBX_Tmp_Truncate(p, (unsigned)i, a[1]));
}

/* Owners, modes and times: nothing to be kept, but it has to be there. */
static int64_t
path_set(struct sbx_proc *p, uint64_t dirfd, uint64_t va)
{
	char path[SBX_PATH_MAX];

	if (va == 0)
		return (SBX_Files_Get(&p->files, dirfd) == NULL ? -EBADF : 0);
	return (path_get_tmp(p, dirfd, va, 0, path));
}

int64_t
SBX_Sys_chmod(struct sbx_proc *p, const uint64_t *a)
{

	return (path_set(p, (uint64_t)AT_FDCWD, a[0]));
}

int64_t
SBX_Sys_fchmodat(struct sbx_proc *p, const uint64_t *a)
{

	return (path_set(p, a[0], a[1]));
}
