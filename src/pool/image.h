/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The golden image: a program that has started and said "ready", frozen. Its
 * memory is a sealed memfd that nobody can write any more; each VM has private
 * copy-on-write mappings of it. Pages that are zero are not in the memfd: of
 * those a VM has anonymous memory, or a fault on one would put it there, where
 * it could not be got out again.
 *
 * After SBX_Image_New() nothing in it ever changes, so that any thread may
 * read it without a lock.
 */

#ifndef SBX_IMAGE_H_INCLUDED
#define SBX_IMAGE_H_INCLUDED

#include <stdint.h>

#include "hostcall/fetch.h"
#include "linux/proc.h"
#include "machine/machine.h"

struct sbx_err;
struct sbx_kvm;
struct sbx_program_cfg;

/* Parts of memory that are not zero: a VM has so many mappings of the image,
 * with mappings of nothing in between. */
#define SBX_IMAGE_RANGES_MAX	6

struct sbx_range {
	uint64_t		lo, hi;		/* bytes, whole pages */
};

struct sbx_image {
	unsigned		magic;
#define SBX_IMAGE_MAGIC		0x28ca5d71
	struct sbx_kvm		*kvm;
	char			*path;		/* /proc/self/exe */
	int			fd;		/* memfd */
	uint64_t		size;		/* of memory, bytes */
	const uint8_t		*golden;	/* read-only mapping of fd */
	uint64_t		*data;		/* a bit per page: not zero */
	uint64_t		n_data;		/* of them */
	unsigned		n_range;
	struct sbx_range	range[SBX_IMAGE_RANGES_MAX];
	uint64_t		body_max;	/* of an answer, bytes */
	struct sbx_fetch_limits	fetch;
	struct sbx_layout	layout;
	struct sbx_cpu_image	cpu;
	struct sbx_allow	*allow;
	struct sbx_symbols	*symbols;
	struct sbx_proc		proc;		/* as it was frozen */
	double			boot;		/* seconds until ready */
};

/*
 * Load, start and freeze a program. The (len) bytes at (file) are the
 * executable. Takes up to boot_timeout. Returns -1 and fills (err).
 */
int SBX_Image_New(struct sbx_kvm *, const struct sbx_program_cfg *,
    const void *file, size_t len, struct sbx_image **, struct sbx_err *err);
void SBX_Image_Destroy(struct sbx_image **);

#endif
