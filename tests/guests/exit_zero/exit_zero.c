/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls exit(0) instead of answering.
 */

#include <stdlib.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	(void)rq;
	(void)rp;
	exit(0);
}

int
main(void)
{

	return (guest_serve(bad));
}
