/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An exchange: one request into a guest, one answer out of it, and the calls
 * of sandbox_abi.h, by which the guest asks for them.
 */

#ifndef SBX_EXCHANGE_H_INCLUDED
#define SBX_EXCHANGE_H_INCLUDED

#include <stdint.h>

#include "sandbox_abi.h"

#include "hostcall/copy.h"
#include "hostcall/fetch.h"
#include "hostcall/http.h"

struct sbx_err;
struct sbx_proc;

/* What a call means for the loop that runs the guest. */
enum sbx_next_e {
	SBX_NEXT_RETURN,	/* go on, with a result */
	SBX_NEXT_READY,		/* first next(): freeze it */
	SBX_NEXT_ANSWERED,	/* the answer is there */
	SBX_NEXT_KILLED,	/* see (proc)->err */
};

struct sbx_exchange {
	unsigned		magic;
#define SBX_EXCHANGE_MAGIC	0x11c6f49a
	uint64_t		body_max;	/* of the answer */
	uint64_t		request_len;	/* body bytes so far */
	struct sbx_answer	answer;
	sandbox_gva_t		body;		/* of the answer, checked */

	struct sbx_fetches	fetches;
	/* Last, because it is not zeroed with the rest: pool/vm.c */
	struct sbx_store	store;		/* of the answer, in the end */
};

/*
 * Run the guest until it is ready (SBX_NEXT_READY, while it boots), has
 * answered, or is killed. The watchdog is armed by the caller. Never returns
 * SBX_NEXT_RETURN. The request's fetches are over when this returns.
 */
enum sbx_next_e SBX_Exchange_Run(struct sbx_exchange *, struct sbx_proc *);

/* Forget the last request and its answer. */
void SBX_Exchange_Begin(struct sbx_exchange *);

/* Append to the request's body, in the guest's window. Returns -1 and fills
 * (err) if it is more than the program allows. */
int SBX_Exchange_Body(struct sbx_exchange *, struct sbx_proc *,
    const void *, uint64_t len, struct sbx_err *err);

/* What a request has that its caller does not know. */
struct sbx_moment {
	int64_t			wall_ns;
	int64_t			mono_ns;
	int64_t			timeout_ns;
	uint64_t		tsc;		/* just after the times */
	uint64_t		tsc_mult;	/* as in struct sbx_clock */
	uint8_t			random[32];
};

/* Write the request block into the guest's window. Returns -1 and fills (err)
 * if it does not fit. */
int SBX_Exchange_Request(struct sbx_exchange *, struct sbx_proc *,
    const struct sbx_request *, const struct sbx_moment *,
    struct sbx_err *err);

/* Read and check the answer at (va); kills the guest if it breaks a rule and
 * returns -1. */
int SBX_Exchange_Answer(struct sbx_exchange *, struct sbx_proc *,
    uint64_t va);

/* Copy from the checked body. */
uint64_t SBX_Exchange_AnswerBody(const struct sbx_exchange *,
    const struct sbx_proc *, uint64_t off, void *, uint64_t len);

/* True if (nr) is a call of ours. */
int SBX_Hostcall_Is(uint64_t nr);

/* Answer call (nr). (*result) is for SBX_NEXT_RETURN. */
enum sbx_next_e SBX_Hostcall(struct sbx_exchange *, struct sbx_proc *,
    uint64_t nr, const uint64_t *args, int64_t *result);

#endif
