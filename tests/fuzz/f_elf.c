/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Executables: the input is one. If it can be loaded, it is, and says that it
 * is ready; then the image is looked at.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "linux/elf.h"
#include "machine/paging.h"
#include "pool/image.h"
#include "pool/program.h"

#include "fakekvm.h"
#include "fuzz.h"

#define MEMORY		(UINT64_C(2) << 20)
#define PAGES		(MEMORY / SBX_PAGE)

/* Pages of the host's that ring 3 can read. */
static int
elf_is_shown(uint64_t va)
{

	return (va == SBX_SYS_SYSCALL || va == SBX_SYS_ENTRY ||
	    va == SBX_SYS_ENTRY_DATA || va == SBX_SYS_VDSO);
}

static void
elf_run(void *priv, struct fake_vm *vm)
{
	struct kvm_regs *r = &vm->run->s.regs.regs;

	(void)priv;
	r->rax = SANDBOX_CALL_NEXT;
	r->rdi = SANDBOX_ABI_VERSION;
	r->rsi = 0;
	r->rcx = SBX_GVA_USER_MIN;
	Fake_Out(vm, SBX_PORT_SYSCALL, SBX_SYS_SYSCALL);
}

static void
elf_plan(const struct sbx_elf *plan, size_t len)
{
	const struct sbx_elf_seg *s;
	unsigned u;

	assert(plan->n_seg > 0 && plan->n_seg <= SBX_ELF_SEGS_MAX);
	for (u = 0; u < plan->n_seg; u++) {
		s = &plan->seg[u];
		assert(s->off <= len && s->len <= len - s->off);
		assert(s->lo >= SBX_GVA_USER_MIN && s->lo < s->hi);
		assert(s->hi <= SBX_GVA_USER_END);
		assert(s->vaddr >= s->lo && s->len <= s->hi - s->vaddr);
		assert(u == 0 || s->lo >= s[-1].hi);
		AN(s->flags & SBX_MAP_USER);
		AZ((s->flags & SBX_MAP_WRITE) && (s->flags & SBX_MAP_EXEC));
	}
}

/* One entry of the last level. (seen) are the pages that have an address. */
static void
elf_leaf(uint64_t va, uint64_t e, uint8_t *seen)
{
	uint64_t pa = e & SBX_PTE_ADDR;

	assert(pa <= MEMORY - SBX_PAGE);
	AZ((e & SBX_PTE_W) && !(e & SBX_PTE_NX));
	assert(seen[pa / SBX_PAGE] < 2);
	seen[pa / SBX_PAGE]++;
	if (!(e & SBX_PTE_U)) {
		assert(va < SBX_SYS_END || va >= SBX_GVA_TABLES);
		return;
	}
	/* nobody else has it, and the host's are to be read only */
	assert(seen[pa / SBX_PAGE] == 1);
	assert(va < SBX_GVA_USER_END);
	if (pa >= SBX_SYS_END + SBX_Paging_Room(MEMORY))
		assert(va >= SBX_GVA_USER_MIN);
	else
		assert(pa == va && elf_is_shown(va) && !(e & SBX_PTE_W));
}

static void
elf_tables(const uint8_t *mem, uint64_t table, uint64_t va, int shift,
    uint8_t *seen)
{
	uint64_t e, u;

	assert(table >= SBX_SYS_END);
	assert(table < SBX_SYS_END + SBX_Paging_Room(MEMORY));
	for (u = 0; u < 512; u++) {
		memcpy(&e, mem + table + u * sizeof e, sizeof e);
		if (!(e & SBX_PTE_P))
			continue;
		if (shift == 12)
			elf_leaf(va + (u << 12), e, seen);
		else
			elf_tables(mem, e & SBX_PTE_ADDR, va + (u << shift),
			    shift - 9, seen);
	}
}

/* What ring 3 reads at (va). */
static const uint8_t *
elf_at(const uint8_t *mem, uint64_t va)
{
	uint64_t e, table = SBX_SYS_END;
	int shift;

	for (shift = 39; shift >= 12; shift -= 9) {
		memcpy(&e, mem + table + (va >> shift & 511) * sizeof e,
		    sizeof e);
		AN(e & SBX_PTE_P);
		AN(e & SBX_PTE_U);
		table = e & SBX_PTE_ADDR;
	}
	return (mem + table + va % SBX_PAGE);
}

/* The file where it has to be, and nothing around it. */
static void
elf_segment(const uint8_t *mem, const struct sbx_elf_seg *s, const uint8_t *b)
{
	uint64_t va;
	uint8_t want;

	for (va = s->lo; va < s->hi; va++) {
		want = va >= s->vaddr && va - s->vaddr < s->len ?
		    b[s->off + (va - s->vaddr)] : 0;
		assert(*elf_at(mem, va) == want);
	}
}

static void
elf_image(const struct sbx_image *img, const struct sbx_elf *plan,
    const uint8_t *b)
{
	static uint8_t seen[PAGES];
	const struct sbx_layout *lay = &img->layout;
	uint64_t argc;
	unsigned u;

	memset(seen, 0, sizeof seen);
	elf_tables(img->golden, SBX_SYS_END, 0, 39, seen);
	for (u = 0; u < plan->n_seg; u++)
		elf_segment(img->golden, &plan->seg[u], b);
	assert(plan->seg[plan->n_seg - 1].hi < lay->arena_lo);
	assert(lay->arena_lo < lay->arena_hi && lay->arena_hi < lay->stack_lo);
	assert(lay->stack_lo < lay->stack_hi && lay->stack_hi < lay->window);
	assert(lay->window + lay->window_len < SBX_GVA_USER_END);
	AZ(lay->sp % 16);
	assert(lay->sp > lay->stack_lo && lay->sp < lay->stack_hi);
	memcpy(&argc, elf_at(img->golden, lay->sp), sizeof argc);
	assert(argc == 3);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{

	(void)argc;
	(void)argv;
	Fake_Init(SBX_PLATFORM_P);
	fake.run = elf_run;
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{
	static const char * const words[] = { "one", "", NULL };
	struct sbx_image *img = NULL;
	struct sbx_program_cfg cfg;
	struct sbx_elf plan;
	struct sbx_err err;

	SBX_Err_Clear(&err);
	if (SBX_Elf_Plan(b, l, SBX_ELF_PIE_BASE, &plan, &err)) {
		assert(err.kind == SBX_FAIL_CONFIG);
		AN(err.msg[0]);
		return (0);
	}
	elf_plan(&plan, l);
	SBX_Program_Defaults(&cfg);
	cfg.path = "/the/program";
	cfg.argv = cfg.envp = words;
	cfg.memory = MEMORY;
	cfg.max_request_body = 65536;
	if (SBX_Image_New(&fake.kvm, &cfg, b, l, &img, &err)) {
		assert(err.kind == SBX_FAIL_CONFIG);
		AN(err.msg[0]);
	} else {
		elf_image(img, &plan, b);
		SBX_Image_Destroy(&img);
	}
	AZ(fake.n_fd);
	AZ(fake.n_map);
	return (0);
}
