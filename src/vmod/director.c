/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Programs as Varnish's backends: the director methods, and which directors
 * there are. An object has one without an argument, one whose argument comes
 * from the task (for backend subroutines, where any value will do) and one
 * for each argument that was given in vcl_init or a client subroutine, where
 * there is no fetch yet to tie it to.
 */

#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/cache.h"

#include "vcl.h"

#include "base/err.h"
#include "pool/vm.h"
#include "vmod/compat.h"
#include "vmod/log.h"
#include "vmod/vsbx.h"

struct vsbx_dir {
	unsigned			magic;
#define VSBX_DIR_MAGIC			0x38f6c215
	unsigned			from_task;
	struct vmod_sandbox_program	*prg;
	char				*arg;		/* or NULL */
	VCL_BACKEND			backend;
	VTAILQ_ENTRY(vsbx_dir)		list;
};

/*--------------------------------------------------------------------
 * A fetch
 */

/* An administrator's "sick" is not visible to a VMOD as such. What is set for
 * the backend without an argument holds for the others too. */
static int
dir_is_allowed(VRT_CTX, VCL_BACKEND d, const struct vsbx_dir *dir,
    struct sbx_err *err)
{

	if (VRT_Healthy(ctx, d, NULL) || !SBX_Pool_Healthy(dir->prg->pool))
		return (1);
	/* a pause may have ended in between */
	if (VRT_Healthy(ctx, d, NULL))
		return (1);
	(void)SBX_Err_Set(err, SBX_FAIL_HOST, 0,
	    "set sick with backend.set_health");
	return (0);
}

/* What the pool knows the request by. One with a body it can not know, since
 * that comes later, and may be what matters. */
static uint64_t
dir_print(const struct busyobj *bo, const struct sbx_pool *pool,
    const char *arg)
{
	const struct http *hp;
	struct sbx_txt t[4];
	const char *host;

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	if (vsbx_request_has_body(bo))
		return (0);
	hp = bo->bereq;
	CHECK_OBJ_NOTNULL(hp, HTTP_MAGIC);
	if (!http_GetHdr(hp, H_Host, &host))
		host = NULL;
	t[0] = SBX_Txt(hp->hd[HTTP_HDR_METHOD].b);
	t[1] = SBX_Txt(hp->hd[HTTP_HDR_URL].b);
	t[2] = SBX_Txt(host);
	t[3] = SBX_Txt(arg);
	return (SBX_Pool_Print(pool, t, 4));
}

static int
dir_fetch(VRT_CTX, const struct vsbx_dir *dir, struct vsbx_task *task,
    struct sbx_err *err)
{
	const char *arg;

	CHECK_OBJ_NOTNULL(dir, VSBX_DIR_MAGIC);
	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);

	/* Whatever a fetch before this one has left */
	vsbx_task_put(ctx, task);
	task->body_len = task->body_off = 0;

	/* std.rollback() ends PRIV_TASKs, ours too, and nobody knows what a
	 * program would do for somebody else, or for nobody. */
	arg = dir->from_task ? task->arg : dir->arg;
	if (dir->from_task && arg == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, 0,
		    "std.rollback() has undone .backend(); call it again"));

	task->vm = SBX_Pool_Ask(dir->prg->pool,
	    dir_print(ctx->bo, dir->prg->pool, arg), err);
	if (task->vm == NULL)
		return (-1);
	vsbx_log_lease(ctx->bo, task);
	if (vsbx_request_serve(ctx->bo, task, arg, err))
		return (-1);
	return (vsbx_response_apply(ctx->bo, task, err));
}

/* Say what went wrong to the log and to vcl_backend_error. */
static void
dir_fail(struct busyobj *bo, const struct vsbx_dir *dir,
    const struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(dir, VSBX_DIR_MAGIC);
	AN(err);
	VSLb(bo->vsl, SLT_FetchError, "sandbox %s: %s", dir->prg->name,
	    err->msg);
	bo->err_code = 503;
	switch (err->kind) {
	case SBX_FAIL_BUSY:
		bo->err_reason = "Sandbox busy";
		break;
	case SBX_FAIL_GUEST:
		bo->err_reason = "Sandbox failed";
		break;
	case SBX_FAIL_REQUEST:
		bo->err_code = 413;
		bo->err_reason = "Request too large";
		break;
	case SBX_FAIL_SHARE:
		bo->err_code = 429;
		bo->err_reason = "Too many requests";
		break;
	case SBX_FAIL_BACKOFF:
		bo->err_reason = "Sandbox paused";
		break;
	default:
		bo->err_reason = "Sandbox unavailable";
		break;
	}
}

static int v_matchproto_(vdi_gethdrs_f)
dir_gethdrs(VRT_CTX, VCL_BACKEND d)
{
	struct vsbx_dir *dir;
	struct vsbx_task *task;
	struct sbx_err err;
	uintptr_t ws;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(ctx->bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(d, DIRECTOR_MAGIC);
	CAST_OBJ_NOTNULL(dir, d->priv, VSBX_DIR_MAGIC);
	CHECK_OBJ_NOTNULL(dir->prg, VSBX_PROGRAM_MAGIC);
	AZ(ctx->bo->htc);

	SBX_Err_Clear(&err);
	task = vsbx_task_get(ctx, dir->prg);
	if (task == NULL) {
		(void)SBX_Err_Set(&err, SBX_FAIL_HOST, 0,
		    "workspace_backend is full; raise that parameter");
		dir_fail(ctx->bo, dir, &err);
		return (-1);
	}
	ws = WS_Snapshot(ctx->bo->ws);
	if (dir_is_allowed(ctx, d, dir, &err) &&
	    dir_fetch(ctx, dir, task, &err) == 0)
		return (0);

	vsbx_task_put(ctx, task);
	AZ(ctx->bo->htc);
	/* Leave vcl_backend_error room to work in. */
	WS_Reset(ctx->bo->ws, ws);
	dir_fail(ctx->bo, dir, &err);
	return (-1);
}

static void v_matchproto_(vdi_finish_f)
dir_finish(VRT_CTX, VCL_BACKEND d)
{
	struct vsbx_dir *dir;
	struct vsbx_task *task;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(ctx->bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(d, DIRECTOR_MAGIC);
	CAST_OBJ_NOTNULL(dir, d->priv, VSBX_DIR_MAGIC);
	task = vsbx_task_find(ctx, dir->prg);
	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);
	if (!vsbx_body_close(ctx->bo))
		vsbx_task_put(ctx, task);
	else
		vsbx_task_over(task);
	AZ(ctx->bo->htc);
}

static VCL_BOOL v_matchproto_(vdi_healthy_f)
dir_healthy(VRT_CTX, VCL_BACKEND d, VCL_TIME *changed)
{
	struct vsbx_dir *dir;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(d, DIRECTOR_MAGIC);
	CAST_OBJ_NOTNULL(dir, d->priv, VSBX_DIR_MAGIC);
	if (dir != dir->prg->dir)
		return (VRT_Healthy(ctx, dir->prg->dir->backend, changed));
	if (changed != NULL)
		*changed = vsbx_upkeep_changed(dir->prg);
	return (SBX_Pool_Healthy(dir->prg->pool) ? 1 : 0);
}

/* Without a method Varnish would close the connection without a word. */
static stream_close_t v_matchproto_(vdi_http1pipe_f)
dir_http1pipe(VRT_CTX, VCL_BACKEND d)
{
	static const char answer[] =
	    "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Length: 0\r\n"
	    "Connection: close\r\n"
	    "\r\n";
	struct vsbx_dir *dir;
	ssize_t l;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(ctx->req, REQ_MAGIC);
	CHECK_OBJ_NOTNULL(ctx->req->sp, SESS_MAGIC);
	CHECK_OBJ_NOTNULL(ctx->bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(d, DIRECTOR_MAGIC);
	CAST_OBJ_NOTNULL(dir, d->priv, VSBX_DIR_MAGIC);
	VSLb(ctx->bo->vsl, SLT_FetchError,
	    "sandbox %s: pipe mode is not supported; return (pass) in vcl_recv",
	    dir->prg->name);
	l = write(ctx->req->sp->fd, answer, sizeof answer - 1);
	if (l != (ssize_t)(sizeof answer - 1))
		VSLb(ctx->bo->vsl, SLT_Debug,
		    "sandbox %s: the client is gone", dir->prg->name);
	return (SC_TX_PIPE);
}

static void v_matchproto_(vdi_list_f)
dir_list(VRT_CTX, VCL_BACKEND d, struct vsb *vsb, int pflag, int jflag)
{
	struct vsbx_dir *dir;

	CHECK_OBJ_NOTNULL(d, DIRECTOR_MAGIC);
	CAST_OBJ_NOTNULL(dir, d->priv, VSBX_DIR_MAGIC);
	vsbx_list(ctx, dir->prg, dir->arg, vsb, pflag, jflag);
}

static void v_matchproto_(vdi_panic_f)
dir_panic(VCL_BACKEND d, struct vsb *vsb)
{
	struct vsbx_dir *dir;

	CHECK_OBJ_NOTNULL(d, DIRECTOR_MAGIC);
	CAST_OBJ_NOTNULL(dir, d->priv, VSBX_DIR_MAGIC);
	vsbx_panic(dir->prg, vsb);
}

/* By then nobody refers to it, and the object may be gone. */
static void v_matchproto_(vdi_destroy_f)
dir_destroy(VCL_BACKEND d)
{
	struct vsbx_dir *dir;

	CHECK_OBJ_NOTNULL(d, DIRECTOR_MAGIC);
	CAST_OBJ_NOTNULL(dir, d->priv, VSBX_DIR_MAGIC);
	free(dir->arg);
	FREE_OBJ(dir);
}

static const struct vdi_methods dir_methods[1] = {{
	.magic =	VDI_METHODS_MAGIC,
	.type =		"sandbox",
	.http1pipe =	dir_http1pipe,
	.healthy =	dir_healthy,
	.gethdrs =	dir_gethdrs,
	.finish =	dir_finish,
	.destroy =	dir_destroy,
	.panic =	dir_panic,
	.list =		dir_list,
}};

/*--------------------------------------------------------------------
 * Making and finding them
 */

/* Arguments may be long, or hold what disturbs the reader of a table. */
static int
dir_is_nameable(const char *arg)
{
	const char *p;

	for (p = arg; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("-_.:/=", *p) == NULL)
			return (0);
	return (p - arg <= 40);
}

static struct vsbx_dir *
dir_new(VRT_CTX, struct vmod_sandbox_program *prg, const char *arg,
    unsigned from_task)
{
	struct vsbx_dir *dir;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	ALLOC_OBJ(dir, VSBX_DIR_MAGIC);
	AN(dir);
	dir->prg = prg;
	dir->from_task = from_task;
	if (from_task) {
		dir->backend = VRT_AddDirector(ctx, dir_methods, dir,
		    "%s(bereq)", prg->name);
	} else if (arg == NULL) {
		dir->backend = VRT_AddDirector(ctx, dir_methods, dir,
		    "%s", prg->name);
	} else {
		REPLACE(dir->arg, arg);
		dir->backend = VRT_AddDirector(ctx, dir_methods, dir,
		    "%s(%s)", prg->name, dir_is_nameable(arg) ? arg : "...");
	}
	if (dir->backend == NULL) {
		free(dir->arg);
		FREE_OBJ(dir);
	}
	return (dir);
}

struct vsbx_dir *
vsbx_dir_new(VRT_CTX, struct vmod_sandbox_program *prg)
{

	return (dir_new(ctx, prg, NULL, 0));
}

VCL_BACKEND
vsbx_dir_backend(const struct vsbx_dir *dir)
{

	CHECK_OBJ_NOTNULL(dir, VSBX_DIR_MAGIC);
	return (dir->backend);
}

static void
dir_cooling(VRT_CTX, const struct vmod_sandbox_program *prg)
{

	VRT_fail(ctx, "sandbox %s: no new backend while the VCL is cooling",
	    prg->name);
}

/*
 * VRT_AddDirector() takes locks of its own, so it is called without ours. Of
 * two threads that make the same backend one then finds that the other was
 * faster, and gives its own up.
 */
VCL_BACKEND
vsbx_dir_task(VRT_CTX, struct vmod_sandbox_program *prg)
{
	struct vsbx_dir *dir, *mine;

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AZ(pthread_mutex_lock(&prg->mtx));
	dir = prg->task_dir;
	AZ(pthread_mutex_unlock(&prg->mtx));
	if (dir != NULL)
		return (dir->backend);

	mine = dir_new(ctx, prg, NULL, 1);
	if (mine == NULL) {
		dir_cooling(ctx, prg);
		return (NULL);
	}
	AZ(pthread_mutex_lock(&prg->mtx));
	if (prg->task_dir == NULL) {
		prg->task_dir = mine;
		mine = NULL;
	}
	dir = prg->task_dir;
	AZ(pthread_mutex_unlock(&prg->mtx));
	if (mine != NULL)
		VRT_DelDirector(&mine->backend);
	return (dir->backend);
}

static struct vsbx_dir *
dir_find(const struct vmod_sandbox_program *prg, const char *arg)
{
	struct vsbx_dir *dir;

	VTAILQ_FOREACH(dir, &prg->args, list) {
		CHECK_OBJ_NOTNULL(dir, VSBX_DIR_MAGIC);
		if (!strcmp(dir->arg, arg))
			break;
	}
	return (dir);
}

static void
dir_too_many(VRT_CTX, const struct vmod_sandbox_program *prg)
{

	VRT_fail(ctx, "sandbox %s: .backend() has been called with"
	    " %u different arguments outside of a fetch; set it in"
	    " vcl_backend_fetch, where there is no limit", prg->name,
	    VSBX_MAX_ARGS);
}

VCL_BACKEND
vsbx_dir_arg(VRT_CTX, struct vmod_sandbox_program *prg, const char *arg)
{
	struct vsbx_dir *dir, *mine;
	unsigned n;

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AN(arg);
	AZ(pthread_mutex_lock(&prg->mtx));
	dir = dir_find(prg, arg);
	n = prg->n_args;
	AZ(pthread_mutex_unlock(&prg->mtx));
	if (dir != NULL)
		return (dir->backend);
	if (n >= VSBX_MAX_ARGS) {
		dir_too_many(ctx, prg);
		return (NULL);
	}

	mine = dir_new(ctx, prg, arg, 0);
	if (mine == NULL) {
		dir_cooling(ctx, prg);
		return (NULL);
	}
	AZ(pthread_mutex_lock(&prg->mtx));
	dir = dir_find(prg, arg);
	if (dir == NULL && prg->n_args < VSBX_MAX_ARGS) {
		dir = mine;
		mine = NULL;
		VTAILQ_INSERT_TAIL(&prg->args, dir, list);
		prg->n_args++;
	}
	AZ(pthread_mutex_unlock(&prg->mtx));
	if (mine != NULL)
		VRT_DelDirector(&mine->backend);
	if (dir == NULL) {
		dir_too_many(ctx, prg);
		return (NULL);
	}
	return (dir->backend);
}

static void
dir_delete(struct vsbx_dir **dirp)
{
	struct vsbx_dir *dir;
	VCL_BACKEND backend;

	TAKE_OBJ_NOTNULL(dir, dirp, VSBX_DIR_MAGIC);
	backend = dir->backend;
	dir->prg = NULL;
	VRT_DelDirector(&backend);
}

void
vsbx_dir_delete_all(struct vmod_sandbox_program *prg)
{
	struct vsbx_dir *dir;

	ASSERT_CLI();
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	while (!VTAILQ_EMPTY(&prg->args)) {
		dir = VTAILQ_FIRST(&prg->args);
		VTAILQ_REMOVE(&prg->args, dir, list);
		dir_delete(&dir);
	}
	if (prg->task_dir != NULL)
		dir_delete(&prg->task_dir);
	if (prg->dir != NULL)
		dir_delete(&prg->dir);
}
