/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * vm.c: a VM's life, and serving a request.
 */

#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/kvm.h"
#include "machine/runner.h"
#include "machine/watchdog.h"
#include "pool/vm_priv.h"

static const struct vm_state {
	unsigned		to;
	const char		*text;
} vm_states[] = {
#define VM_STATE(name, to, text)	[SBX_VM_##name] = { (to), (text) },
#include "tbl/vm_states.h"
};

void
SBX_VM_State(struct sbx_vm *vm, enum sbx_vm_e state)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	assert(vm_states[vm->state].to & (1u << state));
	vm->state = state;
}

void
SBX_VM_Call(struct sbx_vm *vm, void (*func)(void *), void *priv)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	if (vm->runner != NULL)
		SBX_Runner_Call(vm->runner, func, priv);
	else
		func(priv);
}

/*--------------------------------------------------------------------
 * Serving
 */

/* 32 bytes that no request of any VM ever gets again. */
static int
vm_seed(struct sbx_vm *vm, uint8_t *to, struct sbx_err *err)
{
	uint8_t *s;

	if (vm->seeds == 0) {
		if (sbx_os.getrandom(vm->seed, sizeof vm->seed, 0) !=
		    (ssize_t)sizeof vm->seed)
			return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
			    "getrandom"));
		vm->seeds = SBX_SEEDS;
	}
	s = vm->seed[--vm->seeds];
	memcpy(to, s, sizeof vm->seed[0]);
	memset(s, 0, sizeof vm->seed[0]);
	return (0);
}

static void
vm_run(void *priv)
{
	struct sbx_vm *vm;
	int64_t cpu = 0;

	CAST_OBJ_NOTNULL(vm, priv, SBX_VM_MAGIC);
	if (vm->timed)
		cpu = SBX_Os_Cpu();
	SBX_Watchdog_Arm(vm->m, vm->proc.deadline);
	if (SBX_Exchange_Run(&vm->x, &vm->proc) == SBX_NEXT_ANSWERED)
		SBX_VM_State(vm, SBX_VM_SPENT);
	else
		SBX_VM_State(vm, SBX_VM_DEAD);
	SBX_Watchdog_Disarm(vm->m);
	if (vm->timed)
		vm->spent = SBX_Os_Cpu() - cpu;
}

int
SBX_VM_Body(struct sbx_vm *vm, const void *b, size_t len,
    struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	assert(vm->state == SBX_VM_LENT);
	return (SBX_Exchange_Body(&vm->x, &vm->proc, b, len, err));
}

static int
vm_serve(struct sbx_vm *vm, const struct sbx_request *req,
    const struct sbx_host *host, double timeout, struct sbx_err *err)
{
	struct sbx_moment now;
	uint64_t exits;
	int64_t ran, end;

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	assert(vm->state == SBX_VM_LENT);
	AN(req);
	now.mono_ns = SBX_Os_Mono();
	now.wall_ns = SBX_Os_Wall();
	/* behind the times, or the guest's clock would be ahead of ours */
	now.tsc = __rdtsc();
	now.tsc_mult = vm->img->kvm->tsc_mult;
	now.timeout_ns = SBX_Os_Nano(timeout);
	if (vm_seed(vm, now.random, err) ||
	    SBX_Exchange_Request(&vm->x, &vm->proc, req, &now, err))
		return (-1);
	vm->xid = req->xid;
	SBX_Proc_Begin(&vm->proc, host, now.mono_ns,
	    now.mono_ns + now.timeout_ns);
	SBX_Machine_Enter(vm->m, &vm->img->cpu);
	exits = vm->m->exits;
	ran = vm->m->ran;
	SBX_VM_Call(vm, vm_run, vm);
	SBX_Proc_End(&vm->proc);
	vm->usage.exits = vm->m->exits - exits;
	vm->usage.syscalls = vm->proc.syscalls;
	vm->usage.log_dropped = vm->proc.log_dropped;
	vm->usage.fetch = vm->x.fetches.use;
	vm->usage.waited = vm->proc.waited;
	vm->usage.cpu = vm->m->ran - ran;
	end = SBX_Os_Mono();
	vm->usage.run = end - now.mono_ns;
	vm->t_used = SBX_Os_Seconds(end);
	if (vm->state == SBX_VM_SPENT)
		return (0);
	return (SBX_Err_Set(err, vm->proc.err.kind, 0, "%s",
	    vm->proc.err.msg));
}

int
SBX_VM_Serve(struct sbx_vm *vm, const struct sbx_request *req,
    const struct sbx_host *host, struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	return (vm_serve(vm, req, host, vm->timeout, err));
}

void
SBX_VM_Debug(struct sbx_vm *vm, const struct sbx_debugger *d)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	vm->proc.debugger = d;
}

const struct sbx_answer *
SBX_VM_Answer(const struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	assert(vm->state == SBX_VM_SPENT);
	return (&vm->x.answer);
}

size_t
SBX_VM_AnswerBody(const struct sbx_vm *vm, uint64_t off, void *dst,
    size_t len)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	assert(vm->state == SBX_VM_SPENT);
	return (SBX_Exchange_AnswerBody(&vm->x, &vm->proc, off, dst, len));
}

const struct sbx_usage *
SBX_VM_Usage(const struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	return (&vm->usage);
}

int
SBX_VM_Killed(const struct sbx_vm *vm, struct sbx_killed *how)
{
	static const char * const reasons[] = {
#define KILL(name, text)	[SBX_KILL_##name] = #name,
#include "tbl/kills.h"
	};
	const struct sbx_death *d = &vm->proc.death;

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	AN(how);
	memset(how, 0, sizeof *how);
	if (vm->proc.kill == SBX_KILL_NONE)
		return (0);
	how->reason = reasons[vm->proc.kill];
	how->signo = d->signo;
	how->rip = d->rip;
	(void)SBX_Symbols_Find(vm->proc.layout->symbols, d->rip, how->symbol,
	    sizeof how->symbol);
	how->has_addr = d->has_addr;
	how->addr = d->addr;
	how->words.b = vm->proc.tail;
	how->words.l = vm->proc.tail_len;
	return (1);
}

void
SBX_VM_OwnRequest(struct sbx_request *req, const char *url)
{
	static const struct sbx_header host[1] = {{
		{ "Host", 4 }, { "localhost", 9 }
	}};

	AN(req);
	memset(req, 0, sizeof *req);
	req->method = SBX_Txt("GET");
	req->url = SBX_Txt(url);
	req->proto = SBX_Txt("HTTP/1.1");
	req->arg = SBX_Txt(NULL);
	req->client_ip = SBX_Txt("127.0.0.1");
	req->n_headers = 1;
	req->headers = host;
}

/*--------------------------------------------------------------------
 * Life
 */

static int
vm_warmup(struct sbx_vm *vm, struct sbx_err *err)
{
	struct sbx_request req;

	SBX_VM_OwnRequest(&req, "/");
	req.flags = SANDBOX_REQUEST_WARMUP;
	SBX_VM_State(vm, SBX_VM_LENT);
	if (vm_serve(vm, &req, NULL, vm->timeout < SBX_WARMUP_MAX ?
	    vm->timeout : SBX_WARMUP_MAX, err))
		return (-1);
	/* the first request may come to nothing, and would be said to be it */
	memset(&vm->usage, 0, sizeof vm->usage);
	return (SBX_VM_Reset(vm, err));
}

/* Private memory: the image where it is not zero. */
static int
vm_memory(struct sbx_vm *vm, struct sbx_err *err)
{
	const struct sbx_image *img = vm->img;
	const struct sbx_range *r;
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_PRIVATE | MAP_NORESERVE;
	uint8_t *p;
	unsigned u;

	p = sbx_os.mmap(NULL, img->size, prot, flags | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "mmap of %ju bytes", (uintmax_t)img->size));
	vm->mem = p;
	for (u = 0; u < img->n_range; u++) {
		r = &img->range[u];
		if (sbx_os.mmap(p + r->lo, r->hi - r->lo, prot,
		    flags | MAP_FIXED, img->fd, (off_t)r->lo) == MAP_FAILED)
			return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
			    "mmap of the image"));
	}
	(void)sbx_os.madvise(p, img->size, MADV_DONTDUMP);
	/* pages are counted, copied and dropped one by one */
	(void)sbx_os.madvise(p, img->size, MADV_NOHUGEPAGE);
	return (0);
}

static int
vm_stamp(struct sbx_vm *vm, struct sbx_err *err)
{
	const struct sbx_image *img = vm->img;

	if (vm_memory(vm, err) ||
	    SBX_Machine_New(img->kvm, vm->mem, img->size, &vm->m, err) ||
	    SBX_VM_ResetInit(vm, err))
		return (-1);
	if (img->kvm->runner && SBX_Runner_New(&vm->runner, err))
		return (-1);
	SBX_Proc_Init(&vm->proc, vm->m, &img->layout, img->allow, img->path);
	if (SBX_Proc_Copy(&vm->proc, &img->proc))
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "VM"));
	vm->x.magic = SBX_EXCHANGE_MAGIC;
	vm->x.body_max = img->body_max;
	vm->x.fetches.limits = img->fetch;
	SBX_Exchange_Begin(&vm->x);
	return (0);
}

/*
 * Memory of its own, which is zero without having been touched: of 160 KB most
 * VMs need 40. malloc() would have to write to all of them.
 */
static struct sbx_vm *
vm_alloc(void)
{
	struct sbx_vm *vm;

	vm = sbx_os.mmap(NULL, sizeof *vm, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm == MAP_FAILED)
		return (NULL);
	vm->magic = SBX_VM_MAGIC;
	return (vm);
}

int
SBX_VM_New(const struct sbx_image *img, double timeout, int warmup,
    struct sbx_vm **vmp, struct sbx_err *err)
{
	struct sbx_vm *vm;
	int64_t now = SBX_Os_Mono();
	int i;

	CHECK_OBJ_NOTNULL(img, SBX_IMAGE_MAGIC);
	AN(vmp);
	AZ(*vmp);
	vm = vm_alloc();
	if (vm == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "VM"));
	vm->state = SBX_VM_NEW;
	vm->img = img;
	vm->timeout = timeout;
	vm->t_used = SBX_Os_Seconds(now);
	i = vm_stamp(vm, err);
	if (i == 0) {
		SBX_VM_State(vm, SBX_VM_READY);
		if (warmup)
			i = vm_warmup(vm, err);
	}
	if (i) {
		SBX_VM_Destroy(&vm);
		return (-1);
	}
	*vmp = vm;
	return (0);
}

void
SBX_VM_Destroy(struct sbx_vm **vmp)
{
	struct sbx_vm *vm;

	TAKE_OBJ_NOTNULL(vm, vmp, SBX_VM_MAGIC);
	if (vm->proc.magic == SBX_PROC_MAGIC)
		SBX_Proc_Fini(&vm->proc);
	if (vm->runner != NULL)
		SBX_Runner_Destroy(&vm->runner);
	SBX_VM_ResetFini(vm);
	if (vm->m != NULL)
		SBX_Machine_Destroy(&vm->m);
	if (vm->mem != NULL)
		AZ(sbx_os.munmap(vm->mem, vm->img->size));
	vm->magic = 0;
	/* the kernel may have made one mapping of it and its neighbours, which at
	 * vm.max_map_count can not become two: then only the pages go */
	if (sbx_os.munmap(vm, sizeof *vm) < 0)
		(void)sbx_os.madvise(vm, sizeof *vm, MADV_DONTNEED);
}
