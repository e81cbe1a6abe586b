/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_file.c: calls that take a descriptor.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/procfs.h"
#include "linux/syscall.h"

/* As in Linux: MAX_RW_COUNT, IOV_MAX */
#define FILE_RW_MAX		UINT64_C(0x7ffff000)
#define FILE_IOV_MAX		1024

/* <linux/close_range.h>, which is newer than some systems */
#define FILE_RANGE_UNSHARE	2
#define FILE_RANGE_CLOEXEC	4

/* Bytes of directory entries in one call. */
#define FILE_DENTS_MAX		8192

/*--------------------------------------------------------------------
 * Reading and writing
 */

static int
file_can_read(const struct sbx_ofd *ofd)
{

	return (ofd->kind != SBX_OFD_OUTPUT && ofd->kind != SBX_OFD_ERROR &&
	    (ofd->kind != SBX_OFD_TMP ||
	    (ofd->flags & O_ACCMODE) != O_WRONLY));
}

static int
file_can_write(const struct sbx_ofd *ofd)
{

	switch (ofd->kind) {
	case SBX_OFD_TMP:
		return ((ofd->flags & O_ACCMODE) != O_RDONLY);
	case SBX_OFD_NULL:
	case SBX_OFD_ZERO:
	case SBX_OFD_RANDOM:
	case SBX_OFD_OUTPUT:
	case SBX_OFD_ERROR:
		return (1);
	default:
		return (0);
	}
}

/* One piece, from (*pos), which moves on. Returns the count, which is short
 * where the guest's memory is not in one piece. */
static int64_t
file_read(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len, int64_t *pos)
{
	uint8_t *b;
	int64_t i;

	if (!file_can_read(ofd))
		return (-EBADF);
	if (SBX_Ofd_IsDir(&p->files, ofd, NULL))
		return (-EISDIR);
	if (ofd->kind == SBX_OFD_INPUT || ofd->kind == SBX_OFD_NULL ||
	    len == 0)
		return (0);
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
	case SBX_OFD_TMP:
		i = SBX_Tmp_Pread(p, ofd->node, b, len, (uint64_t)*pos);
		break;
	case SBX_OFD_TEXT:
		i = SBX_Procfs_Pread(p, ofd->node, b, len, (uint64_t)*pos);
		break;
	default:
		i = SBX_File_Pread(ofd->file, b, len, (uint64_t)*pos);
		break;
	}
	if (i > 0)
		*pos += i;
	return (i);
}

/* One piece, at (*pos), as above. */
static int64_t
file_write(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len, int64_t *pos)
{
	uint8_t *b;
	int64_t i;

	if (!file_can_write(ofd))
		return (-EBADF);
	if (ofd->kind == SBX_OFD_NULL || ofd->kind == SBX_OFD_ZERO ||
	    ofd->kind == SBX_OFD_RANDOM)
		return (len > INT64_MAX ? -EINVAL : (int64_t)len);
	if (len == 0)
		return (0);
	if (len > SBX_SYS_CHUNK)
		len = SBX_SYS_CHUNK;
	len = SBX_Gmem_Span(SBX_Sys_Gmem(p), (sandbox_gva_t){ va }, len,
	    SBX_ACC_READ, &b);
	if (len == 0)
		return (-EFAULT);
	if (ofd->kind == SBX_OFD_TMP) {
		if (ofd->flags & O_APPEND)
			*pos = (int64_t)p->files.tmp.node[ofd->node].size;
		i = SBX_Tmp_Pwrite(p, ofd->node, b, len, (uint64_t)*pos);
		if (i > 0)
			*pos += i;
		return (i);
	}
	SBX_Proc_Output(p, ofd->kind == SBX_OFD_OUTPUT ? SBX_LOG_STDOUT :
	    SBX_LOG_STDERR, (const char *)b, len);
	return ((int64_t)len);
}

/* As much as there is: files do not give less than was asked for. */
static int64_t
file_all(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len, int64_t *pos, int writing)
{
	int64_t i, n = 0;

	if (len > FILE_RW_MAX)
		len = FILE_RW_MAX;
	if (SBX_Channel_Is(ofd))
		return (writing ? SBX_Channel_Write(p, ofd, va, len) :
		    SBX_Channel_Read(p, ofd, va, len));
	do {
		i = writing ?
		    file_write(p, ofd, va + (uint64_t)n, len - (uint64_t)n,
		    pos) :
		    file_read(p, ofd, va + (uint64_t)n, len - (uint64_t)n,
		    pos);
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
	return (file_all(p, ofd, a[1], a[2], &ofd->pos, 0));
}

int64_t
SBX_Sys_write(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (ofd->kind == SBX_OFD_TMP)
		p->files.changed = 1;
	return (file_all(p, ofd, a[1], a[2], &ofd->pos, 1));
}

static int64_t
file_at(struct sbx_proc *p, const uint64_t *a, int writing)
{
	const struct sbx_ofd *ofd;
	int64_t pos = (int64_t)a[3];

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (pos < 0)
		return (-EINVAL);
	if (SBX_Channel_Is(ofd))
		return (-ESPIPE);
	if (writing && ofd->kind != SBX_OFD_TMP)
		return (file_can_write(ofd) ? -ESPIPE : -EBADF);
	return (file_all(p, ofd, a[1], a[2], &pos, writing));
}

int64_t
SBX_Sys_pread64(struct sbx_proc *p, const uint64_t *a)
{

	return (file_at(p, a, 0));
}

int64_t
SBX_Sys_pwrite64(struct sbx_proc *p, const uint64_t *a)
{

	return (file_at(p, a, 1));
}

/* Both directions. Stops at the first short count, as Linux may. */
static int64_t
file_vector(struct sbx_proc *p, const uint64_t *a, int64_t *pos, int writing)
{
	struct sbx_ofd *ofd;
	struct iovec iov;
	int64_t i, n = 0;
	uint64_t u;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (a[2] > FILE_IOV_MAX || (pos != NULL && *pos < 0))
		return (-EINVAL);
	if (pos != NULL && (SBX_Channel_Is(ofd) ||
	    (writing && ofd->kind != SBX_OFD_TMP)))
		return (-ESPIPE);
	p->files.changed = 1;
	for (u = 0; u < a[2] && !SBX_Sys_Late(p); u++) {
		if (SBX_Sys_Get(p, &iov, a[1] + u * sizeof iov, sizeof iov))
			return (n > 0 ? n : -EFAULT);
		i = file_all(p, ofd, (uintptr_t)iov.iov_base, iov.iov_len,
		    pos != NULL ? pos : &ofd->pos, writing);
		if (i < 0)
			return (n > 0 ? n : i);
		if (n > INT64_MAX - i)
			return (n);
		n += i;
		/* a channel might have to wait, when it could not say any more
		 * what it has done already */
		if ((uint64_t)i < iov.iov_len ||
		    (SBX_Channel_Is(ofd) && iov.iov_len > 0))
			break;
	}
	return (n);
}

int64_t
SBX_Sys_readv(struct sbx_proc *p, const uint64_t *a)
{

	return (file_vector(p, a, NULL, 0));
}

int64_t
SBX_Sys_writev(struct sbx_proc *p, const uint64_t *a)
{

	return (file_vector(p, a, NULL, 1));
}

int64_t
SBX_Sys_preadv(struct sbx_proc *p, const uint64_t *a)
{
	int64_t pos = (int64_t)a[3];

	return (file_vector(p, a, &pos, 0));
}

int64_t
SBX_Sys_pwritev(struct sbx_proc *p, const uint64_t *a)
{
	int64_t pos = (int64_t)a[3];

	return (file_vector(p, a, &pos, 1));
}

int64_t
SBX_Sys_lseek(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_ofd *ofd;
	struct stat st;
	int64_t base, off = (int64_t)a[1];

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (ofd->kind < SBX_OFD_FILE)
		return (-ESPIPE);
	switch (a[2]) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = ofd->pos;
		break;
	case SEEK_END:
		SBX_Ofd_Stat(&p->files, ofd, &st);
		base = st.st_size;
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
 * Files
 */

int64_t
SBX_Sys_fstat(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;
	struct stat st;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	SBX_Ofd_Stat(&p->files, ofd, &st);
	return (SBX_Sys_Put(p, a[1], &st, sizeof st));
}

int64_t
SBX_Sys_getdents64(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_ofd *ofd;
	uint8_t b[FILE_DENTS_MAX];
	int64_t i, pos;
	size_t len;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (!SBX_Ofd_IsDir(&p->files, ofd, NULL))
		return (-ENOTDIR);
	pos = ofd->pos;
	len = (uint32_t)a[2] < sizeof b ? (uint32_t)a[2] : sizeof b;
	i = ofd->kind == SBX_OFD_DIR ?
	    SBX_File_Dents(ofd->file, &pos, b, len) :
	    SBX_Tmp_Dents(&p->files.tmp, ofd->node, &pos, b, len);
	if (i > 0 && SBX_Sys_Put(p, a[1], b, (uint64_t)i))
		return (-EFAULT);
	if (i >= 0) {
		ofd->pos = pos;
		p->files.changed = 1;
	}
	return (i);
}

int64_t
SBX_Sys_ftruncate(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (ofd->kind != SBX_OFD_TMP || !file_can_write(ofd))
		return (-EINVAL);
	return (SBX_Tmp_Truncate(p, ofd->node, a[1]));
}

int64_t
SBX_Sys_fallocate(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL || !file_can_write(ofd))
		return (-EBADF);
	if (ofd->kind != SBX_OFD_TMP || a[1] != 0)
		return (-EOPNOTSUPP);
	if (a[3] == 0 || a[2] > INT64_MAX || a[3] > INT64_MAX - a[2])
		return (-EINVAL);
	if (p->files.tmp.node[ofd->node].size >= a[2] + a[3])
		return (0);
	return (SBX_Tmp_Truncate(p, ofd->node, a[2] + a[3]));
}

/* Nothing to be done about it: modes, owners, locks, what is on disk. */
int64_t
SBX_Sys_fnothing(struct sbx_proc *p, const uint64_t *a)
{

	return (SBX_Files_Fd(&p->files, a[0]) == NULL ? -EBADF : 0);
}

/* The mask that everybody has, and nobody can change. */
int64_t
SBX_Sys_umask(struct sbx_proc *p, const uint64_t *a)
{

	(void)p;
	(void)a;
	return (022);
}

/*--------------------------------------------------------------------
 * Descriptors
 */

/* There is nobody else to have a lock. */
static int64_t
file_lock(struct sbx_proc *p, const uint64_t *a)
{
	struct flock fl;

	if (SBX_Sys_Get(p, &fl, a[2], sizeof fl))
		return (-EFAULT);
	fl.l_type = F_UNLCK;
	return (a[1] == F_GETLK || a[1] == F_OFD_GETLK ?
	    SBX_Sys_Put(p, a[2], &fl, sizeof fl) : 0);
}

int64_t
SBX_Sys_close(struct sbx_proc *p, const uint64_t *a)
{
	int64_t i;

	i = SBX_Files_Close(&p->files, a[0]);
	SBX_Channel_Closed(p);
	return (i);
}

/* All from the first to the last, or only mark them. */
int64_t
SBX_Sys_close_range(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_fd *f;
	uint64_t fd, first = (uint32_t)a[0], last = (uint32_t)a[1];

	/* with what there is, it makes no difference to whom it belongs */
	if (first > last || (a[2] & ~(uint64_t)(FILE_RANGE_UNSHARE |
	    FILE_RANGE_CLOEXEC)))
		return (-EINVAL);
	for (fd = first; fd <= last && fd < SBX_FD_MAX; fd++) {
		f = SBX_Files_Fd(&p->files, fd);
		if (f == NULL)
			continue;
		if (a[2] & FILE_RANGE_CLOEXEC) {
			f->cloexec = 1;
			p->files.changed = 1;
		} else
			AZ(SBX_Files_Close(&p->files, fd));
	}
	SBX_Channel_Closed(p);
	return (0);
}

int64_t
SBX_Sys_dup(struct sbx_proc *p, const uint64_t *a)
{

	return (SBX_Files_Dup(&p->files, a[0], 0, 0));
}

/* What (a[1]) has been is closed. */
static int64_t
file_dup(struct sbx_proc *p, const uint64_t *a, int cloexec)
{
	int64_t i;

	i = SBX_Files_DupTo(&p->files, a[0], a[1], cloexec);
	SBX_Channel_Closed(p);
	return (i);
}

int64_t
SBX_Sys_dup2(struct sbx_proc *p, const uint64_t *a)
{

	return (file_dup(p, a, 0));
}

int64_t
SBX_Sys_dup3(struct sbx_proc *p, const uint64_t *a)
{

	if (a[0] == a[1] || (a[2] & ~(uint64_t)O_CLOEXEC))
		return (-EINVAL);
	return (file_dup(p, a, a[2] != 0));
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
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return (file_lock(p, a));
	default:
		return (-EINVAL);
	}
}

/* Nothing is a terminal. Another way to say O_NONBLOCK is all there is. */
int64_t
SBX_Sys_ioctl(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_ofd *ofd;
	int32_t on;

	ofd = SBX_Files_Get(&p->files, a[0]);
	if (ofd == NULL)
		return (-EBADF);
	if (a[1] != FIONBIO)
		return (-ENOTTY);
	if (SBX_Sys_Get(p, &on, a[2], sizeof on))
		return (-EFAULT);
	ofd->flags = on ? ofd->flags | O_NONBLOCK : ofd->flags & ~O_NONBLOCK;
	p->files.changed = 1;
	return (0);
}
