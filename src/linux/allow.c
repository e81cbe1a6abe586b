/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * allow.c: files of the host.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/allow.h"

/* Links from one allowed path to another, one after the other, and bytes of
 * what they say. */
#define ALLOW_LINKS_MAX		8
#define ALLOW_PATH_MAX		4096

/*--------------------------------------------------------------------
 * Files. The VMs of a program share those that were open when it was frozen,
 * hence the atomic.
 */

struct sbx_file {
	unsigned		magic;
#define SBX_FILE_MAGIC		0x60c1a87e
	_Atomic unsigned	refs;
	int			fd;		/* of a directory: O_PATH */
	char			*path;		/* of a directory */
	struct stat		st;		/* when it was opened */
};

/* Open what O_PATH descriptor (fd) stands for. */
static int
file_reopen(int fd, int flags)
{
	char path[64];
	int new;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	new = sbx_os.open(path, flags | O_RDONLY | O_CLOEXEC);
	return (new < 0 ? -errno : new);
}

/*
 * Takes the O_PATH descriptor of (path) over, whether it works or not. What is
 * neither a file nor a directory is not opened: that is something others would
 * notice.
 */
static int
file_new(int fd, const char *path, const struct stat *st,
    struct sbx_file **fp)
{
	struct sbx_file *f;
	int new = fd;

	if (S_ISREG(st->st_mode)) {
		new = file_reopen(fd, 0);
		SBX_Os_CloseFd(&fd);
	} else if (!S_ISDIR(st->st_mode)) {
		SBX_Os_CloseFd(&fd);
		return (-EACCES);
	}
	if (new < 0)
		return (new);
	SBX_ALLOC_OBJ(f, SBX_FILE_MAGIC);
	if (f != NULL && S_ISDIR(st->st_mode)) {
		f->path = SBX_Os_Strdup(path);
		if (f->path == NULL)
			FREE_OBJ(f);
	}
	if (f == NULL) {
		SBX_Os_CloseFd(&new);
		return (-ENOMEM);
	}
	atomic_init(&f->refs, 1);
	f->fd = new;
	f->st = *st;
	*fp = f;
	return (0);
}

struct sbx_file *
SBX_File_Ref(struct sbx_file *f)
{

	CHECK_OBJ_NOTNULL(f, SBX_FILE_MAGIC);
	(void)atomic_fetch_add(&f->refs, 1);
	return (f);
}

void
SBX_File_Rel(struct sbx_file **fp)
{
	struct sbx_file *f;

	TAKE_OBJ_NOTNULL(f, fp, SBX_FILE_MAGIC);
	if (atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	SBX_Os_CloseFd(&f->fd);
	free(f->path);
	FREE_OBJ(f);
}

int
SBX_File_IsDir(const struct sbx_file *f)
{

	CHECK_OBJ_NOTNULL(f, SBX_FILE_MAGIC);
	return (S_ISDIR(f->st.st_mode));
}

const char *
SBX_File_Path(const struct sbx_file *f)
{

	CHECK_OBJ_NOTNULL(f, SBX_FILE_MAGIC);
	AN(f->path);
	return (f->path);
}

/* Nobody owns anything and nothing can be written to. */
static void
file_stat(const struct stat *host, struct stat *st)
{

	memset(st, 0, sizeof *st);
	st->st_mode = (host->st_mode & S_IFMT) | 0444;
	if (host->st_mode & S_IXUSR)
		st->st_mode |= 0111;
	st->st_nlink = 1;
	st->st_blksize = 4096;
	st->st_ino = host->st_ino;
	st->st_dev = host->st_dev;
	st->st_size = host->st_size;
	st->st_blocks = (st->st_size + 511) / 512;
	st->st_mtim = host->st_mtim;
	st->st_atim = st->st_ctim = st->st_mtim;
}

void
SBX_File_Stat(const struct sbx_file *f, struct stat *st)
{

	CHECK_OBJ_NOTNULL(f, SBX_FILE_MAGIC);
	file_stat(&f->st, st);
}

int64_t
SBX_File_Pread(const struct sbx_file *f, void *p, uint64_t len, uint64_t off)
{
	ssize_t l;

	CHECK_OBJ_NOTNULL(f, SBX_FILE_MAGIC);
	if (off > INT64_MAX)
		return (-EINVAL);
	if (len > SSIZE_MAX)
		len = SSIZE_MAX;
	l = sbx_os.pread(f->fd, p, len, (off_t)off);
	return (l < 0 ? -errno : l);
}

/* Through a descriptor that no other VM has: it has an offset. */
int64_t
SBX_File_Dents(const struct sbx_file *f, int64_t *pos, void *buf, size_t len)
{
	int64_t next = *pos;
	ssize_t l, at;
	uint16_t n;
	int fd;

	CHECK_OBJ_NOTNULL(f, SBX_FILE_MAGIC);
	fd = file_reopen(f->fd, O_DIRECTORY);
	if (fd < 0)
		return (fd);
	l = -1;
	if (*pos == 0 || sbx_os.lseek(fd, *pos, SEEK_SET) >= 0)
		l = sbx_os.getdents64(fd, buf, len);
	if (l < 0)
		l = -errno;
	SBX_Os_CloseFd(&fd);
	/* each has: inode, 8 bytes; where the next one is, 8; length, 2 */
	for (at = 0; at < l; at += n) {
		memcpy(&next, (uint8_t *)buf + at + 8, sizeof next);
		memcpy(&n, (uint8_t *)buf + at + 16, sizeof n);
		AN(n);
	}
	*pos = next;
	return (l);
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
	struct allow_entry	*e;		/* one more than (n) */
};

/* What a path has led to: one of the two. */
struct allow_hit {
	int			fd;		/* O_PATH, or -1 */
	struct sbx_file		*file;		/* the entry's, not ours */
	struct stat		st;
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
	if (sbx_os.fstat(fd, &st) < 0) {
		i = -errno;
		SBX_Os_CloseFd(&fd);
	} else if (S_ISDIR(st.st_mode)) {
		e->dir = fd;
		return (0);
	} else
		i = file_new(fd, path, &st, &e->file);
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
		SBX_File_Rel(&e->file);
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
	a->e = sbx_os.calloc(n + 1, sizeof *a->e);
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

/* True if it is in /proc, or that is not known. Who allows "/" does not mean
 * the worker's own memory, which is a regular file there. */
static int
allow_is_proc(int fd)
{
	struct statfs sf;

	return (sbx_os.fstatfs(fd, &sf) < 0 || sf.f_type == PROC_SUPER_MAGIC);
}

static int
allow_beneath(const struct allow_entry *e, const char *rest, int nofollow,
    struct allow_hit *h)
{
	struct open_how how;

	memset(&how, 0, sizeof how);
	how.flags = O_PATH | O_CLOEXEC;
	if (nofollow)
		how.flags |= O_NOFOLLOW;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
	while (*rest == '/')
		rest++;
	h->fd = sbx_os.openat2(e->dir, *rest == '\0' ? "." : rest, &how);
	if (h->fd < 0)
		return (-errno);
	if (allow_is_proc(h->fd)) {
		SBX_Os_CloseFd(&h->fd);
		return (-ENOENT);
	}
	if (sbx_os.fstat(h->fd, &h->st) == 0 && (S_ISREG(h->st.st_mode) ||
	    S_ISDIR(h->st.st_mode) || S_ISLNK(h->st.st_mode)))
		return (0);
	SBX_Os_CloseFd(&h->fd);
	return (-EACCES);
}

/* What a guest may see of an errno. */
static int
allow_errno(int i)
{

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

void
SBX_Path_Clean(char *path)
{
	char *s = path, *d = path, *e;
	size_t l;

	for (;;) {
		s += strspn(s, "/");
		l = strcspn(s, "/");
		e = s + l;
		if (l == 0)
			break;
		if (l == 2 && s[0] == '.' && s[1] == '.') {
			while (d > path && *--d != '/')
				continue;
		} else if (l != 1 || s[0] != '.') {
			*d++ = '/';
			memmove(d, s, l);
			d += l;
		}
		s = e;
	}
	if (d == path)
		*d++ = '/';
	*d = '\0';
}

/* Where a path leads to without leaving what is allowed: 0, -EXDEV if it leaves
 * that by a link, or another errno. */
static int
allow_look(const struct sbx_allow *a, const char *path, int nofollow,
    struct allow_hit *h)
{
	const struct allow_entry *e;
	unsigned u;
	int i = -ENOENT, left = 0;

	CHECK_OBJ_NOTNULL(a, SBX_ALLOW_MAGIC);
	memset(h, 0, sizeof *h);
	h->fd = -1;
	for (u = 0; u < a->n && (i == -ENOENT || i == -EXDEV); u++) {
		e = &a->e[u];
		if (strncmp(path, e->path, e->len))
			continue;
		if (e->file != NULL && path[e->len] == '\0') {
			h->file = e->file;
			h->st = e->file->st;
			return (0);
		}
		if (e->dir >= 0 && (path[e->len] == '/' ||
		    path[e->len] == '\0' || e->len == 1))
			i = allow_beneath(e, path + e->len, nofollow, h);
		left |= i == -EXDEV;
	}
	return (i == -ENOENT && left ? -EXDEV : i);
}

/* What link (path) says, as an absolute path: 0, or -1 if it is none. */
static int
allow_link(const struct sbx_allow *a, const char *path, char *to)
{
	struct allow_hit h;
	ssize_t l = -1;
	size_t dir = 0;

	if (allow_look(a, path, 1, &h))
		return (-1);
	if (h.fd < 0)
		return (-1);
	if (S_ISLNK(h.st.st_mode)) {
		dir = (size_t)(strrchr(path, '/') - path) + 1;
		if (dir < ALLOW_PATH_MAX - 1)
			l = sbx_os.readlinkat(h.fd, "", to + dir,
			    ALLOW_PATH_MAX - 1 - dir);
	}
	SBX_Os_CloseFd(&h.fd);
	if (l <= 0)
		return (-1);
	to[dir + (size_t)l] = '\0';
	if (to[dir] == '/')
		memmove(to, to + dir, (size_t)l + 1);
	else
		memcpy(to, path, dir);
	SBX_Path_Clean(to);
	return (0);
}

static int
allow_find(const struct sbx_allow *a, const char *path, int nofollow,
    struct allow_hit *h)
{
	char now[ALLOW_PATH_MAX], next[ALLOW_PATH_MAX];
	unsigned n;
	int i;

	i = allow_look(a, path, nofollow, h);
	if (i != -EXDEV || strlen(path) >= sizeof now)
		return (allow_errno(i));
	strcpy(now, path);
	for (n = 0; i == -EXDEV && n < ALLOW_LINKS_MAX; n++) {
		if (allow_link(a, now, next))
			break;
		strcpy(now, next);
		i = allow_look(a, now, nofollow, h);
	}
	return (allow_errno(i));
}

int
SBX_Allow_Open(const struct sbx_allow *a, const char *path,
    struct sbx_file **fp)
{
	struct allow_hit h;
	int i;

	AN(fp);
	i = allow_find(a, path, 0, &h);
	if (i < 0)
		return (i);
	if (h.file != NULL) {
		*fp = SBX_File_Ref(h.file);
		return (0);
	}
	return (allow_errno(file_new(h.fd, path, &h.st, fp)));
}

int
SBX_Allow_Stat(const struct sbx_allow *a, const char *path, int nofollow,
    struct stat *st)
{
	struct allow_hit h;
	int i;

	AN(st);
	i = allow_find(a, path, nofollow, &h);
	if (i < 0)
		return (i);
	if (h.fd >= 0)
		SBX_Os_CloseFd(&h.fd);
	file_stat(&h.st, st);
	return (0);
}

int
SBX_Allow_Above(const struct sbx_allow *a, const char *path)
{
	size_t l = strlen(path);
	unsigned u;

	CHECK_OBJ_NOTNULL(a, SBX_ALLOW_MAGIC);
	if (l == 1)
		return (1);
	for (u = 0; u < a->n; u++)
		if (!strncmp(a->e[u].path, path, l) && a->e[u].path[l] == '/')
			return (1);
	return (0);
}

int
SBX_Allow_Readlink(const struct sbx_allow *a, const char *path, char *buf,
    size_t len)
{
	struct allow_hit h;
	ssize_t l;
	int i;

	AN(buf);
	i = allow_find(a, path, 1, &h);
	if (i < 0)
		return (i);
	l = -EINVAL;
	if (h.fd >= 0 && S_ISLNK(h.st.st_mode)) {
		l = sbx_os.readlinkat(h.fd, "", buf, len);
		if (l < 0)
			l = -errno;
	}
	if (h.fd >= 0)
		SBX_Os_CloseFd(&h.fd);
	return ((int)l);
}

int
SBX_Allow_Has(const struct sbx_allow *a, const char *path)
{
	struct stat st;

	return (!SBX_Allow_Stat(a, path, 0, &st) && S_ISREG(st.st_mode));
}

int
SBX_Allow_Read(const struct sbx_allow *a, const char *path, size_t max,
    void **b, size_t *len)
{
	struct sbx_file *f = NULL;
	int64_t l;
	int i;

	AN(b);
	AZ(*b);
	i = SBX_Allow_Open(a, path, &f);
	if (i < 0)
		return (i);
	if (!S_ISREG(f->st.st_mode) || f->st.st_size <= 0)
		i = -ENODATA;
	else if ((uintmax_t)f->st.st_size > max)
		i = -EFBIG;
	else if ((*b = sbx_os.calloc(1, (size_t)f->st.st_size)) == NULL)
		i = -ENOMEM;
	for (*len = 0; i == 0 && *len < (size_t)f->st.st_size;
	    *len += (size_t)l) {
		l = SBX_File_Pread(f, (uint8_t *)*b + *len,
		    (size_t)f->st.st_size - *len, *len);
		if (l <= 0)
			i = l < 0 ? (int)l : -ENODATA;
	}
	SBX_File_Rel(&f);
	if (i < 0) {
		free(*b);
		*b = NULL;
	}
	return (i);
}
