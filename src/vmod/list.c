/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A pool in words: for backend.list, for a panic and for .stats().
 */

#include "config.h"

#include <time.h>

#include "cache/cache.h"

#include "vsb.h"

#include "VSC_sandbox.h"

#include "pool/program.h"
#include "vmod/vsbx.h"

static const char *
list_health(const struct vmod_sandbox_program *prg)
{

	return (SBX_Pool_Healthy(prg->pool) ? "healthy" : "sick");
}

static void
list_counters(struct vsb *vsb, const struct sbx_pool_stats *st)
{
	const char *sep = "";

#define POOL_STAT(type, name, text)					\
	VSB_printf(vsb, "%s\"" #name "\": %ju", sep, (uintmax_t)st->name); \
	sep = ", ";
#include "tbl/pool_stats.h"
	(void)sep;
}

static void
list_string(struct vsb *vsb, const char *name, const char *s)
{

	VSB_printf(vsb, "\"%s\": \"", name);
	VSB_quote(vsb, s, -1, VSB_QUOTE_JSON);
	VSB_cat(vsb, "\", ");
}

/* What has been started, and what came of the last reload. */
static void
list_start(struct vsb *vsb, const struct sbx_program_info *info)
{

	VSB_printf(vsb, "\"generation\": %u, \"since\": %.3f, "
	    "\"file_time\": %.3f, \"reloading\": %s, "
	    "\"reload_failed\": %.3f, ", info->generation, info->since,
	    info->file_time, info->reloading ? "true" : "false",
	    info->failed);
	list_string(vsb, "reload_error", info->error);
}

static void
list_time(struct vsb *vsb, const char *before, double t)
{
	char buf[40];
	struct tm tm;
	time_t sec = (time_t)t;

	if (gmtime_r(&sec, &tm) == NULL ||
	    strftime(buf, sizeof buf, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buf[0] = '\0';
	VSB_printf(vsb, "%s%s", before, buf);
}

static void
list_start_lines(struct vsb *vsb, const struct sbx_program_info *info)
{

	VSB_printf(vsb, "\n  Started   generation: %u", info->generation);
	list_time(vsb, " since: ", info->since);
	list_time(vsb, " file: ", info->file_time);
	if (info->reloading)
		VSB_cat(vsb, "\n  Reload    going on");
	if (info->error[0] == '\0')
		return;
	list_time(vsb, "\n  Reload    failed: ", info->failed);
	VSB_printf(vsb, " %s", info->error);
}

void
vsbx_list_json(struct vsb *vsb, const struct vmod_sandbox_program *prg)
{
	struct sbx_program_info info;
	struct sbx_pool_stats st;

	CHECK_OBJ_NOTNULL(vsb, VSB_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	vsbx_upkeep_stats(prg, &st);
	VSB_cat(vsb, "{");
	list_string(vsb, "object", prg->name);
	list_string(vsb, "program", SBX_Program_Cfg(prg->program)->path);
	VSB_printf(vsb, "\"ready\": %s, ",
	    st.healthy ? "true" : "false");
	SBX_Program_Info(prg->program, &info);
	list_start(vsb, &info);
	list_counters(vsb, &st);
	VSB_cat(vsb, "}");
}

/* As Varnish's own backends do for a probe: indented lines, no tabs. */
static void
list_lines(struct vsb *vsb, const struct vmod_sandbox_program *prg,
    const char *arg, const struct sbx_pool_stats *st)
{
	struct sbx_program_info info;

	VSB_printf(vsb, "\n  Program   %s",
	    SBX_Program_Cfg(prg->program)->path);
	if (arg != NULL) {
		VSB_cat(vsb, "\n  Argument  \"");
		VSB_quote(vsb, arg, -1, VSB_QUOTE_PLAIN);
		VSB_cat(vsb, "\"");
	}
	SBX_Program_Info(prg->program, &info);
	list_start_lines(vsb, &info);
	VSB_printf(vsb, "\n  VMs       idle: %ju busy: %ju max: %ju",
	    (uintmax_t)st->vms_idle, (uintmax_t)st->vms_busy,
	    (uintmax_t)st->vms_max);
	VSB_printf(vsb, "\n  Queue     now: %ju full: %ju late: %ju",
	    (uintmax_t)st->queue, (uintmax_t)st->queue_full,
	    (uintmax_t)st->queue_late);
	VSB_printf(vsb, "\n  Refused   paused: %ju limits: %ju%s",
	    (uintmax_t)(st->backoff_request + st->backoff_program),
	    (uintmax_t)(st->over_requests + st->over_cpu),
	    st->paused ? " (is paused)" : "");
	VSB_printf(vsb, "\n  Requests  all: %ju answered: %ju kills: %ju\n",
	    (uintmax_t)st->requests, (uintmax_t)st->answers,
	    (uintmax_t)st->kills);
}

void
vsbx_list(VRT_CTX, const struct vmod_sandbox_program *prg, const char *arg,
    struct vsb *vsb, int pflag, int jflag)
{
	struct sbx_program_info info;
	struct sbx_pool_stats st;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	CHECK_OBJ_NOTNULL(vsb, VSB_MAGIC);
	vsbx_upkeep_stats(prg, &st);
	if (pflag && jflag) {
		VSB_cat(vsb, "{");
		list_string(vsb, "program",
		    SBX_Program_Cfg(prg->program)->path);
		if (arg != NULL)
			list_string(vsb, "arg", arg);
		SBX_Program_Info(prg->program, &info);
		list_start(vsb, &info);
		list_counters(vsb, &st);
		VSB_cat(vsb, "},\n");
	} else if (pflag) {
		list_lines(vsb, prg, arg, &st);
	} else if (jflag) {
		VSB_printf(vsb, "[%ju, %ju, \"%s\"]", (uintmax_t)st.vms_idle,
		    (uintmax_t)st.vms_max, list_health(prg));
	} else {
		VSB_printf(vsb, "%ju/%ju\t%s", (uintmax_t)st.vms_idle,
		    (uintmax_t)st.vms_max, list_health(prg));
	}
}

/* The thread that panics may hold the pool's lock: show what the counters
 * were when they were last brought up to date. */
void
vsbx_panic(const struct vmod_sandbox_program *prg, struct vsb *vsb)
{

	if (!VALID_OBJ(prg, VSBX_PROGRAM_MAGIC)) {
		VSB_cat(vsb, "discarded,\n");
		return;
	}
	VSB_printf(vsb, "name = %s,\n", prg->name);
	VSB_printf(vsb, "is_warm = %u,\n", prg->is_warm);
	if (prg->vsc == NULL)
		return;
#define POOL_STAT(type, name, text)					\
	VSB_printf(vsb, #name " = %ju,\n", (uintmax_t)prg->vsc->type##_##name);
#include "tbl/pool_stats.h"
}
