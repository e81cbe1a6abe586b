/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a debugger is told while a guest runs: sandbox-run --gdb. Nothing in
 * varnishd ever sets one. Called where the guest runs.
 */

#ifndef SBX_DEBUGGER_H_INCLUDED
#define SBX_DEBUGGER_H_INCLUDED

struct sbx_fault;
struct sbx_proc;

/* How often it gets to see a guest that just runs, in nanoseconds. */
#define SBX_DEBUGGER_TICK	50000000

struct sbx_debugger {
	/* A request is about to run. */
	void			(*begin)(void *priv, struct sbx_proc *);

	/* An exception: at first before, then, with (fatal), instead of what
	 * the program would have done about it. Returns 1 if that was all, and
	 * the machine goes on, or the guest has been killed. */
	int			(*fault)(void *priv, struct sbx_proc *,
				    const struct sbx_fault *, int fatal);

	/* The machine was kicked. As fault. */
	int			(*kicked)(void *priv, struct sbx_proc *);

	/* The machine is set to go on after something else. */
	void			(*goes)(void *priv, struct sbx_proc *);
	void			*priv;
};

#endif
