/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A generation of a program: one golden image, and the VMs that are stamped
 * from it. A program that is reloaded gets a new generation, which is made and
 * tried beside the one that serves; then the pool switches to it. For the
 * files in pool/ and nobody else.
 *
 * A generation belongs to the thread that makes it, and later to its pool,
 * whose lock then protects what may change.
 */

#ifndef SBX_GEN_H_INCLUDED
#define SBX_GEN_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "vqueue.h"

struct sbx_err;
struct sbx_image;
struct sbx_kvm;
struct sbx_program_cfg;
struct sbx_vm;

VTAILQ_HEAD(sbx_vms, sbx_vm);

struct sbx_gen {
	unsigned		magic;
#define SBX_GEN_MAGIC		0x584cdaa5
	const struct sbx_program_cfg *cfg;
	struct sbx_image	*img;
	int			no_warmup;	/* it failed once */
	struct sbx_vms		made;		/* READY, not the pool's yet */
	uint64_t		n_made;

	/* pool.c, once it is not the pool's present one any more */
	VTAILQ_ENTRY(sbx_gen)	list;
	unsigned		n_vms;		/* that still exist */
};

/* Start and freeze the program whose executable is the (len) bytes at (file).
 * (cfg) must outlive it. Blocks for up to boot_timeout. Returns -1 and fills
 * (err). */
int SBX_Gen_New(struct sbx_kvm *, const struct sbx_program_cfg *cfg,
    const void *file, size_t len, struct sbx_gen **, struct sbx_err *err);

/* No VM but those in (made) may exist. */
void SBX_Gen_Destroy(struct sbx_gen **);

/*
 * Make a VM. With *(warmup) it is warmed up first; if the guest does not like
 * that, *(warmup) is 0 afterwards and there is a VM all the same. Changes
 * nothing in the generation, so that several threads may be at it. Returns -1
 * and fills (err).
 */
int SBX_Gen_Make(struct sbx_gen *, int *warmup, struct sbx_vm **,
    struct sbx_err *err);

/* Make one more for the list of those that are made. */
int SBX_Gen_More(struct sbx_gen *, struct sbx_err *err);

/* Destroy those. */
void SBX_Gen_Empty(struct sbx_gen *);

/*
 * Send the probe, which (cfg) must have, to one of the VMs that are made, of
 * which there must be one. Blocks for up to request_timeout. Returns -1 and
 * fills (err) unless the answer has the status that it should have.
 */
int SBX_Gen_Probe(struct sbx_gen *, struct sbx_err *err);

#endif
