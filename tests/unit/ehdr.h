/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The header of an ELF file, for tests that make one field by field.
 */

#ifndef EHDR_H_INCLUDED
#define EHDR_H_INCLUDED

#include <elf.h>
#include <string.h>

/*
 * An executable for this CPU of (type), which begins at (entry). The headers
 * of its (n) segments come next in the file, and there are no sections.
 */
static inline void
ehdr_init(Elf64_Ehdr *eh, Elf64_Half type, uint64_t entry, Elf64_Half n)
{

	memset(eh, 0, sizeof *eh);
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = type;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_entry = entry;
	eh->e_phoff = sizeof *eh;
	eh->e_ehsize = sizeof *eh;
	eh->e_phentsize = sizeof(Elf64_Phdr);
	eh->e_phnum = n;
}

#endif
