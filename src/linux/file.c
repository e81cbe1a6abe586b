/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * file.c: allowed files and descriptors.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/file.h"

/*--------------------------------------------------------------------
 * Files of the host. The VMs of a program share those that were open when it
 * was frozen, hence the atomic.
 */

struct sbx_file {
	unsigned		magic;
#define SBX_FILE_MAGIC		0x60c1a87e
	_Atomic unsigned	refs;
	int			fd;
	struct stat		st;
};

/*
 * Open what O_PATH descriptor (fd) stands for, now that it is known to be a
 * regular file: opening a FIFO or a device is something that others notice.
 * Takes the descriptor over, whether it works or not.
 */
static int
file_reopen(int *fd, const struct stat *st)
{
	char path[64];
	int new;

	if (!S_ISREG(st->st_mode)) {
		SBX_Os_CloseFd(fd);
		return (S_ISDIR(st->st_mode) ? -EISDIR : -EACCES);
	}
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
	new = sbx_os.open(path, O_RDONLY | O_CLOEXEC);
	if (new < 0) {
		new = -errno;
		SBX_Os_CloseFd(fd);
		return (new);
	}
	SBX_Os_CloseFd(fd);
	*fd = new;
	return (0);
}

/* Takes the O_PATH descriptor over, whether it works or not. */
static int
file_new(int fd, struct sbx_file **fp)
{
	struct sbx_file *f;
	struct stat st;
	int i;

	if (sbx_os.fstat(fd, &st) < 0) {
		i = -errno;
		SBX_Os_CloseFd(&fd);
		return (i);
	}
	i = file_reopen(&fd, &st);
	if (i < 0)
		return (i);
	SBX_ALLOC_OBJ(f, SBX_FILE_MAGIC);
	if (f == NULL) {
		SBX_Os_CloseFd(&fd);
		return (-ENOMEM);
	}
	atomic_init(&f->refs, 1);
	f->fd = fd;
	f->st = st;
	*fp = f;
	return (0);
}

static struct sbx_file *
file_ref(struct sbx_file *f)
{

	CHECK_OBJ_NOTNULL(f, SBX_FILE_MAGIC);
	(void)atomic_fetch_add(&f->refs, 1);
	return (f);
}

static void
file_rel(struct sbx_file **fp)
{
	struct sbx_file *f;

	TAKE_OBJ_NOTNULL(f, fp, SBX_FILE_MAGIC);
	if (atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	SBX_Os_CloseFd(&f->fd);
	FREE_OBJ(f);
}

/*--------------------------------------------------------------------
 * What is allowed
 */

struct allow_entry {
	char			*path;		/* no '/' at the end */
	size_t			len;
	int			dir;		/* O_PATH, or -1 */
	struct sbx_file		*file;		/* or NULL */
};

struct sbx_allow {
	unsigned		magic;
#define SBX_ALLOW_MAGIC		0x3fb96d12
	unsigned		n;
	struct allow_entry	*e;
};

static int
allow_open(struct allow_entry *e, const char *path, struct sbx_err *err)
{
	struct stat st;
	int fd, i;

	e->dir = -1;
	if (path[0] != '/')
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "files: \"%s\" is not an absolute path", path));
	e->path = SBX_Os_Strdup(path);
	if (e->path == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "files"));
	e->len = strlen(path);
	while (e->len > 1 && e->path[e->len - 1] == '/')
		e->path[--e->len] = '\0';
	fd = sbx_os.open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, errno,
		    "files: cannot open \"%s\"", path));
	if (sbx_os.fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		e->dir = fd;
		return (0);
	}
	i = file_new(fd, &e->file);
	if (i < 0)
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, -i,
		    "files: \"%s\" is not a file or directory that can be "
		    "read", path));
	return (0);
}

static void
allow_close(struct allow_entry *e)
{

	free(e->path);
	if (e->dir >= 0)
		SBX_Os_CloseFd(&e->dir);
	if (e->file != NULL)
		file_rel(&e->file);
}

int
SBX_Allow_New(const char * const *files, struct sbx_allow **ap,
    struct sbx_err *err)
{
	struct sbx_allow *a;
	unsigned n = 0;

	AN(ap);
	AZ(*ap);
	while (files != NULL && files[n] != NULL)
		n++;
	SBX_ALLOC_OBJ(a, SBX_ALLOW_MAGIC);
	if (a == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "files"));
	a->e = sbx_os.calloc(n + 1, sizeof *a->e);	/* one is spare */
	if (a->e == NULL) {
		FREE_OBJ(a);
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "files"));
	}
	while (a->n < n) {
		a->n++;
		if (allow_open(&a->e[a->n - 1], files[a->n - 1], err)) {
			SBX_Allow_Destroy(&a);
			return (-1);
		}
	}
	*ap = a;
	return (0);
}

void
SBX_Allow_Own(struct sbx_allow *a, const char *path)
{
	struct allow_entry *e;
	struct sbx_err err;

	CHECK_OBJ_NOTNULL(a, SBX_ALLOW_MAGIC);
	SBX_Err_Clear(&err);
	e = &a->e[a->n];
	AZ(e->path);
	if (!allow_open(e, path, &err) && e->file != NULL) {
		a->n++;
		return;
	}
	allow_close(e);
	memset(e, 0, sizeof *e);
}

void
SBX_Allow_Destroy(struct sbx_allow **ap)
{
	struct sbx_allow *a;
	unsigned u;

	TAKE_OBJ_NOTNULL(a, ap, SBX_ALLOW_MAGIC);
	for (u = 0; u < a->n; u++)
		allow_close(&a->e[u]);
	free(a->e);
	FREE_OBJ(a);
}

static int
allow_beneath(const struct allow_entry *e, const char *rest,
    struct sbx_file **fp)
{
	struct open_how how;
	int fd, i;

	memset(&how, 0, sizeof how);
	how.flags = O_PATH | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
	while (*rest == '/')
		rest++;
	fd = sbx_os.openat2(e->dir, *rest == '\0' ? "." : rest, &how);
	i = fd < 0 ? -errno : file_new(fd, fp);
	switch (i) {
	case -EXDEV:
	case -ELOOP:
	case -EACCES:
		return (-ENOENT);
	case -EMFILE:
		/* not the guest's limit, but the host's */
		return (-ENFILE);
	default:
		return (i);
	}
}

/* Guests see ENOENT for what they may not open: the same as for what is not
 * there. */
static int
allow_find(const struct sbx_allow *a, const char *path, struct sbx_file **fp)
{
	const struct allow_entry *e;
	unsigned u;
	int i = -ENOENT;

	CHECK_OBJ_NOTNULL(a, SBX_ALLOW_MAGIC);
	for (u = 0; u < a->n && i == -ENOENT; u++) {
		e = &a->e[u];
		if (strncmp(path, e->path, e->len))
			continue;
		if (e->file != NULL && path[e->len] == '\0') {
			*fp = file_ref(e->file);
			return (0);
		}
		if (e->dir >= 0 && (path[e->len] == '/' ||
		    path[e->len] == '\0' || e->len == 1))
			i = allow_beneath(e, path + e->len, fp);
	}
	return (i);
}

int
SBX_Allow_Has(const struct sbx_allow *a, const char *path)
{
	struct sbx_file *f = NULL;

	if (allow_find(a, path, &f) < 0)
		return (0);
	file_rel(&f);
	return (1);
}

int
SBX_Allow_Read(const struct sbx_allow *a, const char *path, size_t max,
    void **b, size_t *len)
{
	struct sbx_file *f = NULL;
	ssize_t l = 0;
	int i;

	AN(b);
	AZ(*b);
	i = allow_find(a, path, &f);
	if (i < 0)
		return (i);
	i = 0;
	if (f->st.st_size <= 0 || (uintmax_t)f->st.st_size > max)
		i = f->st.st_size <= 0 ? -ENODATA : -EFBIG;
	else if ((*b = sbx_os.calloc(1, (size_t)f->st.st_size)) == NULL)
		i = -ENOMEM;
	for (*len = 0; i == 0 && *len < (size_t)f->st.st_size;
	    *len += (size_t)l) {
		l = sbx_os.pread(f->fd, (uint8_t *)*b + *len,
		    (size_t)f->st.st_size - *len, (off_t)*len);
		if (l <= 0)
			i = l < 0 ? -errno : -ENODATA;
	}
	file_rel(&f);
	if (i < 0) {
		free(*b);
		*b = NULL;
	}
	return (i);
}

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
	INIT_OBJ(fs, SBX_FILES_MAGIC);
	fs->allow = allow;
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
			file_rel(&fs->ofd[u].file);
	memset(fs, 0, sizeof *fs);
}

void
SBX_Files_Copy(struct sbx_files *to, const struct sbx_files *from)
{
	unsigned u;

	CHECK_OBJ_NOTNULL(from, SBX_FILES_MAGIC);
	SBX_Files_Fini(to);
	*to = *from;
	to->changed = 0;
	for (u = 0; u < SBX_FD_MAX; u++)
		if (to->ofd[u].file != NULL)
			(void)file_ref(to->ofd[u].file);
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
		n += fs->ofd[u].kind == SBX_OFD_FILE;
	return (n);
}

int
SBX_Files_Open(struct sbx_files *fs, const char *path, int flags)
{
	struct sbx_ofd *ofd;
	enum sbx_ofd_e kind;
	struct sbx_file *file = NULL;
	int fd, i;

	CHECK_OBJ_NOTNULL(fs, SBX_FILES_MAGIC);
	fd = files_slot(fs, 0);
	if (fd < 0)
		return (fd);
	kind = files_device(path);
	if (kind == SBX_OFD_NONE && files_held(fs) >= SBX_FILES_OPEN_MAX)
		return (-EMFILE);
	if (kind == SBX_OFD_NONE) {
		i = allow_find(fs->allow, path, &file);
		if (i < 0)
			return (i);
		kind = SBX_OFD_FILE;
		if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC)) {
			file_rel(&file);
			return (-EROFS);
		}
	}
	/* as many descriptions as descriptors, so one is free */
	for (ofd = fs->ofd; ofd < fs->ofd + SBX_FD_MAX - 1; ofd++)
		if (ofd->refs == 0)
			break;
	AZ(ofd->refs);
	memset(ofd, 0, sizeof *ofd);
	ofd->kind = kind;
	ofd->refs = 1;
	ofd->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |
	    O_CLOEXEC);
	ofd->file = file;
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
	if (ofd->file != NULL)
		file_rel(&ofd->file);
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
 * Contents
 */

int64_t
SBX_Ofd_Size(const struct sbx_ofd *ofd)
{

	AN(ofd);
	if (ofd->kind != SBX_OFD_FILE)
		return (0);
	CHECK_OBJ_NOTNULL(ofd->file, SBX_FILE_MAGIC);
	return (ofd->file->st.st_size);
}

int64_t
SBX_Ofd_Pread(const struct sbx_ofd *ofd, void *p, uint64_t len, uint64_t off)
{
	ssize_t l;

	AN(ofd);
	assert(ofd->kind == SBX_OFD_FILE);
	CHECK_OBJ_NOTNULL(ofd->file, SBX_FILE_MAGIC);
	if (off > INT64_MAX)
		return (-EINVAL);
	if (len > SSIZE_MAX)
		len = SSIZE_MAX;
	l = sbx_os.pread(ofd->file->fd, p, len, (off_t)off);
	return (l < 0 ? -errno : l);
}

void
SBX_Ofd_Stat(const struct sbx_ofd *ofd, struct stat *st)
{

	AN(ofd);
	AN(st);
	memset(st, 0, sizeof *st);
	st->st_nlink = 1;
	st->st_blksize = 4096;
	if (ofd->kind == SBX_OFD_FILE) {
		CHECK_OBJ_NOTNULL(ofd->file, SBX_FILE_MAGIC);
		st->st_mode = S_IFREG | 0444;
		st->st_ino = ofd->file->st.st_ino;
		st->st_dev = ofd->file->st.st_dev;
		st->st_size = ofd->file->st.st_size;
		st->st_blocks = (st->st_size + 511) / 512;
		st->st_mtim = ofd->file->st.st_mtim;
		st->st_atim = st->st_ctim = st->st_mtim;
	} else {
		st->st_mode = S_IFCHR | 0666;
		st->st_ino = (ino_t)ofd->kind;
	}
}
