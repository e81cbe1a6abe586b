/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A VM from the inside: for the files in pool/ and nobody else.
 */

#ifndef SBX_VM_PRIV_H_INCLUDED
#define SBX_VM_PRIV_H_INCLUDED

#include <stdint.h>

#include "vqueue.h"

#include "hostcall/exchange.h"
#include "linux/proc.h"
#include "pool/image.h"
#include "pool/poison.h"
#include "pool/vm.h"

struct sbx_gen;
struct sbx_runner;

enum sbx_vm_e {
#define VM_STATE(name, to, text)	SBX_VM_##name,
#include "tbl/vm_states.h"
};

/* Pages of a VM that stay private and writable between requests: 4 MB for the
 * program, and some for the request, the stack and, on hardware, the page
 * tables that every request uses. More are given back to the host after the
 * request that dirtied them. Copying back that many takes about 0.05 ms. */
#define SBX_HOT_MAX		(1024 + 64)

/* Hot pages that nobody minds: their copying does not show. */
#define SBX_HOT_FEW		16

/* Resets after which the hot pages are looked through for those that are not
 * used any more: at first, and at most. */
#define SBX_AGE_MIN		32
#define SBX_AGE_MAX		65536

/* Random bytes are fetched for this many requests at a time, and wiped as
 * they are used. */
#define SBX_SEEDS		32

struct sbx_vm {
	unsigned		magic;
#define SBX_VM_MAGIC		0x71b40e9c
	enum sbx_vm_e		state;
	const struct sbx_image	*img;
	double			timeout;	/* of a request, seconds */
	void			*mem;		/* private, see pool/image.h */
	struct sbx_machine	*m;
	struct sbx_runner	*runner;	/* or NULL: any thread */
	struct sbx_proc		proc;
	struct sbx_usage	usage;
	uint64_t		xid;		/* of the last request */
	int			cored;		/* has had its chance */
	double			t_used;		/* when it was last */
	uint64_t		serial;		/* the pool's so manieth */

	/* reset.c: bitmaps with a bit per page, in one piece of memory */
	void			*bitmaps;
	size_t			words;
	uint64_t		*dirty;		/* KVM's, then what to copy */
	uint64_t		*hot;		/* private and writable now */
	uint64_t		*drop;		/* to be given back */
	uint64_t		*recent;	/* touched by us since aging */
	uint64_t		n_hot;
	unsigned		age_in;		/* resets, 0: not due */
	unsigned		age_every;	/* resets, next time */
	uint64_t		n_reset;	/* pages, in the last reset */
	uint64_t		n_dropped;	/* pages, in the last reset */

	unsigned		seeds;		/* left */
	uint8_t			seed[SBX_SEEDS][32];

	/* pool.c, under its lock */
	VTAILQ_ENTRY(sbx_vm)	list;
	struct sbx_gen		*gen;		/* never changes */
	unsigned		stack;		/* of the idle ones */
	unsigned		over;		/* the request is */
	unsigned		timed;		/* it has to pay: */
	int64_t			spent;		/* ns of CPU time */
	struct sbx_ask		ask;		/* the request's */

	struct sbx_exchange	x;
};

/* How long a warm-up may take, seconds. It happens on threads that others wait
 * for, and the guest knows that it is one. */
#define SBX_WARMUP_MAX		0.25

/* Stamp a VM from an image. With (warmup) it serves a request that nobody
 * asked for, so that its pages are private already. Returns -1 and fills
 * (err); with kind SBX_FAIL_GUEST if it was the warm-up that failed. */
int SBX_VM_New(const struct sbx_image *, double timeout, int warmup,
    struct sbx_vm **, struct sbx_err *err);
void SBX_VM_Destroy(struct sbx_vm **);

/* Move to another state, which must be allowed. */
void SBX_VM_State(struct sbx_vm *, enum sbx_vm_e);

/* A GET of (url), which stays the caller's, that no client asked for: from
 * 127.0.0.1, for localhost. */
void SBX_VM_OwnRequest(struct sbx_request *, const char *url);

/* Call (func) where the vCPU has to run. */
void SBX_VM_Call(struct sbx_vm *, void (*func)(void *), void *priv);

/*
 * Put a SPENT or LENT VM back as the golden image is; it is READY then.
 * Returns -1 and fills (err) if that is not possible; it is DEAD then.
 * [reset.c]
 */
int SBX_VM_Reset(struct sbx_vm *, struct sbx_err *err);

/* Let vm->dirty have all pages that may be other than zero, of a DEAD VM. Any
 * thread. Returns -1 and fills (err) if the host refused. [reset.c] */
int SBX_VM_Written(struct sbx_vm *, struct sbx_err *err);

/* Allocate the bitmaps for a new VM. [reset.c] */
int SBX_VM_ResetInit(struct sbx_vm *, struct sbx_err *err);
void SBX_VM_ResetFini(struct sbx_vm *);

#endif
