/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A new version of a program, from VCL: asking for it, and what became of it.
 * pool/deploy.c does it.
 */

#include "config.h"

#include <stdio.h>

#include "cache/cache.h"

#include "vcl.h"

#include "vcc_sandbox_if.h"

#include "base/err.h"
#include "pool/program.h"
#include "vmod/compat.h"
#include "vmod/vsbx.h"

/* On the program's own thread; the object that has asked may be gone. */
static void
reload_log(const struct sbx_reload *r)
{

	AN(r);
	if (r->err == NULL)
		VSL(SLT_VCL_Log, VSBX_NO_VXID, "sandbox %s: reload "
		    "generation=%u vms=%ju boot=%.6f time=%.6f %s", r->who,
		    r->generation, (uintmax_t)r->vms, r->boot, r->time,
		    r->path);
	else
		VSL(SLT_Error, VSBX_NO_VXID, "sandbox %s: reload failed,"
		    " generation %u serves on: %s", r->who, r->generation,
		    r->err->msg);
}

VCL_BOOL v_matchproto_(td_sandbox_program_reload)
vmod_program_reload(VRT_CTX, struct vmod_sandbox_program *prg)
{
	struct sbx_err err;
	char who[SBX_WHO_MAX];

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	if (ctx->req == NULL && ctx->bo == NULL) {
		VRT_fail(ctx, "sandbox %s: .reload() is for client and backend"
		    " subroutines; a VCL that is being loaded starts the"
		    " program anyway", prg->name);
		return (0);
	}
	(void)snprintf(who, sizeof who, "%s.%s", VCL_Name(ctx->vcl),
	    prg->name);
	SBX_Err_Clear(&err);
	if (!SBX_Program_Reload(prg->program, who, reload_log, &err))
		return (1);
	VSL(SLT_Error, VSBX_NO_VXID, "sandbox %s: reload failed: %s", who,
	    err.msg);
	return (0);
}

VCL_BOOL v_matchproto_(td_sandbox_program_reloading)
vmod_program_reloading(VRT_CTX, struct vmod_sandbox_program *prg)
{
	struct sbx_program_info info;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	SBX_Program_Info(prg->program, &info);
	return (info.reloading ? 1 : 0);
}

VCL_STRING v_matchproto_(td_sandbox_program_reload_error)
vmod_program_reload_error(VRT_CTX, struct vmod_sandbox_program *prg)
{
	struct sbx_program_info info;
	const char *s;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	SBX_Program_Info(prg->program, &info);
	if (info.error[0] == '\0')
		return ("");
	s = WS_Copy(ctx->ws, info.error, -1);
	if (s == NULL)
		VRT_fail(ctx, "sandbox %s: the workspace is full; raise"
		    " workspace_client, or workspace_backend", prg->name);
	return (s);
}

VCL_INT v_matchproto_(td_sandbox_program_generation)
vmod_program_generation(VRT_CTX, struct vmod_sandbox_program *prg)
{
	struct sbx_program_info info;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	SBX_Program_Info(prg->program, &info);
	return ((VCL_INT)info.generation);
}
