/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

#include <string.h>

#include "error.h"

#define ERROR_SIZE	8192

/* Of an error, its cause, that one's cause, and so on. */
#define ERROR_CAUSES	4

static char error_text[ERROR_SIZE + 1];
static size_t error_len;

static void
error_begin(void)
{

	error_len = 0;
}

static void
error_add(struct engine_value v)
{
	size_t at = error_len;

	/* String(v) may run JavaScript, and that lead back to here. */
	error_len = at + engine_to_text(v, error_text + at, ERROR_SIZE - at);
}

static void
error_add_text(const char *p)
{

	while (*p != '\0' && error_len < ERROR_SIZE)
		error_text[error_len++] = *p++;
}

static void
error_add_stack(struct engine_value v)
{
	struct engine_value stack;

	if (engine_get(v, "stack", &stack) == 0)
		error_add(stack);
	else
		engine_drop(engine_take_error());
}

/* The error that is (v)'s cause; 0 if there is none. */
static int
error_cause(struct engine_value v, struct engine_value *cause)
{

	if (engine_get(v, "cause", cause) == 0)
		return (engine_is_error(*cause));
	engine_drop(engine_take_error());
	return (0);
}

static const char *
error_end(void)
{

	while (error_len > 0 && error_text[error_len - 1] == '\n')
		error_len--;
	error_text[error_len] = '\0';
	return (error_text);
}

const char *
error_describe(struct engine_value v)
{
	unsigned n;

	error_begin();
	error_add(v);
	if (error_len == 0)
		error_add_text("(an error without a text)");
	for (n = 0; engine_is_error(v); n++) {
		error_add_text("\n");
		error_add_stack(v);
		if (n == ERROR_CAUSES || !error_cause(v, &v))
			break;
		(void)error_end();
		error_add_text("\ncaused by: ");
		error_add(v);
	}
	return (error_end());
}

const char *
error_last(void)
{

	return (error_describe(engine_take_error()));
}

const char *
error_where(void)
{

	error_begin();
	error_add_stack(engine_new_error());
	if (error_len == 0)
		error_add_text("    (nothing for long, but ever new jobs)");
	return (error_end());
}
