/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Signals: from threads of the guest to each other, and from the CPU. Nobody
 * outside sends any.
 */

#ifndef SBX_SIGNALS_H_INCLUDED
#define SBX_SIGNALS_H_INCLUDED

#include <stdint.h>

struct sbx_fault;
struct sbx_proc;
struct sbx_thread;

#define SBX_NSIG		64

/* Bytes of a stack that one frame may take, all told. */
#define SBX_SIGNAL_STACK	4096

#define SBX_SIGBIT(sig)		(UINT64_C(1) << ((sig) - 1))

/* As in the kernel. */
struct sbx_sigaction {
	uint64_t		handler, flags, restorer, mask;
};

/* True if (t) has a signal to handle before it goes on. */
int SBX_Signal_Due(const struct sbx_thread *);

/* Send (sig), 1 to SBX_NSIG, to (t): from a kill() for the process (tkill 0)
 * or for the thread. Kills the process if that is what it does. */
void SBX_Signal_Send(struct sbx_proc *, struct sbx_thread *, unsigned sig,
    int tkill);

/* Change (t), whose registers are saved, so that it handles what is due. May
 * kill the process. */
void SBX_Signal_Deliver(struct sbx_proc *, struct sbx_thread *);

/* True if the calling thread has a handler for what the CPU complains of. */
int SBX_Signal_Handles(struct sbx_proc *, const struct sbx_fault *);

/* Nobody handles it: what it is going to be killed by. */
void SBX_Signal_Death(struct sbx_proc *, const struct sbx_fault *);

/* Change (t), whose registers are saved, so that it handles (f). Returns -1 if
 * it has no stack to do it on. */
int SBX_Signal_Fault(struct sbx_proc *, struct sbx_thread *,
    const struct sbx_fault *);

/* Change (t), whose registers are saved, to what the frame of a handler says
 * that is over. Returns -1 if that is no such frame. */
int SBX_Signal_Return(struct sbx_proc *, struct sbx_thread *);

/* True if (t), with the stack pointer (sp), is on its alternate stack. */
int SBX_Signal_OnStack(const struct sbx_thread *, uint64_t sp);

#endif
