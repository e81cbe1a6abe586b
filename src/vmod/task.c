/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One fetch's hold on a VM.
 *
 * Varnish says that a backend is done with (VDI_Finish) before it tells the
 * client's thread that the object is complete (BOS_FINISHED), and ends the
 * task's PRIV_TASKs after that. Putting a VM back as the golden image is takes
 * time, so when a fetch has ended well it is left to the end of the task,
 * where the client does not wait for it. In all other cases a retry may
 * follow, which may want that very VM, so it is done at once. The transaction's
 * log ends after the PRIV_TASKs, so that what the reset was can be said there.
 *
 * A task holds a reference on its VCL until after its PRIV_TASKs have ended,
 * and a VCL with references is not told to go cold: no VM is borrowed when
 * the pool is.
 */

#include "config.h"

#include <string.h>

#include "cache/cache.h"

#include "vmod/log.h"
#include "vmod/vsbx.h"

static void v_matchproto_(vmod_priv_fini_f)
task_fini(VRT_CTX, void *priv)
{
	struct vsbx_task *task;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CAST_OBJ_NOTNULL(task, priv, VSBX_TASK_MAGIC);
	vsbx_task_put(ctx, task);
	FINI_OBJ(task);			/* the memory is the workspace's */
}

static const struct vmod_priv_methods task_methods[1] = {{
	.magic =	VMOD_PRIV_METHODS_MAGIC,
	.type =		"vmod_sandbox task",
	.fini =		task_fini,
}};

struct vsbx_task *
vsbx_task_find(VRT_CTX, struct vmod_sandbox_program *prg)
{
	struct vmod_priv *priv;
	struct vsbx_task *task;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(ctx->bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	priv = VRT_priv_task_get(ctx, prg);
	if (priv == NULL || priv->priv == NULL)
		return (NULL);
	CAST_OBJ_NOTNULL(task, priv->priv, VSBX_TASK_MAGIC);
	assert(task->prg == prg);
	return (task);
}

struct vsbx_task *
vsbx_task_get(VRT_CTX, struct vmod_sandbox_program *prg)
{
	struct vmod_priv *priv;
	struct vsbx_task *task;

	task = vsbx_task_find(ctx, prg);
	if (task != NULL)
		return (task);
	priv = VRT_priv_task(ctx, prg);
	if (priv == NULL)
		return (NULL);
	task = WS_Alloc(ctx->ws, sizeof *task);
	if (task == NULL)
		return (NULL);
	INIT_OBJ(task, VSBX_TASK_MAGIC);
	task->prg = prg;
	priv->priv = task;
	priv->methods = task_methods;
	return (task);
}

void
vsbx_task_put(VRT_CTX, struct vsbx_task *task)
{
	struct sbx_return ret;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);
	CHECK_OBJ_NOTNULL(task->prg, VSBX_PROGRAM_MAGIC);
	if (task->vm == NULL)
		return;
	SBX_Pool_Return(task->prg->pool, &task->vm, &ret);
	AZ(task->vm);
	vsbx_log_return(ctx->bo, task->prg, &ret);
}

void
vsbx_task_over(struct vsbx_task *task)
{

	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);
	if (task->vm != NULL)
		SBX_Pool_Over(task->prg->pool, task->vm);
}
