/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What engine.c and engine_*.c share, who know which engine it is.
 */

#ifndef ENGINE_PRIV_H_INCLUDED
#define ENGINE_PRIV_H_INCLUDED

#include <quickjs.h>

#include "engine.h"

/* engine_bytes.c [engine_bytes]: before any script runs. */
int engine_bytes_init(JSContext *);

/* An argument of a call; undefined if there are not as many. The caller's. */
static inline JSValueConst
arg_get(const struct engine_call *c, int i)
{
	const JSValue *argv = c->argv;

	return (i < c->argc ? argv[i] : JS_UNDEFINED);
}

#endif
