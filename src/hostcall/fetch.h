/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A request's fetches: those that are on their way, and those whose answer
 * waits until the guest has room for it.
 */

#ifndef SBX_FETCH_H_INCLUDED
#define SBX_FETCH_H_INCLUDED

#include <stdint.h>

#include "sandbox_abi.h"

#include "hostcall/http.h"

struct sbx_exchange;
struct sbx_fetch;
struct sbx_proc;

/* What a program may do. */
struct sbx_fetch_limits {
	uint64_t		max;		/* fetches of a request */
	uint64_t		bytes;		/* of all of them */
};

/* A fetch that runs, or that has ended and is held. */
struct sbx_fetch_slot {
	uint32_t		handle;		/* 0: free */
	uint32_t		call;		/* the last that listed it */
	struct sbx_fetch	*fetch;		/* the host's */
	const struct sbx_fetch_answer
				*answer;	/* once it has ended */
	int64_t			deadline;	/* SBX_Os_Mono() */
	uint64_t		max_body;	/* reserved */
	int			lowered;	/* it wanted more */
};

/* One in the list of a call: copies, and what becomes of it. */
struct sbx_fetch_item {
	sandbox_gva_t		at;		/* of the response */
	struct sandbox_fetch_request
				request;
	struct sandbox_fetch_response
				response;
	struct sbx_fetch_slot	*slot;		/* while it is not over */
	int			error;		/* if it is */
};

struct sbx_fetches {
	struct sbx_fetch_limits	limits;
	struct sbx_fetch_use	use;
	uint32_t		serial;		/* of the last handle */
	uint32_t		call;		/* of the last call */
	unsigned		n;		/* slots in use */
	unsigned		n_item;
	struct sbx_fetch_slot	slot[SANDBOX_MAX_FETCH];
	struct sbx_fetch_item	item[SANDBOX_MAX_FETCH];
};

/* The call. Returns its result; the process may have been killed. */
int64_t SBX_Fetch_Call(struct sbx_exchange *, struct sbx_proc *,
    const uint64_t *args);

/* The request is over: give up what still runs, and let go of the rest. What
 * has been used stays there to be read. */
void SBX_Fetch_End(struct sbx_fetches *, struct sbx_proc *);

/* Another request. There are none left of the last one. */
void SBX_Fetch_Begin(struct sbx_fetches *);

/*
 * Write an answer into the guest's space, and what is where into (r). Returns
 * 0, or EMSGSIZE if the space is too small, with r->need, or EFAULT. May find
 * that it is late, and kill the process. [delivery.c]
 */
int SBX_Fetch_Deliver(struct sbx_proc *, const struct sbx_fetch_answer *,
    struct sandbox_fetch_response *r);

#endif
