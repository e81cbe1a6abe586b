/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Says who it is. Its name, argv[1], is all over its memory before the
 * snapshot; each request looks if all of that is still so, writes the
 * request's URL over it, and answers
 *
 *	name of the program, URL, how many places were not as they should be
 *
 * in one line. A VM that had been another program's, or was not put back,
 * would say so.
 *
 *	/die	crashes after having written
 *	/spin	never ends
 */

#include <stdio.h>
#include <stdlib.h>

#include "../guest.h"

#define N_NAMES		4096
#define NAME_LEN	32

static char names[N_NAMES][NAME_LEN];
static char me[NAME_LEN];

static void
handler(const struct sandbox_request *rq, struct sandbox_reply *rp,
    void *priv)
{
	char url[NAME_LEN];
	unsigned u, wrong;

	(void)priv;
	wrong = 0;
	(void)snprintf(url, sizeof url, "%s", rq->url.ptr);
	for (u = 0; u < N_NAMES; u++) {
		wrong += (strcmp(names[u], me) != 0);
		if (u % 64 == 0)
			memcpy(names[u], url, sizeof url);
	}
	if (sandbox_path_is(rq, "/die"))
		abort();
	while (sandbox_path_is(rq, "/spin"))
		__asm__ volatile("pause");
	sandbox_printf(rp, "%s %s %u\n", me, url, wrong);
}

int
main(int argc, char **argv)
{
	unsigned u;

	(void)snprintf(me, sizeof me, "%s", argc > 1 ? argv[1] : "nobody");
	for (u = 0; u < N_NAMES; u++)
		memcpy(names[u], me, sizeof me);
	return (sandbox_serve(handler, NULL));
}
