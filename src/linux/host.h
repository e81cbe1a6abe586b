/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the core asks of its caller while a guest runs. The functions are
 * called on the thread that called us or on the VM's runner while that
 * thread waits: never two at a time for one VM.
 */

#ifndef SBX_HOST_H_INCLUDED
#define SBX_HOST_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

struct sbx_fetch;			/* the host's, one fetch */
struct sbx_fetch_answer;		/* hostcall/http.h */
struct sbx_fetch_request;

enum sbx_log_e {
	SBX_LOG_INFO,		/* sandbox_log(), level info */
	SBX_LOG_ERROR,		/* sandbox_log(), level error */
	SBX_LOG_STDOUT,		/* a line the guest wrote to descriptor 1 */
	SBX_LOG_STDERR,		/* a line the guest wrote to descriptor 2 */
};

/* One line without its newline, not NUL terminated, printable characters
 * only: control characters have been replaced. */
typedef void sbx_log_f(void *priv, enum sbx_log_e, const char *line,
    size_t len);

/*
 * Fetches. They go on while the guest runs, on threads of the host's, none of
 * which touches guest memory.
 */

/* Start one; what (rq) points at is copied. Returns 0, or an errno of those
 * that sandbox_abi.h lists for the guest to see. */
typedef int sbx_fetch_start_f(void *priv, const struct sbx_fetch_request *rq,
    struct sbx_fetch **);

/*
 * Wait until (want) of the (n) fetches have ended, at most until (deadline),
 * in SBX_Os_Mono() nanoseconds. Returns how many have ended, or -1 when the
 * request is not wanted any more, because its client has gone: then the guest
 * is to be stopped.
 */
typedef int sbx_fetch_wait_f(void *priv, struct sbx_fetch * const *, unsigned n,
    unsigned want, int64_t deadline);

/* NULL while it runs. Never fails, does not wait. */
typedef const struct sbx_fetch_answer *sbx_fetch_answer_f(void *priv,
    struct sbx_fetch *);

/* The guest is done with it. One that runs is given up: nobody will see what
 * comes of it. Does not wait. *(fetch) is NULL afterwards. */
typedef void sbx_fetch_drop_f(void *priv, struct sbx_fetch **fetch);

struct sbx_host {
	sbx_log_f		*log;		/* may be NULL: not wanted */
	sbx_fetch_start_f	*fetch_start;	/* NULL: ENETDOWN */
	sbx_fetch_wait_f	*fetch_wait;
	sbx_fetch_answer_f	*fetch_answer;
	sbx_fetch_drop_f	*fetch_drop;
	void			*priv;
};

#endif
