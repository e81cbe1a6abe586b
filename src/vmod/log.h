/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said in the log of a backend transaction, in the format that LOG in
 * vmod_sandbox.vcc describes. Include cache/cache.h first.
 */

#ifndef VSBX_LOG_H_INCLUDED
#define VSBX_LOG_H_INCLUDED

#include "linux/host.h"

struct busyobj;
struct sbx_fetch;
struct sbx_return;
struct vmod_sandbox_program;
struct vsbx_guest;
struct vsbx_task;

/* The task has a VM. */
void vsbx_log_lease(struct busyobj *, const struct vsbx_task *);

/* The guest has run, and has answered or been killed. */
void vsbx_log_run(struct busyobj *, const struct vsbx_task *, int answered);

/* The VM has been given back. */
void vsbx_log_return(struct busyobj *, const struct vmod_sandbox_program *,
    const struct sbx_return *);

/* What the guest has to say; (priv) is a struct vsbx_guest. */
sbx_log_f vsbx_log_guest;

/* A fetch of the guest's is over: (error) is an errno, or 0 if it was answered.
 * ECANCELED: the guest has not waited for it. */
void vsbx_log_fetch(const struct vsbx_guest *, const struct sbx_fetch *,
    int error);

#endif
