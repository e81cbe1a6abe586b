/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A KVM without a CPU, and a clock that stands still: what the core needs to
 * load, freeze, run and reset a program whose instructions a fuzzer makes up.
 *
 * It takes the place of the host's system calls (base/os.h). Descriptors and
 * mappings are counted; mappings have pages around them that nobody may touch.
 * Time passes by FAKE_TICK each time somebody looks, and in sleeps, which take
 * none. All of it is the same each time, but for CLOCK_REALTIME.
 */

#ifndef FAKEKVM_H_INCLUDED
#define FAKEKVM_H_INCLUDED

#include "machine/kvm.h"
#include "machine/machine.h"

#define FAKE_TICK		1000		/* ns */

struct fake_vm {
	unsigned		magic;
#define FAKE_VM_MAGIC		0x1d5e0c7a
	int			vm_fd, vcpu_fd;
	uint8_t			*mem;
	uint64_t		size;
	uint64_t		*dirty;		/* KVM's log, a bit per page */
	struct kvm_run		*run;
	struct kvm_sregs	sregs;
};

/* What happens between an entry and an exit in ring 3; fills (run). */
typedef void fake_run_f(void *priv, struct fake_vm *);

/* For each edit of a page table that the editor makes, before it is made. */
typedef void fake_edit_f(void *priv, struct fake_vm *, const struct sbx_edit *);

struct fake {
	struct sbx_kvm		kvm;
	fake_run_f		*run;
	fake_edit_f		*edit;
	void			*priv;
	int			fail_edit;	/* the editor does not answer */
	struct sbx_machine	*watched;	/* kicked when it is late */
	int64_t			now;		/* CLOCK_MONOTONIC */
	unsigned		n_fd;		/* open */
	unsigned		n_map;		/* mapped */
};

extern struct fake fake;

/* Put it in place, for good. */
void Fake_Init(enum sbx_platform_e);

/* Exit: an OUT to (port), with RIP where it was on this platform. */
void Fake_Out(struct fake_vm *, unsigned port, uint64_t at);

/* The guest has written to physical memory. */
void Fake_Dirty(struct fake_vm *, uint64_t pa, uint64_t len);

#endif
