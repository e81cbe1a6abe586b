/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * elf.c: checking an executable. libelf finds the headers; every number in
 * them is the guest's and is checked here.
 */

#include "config.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"
#include "linux/elf.h"
#include "machine/gmem.h"
#include "machine/layout.h"
#include "machine/paging.h"

/* More program headers than any linker makes */
#define ELF_PHDRS_MAX		128

struct elf_file {
	Elf			*elf;
	size_t			len;
	GElf_Ehdr		eh;
	size_t			phnum;
	uint64_t		base;		/* of ET_DYN, else 0 */
	struct sbx_elf		*plan;
	struct sbx_err		*err;
};

#define ELF_NO(ef, ...)							\
	SBX_Err_Set((ef)->err, SBX_FAIL_CONFIG, 0, __VA_ARGS__)

static int
elf_header(struct elf_file *ef)
{

	if (elf_kind(ef->elf) != ELF_K_ELF ||
	    gelf_getehdr(ef->elf, &ef->eh) == NULL)
		return (ELF_NO(ef, "not an ELF executable; a "
		    "program has to be a Linux x86-64 executable, or a script "
		    "with the interpreter in its first line"));
	if (ef->eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ef->eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    ef->eh.e_machine != EM_X86_64)
		return (ELF_NO(ef, "compiled for another architecture "
		    "(ELF machine %u); x86-64 is needed", ef->eh.e_machine));
	if (ef->eh.e_type != ET_EXEC && ef->eh.e_type != ET_DYN)
		return (ELF_NO(ef, "not an executable (ELF type %u); an "
		    "object file has to be linked first", ef->eh.e_type));
	if (ef->eh.e_phentsize != sizeof(Elf64_Phdr) ||
	    elf_getphdrnum(ef->elf, &ef->phnum) != 0 || ef->phnum == 0 ||
	    ef->phnum > ELF_PHDRS_MAX)
		return (ELF_NO(ef, "damaged: %zu program headers of %u bytes",
		    ef->phnum, ef->eh.e_phentsize));
	if (ef->eh.e_type == ET_EXEC)
		ef->base = 0;
	ef->plan->base = ef->base;
	return (0);
}

static int
elf_seg_range(struct elf_file *ef, const GElf_Phdr *ph)
{
	uint64_t va = ph->p_vaddr;

	if (ph->p_offset > ef->len || ph->p_filesz > ef->len - ph->p_offset)
		return (ELF_NO(ef, "truncated: a segment ends behind the end "
		    "of the file"));
	if (ph->p_filesz > ph->p_memsz)
		return (ELF_NO(ef, "damaged: a segment is larger in the file "
		    "than in memory"));
	if (ef->base >= SBX_GVA_USER_END ||
	    va >= SBX_GVA_USER_END - ef->base ||
	    ph->p_memsz > SBX_GVA_USER_END - ef->base - va)
		return (ELF_NO(ef, "a segment at address 0x%jx of %ju bytes "
		    "is out of range", (uintmax_t)va,
		    (uintmax_t)ph->p_memsz));
	if (va + ef->base < SBX_GVA_USER_MIN)
		return (ELF_NO(ef, "linked at address 0x%jx; the first 64 KB "
		    "are reserved, link it higher", (uintmax_t)va));
	return (0);
}

static int
elf_seg_add(struct elf_file *ef, const GElf_Phdr *ph)
{
	struct sbx_elf *plan = ef->plan;
	struct sbx_elf_seg *s;

	if (elf_seg_range(ef, ph))
		return (-1);
	if ((ph->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return (ELF_NO(ef, "has a segment that is both writable and "
		    "executable; link it without -z execstack, -N or the like"));
	if (plan->n_seg == SBX_ELF_SEGS_MAX)
		return (ELF_NO(ef, "more than %d segments",
		    SBX_ELF_SEGS_MAX));
	s = &plan->seg[plan->n_seg++];
	s->vaddr = ph->p_vaddr + ef->base;
	s->off = ph->p_offset;
	s->len = ph->p_filesz;
	s->lo = SBX_Page_Down(s->vaddr);
	s->hi = SBX_Page_Up(s->vaddr + ph->p_memsz);
	s->flags = SBX_MAP_USER;
	if (ph->p_flags & PF_W)
		s->flags |= SBX_MAP_WRITE;
	if (ph->p_flags & PF_X)
		s->flags |= SBX_MAP_EXEC;
	if (plan->n_seg > 1 && s->lo < s[-1].hi)
		return (ELF_NO(ef, "damaged: segments overlap or are not in "
		    "ascending order"));
	/* the program headers are in memory if a segment has them */
	if (plan->phdr == 0 && s->off <= ef->eh.e_phoff &&
	    ef->eh.e_phoff - s->off < s->len)
		plan->phdr = s->vaddr + (ef->eh.e_phoff - s->off);
	return (0);
}

static int
elf_interp(struct elf_file *ef, const GElf_Phdr *ph, const char *file)
{
	const char *s;

	if (ph->p_offset > ef->len || ph->p_filesz > ef->len - ph->p_offset)
		return (ELF_NO(ef, "truncated: the name of its interpreter is "
		    "behind the end of the file"));
	s = file + ph->p_offset;
	if (ph->p_filesz < 2 || ph->p_filesz > SBX_ELF_INTERP_MAX ||
	    s[0] != '/' || memchr(s, '\0', ph->p_filesz) !=
	    s + ph->p_filesz - 1)
		return (ELF_NO(ef, "damaged: the name of its interpreter is "
		    "not an absolute path of at most %d bytes",
		    SBX_ELF_INTERP_MAX - 1));
	memcpy(ef->plan->interp, s, ph->p_filesz);
	/* it is shown to people; no file is called so anyway */
	SBX_Err_Printable(ef->plan->interp);
	return (0);
}

static int
elf_phdr(struct elf_file *ef, int n, const void *file)
{
	GElf_Phdr ph;

	if (gelf_getphdr(ef->elf, n, &ph) == NULL)
		return (ELF_NO(ef, "truncated: program header %d is missing",
		    n));
	switch (ph.p_type) {
	case PT_INTERP:
		return (elf_interp(ef, &ph, file));
	case PT_LOAD:
		if (ph.p_memsz == 0)
			return (0);
		return (elf_seg_add(ef, &ph));
	default:
		return (0);
	}
}

static int
elf_entry(struct elf_file *ef)
{
	const struct sbx_elf_seg *s;
	struct sbx_elf *plan = ef->plan;
	unsigned u;

	plan->entry = ef->eh.e_entry + ef->base;
	plan->phnum = (unsigned)ef->phnum;
	plan->phent = sizeof(Elf64_Phdr);
	for (u = 0; u < plan->n_seg; u++) {
		s = &plan->seg[u];
		if ((s->flags & SBX_MAP_EXEC) && plan->entry >= s->vaddr &&
		    plan->entry < s->hi)
			return (0);
	}
	return (ELF_NO(ef, "damaged: the entry point 0x%jx is not in an "
	    "executable segment", (uintmax_t)ef->eh.e_entry));
}

int
SBX_Elf_Plan(const void *file, size_t len, uint64_t base,
    struct sbx_elf *plan, struct sbx_err *err)
{
	struct elf_file ef;
	size_t n;
	int i;

	AN(file);
	AN(plan);
	memset(plan, 0, sizeof *plan);
	memset(&ef, 0, sizeof ef);
	AZ(base % SBX_PAGE);
	ef.len = len;
	ef.base = base;
	ef.plan = plan;
	ef.err = err;
	assert(elf_version(EV_CURRENT) != EV_NONE);
	/* libelf only writes to it when asked to, and we do not */
	ef.elf = elf_memory((char *)(uintptr_t)file, len);
	if (ef.elf == NULL)
		return (ELF_NO(&ef, "not an ELF executable; a "
		    "program has to be a Linux x86-64 executable, or a script "
		    "with the interpreter in its first line"));
	i = elf_header(&ef);
	for (n = 0; i == 0 && n < ef.phnum; n++)
		i = elf_phdr(&ef, (int)n, file);
	if (i == 0)
		i = elf_entry(&ef);
	(void)elf_end(ef.elf);
	return (i);
}
