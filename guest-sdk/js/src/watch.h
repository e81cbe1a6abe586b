/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * watch.c [watch]: which cells a request writes to. When a program is made, and
 * never in a sandbox.
 */

#ifndef WATCH_H_INCLUDED
#define WATCH_H_INCLUDED

/* From now on; at exit the profile (cells.h) goes to the file (path). Returns
 * 0, or -1 with errno set. */
int watch_begin(const char *path);

#endif
