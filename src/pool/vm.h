/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A VM that serves requests, and what it takes and gives.
 *
 * A VM is borrowed from its pool (SBX_Pool_Get()), given the request's body
 * (SBX_VM_Body()), run (SBX_VM_Serve()), read (SBX_VM_Answer(),
 * SBX_VM_AnswerBody()) and given back (SBX_Pool_Put()), which puts it back as
 * the golden image is. In between it belongs to the borrower alone; no lock
 * is held. The borrower may be any thread, one at a time.
 */

#ifndef SBX_POOL_VM_H_INCLUDED
#define SBX_POOL_VM_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "hostcall/http.h"
#include "linux/host.h"
#include "linux/symbol.h"

struct sbx_debugger;
struct sbx_err;
struct sbx_vm;

/* What one request did, for logs and tests. Times are in nanoseconds. */
struct sbx_usage {
	uint64_t		vm;		/* the pool's so manieth VM */
	int64_t			queued;		/* until the VM was had */
	uint64_t		exits;		/* KVM_RUNs that returned */
	uint64_t		syscalls;	/* of them, Linux calls */
	uint64_t		log_dropped;	/* lines over the share */
	int64_t			run;		/* inside Serve */
	int64_t			cpu;		/* of it, inside KVM_RUN */
	int64_t			waited;		/* of it, slept or waited */
	struct sbx_fetch_use	fetch;		/* see hostcall/http.h */
};

/* How a VM was killed. */
struct sbx_killed {
	const char		*reason;	/* as in tbl/kills.h */
	int			signo;		/* Linux would have sent it, or 0 */
	uint64_t		rip;		/* 0: not known */
	char			symbol[SBX_SYMBOL_TEXT_MAX];	/* or "" */
	int			has_addr;
	uint64_t		addr;		/* that it could not access */
	struct sbx_txt		words;		/* last on descriptor 2 */
};

/*
 * Append (len) bytes to the body of the request that is about to be served.
 * They go straight into the guest's memory. Returns -1 and fills (err) when
 * the program's max_request_body would be exceeded; the VM can then only be
 * given back.
 */
int SBX_VM_Body(struct sbx_vm *, const void *, size_t len,
    struct sbx_err *err);

/*
 * Run the guest on this request until it has answered, at most for the
 * program's request_timeout. Returns 0 when there is an answer. Returns -1
 * and fills (err) when the request does not fit (SBX_FAIL_REQUEST), the guest
 * misbehaved (SBX_FAIL_GUEST) or the host refused something (SBX_FAIL_HOST);
 * the VM can then only be given back.
 *
 * All that (req) points at is copied before the guest runs. (host) must stay
 * valid until this returns.
 */
int SBX_VM_Serve(struct sbx_vm *, const struct sbx_request *req,
    const struct sbx_host *host, struct sbx_err *err);

/* Have the requests of this VM watched by a debugger (linux/debugger.h), which
 * must stay valid until the VM is given back. */
void SBX_VM_Debug(struct sbx_vm *, const struct sbx_debugger *);

/* The answer, valid until the VM is given back. Only after a Serve that
 * returned 0. */
const struct sbx_answer *SBX_VM_Answer(const struct sbx_vm *);

/*
 * Copy up to (len) bytes of the answer's body from offset (off) to (dst).
 * Returns how many were copied, 0 at the end. Never fails: the whole body
 * was checked when the guest answered.
 */
size_t SBX_VM_AnswerBody(const struct sbx_vm *, uint64_t off, void *dst,
    size_t len);

/* What the last Serve used. Valid until the VM is given back. */
const struct sbx_usage *SBX_VM_Usage(const struct sbx_vm *);

/* Fill (how) after a Serve that has failed. Returns 0 if nothing was killed,
 * but the request could not be handed over. What (how) points at is valid until
 * the VM is given back. */
int SBX_VM_Killed(const struct sbx_vm *, struct sbx_killed *how);

#endif
