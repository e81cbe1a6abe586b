/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A pool of identical VMs, stamped from one golden image.
 *
 * Locking: pool->mtx protects the lists and the counters. It is never held
 * across a system call that can block, nor while a VM is created, run, reset
 * or destroyed. It is a leaf lock.
 */

#ifndef SBX_POOL_H_INCLUDED
#define SBX_POOL_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sbx_pool;
struct sbx_txt;
struct sbx_vm;

/* tbl/pool_stats.h has the list and what each one means. */
struct sbx_pool_stats {
#define POOL_STAT(type, name, text)	uint64_t name;
#include "tbl/pool_stats.h"
};

/*
 * Borrow a VM. When all are busy, wait in line for one: at most queue_timeout
 * seconds and behind at most queue_length others. Returns NULL and fills
 * (err) when the line is full or the wait too long (SBX_FAIL_BUSY), when the
 * pool is cold (SBX_FAIL_BUSY), when VMs can not be created at present
 * (SBX_FAIL_HOST, SBX_FAIL_GUEST), or when the program has had its share
 * (SBX_FAIL_SHARE).
 */
struct sbx_vm *SBX_Pool_Get(struct sbx_pool *, struct sbx_err *err);

/*
 * The same, for requests of others, whose VMs may be killed: it is remembered
 * which requests do that, and they are refused for some time
 * (SBX_FAIL_BACKOFF), see poison.h. (print) says what the request is, 0 that
 * it can not be known again.
 */
struct sbx_vm *SBX_Pool_Ask(struct sbx_pool *, uint64_t print,
    struct sbx_err *err);

/* The print of a request that is told from others by these (n) texts. */
uint64_t SBX_Pool_Print(const struct sbx_pool *, const struct sbx_txt *,
    unsigned n);

/* The request is over, although the VM is not given back yet: it counts no
 * more for max_concurrency, and pays for max_cpu. */
void SBX_Pool_Over(struct sbx_pool *, struct sbx_vm *);

/* What became of a VM that was given back. */
struct sbx_return {
	int			reset;		/* 1: put back; 0: killed, -1:
						 * that failed; it is gone */
	int64_t			time;		/* of the reset, ns */
	uint64_t		pages;		/* copied from the image */
	uint64_t		dropped;	/* given back to the host */
	uint64_t		hot;		/* private to the VM now */
	struct sbx_err		err;		/* if that failed */
};

/*
 * Give a VM back and forget it: *(vmp) is NULL afterwards. A VM that answered
 * is put back as the golden image is, and is ready for the next borrower.
 * Any other one is destroyed, and replaced in the background. (ret) is filled
 * if it is not NULL.
 */
void SBX_Pool_Return(struct sbx_pool *, struct sbx_vm **vmp,
    struct sbx_return *ret);
void SBX_Pool_Put(struct sbx_pool *, struct sbx_vm **vmp);

/* True while a borrower can expect to get a VM: warm, VMs exist or can be
 * created, and the program is not paused. */
int SBX_Pool_Healthy(struct sbx_pool *);

/*
 * What has become of the next core file, as a sentence for (buf), if there is
 * news: (*seen) is 0 at first and is the caller's memory. Returns 1 if there is
 * any, to be called again; (*bad) is set then if it could not be written. The
 * last 16 are kept.
 */
int SBX_Pool_CoreNews(struct sbx_pool *, uint64_t *seen, int *bad, char *buf,
    size_t size);

/* A consistent copy of the counters. */
void SBX_Pool_Stats(struct sbx_pool *, struct sbx_pool_stats *);

#endif
