/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A million requests over several VMs: no random bytes twice, and no monotonic
 * clock that goes back. On a KVM without a CPU, so that it takes seconds.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/vm_priv.h"

#include "fakekvm.h"
#include "play.h"

#define SEED_REQUESTS	1000000
#define SEED_VMS	16

struct seed {
	uint8_t			b[32];
};

static struct seed *seeds;
static unsigned n_seeds;
static int64_t last_mono;
static uint64_t request_pa, answer_pa, answer_va;

/* A program: it reads its request and answers. */
static void
seed_run(void *priv, struct fake_vm *vm)
{
	struct kvm_regs *r = &vm->run->s.regs.regs;
	struct sandbox_response ok;
	struct sandbox_request rq;

	AZ(priv);
	memcpy(&rq, vm->mem + request_pa, sizeof rq);
	assert(rq.size == sizeof rq);
	assert(rq.mono_ns >= last_mono);
	last_mono = rq.mono_ns;
	assert(n_seeds < SEED_REQUESTS);
	memcpy(seeds[n_seeds++].b, rq.random, sizeof rq.random);

	memset(&ok, 0, sizeof ok);
	ok.size = sizeof ok;
	ok.status = 200;
	memcpy(vm->mem + answer_pa, &ok, sizeof ok);
	Fake_Dirty(vm, answer_pa, sizeof ok);
	r->rax = SANDBOX_CALL_NEXT;
	r->rdi = SANDBOX_ABI_VERSION;
	r->rsi = answer_va;
	r->rcx = SBX_GVA_USER_MIN;
	Fake_Out(vm, SBX_PORT_SYSCALL, SBX_SYS_SYSCALL);
}

static void
seed_request(struct sbx_vm *vm)
{
	static const struct sbx_request rq = {
		.method = { "GET", 3 }, .url = { "/", 1 },
		.proto = { "HTTP/1.1", 8 }, .arg = { "", 0 },
		.client_ip = { "127.0.0.1", 9 },
	};
	struct sbx_err err;

	SBX_Err_Clear(&err);
	SBX_VM_State(vm, SBX_VM_LENT);
	AZ(SBX_VM_Serve(vm, &rq, NULL, &err));
	AZ(SBX_VM_Reset(vm, &err));
}

static int
seed_cmp(const void *a, const void *b)
{

	return (memcmp(a, b, sizeof(struct seed)));
}

int
main(void)
{
	struct sbx_vm *vm[SEED_VMS] = { NULL }, *first;
	struct sbx_err err;
	unsigned u;

	SBX_Err_Clear(&err);
	seeds = calloc(SEED_REQUESTS, sizeof *seeds);
	AN(seeds);
	Play_Init("ssssssssssssssss");
	sbx_os.getrandom = sbx_os_real.getrandom;
	first = Play_Lend(seed_run, NULL);
	request_pa = (uint64_t)(Play_At(Play_Window(), 0) -
	    (uint8_t *)first->mem);
	answer_va = first->img->layout.stack_lo;
	answer_pa = (uint64_t)(Play_At(answer_va, 1) - (uint8_t *)first->mem);
	for (u = 0; u < SEED_VMS; u++)
		AZ(SBX_VM_New(first->img, 1.0, 0, &vm[u], &err));
	/* not in turn only, and some die on the way */
	for (u = 0; u < SEED_REQUESTS; u++) {
		seed_request(vm[u % (u & 1024 ? SEED_VMS : 3)]);
		if (u % 10007 != 0)
			continue;
		SBX_VM_Destroy(&vm[u % SEED_VMS]);
		AZ(SBX_VM_New(first->img, 1.0, 0, &vm[u % SEED_VMS], &err));
	}
	assert(n_seeds == SEED_REQUESTS);
	qsort(seeds, SEED_REQUESTS, sizeof *seeds, seed_cmp);
	for (u = 1; u < SEED_REQUESTS; u++)
		AN(seed_cmp(&seeds[u - 1], &seeds[u]));
	printf("%u requests\n", n_seeds);
	free(seeds);
	for (u = 0; u < SEED_VMS; u++)
		SBX_VM_Destroy(&vm[u]);
	return (0);
}
