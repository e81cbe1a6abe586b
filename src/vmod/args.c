/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The arguments of sandbox.program(): VCL's types in, checked settings out.
 * tbl/limits.h has the ranges. VCL's numbers are signed, ours are not.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

#include "vcc_sandbox_if.h"

#include "base/err.h"
#include "pool/program.h"
#include "vmod/vsbx.h"
#include "vmod/words.h"

struct args {
	unsigned		magic;
#define ARGS_MAGIC		0x64a1b0ce
	const struct vrt_ctx	*ctx;
	const char		*obj;
	int			failed;
};

/*--------------------------------------------------------------------
 * Numbers. How they are shown is how they are written in VCL.
 */

#define ARGS_NUM		48

/* Values below zero are shown as they are; no size is. */
static void
args_show_bytes(char *buf, int64_t v)
{
	static const char * const unit[] = { "B", "KB", "MB", "GB", "TB" };
	unsigned u = 0;

	while (u < 4 && v != 0 && v % 1024 == 0) {
		v /= 1024;
		u++;
	}
	(void)snprintf(buf, ARGS_NUM, "%jd%s", (intmax_t)v, unit[u]);
}

static void
args_show_int(char *buf, const char *unit, int64_t v)
{

	if (!strcmp(unit, "bytes"))
		args_show_bytes(buf, v);
	else
		(void)snprintf(buf, ARGS_NUM, "%jd", (intmax_t)v);
}

static void
args_range(struct args *a, const char *name, const char *text,
    const char *is, const char *min, const char *max)
{

	CHECK_OBJ_NOTNULL(a, ARGS_MAGIC);
	if (a->failed++)
		return;
	VRT_fail(a->ctx,
	    "sandbox %s: %s (%s) is %s, it must be from %s to %s",
	    a->obj, name, text, is, min, max);
}

static void
args_set_uint64_t(struct args *a, const char *name, const char *unit,
    const char *text, int64_t v, uint64_t min, uint64_t max, uint64_t *dst)
{
	char is[ARGS_NUM], lo[ARGS_NUM], hi[ARGS_NUM];

	CHECK_OBJ_NOTNULL(a, ARGS_MAGIC);
	AN(dst);
	assert(max <= INT64_MAX);
	if (v >= 0 && (uint64_t)v >= min && (uint64_t)v <= max) {
		*dst = (uint64_t)v;
		return;
	}
	args_show_int(is, unit, v);
	args_show_int(lo, unit, (int64_t)min);
	args_show_int(hi, unit, (int64_t)max);
	args_range(a, name, text, is, lo, hi);
}

static void
args_set_double(struct args *a, const char *name, const char *unit,
    const char *text, double v, double min, double max, double *dst)
{
	char is[ARGS_NUM], lo[ARGS_NUM], hi[ARGS_NUM];
	const char *s;

	CHECK_OBJ_NOTNULL(a, ARGS_MAGIC);
	AN(dst);
	s = !strcmp(unit, "seconds") ? "s" : "";
	if (v >= min && v <= max) {	/* not so if it is not a number */
		*dst = v;
		return;
	}
	bprintf(is, "%g%s", v, s);
	bprintf(lo, "%g%s", min, s);
	bprintf(hi, "%g%s", max, s);
	args_range(a, name, text, is, lo, hi);
}

/*--------------------------------------------------------------------
 * Lists
 */

static const char * const *
args_words(struct args *a, const char *name, const char *s)
{
	const char *why;
	char **list;

	CHECK_OBJ_NOTNULL(a, ARGS_MAGIC);
	list = vsbx_words_split(s, &why);
	if (list == NULL && !a->failed++)
		VRT_fail(a->ctx, "sandbox %s: %s: %s: %s", a->obj, name, why,
		    s);
	return ((const char * const *)list);
}

static void
args_check_env(struct args *a, const char * const *list)
{
	const char *p;

	CHECK_OBJ_NOTNULL(a, ARGS_MAGIC);
	for (; list != NULL && *list != NULL && !a->failed; list++) {
		p = strchr(*list, '=');
		if (p != NULL && p != *list)
			continue;
		a->failed++;
		VRT_fail(a->ctx, "sandbox %s: environment: \"%s\" is not of"
		    " the form NAME=value", a->obj, *list);
	}
}

static void
args_check_files(struct args *a, const char * const *list)
{

	CHECK_OBJ_NOTNULL(a, ARGS_MAGIC);
	for (; list != NULL && *list != NULL && !a->failed; list++) {
		if (**list == '/')
			continue;
		a->failed++;
		VRT_fail(a->ctx, "sandbox %s: files: \"%s\" is not an"
		    " absolute path", a->obj, *list);
	}
}

static void
args_probe(struct args *a, const char *url, struct sbx_program_cfg *cfg)
{
	const char *p;

	CHECK_OBJ_NOTNULL(a, ARGS_MAGIC);
	cfg->probe_url = url;
	if (url == NULL || a->failed)
		return;
	for (p = url; *p > ' ' && *p != 0x7f; p++)
		continue;
	if (*url == '/' && *p == '\0')
		return;
	a->failed++;
	VRT_fail(a->ctx, "sandbox %s: probe_url: \"%s\" is not a path, which"
	    " begins with a / and has no spaces, as /health", a->obj, url);
}

/* An empty string is none, so that VCL can choose. */
static const char *
args_core_dir(struct args *a, const char *dir)
{

	CHECK_OBJ_NOTNULL(a, ARGS_MAGIC);
	if (dir == NULL || *dir == '\0')
		return (NULL);
	if (*dir != '/' && !a->failed++)
		VRT_fail(a->ctx, "sandbox %s: core_dir: \"%s\" is not an"
		    " absolute path", a->obj, dir);
	return (dir);
}

/*--------------------------------------------------------------------*/

int
vsbx_args_parse(VRT_CTX, const char *name, const struct VARGS(program__init) *v,
    struct sbx_program_cfg *cfg)
{
	struct args a[1];

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	AN(name);
	AN(v);
	AN(cfg);
	INIT_OBJ(a, ARGS_MAGIC);
	a->ctx = ctx;
	a->obj = name;
	SBX_Program_Defaults(cfg);

	cfg->path = v->path;
	if (v->path == NULL || *v->path != '/') {
		a->failed++;
		VRT_fail(ctx, "sandbox %s: path: \"%s\" is not an absolute"
		    " path", name, v->path == NULL ? "" : v->path);
	}
#define LIMIT(type, nm, unit, dflt, min, max, text)			\
	args_set_##type(a, #nm, unit, text, v->nm, min, max, &cfg->nm);
#include "tbl/limits.h"

	if (!a->failed && cfg->min_vms > cfg->max_vms) {
		a->failed++;
		VRT_fail(ctx, "sandbox %s: min_vms is %ju, which is more than"
		    " max_vms, %ju", name, (uintmax_t)cfg->min_vms,
		    (uintmax_t)cfg->max_vms);
	}
	cfg->argv = args_words(a, "arguments",
	    v->valid_arguments ? v->arguments : NULL);
	cfg->envp = args_words(a, "environment",
	    v->valid_environment ? v->environment : NULL);
	cfg->files = args_words(a, "files",
	    v->valid_files ? v->files : NULL);
	args_check_env(a, cfg->envp);
	args_check_files(a, cfg->files);
	cfg->core_dir = args_core_dir(a, v->valid_core_dir ? v->core_dir :
	    NULL);
	args_probe(a, v->valid_probe_url ? v->probe_url : NULL, cfg);
	if (!a->failed)
		return (0);
	vsbx_args_free(cfg);
	return (-1);
}

static void
args_free_list(const char * const **p)
{
	char **list;

	AN(p);
	memcpy(&list, p, sizeof list);	/* they were not const when made */
	*p = NULL;
	vsbx_words_free(&list);
}

void
vsbx_args_free(struct sbx_program_cfg *cfg)
{

	AN(cfg);
	args_free_list(&cfg->argv);
	args_free_list(&cfg->envp);
	args_free_list(&cfg->files);
}
