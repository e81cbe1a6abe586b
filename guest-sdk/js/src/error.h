/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * error.c [error]: what was thrown, for people: "Type: message", and lines of
 * stack. NUL terminated, in static memory, until the next call.
 */

#ifndef ERROR_H_INCLUDED
#define ERROR_H_INCLUDED

#include "engine.h"

/* What was thrown last; it is forgotten by that. */
const char *error_last(void);

/* The same for any value, as if it had been thrown. */
const char *error_describe(struct engine_value);

/* The stack here and now, of a program that is being stopped. */
const char *error_where(void);

#endif
