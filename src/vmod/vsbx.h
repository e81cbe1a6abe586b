/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the VMOD share. Include cache/cache.h first.
 *
 * Locking: a program object is made in vcl_init and taken apart at discard,
 * both in the CLI thread, and does not change in between, but for its list of
 * backends with an argument, which prg->mtx protects. That is a leaf lock; no
 * Varnish function that may lock is called with it held.
 */

#ifndef VSBX_H_INCLUDED
#define VSBX_H_INCLUDED

#include "linux/host.h"
#include "pool/pool.h"

struct arg_vmod_sandbox_program__init;
struct http_conn;
struct sbx_answer;
struct sbx_err;
struct sbx_program;
struct sbx_program_cfg;
struct sbx_request;
struct sbx_vm;
struct vsb;
struct vsbx_dir;
struct vsbx_part;
struct vsbx_total;
struct vsbx_upkeep;
struct vsbx_vcl;
struct VSC_sandbox;

/* Backends with an argument that an object can have. */
#define VSBX_MAX_ARGS		256

/*--------------------------------------------------------------------
 * One "new app = sandbox.program()"
 */

struct vmod_sandbox_program {
	unsigned			magic;
#define VSBX_PROGRAM_MAGIC		0x5cd10a37
	unsigned			is_warm;
	char				*name;		/* in VCL */
	struct sbx_program		*program;
	struct sbx_pool			*pool;
	struct vsbx_dir			*dir;		/* no argument */
	struct vsbx_vcl			*vcl;
	uint64_t			max_vms;
	uint64_t			max_fetches;
	uint64_t			max_fetch_depth;
	double				request_timeout;
	uint64_t			n_subs;		/* vsbx_fetch_mtx */
	uint64_t			n_left;		/* vsbx_fetch_mtx */
	VTAILQ_ENTRY(vmod_sandbox_program)
					list;		/* of the VCL */

	struct VSC_sandbox		*vsc;
	struct vsc_seg			*vsc_seg;

	/* total.c */
	struct vsbx_total		*total;
	struct vsbx_part		*part;
	struct {
		uint64_t		subrequests, subrequests_left;
	} noted;

	/* Written by the upkeep thread only, read by all; see upkeep.c */
	uint64_t			was_healthy;
	uint64_t			cores_seen;
	vtim_real			changed;

	pthread_mutex_t			mtx;
	VTAILQ_HEAD(, vsbx_dir)		args;		/* mtx */
	unsigned			n_args;		/* mtx */
	struct vsbx_dir			*task_dir;	/* mtx */
};

/*--------------------------------------------------------------------
 * All the objects of one VCL
 */

struct vsbx_vcl {
	unsigned			magic;
#define VSBX_VCL_MAGIC			0x0b93cf41
	VTAILQ_HEAD(, vmod_sandbox_program)
					programs;
	struct vsbx_upkeep		*upkeep;	/* while warm */
};

/*--------------------------------------------------------------------
 * One fetch, on the busyobj's workspace. It is the PRIV_TASK of the program
 * object, so that the VM is given back whatever way the fetch ends.
 */

struct vsbx_task {
	unsigned			magic;
#define VSBX_TASK_MAGIC			0x7e40b2d5
	struct vmod_sandbox_program	*prg;
	const char			*arg;		/* NULL: none given */
	struct sbx_vm			*vm;		/* while borrowed */
	uint64_t			body_len;
	uint64_t			body_off;	/* delivered so far */
};

/* task.c ------------------------------------------------------------*/

/* This fetch's task, made if there was none. NULL if the workspace is full.
 * Only with a busyobj. */
struct vsbx_task *vsbx_task_get(VRT_CTX, struct vmod_sandbox_program *);

/* The same, but NULL if there is none. */
struct vsbx_task *vsbx_task_find(VRT_CTX, struct vmod_sandbox_program *);

/* Give the VM back, if there is one, and log that. */
void vsbx_task_put(VRT_CTX, struct vsbx_task *);

/* The fetch has ended well; the VM, if there is one, is given back later. */
void vsbx_task_over(struct vsbx_task *);

/* args.c ------------------------------------------------------------*/

/* Check the arguments of the constructor and turn them into (cfg). The lists
 * in it must be freed with vsbx_args_free(). Returns -1 after VRT_fail(). */
int vsbx_args_parse(VRT_CTX, const char *name,
    const struct arg_vmod_sandbox_program__init *, struct sbx_program_cfg *);
void vsbx_args_free(struct sbx_program_cfg *);

/* director.c --------------------------------------------------------*/

/* The backend without an argument, for the constructor. NULL if the VCL is
 * not in a state to get another director. */
struct vsbx_dir *vsbx_dir_new(VRT_CTX, struct vmod_sandbox_program *);

/* Backends that carry an argument: the one whose argument is in the task, and
 * the one made for this argument, which stays. NULL after VRT_fail(). */
VCL_BACKEND vsbx_dir_task(VRT_CTX, struct vmod_sandbox_program *);
VCL_BACKEND vsbx_dir_arg(VRT_CTX, struct vmod_sandbox_program *,
    const char *arg);

VCL_BACKEND vsbx_dir_backend(const struct vsbx_dir *);

/* Give up the object's backends. Others may still refer to them. */
void vsbx_dir_delete_all(struct vmod_sandbox_program *);

/* list.c ------------------------------------------------------------*/

/* The director's parts in backend.list and in a panic. (arg) may be NULL. */
void vsbx_list(VRT_CTX, const struct vmod_sandbox_program *, const char *arg,
    struct vsb *, int pflag, int jflag);
void vsbx_panic(const struct vmod_sandbox_program *, struct vsb *);

/* What .stats() returns. */
void vsbx_list_json(struct vsb *, const struct vmod_sandbox_program *);

/* request.c ---------------------------------------------------------*/

int vsbx_request_has_body(const struct busyobj *);

/* Move the request's body, if any, into the task's VM, then run it. Returns
 * -1 and fills (err) if that failed. */
int vsbx_request_serve(struct busyobj *, struct vsbx_task *, const char *arg,
    struct sbx_err *err);

/* fetch.c -----------------------------------------------------------*/

/* One run of a guest: what the functions of struct sbx_host are called with. */
struct vsbx_guest {
	unsigned			magic;
#define VSBX_GUEST_MAGIC		0x4bd3e02c
	struct busyobj			*bo;
	struct vmod_sandbox_program	*prg;
	int64_t				deadline;	/* SBX_Os_Mono() */
	struct vsbx_fetches		*fetches;	/* NULL: none yet */
};

sbx_fetch_start_f vsbx_fetch_start;
sbx_fetch_wait_f vsbx_fetch_wait;
sbx_fetch_answer_f vsbx_fetch_answer;
sbx_fetch_drop_f vsbx_fetch_drop;

/* The guest has run, and all that it had started has been dropped. */
void vsbx_guest_end(struct vsbx_guest *);

/* How many sub-requests there are of this object's guests, and how many of them
 * nobody waits for any more. */
void vsbx_fetch_count(const struct vmod_sandbox_program *, uint64_t *all,
    uint64_t *left);

/* response.c --------------------------------------------------------*/

/* Turn the VM's answer into beresp. Returns -1 and fills (err) if it does not
 * fit. */
int vsbx_response_apply(struct busyobj *, struct vsbx_task *,
    struct sbx_err *err);

/* body.c ------------------------------------------------------------*/

/* Make bo->htc, without which there is no fetch, and when (len) is not 0 the
 * filter that gets the body from the task's VM. Returns -1 if the workspace
 * is full. */
int vsbx_body_open(struct busyobj *, struct vsbx_task *, uint64_t len);

/* The end of that: bo->htc is NULL afterwards. Returns whether it ended well,
 * so that nothing can follow but the end of the fetch. */
int vsbx_body_close(struct busyobj *);

/* upkeep.c ----------------------------------------------------------*/

/* Start and stop the thread that keeps the counters of a warm VCL's objects
 * up to date. CLI only. Start returns an errno. */
int vsbx_upkeep_start(struct vsbx_vcl *);
void vsbx_upkeep_stop(struct vsbx_vcl *);

/* The object has got its pool, which may have served others before: what became
 * of their core files they have said. */
void vsbx_upkeep_join(struct vmod_sandbox_program *);

/* Bring the counters up to date. */
void vsbx_upkeep_one(struct vmod_sandbox_program *, vtim_real now);

/* The counters of the moment: the pool's, and what only the VMOD knows. */
void vsbx_upkeep_stats(const struct vmod_sandbox_program *,
    struct sbx_pool_stats *);

/* When did the health change? */
vtim_real vsbx_upkeep_changed(const struct vmod_sandbox_program *);

/* total.c -----------------------------------------------------------*/

/* A name as it is part of a segment's name. To be freed. */
char *vsbx_total_word(const char *name);

/* From here on the object counts for the segment of its name, and does not any
 * more, which is fine for one that never has. CLI only. */
void vsbx_total_join(struct vmod_sandbox_program *);
void vsbx_total_leave(struct vmod_sandbox_program *);

/* These are its counters now. */
void vsbx_total_update(struct vmod_sandbox_program *,
    const struct sbx_pool_stats *);

#endif
