/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sandbox-run --trace: what a guest asks for, as strace shows it.
 */

#ifndef RUN_TRACE_H_INCLUDED
#define RUN_TRACE_H_INCLUDED

/* From now on write a line to standard error for each call of any guest's. */
void Run_Trace(void);

/* How often calls were made that there are not, if any were. */
void Run_TraceEnd(void);

#endif
