/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * symbol.c: reading a symbol table. Every number in it is the guest's.
 */

#include "config.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/symbol.h"
#include "machine/paging.h"

/* A label inside of a function hides that function from those behind the
 * label: look at so many before giving up. */
#define SYMBOL_BACK		16

struct symbol {
	uint64_t		va;
	uint32_t		size;		/* 0: up to the next one */
	uint32_t		name;		/* in (names) */
};

struct sbx_symbols {
	unsigned		magic;
#define SBX_SYMBOLS_MAGIC	0x1c7f40ab
	size_t			n, room;
	struct symbol		*sym;		/* ascending */
	size_t			names_len, names_room;
	char			*names;		/* each with its NUL */
	unsigned		n_file;
	struct sbx_symbols_file	file[SBX_SYMBOLS_FILES_MAX];
};

/* A symbol table while it is read. */
struct symbol_table {
	const uint8_t		*file;
	size_t			len;
	const struct sbx_elf	*elf;
	uint64_t		off, n;		/* of symbols */
	uint64_t		str, str_len;
};

/* One that may be kept. */
struct symbol_found {
	struct symbol		s;
	unsigned		rank;		/* of several at a place */
	uint64_t		name;		/* offset in the file */
	size_t			name_len;	/* of it as kept */
};

/*--------------------------------------------------------------------
 * The file
 */

static int
symbol_inside(const struct symbol_table *t, uint64_t off, uint64_t len)
{

	return (off <= t->len && len <= t->len - off);
}

/* Find a section of type (type), and its strings. */
static int
symbol_section(struct symbol_table *t, const Elf64_Ehdr *eh, uint32_t type)
{
	Elf64_Shdr sh, str;
	unsigned u;

	for (u = 0; u < eh->e_shnum; u++) {
		memcpy(&sh, t->file + eh->e_shoff + u * sizeof sh, sizeof sh);
		if (sh.sh_type != type || sh.sh_link >= eh->e_shnum)
			continue;
		memcpy(&str, t->file + eh->e_shoff + sh.sh_link * sizeof str,
		    sizeof str);
		if (str.sh_type != SHT_STRTAB ||
		    !symbol_inside(t, sh.sh_offset, sh.sh_size) ||
		    !symbol_inside(t, str.sh_offset, str.sh_size))
			continue;
		t->off = sh.sh_offset;
		t->n = sh.sh_size / sizeof(Elf64_Sym);
		t->str = str.sh_offset;
		t->str_len = str.sh_size;
		return (1);
	}
	return (0);
}

static int
symbol_open(struct symbol_table *t)
{
	Elf64_Ehdr eh;

	if (t->len < sizeof eh)
		return (0);
	memcpy(&eh, t->file, sizeof eh);
	if (eh.e_shentsize != sizeof(Elf64_Shdr) ||
	    !symbol_inside(t, eh.e_shoff,
	    (uint64_t)eh.e_shnum * sizeof(Elf64_Shdr)))
		return (0);
	return (symbol_section(t, &eh, SHT_SYMTAB) ||
	    symbol_section(t, &eh, SHT_DYNSYM));
}

/* The end of the executable segment that (va) is in, or 0. */
static uint64_t
symbol_segment(const struct sbx_elf *elf, uint64_t va)
{
	unsigned u;

	for (u = 0; u < elf->n_seg; u++)
		if ((elf->seg[u].flags & SBX_MAP_EXEC) &&
		    va >= elf->seg[u].lo && va < elf->seg[u].hi)
			return (elf->seg[u].hi);
	return (0);
}

/* Symbol (u) of the table. Returns 0 if it is none of a function. */
static int
symbol_get(const struct symbol_table *t, uint64_t u, struct symbol_found *f)
{
	Elf64_Sym es;
	unsigned type;
	uint64_t end, l;

	memcpy(&es, t->file + t->off + u * sizeof es, sizeof es);
	type = ELF64_ST_TYPE(es.st_info);
	if (es.st_shndx == SHN_UNDEF || es.st_name >= t->str_len ||
	    (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE))
		return (0);
	f->s.va = es.st_value + t->elf->base;
	end = symbol_segment(t->elf, f->s.va);
	if (end == 0)
		return (0);
	if (es.st_size > end - f->s.va)
		es.st_size = end - f->s.va;
	f->s.size = es.st_size > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)es.st_size;
	f->name = t->str + es.st_name;
	/* no further than it is kept: a file may say that all its symbols have
	 * one name of megabytes */
	l = t->str_len - es.st_name;
	f->name_len = strnlen((const char *)t->file + f->name,
	    l < SBX_SYMBOL_NAME_MAX ? l : SBX_SYMBOL_NAME_MAX);
	/* what a source file calls it comes before what else it is called */
	f->rank = (type == STT_NOTYPE ? 0 : 4) +
	    (ELF64_ST_BIND(es.st_info) == STB_GLOBAL ? 2 : 0) +
	    (f->name_len > 0 && t->file[f->name] != '_');
	return (f->name_len > 0);
}

/*--------------------------------------------------------------------
 * The table
 */

static int
symbol_cmp(const void *a, const void *b)
{
	const struct symbol_found *x = a, *y = b;

	if (x->s.va != y->s.va)
		return (x->s.va < y->s.va ? -1 : 1);
	if (x->rank != y->rank)
		return (x->rank > y->rank ? -1 : 1);
	/* as in the file, whatever qsort() does */
	return (x->name < y->name ? -1 : x->name > y->name);
}

/* Make room for (n) more and (bytes) of names, as far as the limits allow. */
static int
symbol_room(struct sbx_symbols *syms, size_t n, size_t bytes)
{
	struct symbol *sym;
	char *names;

	sym = sbx_os.calloc(syms->n + n, sizeof *sym);
	names = sbx_os.malloc(syms->names_len + bytes);
	if (sym == NULL || names == NULL) {
		free(sym);
		free(names);
		return (-1);
	}
	if (syms->n > 0)
		memcpy(sym, syms->sym, syms->n * sizeof *sym);
	if (syms->names_len > 0)
		memcpy(names, syms->names, syms->names_len);
	free(syms->sym);
	free(syms->names);
	syms->sym = sym;
	syms->room = syms->n + n;
	syms->names = names;
	syms->names_room = syms->names_len + bytes;
	return (0);
}

static void
symbol_name(struct sbx_symbols *syms, const uint8_t *s, size_t l)
{
	char *d = syms->names + syms->names_len;
	size_t u;

	for (u = 0; u < l; u++)
		d[u] = s[u] > ' ' && s[u] < 0x7f && s[u] != '"' &&
		    s[u] != '\'' ? (char)s[u] : '?';
	d[l] = '\0';
	syms->names_len += l + 1;
}

/* Of the (n) that were found, in order, the best one of each address. */
static void
symbol_keep(struct sbx_symbols *syms, const struct symbol_table *t,
    const struct symbol_found *f, size_t n)
{
	struct symbol *s;
	size_t u, l;

	for (u = 0; u < n; u++) {
		if (u > 0 && f[u].s.va == f[u - 1].s.va)
			continue;
		l = f[u].name_len;
		if (syms->n == syms->room ||
		    l + 1 > syms->names_room - syms->names_len)
			return;
		s = &syms->sym[syms->n++];
		*s = f[u].s;
		s->name = (uint32_t)syms->names_len;
		symbol_name(syms, t->file + f[u].name, l);
	}
}

static int
symbol_read(struct sbx_symbols *syms, const struct symbol_table *t)
{
	struct symbol_found *f;
	size_t n = 0, max = SBX_SYMBOLS_MAX - syms->n, bytes = 0, l;
	uint64_t u;
	int i = 0;

	if (max > t->n)
		max = (size_t)t->n;
	if (max == 0)
		return (0);
	f = sbx_os.calloc(max, sizeof *f);
	if (f == NULL)
		return (-1);
	for (u = 0; u < t->n && n < max; u++) {
		if (!symbol_get(t, u, &f[n]))
			continue;
		l = f[n].name_len;
		if (l + 1 > SBX_SYMBOLS_NAMES_MAX - syms->names_len - bytes)
			break;
		bytes += l + 1;
		n++;
	}
	if (n > 0) {
		qsort(f, n, sizeof *f, symbol_cmp);
		i = symbol_room(syms, n, bytes);
		if (i == 0)
			symbol_keep(syms, t, f, n);
	}
	free(f);
	return (i);
}

/*--------------------------------------------------------------------*/

int
SBX_Symbols_New(struct sbx_symbols **sp, struct sbx_err *err)
{
	struct sbx_symbols *syms;

	AN(sp);
	AZ(*sp);
	SBX_ALLOC_OBJ(syms, SBX_SYMBOLS_MAGIC);
	if (syms == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "symbols"));
	*sp = syms;
	return (0);
}

void
SBX_Symbols_Destroy(struct sbx_symbols **sp)
{
	struct sbx_symbols *syms;
	unsigned u;

	TAKE_OBJ_NOTNULL(syms, sp, SBX_SYMBOLS_MAGIC);
	for (u = 0; u < syms->n_file; u++)
		free(syms->file[u].path);
	free(syms->sym);
	free(syms->names);
	FREE_OBJ(syms);
}

int
SBX_Symbols_Add(struct sbx_symbols *syms, const void *file, size_t len,
    const struct sbx_elf *elf, const char *path, struct sbx_err *err)
{
	struct symbol_table t = { .file = file, .len = len, .elf = elf };
	struct sbx_symbols_file *sf;

	CHECK_OBJ_NOTNULL(syms, SBX_SYMBOLS_MAGIC);
	AN(file);
	AN(elf);
	assert(syms->n_file < SBX_SYMBOLS_FILES_MAX);
	sf = &syms->file[syms->n_file];
	sf->path = SBX_Os_Strdup(path);
	if (sf->path == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "symbols"));
	sf->n_seg = elf->n_seg;
	memcpy(sf->seg, elf->seg, sizeof sf->seg);
	syms->n_file++;
	/* the table stays in order; one that can not be moved may be below */
	if (syms->n_file > 1 && sf[-1].seg[sf[-1].n_seg - 1].hi > sf->seg[0].lo)
		return (0);
	if (symbol_open(&t) && symbol_read(syms, &t))
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "symbols"));
	return (0);
}

/* How many begin at or below (va). */
static size_t
symbol_below(const struct sbx_symbols *syms, uint64_t va)
{
	size_t lo = 0, hi = syms->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (syms->sym[mid].va <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

int
SBX_Symbols_Find(const struct sbx_symbols *syms, uint64_t va, char *buf,
    size_t size)
{
	const struct symbol *s;
	size_t n, back;

	AN(buf);
	AN(size);
	buf[0] = '\0';
	if (syms == NULL)
		return (-1);
	CHECK_OBJ_NOTNULL(syms, SBX_SYMBOLS_MAGIC);
	n = symbol_below(syms, va);
	for (back = 0; back < n && back < SYMBOL_BACK; back++) {
		s = &syms->sym[n - 1 - back];
		/* one without a size ends with the next one, and its page */
		if (s->size > 0 ? va - s->va < s->size : back == 0 &&
		    va - s->va < SBX_PAGE) {
			(void)snprintf(buf, size, "%s+0x%jx",
			    syms->names + s->name, (uintmax_t)(va - s->va));
			return (0);
		}
	}
	return (-1);
}

const struct sbx_symbols_file *
SBX_Symbols_File(const struct sbx_symbols *syms, unsigned u)
{

	if (syms == NULL)
		return (NULL);
	CHECK_OBJ_NOTNULL(syms, SBX_SYMBOLS_MAGIC);
	return (u < syms->n_file ? &syms->file[u] : NULL);
}
