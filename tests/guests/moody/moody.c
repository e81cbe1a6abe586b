/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What becomes of a request is not said by its URL but by the header Mood:
 * "bad" is a crash, "late" never ends, anything else is answered.
 */

#include <stdlib.h>

#include "../guest.h"

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	const char *mood;

	mood = sandbox_get_header(rq, "Mood");
	if (mood != NULL && !strcmp(mood, "bad"))
		abort();
	if (mood != NULL && !strcmp(mood, "late"))
		for (;;)
			__asm__ volatile("");
	sandbox_puts(rp, "in a good mood\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
