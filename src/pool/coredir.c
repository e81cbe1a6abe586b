/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * coredir.c: making, naming and counting core files.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/core.h"
#include "pool/coredir.h"
#include "pool/program.h"

/* Bytes of a program's name in that of its cores. */
#define COREDIR_NAME_MAX	64

/* Names that are tried; they differ in a number, and by time. */
#define COREDIR_TRIES		16

struct sbx_coredir {
	unsigned		magic;
#define SBX_COREDIR_MAGIC	0x52d8f3c9
	char			*path;
	int			fd;
	uint64_t		max_cores;
	uint64_t		max_size;
	char			prefix[COREDIR_NAME_MAX + 8];	/* core.app. */
};

/* All in this process have names of their own. */
static _Atomic unsigned coredir_serial;

/* "core.app.", of "/srv/guests/app"; unusual characters become '_'. */
static void
coredir_prefix(struct sbx_coredir *d, const char *path)
{
	const char *s;
	size_t l;

	s = strrchr(path, '/');
	s = s == NULL ? path : s + 1;
	l = (size_t)snprintf(d->prefix, sizeof d->prefix, "core.");
	for (; *s != '\0' && l < sizeof d->prefix - 2; s++)
		d->prefix[l++] = (*s >= '0' && *s <= '9') ||
		    (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') ||
		    *s == '-' || *s == '_' ? *s : '_';
	d->prefix[l++] = '.';
	d->prefix[l] = '\0';
}

static int
coredir_openat(int fd, const char *name, uint64_t flags, uint64_t mode)
{
	struct open_how how;

	memset(&how, 0, sizeof how);
	how.flags = flags | O_CLOEXEC;
	how.mode = mode;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	return (sbx_os.openat2(fd, name, &how));
}

/* A new file, and its name. */
static int
coredir_create(const struct sbx_coredir *d, char *name, size_t len)
{
	struct tm tm;
	char when[32];
	unsigned u;
	time_t now;
	int fd = -1;

	for (u = 0; u < COREDIR_TRIES && fd < 0; u++) {
		now = (time_t)(SBX_Os_Wall() / 1000000000);
		AN(gmtime_r(&now, &tm));
		AN(strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm));
		(void)snprintf(name, len, "%s%s.%jd.%u", d->prefix, when,
		    (intmax_t)getpid(), atomic_fetch_add(&coredir_serial, 1) +
		    1);
		fd = coredir_openat(d->fd, name, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return (fd);
}

/*--------------------------------------------------------------------
 * How many are there
 */

struct coredir_entry {
	uint64_t		ino;
	int64_t			off;
	uint16_t		len;
	uint8_t			type;
	char			name[];
} __attribute__((__packed__));

/* Files of this program among the entries in (b), and how many there are. */
static void
coredir_entries(const struct sbx_coredir *d, const uint8_t *b, size_t l,
    uint64_t *n_cores, uint64_t *n)
{
	const struct coredir_entry *e;
	size_t u;

	for (u = 0; u + sizeof *e < l; u += e->len) {
		e = (const void *)(b + u);
		if (e->len <= sizeof *e)
			break;
		(*n)++;
		if (!strncmp(e->name, d->prefix, strlen(d->prefix)))
			(*n_cores)++;
	}
}

/* Returns 1 if no more may be made. */
static int
coredir_full(const struct sbx_coredir *d, struct sbx_err *err)
{
	uint64_t b[4096], n_cores = 0, n = 0;
	ssize_t l;
	int fd;

	fd = coredir_openat(d->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "core_dir %s cannot be read", d->path));
	do {
		l = sbx_os.getdents64(fd, b, sizeof b);
		if (l > 0)
			coredir_entries(d, (const uint8_t *)b, (size_t)l,
			    &n_cores, &n);
	} while (l > 0 && n < SBX_CORE_ENTRIES_MAX && n_cores < d->max_cores);
	if (l < 0)
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "core_dir %s cannot be read", d->path);
	SBX_Os_CloseFd(&fd);
	return (l < 0 ? -1 : n >= SBX_CORE_ENTRIES_MAX ||
	    n_cores >= d->max_cores);
}

/*--------------------------------------------------------------------*/

/* The surest way to know is to do it. */
static int
coredir_check(const struct sbx_coredir *d, struct sbx_err *err)
{
	char name[COREDIR_NAME_MAX + 128];
	int fd;

	fd = coredir_create(d, name, sizeof name);
	if (fd < 0)
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, errno, "core_dir: "
		    "no file can be made in %s; it has to be a directory that "
		    "user %ju may write to", d->path, (uintmax_t)geteuid()));
	SBX_Os_CloseFd(&fd);
	if (sbx_os.unlinkat(d->fd, name, 0) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, errno, "core_dir: "
		    "%s/%s cannot be removed", d->path, name));
	return (coredir_full(d, err) < 0 ? -1 : 0);
}

int
SBX_Coredir_New(const struct sbx_program_cfg *cfg, struct sbx_coredir **dp,
    struct sbx_err *err)
{
	struct sbx_coredir *d;

	AN(cfg);
	AN(cfg->core_dir);
	AN(dp);
	AZ(*dp);
	if (cfg->core_dir[0] != '/' || strlen(cfg->core_dir) >=
	    SBX_CORE_PATH_MAX - COREDIR_NAME_MAX - 128)
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "core_dir: \"%.200s\" is not an absolute path",
		    cfg->core_dir));
	SBX_ALLOC_OBJ(d, SBX_COREDIR_MAGIC);
	if (d == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "core_dir"));
	d->max_cores = cfg->max_cores;
	d->max_size = cfg->max_core_size;
	coredir_prefix(d, cfg->path);
	d->fd = sbx_os.open(cfg->core_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	d->path = SBX_Os_Strdup(cfg->core_dir);
	if (d->path == NULL)
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "core_dir");
	else if (d->fd < 0)
		(void)SBX_Err_Set(err, SBX_FAIL_CONFIG, errno,
		    "core_dir: %s cannot be opened; it has to be a directory",
		    d->path);
	else if (!coredir_check(d, err)) {
		*dp = d;
		return (0);
	}
	SBX_Coredir_Destroy(&d);
	return (-1);
}

void
SBX_Coredir_Destroy(struct sbx_coredir **dp)
{
	struct sbx_coredir *d;

	TAKE_OBJ_NOTNULL(d, dp, SBX_COREDIR_MAGIC);
	if (d->fd >= 0)
		SBX_Os_CloseFd(&d->fd);
	free(d->path);
	FREE_OBJ(d);
}

int
SBX_Coredir_Write(const struct sbx_coredir *d, struct sbx_proc *p,
    const uint64_t *maybe, char *path, struct sbx_err *err)
{
	char name[COREDIR_NAME_MAX + 128];
	struct sbx_core core;
	int fd, i;

	CHECK_OBJ_NOTNULL(d, SBX_COREDIR_MAGIC);
	AN(path);
	i = coredir_full(d, err);
	if (i != 0)
		return (i);
	fd = coredir_create(d, name, sizeof name);
	if (fd < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "no file can be made in core_dir %s", d->path));
	memset(&core, 0, sizeof core);
	core.max = d->max_size;
	core.maybe = maybe;
	i = SBX_Core_Write(p, &core, fd, err);
	SBX_Os_CloseFd(&fd);
	(void)snprintf(path, SBX_CORE_PATH_MAX, "%s/%s", d->path, name);
	if (i == 0)
		return (0);
	(void)sbx_os.unlinkat(d->fd, name, 0);
	return (SBX_Err_Wrap(err, "%s", path));
}
