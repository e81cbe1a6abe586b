/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Signals: from threads of the guest to each other, and from the CPU. Nobody
 * outside sends any.
 */

#ifndef SBX_SIGNALS_H_INCLUDED
#define SBX_SIGNALS_H_INCLUDED

#include <signal.h>
#include <stdint.h>

struct sbx_fault;
struct sbx_proc;
struct sbx_thread;

#define SBX_NSIG		64

/* Bytes of a stack that one frame may take, all told. */
#define SBX_SIGNAL_STACK	4096

#define SBX_SIGBIT(sig)		(UINT64_C(1) << ((sig) - 1))

/* Nobody can block these. */
#define SBX_SIG_ALWAYS		(SBX_SIGBIT(SIGKILL) | SBX_SIGBIT(SIGSTOP))

/* As in the kernel. */
struct sbx_sigaction {
	uint64_t		handler, flags, restorer, mask;
};

/* siginfo_t */
struct sbx_siginfo {
	int32_t			signo, error, code, pad;
	uint64_t		addr;		/* or PID and UID; timer */
	uint64_t		value;
	uint8_t			rest[96];
};

/* True if (t) has a signal to handle before it goes on. */
int SBX_Signal_Due(const struct sbx_proc *, const struct sbx_thread *);

/* Send (sig), 1 to SBX_NSIG, to (t), or if it is NULL to the process: to
 * whichever thread does not block it. Kills the process if that is what it
 * does. Returns 0 if it is ignored. */
int SBX_Signal_Send(struct sbx_proc *, struct sbx_thread *, unsigned sig);

/* The calling thread takes (sig), which is pending, and (si) says where it is
 * from. */
void SBX_Signal_Take(struct sbx_proc *, struct sbx_thread *, unsigned sig,
    struct sbx_siginfo *si);

/* Nobody is going to handle (sig): it is not pending any more. */
void SBX_Signal_Drop(struct sbx_proc *, unsigned sig);

/* True if nothing would happen. */
int SBX_Signal_Ignored(const struct sbx_proc *, unsigned sig);

/* What the calling thread blocks from now on. */
void SBX_Signal_Mask(struct sbx_proc *, uint64_t mask);

/* What it blocks until this call is over, as at (va), (len) bytes; 0 for no
 * change. Returns 0 or a negative errno. Over, without a signal to be handled:
 * it blocks what it did before. */
int64_t SBX_Signal_Instead(struct sbx_proc *, uint64_t va, uint64_t len);
int64_t SBX_Signal_Over(struct sbx_proc *, int64_t result);

/* (t), which waits, has a signal to handle: its call returns EINTR. */
void SBX_Signal_Interrupt(struct sbx_proc *, struct sbx_thread *);

/* Change (t), whose registers are saved, so that it handles what is due. May
 * kill the process. */
void SBX_Signal_Deliver(struct sbx_proc *, struct sbx_thread *);

/* The signal that Linux sends when the CPU complains so, or 0 for SIGKILL. */
int SBX_Signal_Of(const struct sbx_fault *);

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
