/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Executables and scripts: the input is one. If it can be loaded, it is, and
 * says that it is ready; then the image is looked at.
 *
 * There are some files, which are not the host's: elf_file[].
 */

#include "config.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/elf.h"
#include "linux/symbol.h"
#include "machine/paging.h"
#include "pool/image.h"
#include "pool/program.h"

#include "ehdr.h"
#include "fakekvm.h"
#include "fuzz.h"

#define MEMORY		(UINT64_C(2) << 20)
#define PAGES		(MEMORY / SBX_PAGE)

/*--------------------------------------------------------------------
 * Files
 */

static int elf_input = -1, elf_linker = -1;

static const struct elf_file {
	const char		*path;
	const int		*fd;
} elf_files[] = {
	{ "/the/program",			&elf_input },
	{ "/ld",				&elf_linker },
	{ "/usr/lib/libself.so",		&elf_input },
	{ "/lib/x86_64-linux-gnu/libc.so.6",	&elf_linker },
	{ "/lib/ld-musl-x86_64.so.1",		&elf_linker },
	{ "/etc/ld-musl-x86_64.path",		&elf_linker },
};

static int (*elf_real_open)(const char *, int);

static int
elf_open(const char *path, int flags)
{
	char buf[64];
	unsigned u;

	AZ(flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC));
	if (!strncmp(path, "/proc/self/fd/", 14))
		return (elf_real_open(path, flags));
	for (u = 0; u < sizeof elf_files / sizeof *elf_files; u++) {
		if (strcmp(path, elf_files[u].path))
			continue;
		(void)snprintf(buf, sizeof buf, "/proc/self/fd/%d",
		    *elf_files[u].fd);
		return (elf_real_open(buf, flags));
	}
	errno = ENOENT;
	return (-1);
}

static void
elf_write(int fd, const void *b, size_t l)
{

	AZ(ftruncate(fd, 0));
	assert(pwrite(fd, b, l, 0) == (ssize_t)l);
}

/* A dynamic linker: one segment of code. */
static void
elf_make_linker(void)
{
	struct {
		Elf64_Ehdr	eh;
		Elf64_Phdr	ph;
		uint8_t		code[64];
	} f;

	memset(&f, 0, sizeof f);
	ehdr_init(&f.eh, ET_DYN, sizeof f.eh + sizeof f.ph, 1);
	f.ph.p_type = PT_LOAD;
	f.ph.p_flags = PF_R | PF_X;
	f.ph.p_filesz = f.ph.p_memsz = sizeof f;
	elf_write(elf_linker, &f, sizeof f);
}

/*--------------------------------------------------------------------
 * The image
 */

/* Pages of the host's that ring 3 can read. */
static int
elf_is_shown(uint64_t va)
{

	return (va == SBX_SYS_SYSCALL || va == SBX_SYS_ENTRY ||
	    va == SBX_SYS_ENTRY_DATA || va == SBX_SYS_VDSO ||
	    va == SBX_SYS_SWITCH_DATA);
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

/* What a name may be made of, whatever the file says. */
static void
elf_symbol(const struct sbx_symbols *syms, uint64_t va)
{
	char buf[SBX_SYMBOL_TEXT_MAX + 1];
	const char *p;
	int i;

	memset(buf, 1, sizeof buf);
	i = SBX_Symbols_Find(syms, va, buf, SBX_SYMBOL_TEXT_MAX);
	AN(memchr(buf, '\0', SBX_SYMBOL_TEXT_MAX));
	assert((i == 0) == (buf[0] != '\0'));
	for (p = buf; *p != '\0'; p++)
		assert(*p > ' ' && *p < 0x7f && *p != '"' && *p != '\'');
}

/* Addresses in and around the program, and what looks like one in it. */
static void
elf_symbols(const struct sbx_elf *plan, const uint8_t *b, size_t len)
{
	struct sbx_symbols *syms = NULL;
	struct sbx_err err;
	uint64_t va;
	size_t u;

	SBX_Err_Clear(&err);
	AZ(SBX_Symbols_New(&syms, &err));
	AZ(SBX_Symbols_Add(syms, b, len, plan, "/the/program", &err));
	for (u = 0; u < plan->n_seg; u++) {
		elf_symbol(syms, plan->seg[u].lo);
		elf_symbol(syms, plan->seg[u].hi - 1);
	}
	for (u = 0; u + sizeof va <= len && u < 65536; u += 4) {
		memcpy(&va, b + u, sizeof va);
		elf_symbol(syms, va);
		elf_symbol(syms, va + plan->base);
	}
	elf_symbol(syms, 0);
	elf_symbol(syms, UINT64_MAX);
	SBX_Symbols_Destroy(&syms);
	AZ(syms);
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
	/* there is none for a script */
	for (u = 0; plan != NULL && u < plan->n_seg; u++) {
		elf_segment(img->golden, &plan->seg[u], b);
		assert(plan->seg[u].hi < lay->arena_lo);
	}
	assert(lay->arena_lo < lay->arena_hi && lay->arena_hi < lay->stack_lo);
	assert(lay->stack_lo < lay->stack_hi && lay->stack_hi < lay->window);
	assert(lay->window + lay->window_len < SBX_GVA_USER_END);
	AZ(lay->sp % 16);
	assert(lay->sp > lay->stack_lo && lay->sp < lay->stack_hi);
	memcpy(&argc, elf_at(img->golden, lay->sp), sizeof argc);
	assert(plan != NULL ? argc == 3 : argc == 4 || argc == 5);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{

	(void)argc;
	(void)argv;
	Fake_Init(SBX_PLATFORM_P);
	fake.run = elf_run;
	elf_input = memfd_create("input", MFD_CLOEXEC);
	assert(elf_input >= 0);
	elf_linker = memfd_create("linker", MFD_CLOEXEC);
	assert(elf_linker >= 0);
	elf_make_linker();
	elf_real_open = sbx_os.open;
	sbx_os.open = elf_open;
	return (0);
}

/* What people get to read has to be readable. */
static void
elf_error(const struct sbx_err *err)
{
	const char *p;

	assert(err->kind == SBX_FAIL_CONFIG);
	AN(err->msg[0]);
	for (p = err->msg; *p != '\0'; p++)
		assert((unsigned char)*p >= ' ' && *p != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{
	static const char * const words[] = { "one", "", NULL };
	static const char * const env[] = {
		"LD_LIBRARY_PATH=/usr/lib:$ORIGIN:", "two", NULL
	};
	static const char * const files[] = { "/ld", NULL };
	struct sbx_image *img = NULL;
	struct sbx_program_cfg cfg;
	struct sbx_elf plan;
	struct sbx_err err;
	int script;

	SBX_Err_Clear(&err);
	script = l > 2 && b[0] == '#' && b[1] == '!';
	if (!script && SBX_Elf_Plan(b, l, SBX_ELF_PIE_BASE, &plan, &err)) {
		elf_error(&err);
		return (0);
	}
	if (!script) {
		elf_plan(&plan, l);
		elf_symbols(&plan, b, l);
	}
	elf_write(elf_input, b, l);
	SBX_Program_Defaults(&cfg);
	cfg.path = "/the/program";
	cfg.argv = words;
	cfg.envp = env;
	cfg.files = files;
	cfg.memory = MEMORY;
	cfg.max_request_body = 65536;
	if (SBX_Image_New(&fake.kvm, &cfg, b, l, &img, &err))
		elf_error(&err);
	else {
		elf_image(img, script ? NULL : &plan, b);
		SBX_Image_Destroy(&img);
	}
	AZ(fake.n_fd);
	AZ(fake.n_map);
	return (0);
}
