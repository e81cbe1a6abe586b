/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program's share of the machine: how many of its requests may be under
 * way, and how much its guests may compute.
 *
 * Computing is paid for afterwards, because nobody knows before what a request
 * will take. There is a purse with at most a second's worth in it, and (rate)
 * seconds go into it in a second. A request is let in while there is anything
 * in the purse. It leaves a deposit, which is what those before it took, and
 * the difference is settled when it ends; what is missing then has to be there
 * before the next one is let in. So over any long time it is (rate) seconds a
 * second, whatever requests take; and due to the deposits a purse that is
 * nearly empty does not let in all that are waiting outside.
 *
 * Part of a pool, and protected by its lock. Times are in seconds, of a clock
 * that does not go back.
 */

#ifndef SBX_SHARE_H_INCLUDED
#define SBX_SHARE_H_INCLUDED

#include <stdint.h>

struct sbx_err;

/* How much can be saved up, in seconds at the full rate. */
#define SBX_SHARE_SAVE		1.0

/* What part of the purse a request takes, as long as nothing is known. */
#define SBX_SHARE_GUESS		0.0625

/* How much a request counts for what is usual: one eighth. */
#define SBX_SHARE_LEARN		0.125

struct sbx_share {
	double			rate;		/* 0: no limit */
	double			purse;		/* seconds; below 0: a debt */
	double			when;		/* purse was that much then */
	double			usual;		/* what requests take */
	uint64_t		max;		/* requests; 0: no limit */
	uint64_t		under_way;
};

enum sbx_share_e {
	SBX_SHARE_FINE = 0,
	SBX_SHARE_REQUESTS,	/* there are enough of them */
	SBX_SHARE_CPU,		/* the purse is empty */
};

/* With (cpu) seconds a second and (requests) at a time; 0 is no limit. */
void SBX_Share_Init(struct sbx_share *, double cpu, uint64_t requests);

/* May a request begin? If so it is under way from now on, and has left
 * (deposit). If not fills (err), kind SBX_FAIL_SHARE. (now) is looked at only
 * if SBX_Share_IsTimed(). */
enum sbx_share_e SBX_Share_Begin(struct sbx_share *, double now,
    double *deposit, struct sbx_err *err);
int SBX_Share_IsTimed(const struct sbx_share *);

/* A request that was under way is not any more. */
void SBX_Share_End(struct sbx_share *);

/* It has computed for so long, or has not been run at all. */
void SBX_Share_Pay(struct sbx_share *, double deposit, double seconds);
void SBX_Share_Refund(struct sbx_share *, double deposit);

#endif
