/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Deadlines: one thread for the process looks at all machines now and then,
 * and kicks those out of KVM_RUN whose time is up. Arming and disarming cost
 * no system call.
 *
 * The only place where a signal is used: a real-time signal whose disposition
 * was the default, sent to the very thread that runs the machine and to no
 * other. The handler does nothing.
 */

#ifndef SBX_WATCHDOG_H_INCLUDED
#define SBX_WATCHDOG_H_INCLUDED

#include <stdint.h>

struct sbx_err;
struct sbx_machine;

/* How often it looks, in nanoseconds: a guest gets this much more than its
 * deadline at most, if the host has a CPU for us. */
#define SBX_WATCHDOG_PERIOD	5000000

/* Start and stop the thread. No machines may exist when it is stopped. */
int SBX_Watchdog_Start(struct sbx_err *err);
void SBX_Watchdog_Stop(void);

/* A machine is watched from its creation to its destruction. */
void SBX_Watchdog_Add(struct sbx_machine *);
void SBX_Watchdog_Remove(struct sbx_machine *);

/*
 * The calling thread is going to run the machine until (deadline), in
 * SBX_Os_Mono() nanoseconds. From then on each Run returns SBX_EXIT_KICKED,
 * until the same thread calls Disarm.
 */
void SBX_Watchdog_Arm(struct sbx_machine *, int64_t deadline);
void SBX_Watchdog_Disarm(struct sbx_machine *);

/* Another deadline for a machine that is armed, by the same thread. If it has
 * been kicked for the old one that is forgotten. */
void SBX_Watchdog_Rearm(struct sbx_machine *, int64_t deadline);

/* True once the deadline has passed and been noticed. */
int SBX_Watchdog_Kicked(const struct sbx_machine *);

#endif
