/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sandbox-run --gdb: one request under gdb.
 */

#ifndef RUN_DEBUG_H_INCLUDED
#define RUN_DEBUG_H_INCLUDED

struct sbx_vm;

/* Listen at (where): PORT, ADDRESS:PORT with an address of this host's own, or
 * a path for a socket. Exits with a message if that is not possible. */
void Run_DebugListen(const char *where);

/* Let the VM's request run under whoever connects, and wait for that. */
void Run_Debug(struct sbx_vm *);

/* The request is over, and its VM is still there: tell gdb. */
void Run_DebugEnd(void);

#endif
