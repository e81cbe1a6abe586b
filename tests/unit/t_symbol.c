/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of addresses: from a file that is made here, field by field, and from
 * this test itself.
 */

#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/elf.h"
#include "linux/symbol.h"
#include "ehdr.h"
#include "test.h"

#define CODE		0x400000	/* two pages of it, then data */
#define DATA		0x402000

/* Sections: none, symbols, their names. */
struct file {
	Elf64_Ehdr		eh;
	Elf64_Phdr		ph[2];
	Elf64_Shdr		sh[3];
	Elf64_Sym		sym[16];
	char			str[1024];
	uint8_t			body[0x3000];
};

static struct file f;
static struct sbx_elf plan;
static struct sbx_err err;
static unsigned n_sym, n_str;

static void
make(void)
{

	memset(&f, 0, sizeof f);
	ehdr_init(&f.eh, ET_EXEC, CODE + 0x100, 2);
	f.eh.e_shoff = offsetof(struct file, sh);
	f.eh.e_shentsize = sizeof f.sh[0];
	f.eh.e_shnum = 3;
	f.ph[0].p_type = PT_LOAD;
	f.ph[0].p_flags = PF_R | PF_X;
	f.ph[0].p_vaddr = CODE;
	f.ph[0].p_filesz = f.ph[0].p_memsz = 0x2000;
	f.ph[1].p_type = PT_LOAD;
	f.ph[1].p_flags = PF_R | PF_W;
	f.ph[1].p_vaddr = DATA;
	f.ph[1].p_filesz = f.ph[1].p_memsz = 0x1000;
	f.sh[1].sh_type = SHT_SYMTAB;
	f.sh[1].sh_offset = offsetof(struct file, sym);
	f.sh[1].sh_size = sizeof f.sym;
	f.sh[1].sh_link = 2;
	f.sh[2].sh_type = SHT_STRTAB;
	f.sh[2].sh_offset = offsetof(struct file, str);
	f.sh[2].sh_size = sizeof f.str;
	n_sym = n_str = 1;
}

static void
add(const char *name, uint64_t va, uint64_t size, unsigned info)
{
	Elf64_Sym *s = &f.sym[n_sym++];

	s->st_name = n_str;
	s->st_info = (unsigned char)info;
	s->st_shndx = 1;
	s->st_value = va;
	s->st_size = size;
	strcpy(f.str + n_str, name);
	n_str += (unsigned)strlen(name) + 1;
}

static void
add_func(const char *name, uint64_t va, uint64_t size)
{

	add(name, va, size, ELF64_ST_INFO(STB_LOCAL, STT_FUNC));
}

/* Those of the file of (len) bytes at (b), where the plan puts it. */
static struct sbx_symbols *
symbols(const uint8_t *b, size_t len)
{
	struct sbx_symbols *syms = NULL;

	SBX_Err_Clear(&err);
	CHECK_EQ(SBX_Elf_Plan(b, len, SBX_ELF_PIE_BASE, &plan, &err), 0);
	CHECK_EQ(SBX_Symbols_New(&syms, &err), 0);
	CHECK_EQ(SBX_Symbols_Add(syms, b, len, &plan, "/p", &err), 0);
	return (syms);
}

/* What is said of (va), "" if nothing. */
static const char *
name_of(uint64_t va, size_t len)
{
	static char buf[SBX_SYMBOL_TEXT_MAX];
	struct sbx_symbols *syms = symbols((const void *)&f, len);
	int i;

	i = SBX_Symbols_Find(syms, va, buf, sizeof buf);
	CHECK_EQ(i, buf[0] == '\0' ? -1 : 0);
	SBX_Symbols_Destroy(&syms);
	return (buf);
}

#define IS(va, text)							\
	do {								\
		const char *s_ = name_of((va), sizeof f);		\
		CHECK(!strcmp(s_, (text)));				\
		if (strcmp(s_, (text)))					\
			fprintf(stderr, "\tit is \"%s\"\n", s_);	\
	} while (0)

static void
functions(void)
{

	make();
	add_func("second", CODE + 0x300, 0x40);
	add_func("first", CODE + 0x100, 0x80);
	IS(CODE + 0x100, "first+0x0");
	IS(CODE + 0x17f, "first+0x7f");
	IS(CODE + 0x180, "");
	IS(CODE + 0xff, "");
	IS(CODE + 0x301, "second+0x1");
	IS(CODE + 0x340, "");
	IS(0, "");
	IS(UINT64_MAX, "");
}

/* Several names for one place, labels, functions of unknown size. */
static void
which(void)
{

	make();
	add_func("__alias", CODE + 0x100, 0x80);
	add("public", CODE + 0x100, 0x80,
	    ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
	add("label", CODE + 0x110, 8, ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE));
	add("no_size", CODE + 0x200, 0, ELF64_ST_INFO(STB_GLOBAL,
	    STT_NOTYPE));
	add_func("behind", CODE + 0x400, 0x10);
	add("chosen", CODE + 0x500, 0x10,
	    ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC));
	add_func("long", CODE + 0x1800, UINT64_MAX);
	IS(CODE + 0x100, "public+0x0");
	IS(CODE + 0x112, "label+0x2");
	IS(CODE + 0x118, "public+0x18");
	IS(CODE + 0x3ff, "no_size+0x1ff");
	IS(CODE + 0x405, "behind+0x5");
	IS(CODE + 0x410, "");
	IS(CODE + 0x501, "chosen+0x1");
	IS(CODE + 0x1fff, "long+0x7ff");
	IS(DATA, "");
}

static void
no_functions(void)
{

	make();
	add("object", CODE + 0x100, 0x80,
	    ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT));
	add("in_data", DATA, 0x80, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
	add("elsewhere", 0x10, 0x80, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
	add("", CODE + 0x200, 0x80, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
	add("not_here", CODE + 0x300, 0x80,
	    ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
	f.sym[n_sym - 1].st_shndx = SHN_UNDEF;
	IS(CODE + 0x101, "");
	IS(DATA + 1, "");
	IS(0x11, "");
	IS(CODE + 0x201, "");
	IS(CODE + 0x301, "");
}

/* A position independent one is where we have put it. */
static void
pie(void)
{

	make();
	f.eh.e_type = ET_DYN;
	f.eh.e_entry = 0x100;
	f.ph[0].p_vaddr = 0;
	f.ph[1].p_vaddr = 0x2000;
	add_func("moved", 0x100, 0x80);
	IS(SBX_ELF_PIE_BASE + 0x101, "moved+0x1");
	IS(0x101, "");
	f.sh[1].sh_type = SHT_DYNSYM;
	IS(SBX_ELF_PIE_BASE + 0x101, "moved+0x1");
	f.sh[1].sh_type = SHT_PROGBITS;
	IS(SBX_ELF_PIE_BASE + 0x101, "");
}

/* Names for terminals and logs. */
static void
printable(void)
{
	char big[400];

	make();
	add_func("a\033[2J\nb c\"d'e\177\377f", CODE + 0x100, 0x80);
	memset(big, 'x', sizeof big);
	big[sizeof big - 1] = '\0';
	add_func(big, CODE + 0x200, 0x80);
	IS(CODE + 0x101, "a?[2J?b?c?d?e??f+0x1");
	CHECK_EQ(strlen(name_of(CODE + 0x201, sizeof f)),
	    SBX_SYMBOL_NAME_MAX + 4);
	/* the last one has no end */
	make();
	memset(f.str, 'y', sizeof f.str);
	add_func("z", CODE + 0x100, 0x80);
	f.sym[1].st_name = sizeof f.str - 3;
	IS(CODE + 0x101, "yyy+0x1");
}

/* Whatever is wrong with it, there are just no names. */
#define BAD(field, value)						\
	do {								\
		make();							\
		add_func("name", CODE + 0x100, 0x80);			\
		IS(CODE + 0x101, "name+0x1");				\
		f.field = (value);					\
		IS(CODE + 0x101, "");					\
	} while (0)

static void
damaged(void)
{

	BAD(eh.e_shoff, 0);
	BAD(eh.e_shoff, UINT64_MAX);
	BAD(eh.e_shoff, sizeof f - 1);
	BAD(eh.e_shnum, 0);
	BAD(eh.e_shnum, 2);
	BAD(eh.e_shentsize, 1);
	BAD(sh[1].sh_link, 0);
	BAD(sh[1].sh_link, 3);
	BAD(sh[1].sh_link, UINT32_MAX);
	BAD(sh[1].sh_offset, UINT64_MAX);
	BAD(sh[1].sh_offset, sizeof f);
	BAD(sh[1].sh_size, UINT64_MAX);
	BAD(sh[1].sh_size, 0);
	BAD(sh[1].sh_size, sizeof f);
	BAD(sh[2].sh_size, 0);
	BAD(sh[2].sh_size, UINT64_MAX);
	BAD(sh[2].sh_offset, UINT64_MAX);
	BAD(sh[2].sh_type, SHT_PROGBITS);
	BAD(sym[1].st_name, UINT32_MAX);
	BAD(sym[1].st_name, sizeof f.str);
	BAD(sym[1].st_value, UINT64_MAX);
	make();
	add_func("name", CODE + 0x100, 0x80);
	/* the segments end here */
	CHECK(strcmp(name_of(CODE + 0x101, 0x2000), "") != 0);
}

/* Another file like it, with (n) symbols like its first one, which follow each
 * other, and then as many bytes as make it (len). */
static uint8_t *
make_large(size_t n, size_t len)
{
	Elf64_Sym *s;
	uint8_t *b;
	size_t u;

	f.sh[1].sh_offset = sizeof f;
	f.sh[1].sh_size = n * sizeof *s;
	b = aligned_alloc(64, (len + 63) / 64 * 64);
	AN(b);
	memcpy(b, &f, sizeof f);
	s = (void *)(b + sizeof f);
	for (u = 0; u < n; u++) {
		s[u] = f.sym[1];
		s[u].st_size = 1;
		s[u].st_value = CODE + u % 0x1000;
	}
	return (b);
}

/* More than fit: the first ones have names, and memory is bounded. */
static void
many(void)
{
	const size_t n = SBX_SYMBOLS_MAX + 1000;
	const size_t len = sizeof f + n * sizeof(Elf64_Sym);
	struct sbx_symbols *syms;
	char buf[SBX_SYMBOL_TEXT_MAX];
	Elf64_Sym *s;
	uint8_t *b;
	size_t u;

	make();
	add_func("name", CODE + 0x100, 0x80);
	b = make_large(n, len);
	s = (void *)(b + sizeof f);
	for (u = SBX_SYMBOLS_MAX; u < n; u++)
		s[u].st_value = CODE + 0x1000 + u % 1000;
	syms = symbols(b, len);
	CHECK_EQ(SBX_Symbols_Find(syms, CODE + 0xfff, buf, sizeof buf), 0);
	CHECK(!strcmp(buf, "name+0x0"));
	CHECK_EQ(SBX_Symbols_Find(syms, CODE + 0x1010, buf, sizeof buf), -1);
	SBX_Symbols_Destroy(&syms);
	free(b);
}

/* All have the same name, which is most of the file: it is not read to its end
 * for each. */
static void
one_long_name(void)
{
	const size_t n = SBX_SYMBOLS_MAX, str = (size_t)48 << 20;
	const size_t at = sizeof f + n * sizeof(Elf64_Sym), len = at + str;
	struct sbx_symbols *syms;
	char buf[SBX_SYMBOL_TEXT_MAX];
	uint8_t *b;

	make();
	add_func("name", CODE + 0x100, 0x80);
	f.sh[2].sh_offset = at;
	f.sh[2].sh_size = str;
	b = make_large(n, len);
	memset(b + at, 'x', str);
	syms = symbols(b, len);
	CHECK_EQ(SBX_Symbols_Find(syms, CODE + 0xfff, buf, sizeof buf), 0);
	CHECK_EQ(strspn(buf, "x"), SBX_SYMBOL_NAME_MAX);
	CHECK(!strcmp(buf + SBX_SYMBOL_NAME_MAX, "+0x0"));
	SBX_Symbols_Destroy(&syms);
	free(b);
}

/* Somebody to look for. */
static int __attribute__((__noinline__))
symbol_of_mine(int i)
{

	__asm__ volatile ("" : "+r" (i));
	return (i + 1);
}

static void
itself(void)
{
	struct sbx_symbols *syms;
	char buf[SBX_SYMBOL_TEXT_MAX];
	struct stat st;
	uint64_t u, at;
	uint8_t *p;
	int fd;

	CHECK_EQ(symbol_of_mine(1), 2);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(fstat(fd, &st), 0);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	AN(p != MAP_FAILED);
	(void)close(fd);
	syms = symbols(p, (size_t)st.st_size);
	/* its own place is found by what is there, wherever it was loaded */
	for (u = 0, at = 0; u < plan.n_seg && at == 0; u++) {
		uint8_t *q = memmem(p + plan.seg[u].off, plan.seg[u].len,
		    (void *)(uintptr_t)symbol_of_mine, 8);
		if (q != NULL && (plan.seg[u].flags & 4))
			at = plan.seg[u].vaddr +
			    (uint64_t)(q - (p + plan.seg[u].off));
	}
	CHECK(at != 0);
	CHECK_EQ(SBX_Symbols_Find(syms, at, buf, sizeof buf), 0);
	CHECK(!strcmp(buf, "symbol_of_mine+0x0"));
	CHECK_EQ(SBX_Symbols_File(syms, 0)->n_seg, plan.n_seg);
	CHECK(SBX_Symbols_File(syms, 1) == NULL);
	CHECK_EQ(SBX_Symbols_Find(NULL, at, buf, sizeof buf), -1);
	CHECK(SBX_Symbols_File(NULL, 0) == NULL);
	SBX_Symbols_Destroy(&syms);
	AZ(munmap(p, (size_t)st.st_size));
}

static unsigned calls_left;

static void *
no_calloc(size_t n, size_t l)
{

	if (calls_left-- == 0)
		return (NULL);
	return (sbx_os_real.calloc(n, l));
}

static void *
no_malloc(size_t l)
{

	if (calls_left-- == 0)
		return (NULL);
	return (sbx_os_real.malloc(l));
}

static void
no_memory(void)
{
	struct sbx_symbols *syms;
	unsigned u;
	int i = -1;

	make();
	add_func("name", CODE + 0x100, 0x80);
	CHECK_EQ(SBX_Elf_Plan(&f, sizeof f, 0, &plan, &err), 0);
	sbx_os.calloc = no_calloc;
	sbx_os.malloc = no_malloc;
	for (u = 0; u < 10 && i != 0; u++) {
		calls_left = u;
		syms = NULL;
		SBX_Err_Clear(&err);
		i = SBX_Symbols_New(&syms, &err);
		if (i == 0)
			i = SBX_Symbols_Add(syms, &f, sizeof f, &plan, "/p",
			    &err);
		CHECK_EQ(err.kind, i == 0 ? SBX_FAIL_NONE : SBX_FAIL_HOST);
		if (syms != NULL)
			SBX_Symbols_Destroy(&syms);
	}
	sbx_os = sbx_os_real;
	CHECK_EQ(i, 0);
	CHECK(u >= 4);
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(functions);
	TEST(which);
	TEST(no_functions);
	TEST(pie);
	TEST(printable);
	TEST(damaged);
	TEST(many);
	TEST(one_long_name);
	TEST(itself);
	TEST(no_memory);
	TEST_END();
}
