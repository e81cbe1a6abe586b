/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * share.c: limits of requests and of computing.
 */

#include "config.h"

#include <stdint.h>
#include <string.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"
#include "pool/share.h"

void
SBX_Share_Init(struct sbx_share *sh, double cpu, uint64_t requests)
{

	AN(sh);
	memset(sh, 0, sizeof *sh);
	sh->rate = cpu;
	sh->max = requests;
	sh->purse = cpu * SBX_SHARE_SAVE;
	sh->usual = sh->purse * SBX_SHARE_GUESS;
}

int
SBX_Share_IsTimed(const struct sbx_share *sh)
{

	AN(sh);
	return (sh->rate > 0);
}

static void
share_put(struct sbx_share *sh, double seconds)
{
	double most = sh->rate * SBX_SHARE_SAVE;

	sh->purse += seconds;
	if (sh->purse > most)
		sh->purse = most;
}

/* What has come in since. A clock that is behind another CPU's brings
 * nothing. */
static void
share_earn(struct sbx_share *sh, double now)
{

	if (now <= sh->when)
		return;
	share_put(sh, (now - sh->when) * sh->rate);
	sh->when = now;
}

/* Not more than there can be, or the purse could not be filled again. */
static double
share_deposit(const struct sbx_share *sh)
{
	double most = sh->rate * SBX_SHARE_SAVE;

	return (sh->usual < most ? sh->usual : most);
}

enum sbx_share_e
SBX_Share_Begin(struct sbx_share *sh, double now, double *deposit,
    struct sbx_err *err)
{

	AN(sh);
	AN(deposit);
	AN(err);
	*deposit = 0;
	if (sh->max > 0 && sh->under_way >= sh->max) {
		(void)SBX_Err_Set(err, SBX_FAIL_SHARE, 0,
		    "%ju requests are under way (max_concurrency)",
		    (uintmax_t)sh->under_way);
		return (SBX_SHARE_REQUESTS);
	}
	if (sh->rate > 0) {
		share_earn(sh, now);
		if (sh->purse <= 0) {
			(void)SBX_Err_Set(err, SBX_FAIL_SHARE, 0,
			    "the program has used up its CPU time, %g s a "
			    "second; there is more in %.3f s (max_cpu)",
			    sh->rate, (0 - sh->purse) / sh->rate);
			return (SBX_SHARE_CPU);
		}
		*deposit = share_deposit(sh);
		sh->purse -= *deposit;
	}
	sh->under_way++;
	return (SBX_SHARE_FINE);
}

void
SBX_Share_End(struct sbx_share *sh)
{

	AN(sh);
	assert(sh->under_way > 0);
	sh->under_way--;
}

void
SBX_Share_Pay(struct sbx_share *sh, double deposit, double seconds)
{

	AN(sh);
	if (sh->rate == 0)
		return;
	if (seconds < 0)
		seconds = 0;
	share_put(sh, deposit - seconds);
	sh->usual += (seconds - sh->usual) * SBX_SHARE_LEARN;
}

void
SBX_Share_Refund(struct sbx_share *sh, double deposit)
{

	AN(sh);
	share_put(sh, deposit);
}
