/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests with KVM and without Varnish have in common.
 */

#ifndef KVM_H_INCLUDED
#define KVM_H_INCLUDED

#include "base/err.h"
#include "pool/pool.h"
#include "pool/program.h"
#include "pool/vm.h"

/* Skip the test program if this host has no /dev/kvm that we may open. */
void Kvm_Need(void);

/* The path of test guest (name), or of an example. Static storage. */
const char *Kvm_Guest(const char *name);
const char *Kvm_Example(const char *name);

/* Defaults, with (path). */
void Kvm_Cfg(struct sbx_program_cfg *, const char *path);

/* Open and warm; it must succeed. */
struct sbx_program *Kvm_Open(const struct sbx_program_cfg *);
/* The same with the defaults, (path), and one VM at most. */
struct sbx_program *Kvm_OpenOne(const char *path);
void Kvm_Close(struct sbx_program **);

/* Its counters now. */
struct sbx_pool_stats Kvm_Stats(struct sbx_program *);

/* A VM of it, which there must be. (err) is clear then. */
struct sbx_vm *Kvm_Borrow(struct sbx_program *, struct sbx_err *err);

/*
 * One GET for (url), and give the VM back. Returns the status, or -1 with
 * (err) filled. (body) gets up to (len) bytes, with a NUL.
 */
int Kvm_Get(struct sbx_program *, const char *url, char *body, size_t len,
    struct sbx_err *err);

/* The same with a VM that has been borrowed and is kept. */
int Kvm_Serve(struct sbx_vm *, const char *url, struct sbx_err *err);

/* What these hand to the guest's requests: nothing, unless a test sets it. */
extern const struct sbx_host *Kvm_Host;

/* A factor for timeouts, from the environment: SBX_TEST_SLOW. */
double Kvm_Slow(void);

#endif
