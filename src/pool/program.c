/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * program.c: programs by file and configuration.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"
#include "vqueue.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/gmem.h"
#include "machine/kvm.h"
#include "pool/gen.h"
#include "pool/pool_priv.h"
#include "pool/program_priv.h"

/* An executable larger than this is somebody's mistake. */
#define PROGRAM_FILE_MAX	(INT64_C(1) << 30)

/* CLI thread only */
static VTAILQ_HEAD(, sbx_program) programs =
    VTAILQ_HEAD_INITIALIZER(programs);

/* KVM is opened and closed by one thread at a time. Not a leaf: closing it
 * stops the watchdog. */
static pthread_mutex_t program_kvm_mtx = PTHREAD_MUTEX_INITIALIZER;

void
SBX_Program_Defaults(struct sbx_program_cfg *cfg)
{

	AN(cfg);
	memset(cfg, 0, sizeof *cfg);
#define LIMIT(type, name, unit, dflt, min, max, text)	cfg->name = dflt;
#include "tbl/limits.h"
}

/*--------------------------------------------------------------------
 * Configuration
 */

static int
cfg_limit(const char *name, const char *unit, double v, double min,
    double max, struct sbx_err *err)
{

	/* written so that NaN fails */
	if (v >= min && v <= max)
		return (0);
	return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
	    "%s is %.15g, it must be between %.15g and %.15g %s", name, v,
	    min, max, unit));
}

static int
cfg_check(const struct sbx_program_cfg *cfg, struct sbx_err *err)
{

#define LIMIT(type, name, unit, dflt, min, max, text)			\
	if (cfg_limit(#name, unit, (double)cfg->name, (double)(min),	\
	    (double)(max), err))					\
		return (-1);
#include "tbl/limits.h"
	if (cfg->min_vms > cfg->max_vms)
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "min_vms (%ju) is more than max_vms (%ju)",
		    (uintmax_t)cfg->min_vms, (uintmax_t)cfg->max_vms));
	if (cfg->path == NULL || cfg->path[0] != '/')
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "the path \"%s\" is not absolute",
		    cfg->path == NULL ? "" : cfg->path));
	if (cfg->probe_url != NULL && cfg->probe_url[0] != '/')
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "probe_url \"%s\" does not begin with a /",
		    cfg->probe_url));
	return (0);
}

static size_t
list_len(const char * const *l)
{
	size_t n = 0;

	while (l != NULL && l[n] != NULL)
		n++;
	return (n);
}

static void
list_free(const char * const *l)
{
	size_t n;

	if (l == NULL)
		return;
	for (n = 0; l[n] != NULL; n++)
		free((void *)(uintptr_t)l[n]);
	free((void *)(uintptr_t)l);
}

static int
list_dup(const char * const *l, const char * const **copy)
{
	size_t n, u;
	char **d;

	n = list_len(l);
	d = sbx_os.calloc(n + 1, sizeof *d);
	*copy = (const char * const *)d;
	if (d == NULL)
		return (-1);
	for (u = 0; u < n; u++) {
		d[u] = SBX_Os_Strdup(l[u]);
		if (d[u] == NULL)
			return (-1);
	}
	return (0);
}

static int
text_same(const char *a, const char *b)
{

	if (a == NULL || b == NULL)
		return (a == b);
	return (!strcmp(a, b));
}

static int
text_dup(const char *s, const char **copy)
{

	*copy = s == NULL ? NULL : SBX_Os_Strdup(s);
	return (s != NULL && *copy == NULL ? -1 : 0);
}

static int
list_same(const char * const *a, const char * const *b)
{
	size_t n, u;

	n = list_len(a);
	if (n != list_len(b))
		return (0);
	for (u = 0; u < n; u++)
		if (strcmp(a[u], b[u]))
			return (0);
	return (1);
}

/* What there was no memory for is NULL. */
static int
cfg_copy(struct sbx_program_cfg *to, const struct sbx_program_cfg *from,
    struct sbx_err *err)
{

	*to = *from;
	to->argv = to->envp = to->files = NULL;
	to->probe_url = to->core_dir = NULL;
	to->path = SBX_Os_Strdup(from->path);
	if (to->path == NULL || text_dup(from->probe_url, &to->probe_url) ||
	    text_dup(from->core_dir, &to->core_dir) ||
	    list_dup(from->argv, &to->argv) ||
	    list_dup(from->envp, &to->envp) ||
	    list_dup(from->files, &to->files))
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "program"));
	return (0);
}

static void
cfg_free(struct sbx_program_cfg *cfg)
{

	free((void *)(uintptr_t)cfg->path);
	free((void *)(uintptr_t)cfg->probe_url);
	free((void *)(uintptr_t)cfg->core_dir);
	list_free(cfg->argv);
	list_free(cfg->envp);
	list_free(cfg->files);
	memset(cfg, 0, sizeof *cfg);
}

static int
cfg_same(const struct sbx_program_cfg *a, const struct sbx_program_cfg *b)
{

#define LIMIT(type, name, unit, dflt, min, max, text)			\
	if (a->name != b->name)						\
		return (0);
#include "tbl/limits.h"
	return (!strcmp(a->path, b->path) &&
	    text_same(a->probe_url, b->probe_url) &&
	    text_same(a->core_dir, b->core_dir) &&
	    list_same(a->argv, b->argv) &&
	    list_same(a->envp, b->envp) && list_same(a->files, b->files));
}

/*--------------------------------------------------------------------
 * The file
 */

static int
file_same(const struct stat *a, const struct stat *b)
{

	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec);
}

static int
file_open(const char *path, struct stat *st, struct sbx_err *err)
{
	int fd;

	fd = sbx_os.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == EACCES)
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, errno,
		    "the user of varnishd's worker may not read the file, or "
		    "not enter a directory on the way to it"));
	if (fd < 0)
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, errno,
		    "cannot open the file"));
	if (sbx_os.fstat(fd, st) < 0)
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, errno, "fstat");
	else if (!S_ISREG(st->st_mode))
		(void)SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "not a regular file");
	else if (st->st_size == 0)
		(void)SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "the file is empty");
	else if (st->st_size > PROGRAM_FILE_MAX)
		(void)SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "the file has more than %jd bytes",
		    (intmax_t)PROGRAM_FILE_MAX);
	else
		return (fd);
	SBX_Os_CloseFd(&fd);
	return (-1);
}

/* A copy of our own, that nobody can change while we look at it. */
static void *
file_read(int fd, struct stat *st, struct sbx_err *err)
{
	struct stat now;
	uint8_t *b;
	ssize_t l;
	off_t n;

	b = sbx_os.calloc(1, (size_t)st->st_size);
	if (b == NULL) {
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM,
		    "%jd bytes for the file", (intmax_t)st->st_size);
		return (NULL);
	}
	for (n = 0; n < st->st_size; n += l) {
		l = sbx_os.pread(fd, b + n, (size_t)(st->st_size - n), n);
		if (l <= 0)
			break;
	}
	if (n == st->st_size && !sbx_os.fstat(fd, &now) &&
	    file_same(&now, st))
		return (b);
	(void)SBX_Err_Set(err, SBX_FAIL_CONFIG, 0, "the file changed or could "
	    "not be read while it was loaded; install it with mv(1)");
	free(b);
	return (NULL);
}

/*--------------------------------------------------------------------
 * Programs
 */

int
SBX_Program_Load(struct sbx_program *prg, struct sbx_gen **genp,
    struct stat *st, struct sbx_err *err)
{
	void *file;
	int fd;

	CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
	AN(genp);
	AZ(*genp);
	fd = file_open(prg->cfg.path, st, err);
	if (fd < 0)
		return (-1);
	file = file_read(fd, st, err);
	SBX_Os_CloseFd(&fd);
	if (file == NULL)
		return (-1);
	(void)SBX_Gen_New(prg->kvm, &prg->cfg, file, (size_t)st->st_size,
	    genp, err);
	free(file);
	if (*genp == NULL)
		return (-1);
	if (prg->cfg.probe_url == NULL)
		return (0);
	if (!SBX_Gen_More(*genp, err) && !SBX_Gen_Probe(*genp, err))
		return (0);
	SBX_Gen_Destroy(genp);
	return (-1);
}

void
SBX_Program_Free(struct sbx_program **pp)
{
	struct sbx_program *prg;

	TAKE_OBJ_NOTNULL(prg, pp, SBX_PROGRAM_MAGIC);
	if (prg->pool != NULL)
		SBX_Pool_Destroy(&prg->pool);
	if (prg->kvm != NULL) {
		AZ(pthread_mutex_lock(&program_kvm_mtx));
		SBX_Kvm_Close(&prg->kvm);
		AZ(pthread_mutex_unlock(&program_kvm_mtx));
	}
	cfg_free(&prg->cfg);
	AZ(pthread_cond_destroy(&prg->cond));
	AZ(pthread_mutex_destroy(&prg->mtx));
	AZ(pthread_mutex_destroy(&prg->life));
	FREE_OBJ(prg);
}

static int
program_kvm(struct sbx_program *prg, struct sbx_err *err)
{
	int i;

	AZ(pthread_mutex_lock(&program_kvm_mtx));
	i = SBX_Kvm_Open(&prg->kvm, err);
	AZ(pthread_mutex_unlock(&program_kvm_mtx));
	return (i);
}

static int
program_start(struct sbx_program *prg, struct sbx_err *err)
{
	struct sbx_gen *gen = NULL;
	struct stat st;
	int i;

	if (program_kvm(prg, err) || SBX_Program_Load(prg, &gen, &st, err))
		return (-1);
	/* nobody wants to be served yet */
	SBX_Gen_Empty(gen);
	i = SBX_Pool_New(&gen, &prg->cfg, &prg->pool, err);
	if (gen != NULL)
		SBX_Gen_Destroy(&gen);
	if (i)
		return (-1);
	AZ(pthread_mutex_lock(&prg->mtx));
	SBX_Program_Serves(prg, &st);
	AZ(pthread_mutex_unlock(&prg->mtx));
	return (0);
}

static int
program_new(const struct sbx_program_cfg *cfg, struct sbx_program **pp,
    struct sbx_err *err)
{
	struct sbx_program *prg;

	SBX_ALLOC_OBJ(prg, SBX_PROGRAM_MAGIC);
	if (prg == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "program"));
	AZ(pthread_mutex_init(&prg->life, NULL));
	AZ(pthread_mutex_init(&prg->mtx, NULL));
	AZ(pthread_cond_init(&prg->cond, NULL));
	prg->refs = 1;
	if (cfg_copy(&prg->cfg, cfg, err) || program_start(prg, err)) {
		SBX_Program_Free(&prg);
		return (-1);
	}
	VTAILQ_INSERT_TAIL(&programs, prg, list);
	*pp = prg;
	return (0);
}

static struct sbx_program *
program_find(const struct sbx_program_cfg *cfg, const struct stat *st)
{
	struct sbx_program *prg;
	int i;

	VTAILQ_FOREACH(prg, &programs, list) {
		CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
		AZ(pthread_mutex_lock(&prg->mtx));
		i = file_same(&prg->st, st);
		AZ(pthread_mutex_unlock(&prg->mtx));
		if (i && cfg_same(&prg->cfg, cfg))
			break;
	}
	return (prg);
}

int
SBX_Program_Open(const struct sbx_program_cfg *user,
    struct sbx_program **pp, struct sbx_err *err)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	struct stat st;
	int fd;

	AN(user);
	AN(pp);
	AZ(*pp);
	AN(err);
	if (cfg_check(user, err))
		return (-1);
	cfg = *user;
	cfg.memory = SBX_Page_Up(user->memory);
	fd = file_open(cfg.path, &st, err);
	if (fd < 0)
		return (SBX_Err_Wrap(err, "%s", cfg.path));
	SBX_Os_CloseFd(&fd);
	prg = program_find(&cfg, &st);
	if (prg != NULL)
		prg->refs++;
	else if (program_new(&cfg, &prg, err))
		return (SBX_Err_Wrap(err, "%s", cfg.path));
	*pp = prg;
	return (0);
}

void
SBX_Program_Close(struct sbx_program **pp)
{
	struct sbx_program *prg;

	TAKE_OBJ_NOTNULL(prg, pp, SBX_PROGRAM_MAGIC);
	assert(prg->refs > 0);
	if (--prg->refs > 0)
		return;
	AZ(prg->warm);
	VTAILQ_REMOVE(&programs, prg, list);
	SBX_Program_Leave(&prg);
}

/* As many VMs as those have that it is likely to take over from: another VCL's,
 * with what the file was before. */
static uint64_t
program_vms(const struct sbx_program *prg)
{
	const struct sbx_program *old;
	uint64_t n = 0, v;

	VTAILQ_FOREACH(old, &programs, list) {
		CHECK_OBJ_NOTNULL(old, SBX_PROGRAM_MAGIC);
		if (old == prg || old->warm == 0 ||
		    !cfg_same(&old->cfg, &prg->cfg))
			continue;
		v = SBX_Pool_Room(old->pool);
		if (v > n)
			n = v;
	}
	return (n);
}

int
SBX_Program_Warm(struct sbx_program *prg, struct sbx_err *err)
{
	int i = 0;

	CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
	AZ(pthread_mutex_lock(&prg->life));
	if (prg->warm == 0)
		i = SBX_Pool_Start(prg->pool, program_vms(prg), err);
	if (i == 0)
		prg->warm++;
	AZ(pthread_mutex_unlock(&prg->life));
	return (i == 0 ? 0 : SBX_Err_Wrap(err, "%s", prg->cfg.path));
}

void
SBX_Program_Cool(struct sbx_program *prg)
{

	CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
	AZ(pthread_mutex_lock(&prg->life));
	assert(prg->warm > 0);
	if (--prg->warm == 0)
		SBX_Pool_Stop(prg->pool);
	AZ(pthread_mutex_unlock(&prg->life));
}

struct sbx_pool *
SBX_Program_Pool(const struct sbx_program *prg)
{

	CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
	return (prg->pool);
}

const struct sbx_program_cfg *
SBX_Program_Cfg(const struct sbx_program *prg)
{

	CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
	return (&prg->cfg);
}
