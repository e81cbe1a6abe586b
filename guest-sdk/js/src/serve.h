/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * serve.c [serve]: getting a handler ready, and its requests.
 */

#ifndef SERVE_H_INCLUDED
#define SERVE_H_INCLUDED

/* Set up the engine; for compiling, that is all. Returns 0, or -1 after a
 * line on standard error. */
int serve_engine(void);

/* Get the handler in the payload ready. Returns 0, or -1 after a log line. */
int serve_boot(void);

/* Have this called whenever there is an answer, before it goes out. */
void serve_on_answer(void (*)(void));

/* Then answer requests. Does not return unless it failed, after a line on
 * standard error. */
void serve_requests(void);

#endif
