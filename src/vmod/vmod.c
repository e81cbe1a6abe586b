/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What VCL sees: objects, methods, and the life of a VCL.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

#include "vcl.h"
#include "vsb.h"
#include "vtim.h"

#include "vcc_sandbox_if.h"
#include "VSC_sandbox.h"

#include "sandbox_abi.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/program.h"
#include "vmod/fetch.h"
#include "vmod/vsbx.h"

#define VMOD_STR_(x)		#x
#define VMOD_STR(x)		VMOD_STR_(x)

/*--------------------------------------------------------------------
 * The life of a VCL: LOAD, then objects are made, then WARM and COLD in turn,
 * objects are taken apart, DISCARD. All in the CLI thread.
 */

static void v_matchproto_(vmod_priv_fini_f)
vcl_fini(VRT_CTX, void *priv)
{
	struct vsbx_vcl *vcl;

	(void)ctx;
	CAST_OBJ_NOTNULL(vcl, priv, VSBX_VCL_MAGIC);
	AZ(vcl->upkeep);
	assert(VTAILQ_EMPTY(&vcl->programs));
	FREE_OBJ(vcl);
}

static const struct vmod_priv_methods vcl_methods[1] = {{
	.magic =	VMOD_PRIV_METHODS_MAGIC,
	.type =		"vmod_sandbox vcl",
	.fini =		vcl_fini,
}};

static void
vcl_load(struct vmod_priv *priv)
{
	struct vsbx_vcl *vcl;

	AN(priv);
	AZ(priv->priv);
	ALLOC_OBJ(vcl, VSBX_VCL_MAGIC);
	AN(vcl);
	VTAILQ_INIT(&vcl->programs);
	priv->priv = vcl;
	priv->methods = vcl_methods;
}

static int
vcl_warm(VRT_CTX, struct vsbx_vcl *vcl)
{
	struct vmod_sandbox_program *prg;
	struct sbx_err err;
	int i;

	CHECK_OBJ_NOTNULL(vcl, VSBX_VCL_MAGIC);
	CHECK_OBJ_NOTNULL(ctx->msg, VSB_MAGIC);
	VTAILQ_FOREACH(prg, &vcl->programs, list) {
		CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
		AZ(prg->is_warm);
		SBX_Err_Clear(&err);
		if (SBX_Program_Warm(prg->program, &err)) {
			VSB_printf(ctx->msg, "sandbox %s: %s\n", prg->name,
			    err.msg);
			return (1);
		}
		prg->is_warm = 1;
		VRT_VSC_Reveal(prg->vsc_seg);
		vsbx_upkeep_one(prg, VTIM_real());
	}
	i = vsbx_upkeep_start(vcl);
	if (i == 0)
		return (0);
	VSB_printf(ctx->msg, "sandbox: the thread for the counters: %s\n",
	    strerror(i));
	return (1);
}

/* Also after a WARM that failed half-way. */
static void
vcl_cold(struct vsbx_vcl *vcl)
{
	struct vmod_sandbox_program *prg;

	CHECK_OBJ_NOTNULL(vcl, VSBX_VCL_MAGIC);
	vsbx_upkeep_stop(vcl);
	VTAILQ_FOREACH(prg, &vcl->programs, list) {
		CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
		if (!prg->is_warm)
			continue;
		SBX_Program_Cool(prg->program);
		prg->is_warm = 0;
		vsbx_upkeep_one(prg, VTIM_real());
		VRT_VSC_Hide(prg->vsc_seg);
	}
}

int v_matchproto_(vmod_event_f)
vmod_event(VRT_CTX, struct vmod_priv *priv, enum vcl_event_e e)
{

	ASSERT_CLI();
	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	AN(priv);
	switch (e) {
	case VCL_EVENT_LOAD:
		vcl_load(priv);
		return (0);
	case VCL_EVENT_WARM:
		if (vcl_warm(ctx, priv->priv) == 0)
			return (0);
		/* Varnish cools those only that did not fail. */
		vcl_cold(priv->priv);
		return (1);
	case VCL_EVENT_COLD:
		vcl_cold(priv->priv);
		return (0);
	case VCL_EVENT_DISCARD:
		return (0);
	default:
		WRONG("VCL event");
	}
}

/*--------------------------------------------------------------------
 * Objects
 */

static void
program_free(struct vmod_sandbox_program **prgp)
{
	struct vmod_sandbox_program *prg;

	TAKE_OBJ_NOTNULL(prg, prgp, VSBX_PROGRAM_MAGIC);
	AZ(prg->is_warm);
	vsbx_dir_delete_all(prg);
	vsbx_total_leave(prg);
	if (prg->vsc_seg != NULL)
		VSC_sandbox_Destroy(&prg->vsc_seg);
	if (prg->program != NULL)
		SBX_Program_Close(&prg->program);
	AZ(pthread_mutex_destroy(&prg->mtx));
	free(prg->name);
	FREE_OBJ(prg);
}

static void
program_counters(VRT_CTX, struct vmod_sandbox_program *prg)
{
	char *vcl, *obj;

	vcl = vsbx_total_word(VCL_Name(ctx->vcl));
	obj = vsbx_total_word(prg->name);
	prg->vsc = VSC_sandbox_New(NULL, &prg->vsc_seg, "%s.%s", vcl, obj);
	AN(prg->vsc);
	free(vcl);
	free(obj);
	VRT_VSC_Hide(prg->vsc_seg);
	vsbx_total_join(prg);
}

/* Half-made objects are fine for program_free(). */
static int
program_open(VRT_CTX, struct vmod_sandbox_program *prg,
    const struct sbx_program_cfg *cfg)
{
	struct sbx_err err;
	const char *why;

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	prg->max_vms = cfg->max_vms;
	prg->max_fetches = cfg->max_fetches;
	prg->max_fetch_depth = cfg->max_fetch_depth;
	prg->request_timeout = cfg->request_timeout;
	why = prg->max_fetches == 0 ? NULL : vsbx_subreq_check();
	if (why != NULL) {
		VRT_fail(ctx, "sandbox %s: max_fetches: programs can not"
		    " fetch with this build of Varnish, %s; set it to 0",
		    prg->name, why);
		return (-1);
	}
	SBX_Err_Clear(&err);
	if (SBX_Program_Open(cfg, &prg->program, &err)) {
		VRT_fail(ctx, "sandbox %s: %s", prg->name, err.msg);
		return (-1);
	}
	prg->pool = SBX_Program_Pool(prg->program);
	AN(prg->pool);
	vsbx_upkeep_join(prg);
	program_counters(ctx, prg);
	prg->changed = VTIM_real();
	prg->dir = vsbx_dir_new(ctx, prg);
	if (prg->dir != NULL)
		return (0);
	VRT_fail(ctx, "sandbox %s: the VCL takes no backends now", prg->name);
	return (-1);
}

VCL_VOID v_matchproto_(td_sandbox_program__init)
vmod_program__init(VRT_CTX, struct vmod_sandbox_program **prgp,
    const char *vcl_name, struct VARGS(program__init) *args)
{
	struct vmod_sandbox_program *prg;
	struct sbx_program_cfg cfg;
	struct vsbx_vcl *vcl;
	int i;

	ASSERT_CLI();
	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	AN(prgp);
	AZ(*prgp);
	AN(vcl_name);
	AN(args);
	CAST_OBJ_NOTNULL(vcl, args->arg1->priv, VSBX_VCL_MAGIC);

	if (vsbx_args_parse(ctx, vcl_name, args, &cfg))
		return;
	ALLOC_OBJ(prg, VSBX_PROGRAM_MAGIC);
	AN(prg);
	REPLACE(prg->name, vcl_name);
	VTAILQ_INIT(&prg->args);
	AZ(pthread_mutex_init(&prg->mtx, NULL));
	i = program_open(ctx, prg, &cfg);
	vsbx_args_free(&cfg);
	if (i) {
		program_free(&prg);
		return;
	}
	VTAILQ_INSERT_TAIL(&vcl->programs, prg, list);
	prg->vcl = vcl;
	*prgp = prg;
}

VCL_VOID v_matchproto_(td_sandbox_program__fini)
vmod_program__fini(struct vmod_sandbox_program **prgp)
{
	struct vmod_sandbox_program *prg;

	ASSERT_CLI();
	TAKE_OBJ_NOTNULL(prg, prgp, VSBX_PROGRAM_MAGIC);
	CHECK_OBJ_NOTNULL(prg->vcl, VSBX_VCL_MAGIC);
	VTAILQ_REMOVE(&prg->vcl->programs, prg, list);
	program_free(&prg);
}

/*--------------------------------------------------------------------
 * Methods
 */

static VCL_BACKEND
program_backend_task(VRT_CTX, struct vmod_sandbox_program *prg,
    const char *arg)
{
	struct vsbx_task *task;

	task = vsbx_task_get(ctx, prg);
	if (task == NULL) {
		VRT_fail(ctx, "sandbox %s: workspace_backend is full; raise"
		    " that parameter", prg->name);
		return (NULL);
	}
	task->arg = arg;
	return (vsbx_dir_task(ctx, prg));
}

/* With vcl_pipe there are both, a busyobj and a request, but no fetch. */
VCL_BACKEND v_matchproto_(td_sandbox_program_backend)
vmod_program_backend(VRT_CTX, struct vmod_sandbox_program *prg,
    struct VARGS(program_backend) *args)
{

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AN(args);
	if (!args->valid_arg)
		return (vsbx_dir_backend(prg->dir));
	if (args->arg == NULL)
		args->arg = "";
	if (ctx->bo != NULL && ctx->req == NULL)
		return (program_backend_task(ctx, prg, args->arg));
	return (vsbx_dir_arg(ctx, prg, args->arg));
}

VCL_BOOL v_matchproto_(td_sandbox_program_ready)
vmod_program_ready(VRT_CTX, struct vmod_sandbox_program *prg)
{

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	return (SBX_Pool_Healthy(prg->pool) ? 1 : 0);
}

VCL_STRING v_matchproto_(td_sandbox_program_stats)
vmod_program_stats(VRT_CTX, struct vmod_sandbox_program *prg)
{
	struct vsb vsb[1];
	const char *s;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	WS_VSB_new(vsb, ctx->ws);
	vsbx_list_json(vsb, prg);
	s = WS_VSB_finish(vsb, ctx->ws, NULL);
	if (s == NULL)
		VRT_fail(ctx, "sandbox %s: the workspace is full; raise"
		    " workspace_client, or workspace_backend", prg->name);
	return (s);
}

/*--------------------------------------------------------------------
 * Functions
 */

static const struct vsbx_origin *
subrequest_origin(VRT_CTX)
{

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	if (ctx->req != NULL)
		return (vsbx_subreq_origin(ctx->req->sp));
	if (ctx->bo != NULL)
		return (vsbx_subreq_origin(ctx->bo->sp));
	return (NULL);
}

VCL_BOOL v_matchproto_(td_sandbox_is_subrequest)
vmod_is_subrequest(VRT_CTX)
{

	return (subrequest_origin(ctx) != NULL);
}

VCL_STRING v_matchproto_(td_sandbox_subrequest_program)
vmod_subrequest_program(VRT_CTX)
{
	const struct vsbx_origin *o;

	o = subrequest_origin(ctx);
	return (o == NULL ? "" : o->program);
}

VCL_INT v_matchproto_(td_sandbox_subrequest_depth)
vmod_subrequest_depth(VRT_CTX)
{
	const struct vsbx_origin *o;

	o = subrequest_origin(ctx);
	return (o == NULL ? 0 : (VCL_INT)o->depth);
}

VCL_DURATION v_matchproto_(td_sandbox_subrequest_time_left)
vmod_subrequest_time_left(VRT_CTX)
{
	const struct vsbx_origin *o;
	double left;

	o = subrequest_origin(ctx);
	if (o == NULL)
		return (0.0);
	left = SBX_Os_Seconds(o->deadline - SBX_Os_Mono());
	/* Zero would be no timeout at all. */
	return (left < 0.001 ? 0.001 : left);
}

VCL_STRING v_matchproto_(td_sandbox_version)
vmod_version(VRT_CTX)
{

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	return (PACKAGE_VERSION " (ABI " VMOD_STR(SANDBOX_ABI_VERSION) ")");
}
