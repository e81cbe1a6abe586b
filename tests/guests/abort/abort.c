/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls abort(): SIGABRT, and then worse if that is survived.
 */

#include <stdlib.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	(void)rq;
	(void)rp;
	abort();
}

int
main(void)
{

	return (guest_serve(bad));
}
