/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Fetches. All that JavaScript starts in one turn is started by one call to
 * the host.
 */

#include <errno.h>
#include <string.h>

#include "heap.h"
#include "host.h"

static struct engine_value fetch_hook;

void
fetch_set_hook(struct engine_value f)
{

	fetch_hook = f;
}

int
fetch_is_pending(void)
{

	return (0);
}

int
fetch_run(int wait)
{

	(void)wait;
	return (0);
}

static void
fetch_start(struct engine_call *c)
{

	engine_throw(c, "this program can not fetch");
}

static void
fetch_cancel(struct engine_call *c)
{

	(void)c;
}

const struct engine_func host_fetch[] = {
	{ "fetchStart",		fetch_start,		7 },
	{ "fetchCancel",	fetch_cancel,		1 },
};
const size_t host_fetch_n = sizeof host_fetch / sizeof host_fetch[0];
