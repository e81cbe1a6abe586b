/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which kind of KVM this is, found by running a VM.
 */

#ifndef SBX_PROBE_H_INCLUDED
#define SBX_PROBE_H_INCLUDED

struct sbx_err;
struct sbx_kvm;

/*
 * Fill (kvm)->platform and (kvm)->runner. Returns -1 and fills (err) if this
 * KVM can not run guests in either way that we know.
 *
 * The environment variable SBX_RUNNER=1 or 0 overrides what is found out
 * about threads; tests use it to run both ways on one machine.
 */
int SBX_Probe(struct sbx_kvm *kvm, struct sbx_err *err);

#endif
