/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What guests fetch. A fetch has two sides: the guest that waits for it, and
 * the sub-request, a request of Varnish's that runs on a worker thread of its
 * own. fetch.c has the guest's side and what is between the two, subreq.c the
 * sub-request, loops.c finds out who waits for whom. Include cache/cache.h
 * first.
 *
 * The life of a fetch, as (where) says:
 *
 *	QUEUED	--->  RUNS  <--->  PARKED
 *	   |	       |
 *	   '----------'------->  OVER
 *
 * QUEUED	it waits for a thread, and is not waited for much longer than
 *		a thread takes to be made
 * RUNS		it has a thread
 * PARKED	it is on Varnish's waiting list for an object that somebody
 *		else is fetching, without a thread
 * OVER		there is no sub-request any more
 *
 * Beside that it is (ended) as soon as its guest has something to look at: an
 * answer, or an error. That happens once, before it is OVER or when it is, and
 * what happens to the sub-request after that nobody sees. And it is (dropped)
 * when its guest does not want it any more.
 *
 * Who holds what:
 *
 * - the guest's side and the sub-request have a reference each on the struct
 *   sbx_fetch; the last one frees it. A sub-request that never got as far as
 *   Pool_Task() has none.
 * - struct vsbx_fetches is of one guest's request. The guest's side has a
 *   reference, and each of its fetches that is not OVER.
 * - the sub-request holds references on the VCL, so that the program object is
 *   there until it is OVER. The guest's side needs none: its busyobj has one.
 * - the answer, its strings and its body are written by the sub-request's
 *   thread until it is (ended), and only read, by the guest's side, after it.
 *
 * Locks: vsbx_fetch_mtx protects all that is marked so below, for all fetches
 * of all programs. It is a leaf: no function of Varnish's or of the core is
 * called with it held. Each time it is held for a few instructions, but when a
 * fetch is parked: see loops.c.
 */

#ifndef VSBX_FETCH_H_INCLUDED
#define VSBX_FETCH_H_INCLUDED

#include <pthread.h>

#include "hostcall/http.h"

struct busyobj;
struct http;
struct sess;
struct vcl;
struct vmod_sandbox_program;

extern pthread_mutex_t vsbx_fetch_mtx;

enum vsbx_where_e {
	VSBX_FETCH_QUEUED,
	VSBX_FETCH_RUNS,
	VSBX_FETCH_PARKED,
	VSBX_FETCH_OVER,
};

struct vsbx_fetches {
	unsigned		magic;
#define VSBX_FETCHES_MAGIC	0x4e6af013
	unsigned		refs;		/* mtx */
	struct vmod_sandbox_program
				*prg;
	pthread_cond_t		cond;		/* one of them has ended */

	/* What this guest's answer is for. The session is a name, which is
	 * never followed; NULL: in the background. */
	unsigned		is_shared;	/* others can wait for it */
	uint8_t			digest[DIGEST_LEN];
	const void		*sess;

	/* The guest's side's alone: it has waited for a place in Varnish's
	 * queue in vain, and does not do it again. */
	unsigned		is_tired;

	VTAILQ_HEAD(, sbx_fetch) list;		/* mtx: those not OVER */
	VTAILQ_ENTRY(vsbx_fetches)
				by_digest;	/* mtx */
	VTAILQ_ENTRY(vsbx_fetches)
				by_sess;	/* mtx */
	VTAILQ_ENTRY(vsbx_fetches)
				todo;		/* mtx: loops.c */
	uint64_t		mark;		/* mtx: loops.c */
};

struct sbx_fetch {
	unsigned		magic;
#define SBX_FETCH_MAGIC		0x27c1d94f
	struct vsbx_fetches	*of;

	/* They do not change after the start. */
	int64_t			start;		/* SBX_Os_Mono() */
	uintmax_t		xid;		/* of the sub-request */
	uintmax_t		parent;		/* of the guest's bereq */
	unsigned		depth;
	int64_t			deadline;	/* of who waits for it */
	const void		*sess;		/* a name, as above */
	char			*what;		/* "GET /", for the log */
	void			*body;		/* of the request */
	uint64_t		body_len;
	uint64_t		max_body;

	unsigned		refs;		/* mtx */
	enum vsbx_where_e	where;		/* mtx */
	unsigned		ended;		/* mtx */
	unsigned		woken;		/* mtx: not parked yet */
	unsigned		dropped;	/* mtx, or atomic to read */
	uint8_t			parked_on[DIGEST_LEN];	/* mtx */
	VTAILQ_ENTRY(sbx_fetch)	list;		/* mtx */
	VTAILQ_ENTRY(sbx_fetch)	by_sess;	/* mtx */

	/* The sub-request's alone */
	struct vcl		*vcl;
	uint64_t		body_off;	/* that VCL has read */

	/* The sub-request's until it has ended, then the guest's */
	struct sbx_fetch_answer	answer;
	void			*strings;
	char			*bytes;
	uint64_t		space;		/* of (bytes) */
};

/* fetch.c, for the sub-request --------------------------------------*/

/* Before it can run: the session that all that is done for it will have. */
void vsbx_fetch_name(struct sbx_fetch *, const void *sess);

/* Is this the session of a fetch that nobody waits for any more? If it is not
 * known here, another version of this VMOD has made it, and may know. */
int vsbx_fetch_is_dropped(const void *sess);

/* Varnish's queue is full. Waits a little and returns 1, or returns 0 when that
 * has been done for long enough. On the guest's thread. */
int vsbx_fetch_try_again(struct sbx_fetch *);

/* It has a thread. Returns -1 if nobody wants it any more: end it. */
int vsbx_fetch_run(struct sbx_fetch *);

/* It is on the waiting list for what hashes to this. Returns 0, and another
 * thread may be running it already, or -1: it was woken meanwhile, go on. */
int vsbx_fetch_park(struct sbx_fetch *, const uint8_t *digest);

/* Its turn on the waiting list. Returns 0, schedule it, or -1: its thread has
 * not come to park it yet, and goes on by itself. */
int vsbx_fetch_wake(struct sbx_fetch *);

/* Read the next bytes of the request's body. Returns how many. */
size_t vsbx_fetch_read(struct sbx_fetch *, void *, size_t);

/* What is delivered: status and headers, then bytes, all copied. They return
 * an errno: ECANCELED, nobody is going to look. */
int vsbx_fetch_head(struct sbx_fetch *, const struct http *);
int vsbx_fetch_bytes(struct sbx_fetch *, const void *, size_t);

/* The answer is complete, or there is none. Only the first call counts. */
void vsbx_fetch_end(struct sbx_fetch *, int error);

/* There is no sub-request any more. Takes its reference. */
void vsbx_fetch_over(struct sbx_fetch **);

/* loops.c -----------------------------------------------------------*/

/* With mtx held: make a guest's request known, and forget it, and the same for
 * a fetch that has a session. */
void vsbx_loops_add(struct vsbx_fetches *);
void vsbx_loops_remove(struct vsbx_fetches *);
void vsbx_loops_add_fetch(struct sbx_fetch *);
void vsbx_loops_remove_fetch(struct sbx_fetch *);

/* With mtx held: the fetch that has this session, or NULL. */
const struct sbx_fetch *vsbx_loops_find_fetch(const void *sess);

/* With mtx held: the fetch has just been parked. Does it wait for what its own
 * guest is there to make? */
int vsbx_loops_find(const struct sbx_fetch *);

/* subreq.c ----------------------------------------------------------*/

/* What is known about the guest that a sub-request is for, and about all that
 * is done for it. It lives as long as the session. */
struct vsbx_origin {
	unsigned		magic;
#define VSBX_ORIGIN_MAGIC	0x71d8be24
	unsigned		depth;		/* 1: a client's guest's */
	int64_t			deadline;	/* SBX_Os_Mono(): the guest's */
	char			program[];	/* the object's name */
};

/* NULL if it is all right to use Varnish's own structures, or a sentence that
 * says why not. */
const char *vsbx_subreq_check(void);

/* The origin, or NULL if it is a client's session. */
const struct vsbx_origin *vsbx_subreq_origin(const struct sess *);

/* Has the client gone that this backend request is made for? Only if it is for
 * nobody else. */
int vsbx_subreq_is_alone(const struct busyobj *);
int vsbx_subreq_client_gone(const struct busyobj *);

/* Make the sub-request and hand it to a worker thread. What (rq) points at is
 * copied. Takes a reference on the fetch if it returns 0, else returns an
 * errno of sandbox_abi.h. */
int vsbx_subreq_start(struct busyobj *, struct sbx_fetch *,
    const struct sbx_fetch_request *rq);

#endif
