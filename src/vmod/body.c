/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The response's body, from the guest's memory straight into storage.
 *
 * This is the one file that needs cache_varnishd.h: without a bo->htc Varnish
 * thinks that there is no backend, and struct http_conn and VFP_Push(), which
 * make one, are private to varnishd in 7.1.
 */

#include "config.h"

#include SBX_CACHE_PRIVATE_H	/* cache/cache_varnishd.h */

#include "cache/cache_filter.h"
#include "vcl.h"

#include "pool/vm.h"
#include "vmod/compat.h"
#include "vmod/vsbx.h"

static enum vfp_status v_matchproto_(vfp_pull_f)
body_pull(struct vfp_ctx *vc, struct vfp_entry *vfe, void *ptr, ssize_t *lp)
{
	struct vsbx_task *task;
	size_t l;

	CHECK_OBJ_NOTNULL(vc, VFP_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(vfe, VFP_ENTRY_MAGIC);
	CAST_OBJ_NOTNULL(task, vfe->priv1, VSBX_TASK_MAGIC);
	AN(ptr);
	AN(lp);
	assert(*lp >= 0);

	l = SBX_VM_AnswerBody(task->vm, task->body_off, ptr, (size_t)*lp);
	assert(l <= (size_t)*lp);
	*lp = (ssize_t)l;
	task->body_off += l;
	assert(task->body_off <= task->body_len);
	if (task->body_off == task->body_len)
		return (VFP_END);
	if (l == 0)
		return (VFP_Error(vc, "sandbox %s: the body ends early",
		    task->prg->name));
	return (VFP_OK);
}

static const struct vfp body_vfp[1] = {{
	.name =		"sandbox",
	.pull =		body_pull,
}};

int
vsbx_body_open(struct busyobj *bo, struct vsbx_task *task, uint64_t len)
{
	struct http_conn *htc;
	struct vfp_entry *vfe;

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);
	AZ(bo->htc);
	assert(len <= SSIZE_MAX);
	htc = WS_Alloc(bo->ws, sizeof *htc);
	if (htc == NULL)
		return (-1);
	INIT_OBJ(htc, HTTP_CONN_MAGIC);
	htc->doclose = SC_NULL;
	htc->body_status = len == 0 ? BS_NONE : BS_LENGTH;
	htc->content_length = (ssize_t)len;
	htc->ws = bo->ws;
	htc->priv = task;
	task->body_len = len;
	task->body_off = 0;
	if (len > 0) {
		vfe = VFP_Push(bo->vfc, body_vfp);
		if (vfe == NULL)
			return (-1);
		vfe->priv1 = task;
	}
	bo->htc = htc;
	return (0);
}

int
vsbx_body_close(struct busyobj *bo)
{
	int good;

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(bo->htc, HTTP_CONN_MAGIC);
	good = bo->htc->doclose == SC_NULL && VSBX_BO_DELIVERS(bo);
	bo->htc = NULL;
	return (good);
}
