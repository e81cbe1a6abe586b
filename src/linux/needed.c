/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * needed.c: following DT_NEEDED.
 */

#include "config.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/allow.h"
#include "linux/needed.h"

#define NEEDED_MAX		64	/* files */
#define NEEDED_PATH_MAX		512	/* bytes of a path, or of a list */
#define NEEDED_PHDRS_MAX	128
#define NEEDED_DYN_MAX		1024

/* Places that are looked at. What real programs need takes a few dozen; each is
 * an open() while a VCL is loaded, and an executable can name hundreds of
 * directories and a thousand libraries to look for in each of them. */
#define NEEDED_TRIES_MAX	4096

/* More than this to be listed, and directories are named instead. */
#define NEEDED_LIST_MAX		600

/* Debian's glibc; others look in some of these. Behind them what it finds by
 * its cache only. */
static const char * const needed_glibc[] = {
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64",
	"/usr/lib64", "/lib", "/usr/lib", NULL
};
static const char * const needed_cached[] = {
	"/usr/local/lib/x86_64-linux-gnu", "/usr/local/lib", NULL
};
static const char needed_cache[] = "/etc/ld.so.cache";

static const char * const needed_musl[] = {
	"/lib/x86_64-linux-musl", "/usr/lib/x86_64-linux-musl", "/lib",
	"/usr/local/lib", "/usr/lib", NULL
};
static const char needed_musl_path[] = "/etc/ld-musl-x86_64.path";

struct needed {
	unsigned		magic;
#define NEEDED_MAGIC		0x5a17e4c3
	int			musl;
	const char		*env;		/* LD_LIBRARY_PATH or NULL */
	unsigned		n_tries;
	int			given_up;	/* it would be one more */
	unsigned		n;
	char			path[NEEDED_MAX][NEEDED_PATH_MAX];
	char			lost[NEEDED_PATH_MAX];	/* nowhere */
};

/* One file, while it is looked at. */
struct needed_file {
	int			fd;
	char			dir[NEEDED_PATH_MAX];	/* $ORIGIN */
	unsigned		n_ph;
	Elf64_Phdr		ph[NEEDED_PHDRS_MAX];
	unsigned		n_dyn;
	Elf64_Dyn		dyn[NEEDED_DYN_MAX];
	uint64_t		strtab;		/* offset in the file */
	char			rpath[NEEDED_PATH_MAX];
	char			runpath[NEEDED_PATH_MAX];
};

/*--------------------------------------------------------------------
 * Reading
 */

static int
needed_is_file(const char *path, int *fdp)
{
	struct stat st;
	int fd;

	fd = sbx_os.open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return (0);
	if (sbx_os.fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		SBX_Os_CloseFd(&fd);
		return (0);
	}
	SBX_Os_CloseFd(&fd);
	if (fdp != NULL)
		*fdp = sbx_os.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
		    O_NOCTTY);
	return (1);
}

static int
needed_pread(const struct needed_file *f, void *b, size_t l, uint64_t off)
{

	return (off > INT64_MAX ||
	    sbx_os.pread(f->fd, b, l, (off_t)off) != (ssize_t)l);
}

/* Where in the file an address is, 0 if nowhere. */
static uint64_t
needed_offset(const struct needed_file *f, uint64_t va)
{
	const Elf64_Phdr *ph;

	for (ph = f->ph; ph < f->ph + f->n_ph; ph++)
		if (ph->p_type == PT_LOAD && va >= ph->p_vaddr &&
		    va - ph->p_vaddr < ph->p_filesz)
			return (ph->p_offset + (va - ph->p_vaddr));
	return (0);
}

/* A string of the dynamic section. */
static int
needed_string(const struct needed_file *f, uint64_t at, char *buf)
{
	ssize_t l;

	if (f->strtab == 0 || at > INT32_MAX)
		return (-1);
	l = sbx_os.pread(f->fd, buf, NEEDED_PATH_MAX - 1,
	    (off_t)(f->strtab + at));
	if (l <= 0)
		return (-1);
	buf[l] = '\0';
	return (strlen(buf) == NEEDED_PATH_MAX - 1 ? -1 : 0);
}

static int
needed_dynamic(struct needed_file *f)
{
	const Elf64_Phdr *ph;
	const Elf64_Dyn *d;

	for (ph = f->ph; ph < f->ph + f->n_ph; ph++)
		if (ph->p_type == PT_DYNAMIC)
			break;
	if (ph == f->ph + f->n_ph)
		return (-1);
	f->n_dyn = (unsigned)(ph->p_filesz / sizeof *f->dyn);
	if (f->n_dyn > NEEDED_DYN_MAX)
		f->n_dyn = NEEDED_DYN_MAX;
	if (needed_pread(f, f->dyn, f->n_dyn * sizeof *f->dyn, ph->p_offset))
		return (-1);
	for (d = f->dyn; d < f->dyn + f->n_dyn; d++)
		if (d->d_tag == DT_STRTAB)
			f->strtab = needed_offset(f, d->d_un.d_ptr);
	for (d = f->dyn; d < f->dyn + f->n_dyn; d++)
		if (d->d_tag == DT_RPATH)
			(void)needed_string(f, d->d_un.d_val, f->rpath);
		else if (d->d_tag == DT_RUNPATH)
			(void)needed_string(f, d->d_un.d_val, f->runpath);
	return (0);
}

static int
needed_open(struct needed_file *f, const char *path)
{
	Elf64_Ehdr eh;
	char *s;

	memset(f, 0, sizeof *f);
	f->fd = -1;
	if (!needed_is_file(path, &f->fd) || f->fd < 0)
		return (-1);
	(void)snprintf(f->dir, sizeof f->dir, "%s", path);
	s = strrchr(f->dir, '/');
	if (s != NULL)
		*s = '\0';
	if (needed_pread(f, &eh, sizeof eh, 0) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) ||
	    eh.e_phentsize != sizeof *f->ph || eh.e_phnum > NEEDED_PHDRS_MAX)
		return (-1);
	f->n_ph = eh.e_phnum;
	if (needed_pread(f, f->ph, f->n_ph * sizeof *f->ph, eh.e_phoff))
		return (-1);
	return (needed_dynamic(f));
}

/*--------------------------------------------------------------------
 * Looking
 */

static void
needed_add(struct needed *n, const char *path)
{
	unsigned u;

	for (u = 0; u < n->n; u++)
		if (!strcmp(n->path[u], path))
			return;
	if (n->n < NEEDED_MAX)
		(void)snprintf(n->path[n->n++], NEEDED_PATH_MAX, "%s", path);
}

/* Is (name) in the first (l) bytes of (dir), with $ORIGIN replaced? */
static int
needed_in(struct needed *n, const struct needed_file *f, const char *dir,
    size_t l, const char *name)
{
	char path[2 * NEEDED_PATH_MAX];
	const char *rest = dir;

	if (l >= 7 && !strncmp(dir, "$ORIGIN", 7))
		rest += 7;
	else if (l >= 9 && !strncmp(dir, "${ORIGIN}", 9))
		rest += 9;
	if ((size_t)snprintf(path, sizeof path, "%s%.*s/%s",
	    rest == dir ? "" : f->dir, (int)(l - (size_t)(rest - dir)), rest,
	    name) >= NEEDED_PATH_MAX || path[0] != '/')
		return (0);
	if (n->n_tries == NEEDED_TRIES_MAX) {
		n->given_up = 1;
		return (0);
	}
	n->n_tries++;
	if (!needed_is_file(path, NULL))
		return (0);
	needed_add(n, path);
	return (1);
}

/* Directories with colons in between. */
static int
needed_in_list(struct needed *n, const struct needed_file *f,
    const char *list, const char *name)
{
	size_t l;

	for (; list != NULL && *list != '\0'; list += l) {
		list += *list == ':';
		l = strcspn(list, ":");
		if (l > 0 && needed_in(n, f, list, l, name))
			return (1);
	}
	return (0);
}

static int
needed_in_dirs(struct needed *n, const struct needed_file *f,
    const char * const *dirs, const char *name)
{

	for (; *dirs != NULL; dirs++)
		if (needed_in(n, f, *dirs, strlen(*dirs), name))
			return (1);
	return (0);
}

static void
needed_find(struct needed *n, const struct needed_file *f, const char *name)
{
	size_t l;

	/* musl's dynamic linker is these, too */
	if (n->musl && (!strncmp(name, "libc.", 5) ||
	    !strncmp(name, "ld-musl-", 8)))
		return;
	if (!n->musl && !strncmp(name, "ld-linux", 8))
		return;
	if (strchr(name, '/') != NULL ? needed_in(n, f, "", 0, name) :
	    (f->runpath[0] == '\0' && needed_in_list(n, f, f->rpath, name)) ||
	    needed_in_list(n, f, n->env, name) ||
	    needed_in_list(n, f, f->runpath, name) ||
	    needed_in_dirs(n, f, n->musl ? needed_musl : needed_glibc, name))
		return;
	if (!n->musl && needed_in_dirs(n, f, needed_cached, name)) {
		needed_add(n, needed_cache);
		return;
	}
	if (n->given_up)
		return;
	l = strlen(n->lost);
	if (strstr(n->lost, name) == NULL)
		(void)snprintf(n->lost + l, sizeof n->lost - l, "%s%s",
		    l > 0 ? ", " : "", name);
}

static void
needed_follow(struct needed *n, struct needed_file *f, const char *path)
{
	char name[NEEDED_PATH_MAX];
	unsigned u;

	if (!needed_open(f, path))
		for (u = 0; u < f->n_dyn && !n->given_up; u++)
			if (f->dyn[u].d_tag == DT_NEEDED &&
			    !needed_string(f, f->dyn[u].d_un.d_val, name))
				needed_find(n, f, name);
	if (f->fd >= 0)
		SBX_Os_CloseFd(&f->fd);
}

/*--------------------------------------------------------------------
 * Saying so
 */

/* The files that may not be read; with (dirs) the directories they are in. */
static size_t
needed_list(const struct needed *n, const struct sbx_allow *allow, int dirs,
    char *buf, size_t len)
{
	const char *last = "";
	size_t l = 0, part, last_len = 0;
	unsigned u;

	buf[0] = '\0';
	for (u = 0; u < n->n && l < len; u++) {
		if (SBX_Allow_Has(allow, n->path[u]))
			continue;
		part = strlen(n->path[u]);
		if (dirs)
			part = (size_t)(strrchr(n->path[u], '/') - n->path[u]);
		if (dirs && part == last_len &&
		    !strncmp(n->path[u], last, part))
			continue;
		last = n->path[u];
		last_len = part;
		l += (size_t)snprintf(buf + l, len - l, "%s%.*s",
		    l > 0 ? " " : "", (int)part, n->path[u]);
	}
	return (l);
}

void
SBX_Needed(const char *path, const char *interp, const char * const *envp,
    const struct sbx_allow *allow, char *buf, size_t len)
{
	char list[NEEDED_LIST_MAX];
	struct needed_file *f;
	struct needed *n;
	unsigned u;
	size_t l;

	buf[0] = '\0';
	SBX_ALLOC_OBJ(n, NEEDED_MAGIC);
	f = sbx_os.calloc(1, sizeof *f);
	if (n == NULL || f == NULL) {
		free(n);
		free(f);
		return;
	}
	n->musl = strstr(interp, "/ld-musl-") != NULL;
	for (; envp != NULL && *envp != NULL; envp++)
		if (!strncmp(*envp, "LD_LIBRARY_PATH=", 16))
			n->env = *envp + 16;
	needed_add(n, interp);
	if (n->musl && needed_is_file(needed_musl_path, NULL))
		needed_add(n, needed_musl_path);
	needed_follow(n, f, path);
	for (u = 1; u < n->n && !n->given_up; u++)
		needed_follow(n, f, n->path[u]);
	l = needed_list(n, allow, 0, list, sizeof list);
	if (l >= sizeof list)
		l = needed_list(n, allow, 1, list, sizeof list);
	if (l > 0)
		l = (size_t)snprintf(buf, len, "; it may not read what it is "
		    "linked with: add to files (each one with -f for "
		    "sandbox-run) %s", list);
	if (n->given_up && l < len)
		l += (size_t)snprintf(buf + l, len - l, "; there may be more, "
		    "it names too many directories and libraries: %d places "
		    "were looked at", NEEDED_TRIES_MAX);
	if (n->lost[0] != '\0' && l < len)
		(void)snprintf(buf + l, len - l, "; %s is not where the "
		    "dynamic linker looks", n->lost);
	SBX_Err_Printable(buf);
	free(f);
	FREE_OBJ(n);
}
