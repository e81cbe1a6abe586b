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
#include <sys/types.h>

struct sbx_err;
struct sbx_vm;

/* Bytes that somebody else owns; not NUL terminated. */
struct sbx_txt {
	const char		*b;
	size_t			l;
};

struct sbx_header {
	struct sbx_txt		name;		/* without the colon */
	struct sbx_txt		value;
};

/*--------------------------------------------------------------------
 * What the core asks of its caller while a guest runs. The functions are
 * called on the thread that called us or on the VM's runner while that
 * thread waits: never two at a time for one VM.
 */

enum sbx_log_e {
	SBX_LOG_INFO,		/* sandbox_log(), level info */
	SBX_LOG_ERROR,		/* sandbox_log(), level error */
	SBX_LOG_STDOUT,		/* a line the guest wrote to descriptor 1 */
	SBX_LOG_STDERR,		/* a line the guest wrote to descriptor 2 */
};

/* One line without its newline, printable characters only. */
typedef void sbx_log_f(void *priv, enum sbx_log_e, const char *line,
    size_t len);

struct sbx_host {
	sbx_log_f		*log;		/* may be NULL: not wanted */
	void			*priv;
};

/*--------------------------------------------------------------------
 * Request and answer
 */

struct sbx_request {
	struct sbx_txt		method;
	struct sbx_txt		url;
	struct sbx_txt		proto;
	struct sbx_txt		arg;		/* .backend()'s argument */
	struct sbx_txt		client_ip;
	unsigned		client_port;
	uint64_t		xid;
	unsigned		n_headers;
	const struct sbx_header	*headers;
};

/* Checked: status in 200..999, header names are tokens, values and reason
 * hold no CR, LF or NUL and no other control character but TAB. */
struct sbx_answer {
	unsigned		status;
	struct sbx_txt		reason;		/* .l == 0: none given */
	unsigned		n_headers;
	const struct sbx_header	*headers;	/* copies, ours */
	uint64_t		body_len;
};

/* What one request did, for logs and tests. */
struct sbx_usage {
	uint64_t		exits;		/* KVM_RUNs that returned */
	uint64_t		syscalls;	/* of them, Linux calls */
	uint64_t		log_dropped;	/* lines over the share */
	double			run;		/* seconds inside Serve */
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

#endif
