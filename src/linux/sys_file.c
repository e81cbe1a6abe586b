/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_file.c: files and descriptors. The working directory is "/", always.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/syscall.h"

/* As in Linux: MAX_RW_COUNT, IOV_MAX */
#define FILE_RW_MAX		UINT64_C(0x7ffff000)
#define FILE_IOV_MAX		1024

/*--------------------------------------------------------------------
 * Paths
 */

/* An absolute path from the guest: relative to "/", or -EBADF relative to a
 * descriptor, as none can be a directory. */
static int64_t
file_path(struct sbx_proc *p, uint64_t dirfd, uint64_t va, char *path)
{
	int64_t i;

	path[0] = '/';
	i = SBX_Sys_Path(p, path + 1, va);
	if (i != 0)
		return (i);
	if (path[1] == '\0')
		return (-ENOENT);
	if (path[1] == '/')
		memmove(path, path + 1, strlen(path));
	else if ((int32_t)dirfd != AT_FDCWD)
		return (-EBADF);
	return (0);
}

static int64_t
file_open(struct sbx_proc *p, uint64_t dirfd, uint64_t va, uint64_t flags)
{
	char path[SBX_PATH_MAX + 1];
	int64_t i;

	i = file_path(p, dirfd, va, path);
	if (i != 0)
		return (i);
	if (flags & O_DIRECTORY)
		return (-ENOTDIR);
	return (SBX_Files_Open(&p->files, path, (int)flags));
}

int64_t
SBX_Sys_open(struct sbx_proc *p, const uint64_t *a)
{

	return (file_open(p, (uint64_t)AT_FDCWD, a[0], a[1]));
}

int64_t
SBX_Sys_openat(struct sbx_proc *p, const uint64_t *a)
{

	return (file_open(p, a[0], a[1], a[2]));
}

/* stat() by path: open, look, close. */
static int64_t
file_stat_path(struct sbx_proc *p, uint64_t dirfd, uint64_t va,
    struct stat *st)
{
	char path[SBX_PATH_MAX + 1];
	int64_t i;

	i = file_path(p, dirfd, va, path);
	if (i != 0)
		return (i);
	if (!strcmp(path, "/")) {
		memset(st, 0, sizeof *st);
		st->st_mode = S_IFDIR | 0555;
		st->st_nlink = 1;
		return (0);
	}
	i = SBX_Files_Open(&p->files, path, O_RDONLY);
	if (i == -EISDIR) {
		memset(st, 0, sizeof *st);
		st->st_mode = S_IFDIR | 0555;
		st->st_nlink = 1;
		return (0);
	}
	if (i < 0)
		return (i);
	SBX_Ofd_Stat(SBX_Files_Get(&p->files, (uint64_t)i), st);
	return (SBX_Files_Close(&p->files, (uint64_t)i));
}

int64_t
SBX_Sys_stat(struct sbx_proc *p, const uint64_t *a)
{
	struct stat st;
	int64_t i;

	i = file_stat_path(p, (uint64_t)AT_FDCWD, a[0], &st);
	return (i != 0 ? i : SBX_Sys_Put(p, a[1], &st, sizeof st));
}

int64_t
SBX_Sys_fstat(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;
	struct stat st;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	SBX_Ofd_Stat(ofd, &st);
	return (SBX_Sys_Put(p, a[1], &st, sizeof st));
}

int64_t
SBX_Sys_newfstatat(struct sbx_proc *p, const uint64_t *a)
{
	struct stat st;
	int64_t i;
	char c;

	if ((a[3] & AT_EMPTY_PATH) && !SBX_Sys_Get(p, &c, a[1], 1) &&
	    c == '\0')
		return (SBX_Sys_fstat(p, (uint64_t[2]){ a[0], a[2] }));
	i = file_stat_path(p, a[0], a[1], &st);
	return (i != 0 ? i : SBX_Sys_Put(p, a[2], &st, sizeof st));
}

static int64_t
file_access(struct sbx_proc *p, uint64_t dirfd, uint64_t va, uint64_t mode)
{
	struct stat st;
	int64_t i;

	i = file_stat_path(p, dirfd, va, &st);
	if (i != 0)
		return (i);
	if (S_ISCHR(st.st_mode))
		return (mode & X_OK ? -EACCES : 0);
	if (mode & W_OK)
		return (-EROFS);
	return ((mode & X_OK) && !S_ISDIR(st.st_mode) ? -EACCES : 0);
}

int64_t
SBX_Sys_access(struct sbx_proc *p, const uint64_t *a)
{

	return (file_access(p, (uint64_t)AT_FDCWD, a[0], a[1]));
}

int64_t
SBX_Sys_faccessat(struct sbx_proc *p, const uint64_t *a)
{

	return (file_access(p, a[0], a[1], a[2]));
}

static int64_t
file_readlink(struct sbx_proc *p, uint64_t dirfd, uint64_t va, uint64_t to,
    uint64_t len)
{
	char path[SBX_PATH_MAX + 1];
	uint64_t l;
	int64_t i;

	i = file_path(p, dirfd, va, path);
	if (i != 0)
		return (i);
	if (strcmp(path, "/proc/self/exe"))
		return (-ENOENT);
	l = strlen(p->path);
	if (l > len)
		l = len;
	return (SBX_Sys_Put(p, to, p->path, l) ? -EFAULT : (int64_t)l);
}

int64_t
SBX_Sys_readlink(struct sbx_proc *p, const uint64_t *a)
{

	return (file_readlink(p, (uint64_t)AT_FDCWD, a[0], a[1], a[2]));
}

int64_t
SBX_Sys_readlinkat(struct sbx_proc *p, const uint64_t *a)
{

	return (file_readlink(p, a[0], a[1], a[2], a[3]));
}

int64_t
SBX_Sys_getcwd(struct sbx_proc *p, const uint64_t *a)
{

	if (a[1] < 2)
		return (-ERANGE);
	return (SBX_Sys_Put(p, a[0], "/", 2) ? -EFAULT : 2);
}

int64_t
SBX_Sys_chdir(struct sbx_proc *p, const uint64_t *a)
{
	char path[SBX_PATH_MAX + 1];
	int64_t i;

	i = file_path(p, (uint64_t)AT_FDCWD, a[0], path);
	if (i != 0)
		return (i);
	return (!strcmp(path, "/") ? 0 : -EACCES);
}

/*--------------------------------------------------------------------
 * Reading and writing
 */

/* One piece, from (*pos), which moves on. Returns the count, which is short
 * where the guest's memory is not in one piece. */
static int64_t
file_read(struct sbx_proc *p, struct sbx_ofd *ofd, uint64_t va, uint64_t len,
    int64_t *pos)
{
	uint8_t *b;
	int64_t i;

	if (ofd->kind == SBX_OFD_INPUT || ofd->kind == SBX_OFD_NULL ||
	    len == 0)
		return (0);
	if (ofd->kind == SBX_OFD_OUTPUT || ofd->kind == SBX_OFD_ERROR)
		return (-EBADF);
	if (len > SBX_SYS_CHUNK)
		len = SBX_SYS_CHUNK;
	len = SBX_Gmem_Span(SBX_Sys_Gmem(p), (sandbox_gva_t){ va }, len,
	    SBX_ACC_WRITE, &b);
	if (len == 0)
		return (-EFAULT);
	switch (ofd->kind) {
	case SBX_OFD_ZERO:
		memset(b, 0, len);
		return ((int64_t)len);
	case SBX_OFD_RANDOM:
		i = sbx_os.getrandom(b, len, 0);
		return (i < 0 ? -errno : i);
	default:
		i = SBX_Ofd_Pread(ofd, b, len, (uint64_t)*pos);
		if (i > 0)
			*pos += i;
		return (i);
	}
}

static int64_t
file_write(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{
	uint8_t *b;

	switch (ofd->kind) {
	case SBX_OFD_NULL:
	case SBX_OFD_ZERO:
	case SBX_OFD_RANDOM:
		return (len > INT64_MAX ? -EINVAL : (int64_t)len);
	case SBX_OFD_OUTPUT:
	case SBX_OFD_ERROR:
		break;
	default:
		return (-EBADF);
	}
	if (len == 0)
		return (0);
	if (len > SBX_SYS_CHUNK)
		len = SBX_SYS_CHUNK;
	len = SBX_Gmem_Span(SBX_Sys_Gmem(p), (sandbox_gva_t){ va }, len,
	    SBX_ACC_READ, &b);
	if (len == 0)
		return (-EFAULT);
	SBX_Proc_Output(p, ofd->kind == SBX_OFD_OUTPUT ? SBX_LOG_STDOUT :
	    SBX_LOG_STDERR, (const char *)b, len);
	return ((int64_t)len);
}

/* As much as there is: files do not give less than was asked for. */
static int64_t
file_read_all(struct sbx_proc *p, struct sbx_ofd *ofd, uint64_t va,
    uint64_t len, int64_t *pos)
{
	int64_t i, n = 0;

	if (len > FILE_RW_MAX)
		len = FILE_RW_MAX;
	do {
		i = file_read(p, ofd, va + (uint64_t)n, len - (uint64_t)n,
		    pos);
		if (i <= 0)
			return (n > 0 ? n : i);
		n += i;
	} while ((uint64_t)n < len && !SBX_Sys_Late(p));
	return (n);
}

static int64_t
file_write_all(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len)
{
	int64_t i, n = 0;

	if (len > FILE_RW_MAX)
		len = FILE_RW_MAX;
	do {
		i = file_write(p, ofd, va + (uint64_t)n, len - (uint64_t)n);
		if (i <= 0)
			return (n > 0 ? n : i);
		n += i;
	} while ((uint64_t)n < len && !SBX_Sys_Late(p));
	return (n);
}

int64_t
SBX_Sys_read(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	p->files.changed = 1;
	return (file_read_all(p, ofd, a[1], a[2], &ofd->pos));
}

int64_t
SBX_Sys_pread64(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_ofd *ofd;
	int64_t pos = (int64_t)a[3];

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (pos < 0)
		return (-EINVAL);
	return (file_read_all(p, ofd, a[1], a[2], &pos));
}

int64_t
SBX_Sys_write(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(&p->files, a[0]);
	return (ofd == NULL ? -EBADF : file_write_all(p, ofd, a[1], a[2]));
}

/* Both directions. Stops at the first short count, as Linux may. */
static int64_t
file_vector(struct sbx_proc *p, const uint64_t *a, int writing)
{
	struct sbx_ofd *ofd;
	struct iovec iov;
	int64_t i, n = 0;
	uint64_t u;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (a[2] > FILE_IOV_MAX)
		return (-EINVAL);
	p->files.changed = 1;
	for (u = 0; u < a[2] && !SBX_Sys_Late(p); u++) {
		if (SBX_Sys_Get(p, &iov, a[1] + u * sizeof iov, sizeof iov))
			return (n > 0 ? n : -EFAULT);
		i = writing ?
		    file_write_all(p, ofd, (uintptr_t)iov.iov_base,
		    iov.iov_len) :
		    file_read_all(p, ofd, (uintptr_t)iov.iov_base,
		    iov.iov_len, &ofd->pos);
		if (i < 0)
			return (n > 0 ? n : i);
		if (n > INT64_MAX - i)
			return (n);
		n += i;
		if ((uint64_t)i < iov.iov_len)
			break;
	}
	return (n);
}

int64_t
SBX_Sys_readv(struct sbx_proc *p, const uint64_t *a)
{

	return (file_vector(p, a, 0));
}

int64_t
SBX_Sys_writev(struct sbx_proc *p, const uint64_t *a)
{

	return (file_vector(p, a, 1));
}

int64_t
SBX_Sys_lseek(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_ofd *ofd;
	int64_t base, off = (int64_t)a[1];

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (ofd->kind != SBX_OFD_FILE)
		return (-ESPIPE);
	switch (a[2]) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = ofd->pos;
		break;
	case SEEK_END:
		base = SBX_Ofd_Size(ofd);
		break;
	default:
		return (-EINVAL);
	}
	if (off < -base || off > INT64_MAX - base)
		return (-EINVAL);
	ofd->pos = base + off;
	p->files.changed = 1;
	return (ofd->pos);
}

/*--------------------------------------------------------------------
 * Descriptors
 */

int64_t
SBX_Sys_close(struct sbx_proc *p, const uint64_t *a)
{

	return (SBX_Files_Close(&p->files, a[0]));
}

int64_t
SBX_Sys_dup(struct sbx_proc *p, const uint64_t *a)
{

	return (SBX_Files_Dup(&p->files, a[0], 0, 0));
}

int64_t
SBX_Sys_dup2(struct sbx_proc *p, const uint64_t *a)
{

	return (SBX_Files_DupTo(&p->files, a[0], a[1], 0));
}

int64_t
SBX_Sys_dup3(struct sbx_proc *p, const uint64_t *a)
{

	if (a[0] == a[1] || (a[2] & ~(uint64_t)O_CLOEXEC))
		return (-EINVAL);
	return (SBX_Files_DupTo(&p->files, a[0], a[1], a[2] != 0));
}

int64_t
SBX_Sys_fcntl(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_ofd *ofd;
	struct sbx_fd *fd;

	fd = SBX_Files_Fd(&p->files, a[0]);
	ofd = SBX_Files_Get(&p->files, a[0]);
	if (fd == NULL || ofd == NULL)
		return (-EBADF);
	switch (a[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (a[2] >= SBX_FD_MAX)
			return (-EINVAL);
		return (SBX_Files_Dup(&p->files, a[0], (unsigned)a[2],
		    a[1] == F_DUPFD_CLOEXEC));
	case F_GETFD:
		return (fd->cloexec ? FD_CLOEXEC : 0);
	case F_SETFD:
		fd->cloexec = (a[2] & FD_CLOEXEC) != 0;
		p->files.changed = 1;
		return (0);
	case F_GETFL:
		return (ofd->flags);
	case F_SETFL:
		ofd->flags = (ofd->flags & ~(O_APPEND | O_NONBLOCK)) |
		    (int)(a[2] & (O_APPEND | O_NONBLOCK));
		p->files.changed = 1;
		return (0);
	default:
		return (-EINVAL);
	}
}

/* Nothing is a terminal. */
int64_t
SBX_Sys_ioctl(struct sbx_proc *p, const uint64_t *a)
{

	return (SBX_Files_Fd(&p->files, a[0]) == NULL ? -EBADF : -ENOTTY);
}
