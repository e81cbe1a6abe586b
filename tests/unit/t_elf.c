/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Executables that are damaged, one field at a time, and one byte at a time.
 */

#include "config.h"

#include <elf.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"
#include "linux/elf.h"
#include "machine/paging.h"
#include "ehdr.h"
#include "test.h"

/* Two segments: code and data. */
struct file {
	Elf64_Ehdr		eh;
	Elf64_Phdr		ph[2];
	uint8_t			body[256];
};

static struct file f;
static struct sbx_elf plan;
static struct sbx_err err;

static void
make(void)
{

	memset(&f, 0, sizeof f);
	ehdr_init(&f.eh, ET_EXEC, 0x400100, 2);
	f.ph[0].p_type = PT_LOAD;
	f.ph[0].p_flags = PF_R | PF_X;
	f.ph[0].p_vaddr = 0x400000;
	f.ph[0].p_filesz = f.ph[0].p_memsz = sizeof f;
	f.ph[1].p_type = PT_LOAD;
	f.ph[1].p_flags = PF_R | PF_W;
	f.ph[1].p_vaddr = 0x402010;
	f.ph[1].p_offset = 0x10;
	f.ph[1].p_filesz = 0x20;
	f.ph[1].p_memsz = 0x3000;
}

static int
load(size_t len)
{

	SBX_Err_Clear(&err);
	return (SBX_Elf_Plan(&f, len, SBX_ELF_PIE_BASE, &plan, &err));
}

static void
good(void)
{

	make();
	CHECK_EQ(load(sizeof f), 0);
	CHECK_EQ(plan.n_seg, 2);
	CHECK_EQ(plan.entry, 0x400100);
	CHECK_EQ(plan.phdr, 0x400000 + offsetof(struct file, ph));
	CHECK_EQ(plan.seg[0].lo, 0x400000);
	CHECK_EQ(plan.seg[0].hi, 0x401000);
	CHECK_EQ(plan.seg[0].flags, SBX_MAP_USER | SBX_MAP_EXEC);
	CHECK_EQ(plan.seg[1].lo, 0x402000);
	CHECK_EQ(plan.seg[1].hi, 0x406000);
	CHECK_EQ(plan.seg[1].vaddr, 0x402010);
	CHECK_EQ(plan.seg[1].flags, SBX_MAP_USER | SBX_MAP_WRITE);
	f.eh.e_type = ET_DYN;
	f.ph[0].p_vaddr = 0;
	f.ph[1].p_vaddr = 0x2010;
	f.eh.e_entry = 0x100;
	CHECK_EQ(load(sizeof f), 0);
	CHECK_EQ(plan.entry, SBX_ELF_PIE_BASE + 0x100);
}

/* One field changed, and what the message must say. */
#define BAD(field, value, text)						\
	do {								\
		make();							\
		f.field = (value);					\
		CHECK_EQ(load(sizeof f), -1);				\
		CHECK_EQ(err.kind, SBX_FAIL_CONFIG);			\
		CHECK_HAS(err.msg, text);				\
	} while (0)

static void
bad_headers(void)
{

	BAD(eh.e_ident[0], 'x', "not an ELF");
	BAD(eh.e_ident[EI_CLASS], ELFCLASS32, "");
	BAD(eh.e_ident[EI_DATA], ELFDATA2MSB, "");
	BAD(eh.e_machine, EM_AARCH64, "another architecture");
	BAD(eh.e_machine, EM_386, "another architecture");
	BAD(eh.e_type, ET_REL, "not an executable");
	BAD(eh.e_type, ET_CORE, "not an executable");
	BAD(eh.e_phnum, 0, "damaged");
	BAD(eh.e_phnum, 0xfffe, "truncated");
	BAD(eh.e_phentsize, 1, "damaged");
	BAD(eh.e_phoff, UINT64_MAX, "");
	BAD(eh.e_phoff, sizeof f - 1, "");
	BAD(eh.e_entry, 0, "entry point");
	BAD(eh.e_entry, 0x402010, "entry point");
	BAD(eh.e_entry, UINT64_MAX, "entry point");
}

static void
bad_segments(void)
{

	BAD(ph[0].p_type, PT_INTERP, "interpreter");
	BAD(ph[0].p_flags, PF_R | PF_W | PF_X, "writable and executable");
	BAD(ph[0].p_filesz, sizeof f + 1, "truncated");
	BAD(ph[0].p_offset, UINT64_MAX, "truncated");
	BAD(ph[0].p_offset, sizeof f, "truncated");
	BAD(ph[1].p_filesz, 0x3001, "");
	BAD(ph[1].p_memsz, 0x1f, "larger in the file");
	BAD(ph[1].p_memsz, UINT64_MAX, "out of range");
	BAD(ph[1].p_memsz, UINT64_MAX - 0x402010, "out of range");
	BAD(ph[1].p_vaddr, UINT64_MAX, "out of range");
	BAD(ph[1].p_vaddr, UINT64_C(0xffff800000000000), "out of range");
	BAD(ph[1].p_vaddr, SBX_GVA_TABLES, "out of range");
	BAD(ph[1].p_vaddr, 0x400800, "overlap");
	BAD(ph[1].p_vaddr, 0x10000, "ascending");
	BAD(ph[0].p_vaddr, 0, "first 64 KB");
	BAD(ph[0].p_vaddr, SBX_SYS_SYSCALL, "first 64 KB");
}

static void
truncated(void)
{
	size_t l;

	for (l = 1; l < sizeof f; l++) {
		make();
		CHECK_EQ(load(l), -1);
	}
}

/* Whatever a byte is changed to: no plan that leaves its bounds. */
static void
one_byte(void)
{
	size_t i;
	unsigned v, u;

	for (i = 0; i < offsetof(struct file, body); i++)
		for (v = 0; v < 256; v += 5) {
			make();
			((uint8_t *)&f)[i] = (uint8_t)v;
			if (load(sizeof f))
				continue;
			for (u = 0; u < plan.n_seg; u++) {
				CHECK(plan.seg[u].off <= sizeof f);
				CHECK(plan.seg[u].len <=
				    sizeof f - plan.seg[u].off);
				CHECK(plan.seg[u].lo >= SBX_GVA_USER_MIN);
				CHECK(plan.seg[u].hi <= SBX_GVA_USER_END);
				CHECK(plan.seg[u].vaddr + plan.seg[u].len <=
				    plan.seg[u].hi);
			}
		}
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(good);
	TEST(bad_headers);
	TEST(bad_segments);
	TEST(truncated);
	TEST(one_byte);
	TEST_END();
}
