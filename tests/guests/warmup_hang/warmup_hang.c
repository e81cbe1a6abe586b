/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Never comes back from the request that is made for each new VM, for which
 * others in the host may wait. All others it answers.
 */

#include "../guest.h"

static void
answer(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{

	(void)priv;
	while (rq->flags & SANDBOX_REQUEST_WARMUP)
		__asm__ volatile ("pause");
	sandbox_printf(rp, "ok\n");
}

int
main(void)
{

	return (sandbox_serve(answer, NULL));
}
