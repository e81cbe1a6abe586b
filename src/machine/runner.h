/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A thread that runs one machine, for hosts where a vCPU that changes threads
 * is slow (sbx_kvm.runner).
 */

#ifndef SBX_RUNNER_H_INCLUDED
#define SBX_RUNNER_H_INCLUDED

struct sbx_err;
struct sbx_runner;

typedef void sbx_runner_f(void *priv);

/* Start the thread. Returns -1 and fills (err) if the host refuses. */
int SBX_Runner_New(struct sbx_runner **, struct sbx_err *err);

/* Stop the thread, which must not be in a call. */
void SBX_Runner_Destroy(struct sbx_runner **);

/* Let the thread call (func) and wait until it has. One caller at a time. */
void SBX_Runner_Call(struct sbx_runner *, sbx_runner_f *func, void *priv);

#endif
