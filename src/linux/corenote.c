/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * corenote.c: as in Linux's fs/binfmt_elf.c and <sys/procfs.h>.
 */

#include "config.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/corenote.h"
#include "linux/proc.h"
#include "linux/symbol.h"
#include "machine/layout.h"

/* x87, SSE and AVX of the standard format (SDM vol. 1, 13.4), and where a
 * debugger looks for which of them there are. */
#define NOTE_XSAVE_LEN		832
#define NOTE_XSAVE_XCR0		464
#define NOTE_XSAVE_BV		512
#define NOTE_XSAVE_KINDS	UINT64_C(7)

/* An auxiliary vector is a few hundred bytes. */
#define NOTE_AUXV_MAX		1024

/* Room for (len) bytes of type (type), zeroed, or NULL. */
static void *
note_add(struct sbx_corenotes *n, const char *name, uint32_t type, size_t len)
{
	const size_t l = sizeof(Elf64_Nhdr) + 8 + (len + 3) / 4 * 4;
	Elf64_Nhdr nh;
	uint8_t *b;

	if (n->room - n->len < l) {
		b = sbx_os.calloc(1, n->len + l + 65536);
		if (b == NULL)
			return (NULL);
		if (n->len > 0)
			memcpy(b, n->b, n->len);
		free(n->b);
		n->b = b;
		n->room = n->len + l + 65536;
	}
	nh.n_namesz = (Elf64_Word)strlen(name) + 1;
	nh.n_descsz = (Elf64_Word)len;
	nh.n_type = type;
	assert(nh.n_namesz <= 8);
	b = n->b + n->len;
	memcpy(b, &nh, sizeof nh);
	memcpy(b + sizeof nh, name, nh.n_namesz);
	b += sizeof nh + (nh.n_namesz + 3) / 4 * 4;
	n->len = (size_t)(b - n->b) + (len + 3) / 4 * 4;
	return (b);
}

/* A structure. Notes are aligned to four bytes, and no more. */
static int
note_put(struct sbx_corenotes *n, uint32_t type, const void *s, size_t len)
{
	void *b;

	b = note_add(n, "CORE", type, len);
	if (b == NULL)
		return (-1);
	memcpy(b, s, len);
	return (0);
}

/*--------------------------------------------------------------------
 * Threads
 */

static void
note_regs(struct elf_prstatus *ps, const struct sbx_thread *t,
    const struct sbx_cpu *c)
{
	struct user_regs_struct r;

	memset(&r, 0, sizeof r);
#define REG(name, reg)		r.name = c->regs.reg
	REG(r15, r15); REG(r14, r14); REG(r13, r13); REG(r12, r12);
	REG(r11, r11); REG(r10, r10); REG(r9, r9); REG(r8, r8);
	REG(rax, rax); REG(rbx, rbx); REG(rcx, rcx); REG(rdx, rdx);
	REG(rsi, rsi); REG(rdi, rdi); REG(rbp, rbp); REG(rsp, rsp);
	REG(rip, rip); REG(eflags, rflags);
#undef REG
	r.orig_rax = t->calling ? t->nr : UINT64_MAX;
	r.cs = SBX_SEL_UCODE;
	r.ss = SBX_SEL_UDATA;
	r.fs_base = c->fs_base;
	r.gs_base = c->gs_base;
	_Static_assert(sizeof r == sizeof ps->pr_reg, "registers");
	memcpy(&ps->pr_reg, &r, sizeof r);
}

static int
note_thread(struct sbx_corenotes *n, const struct sbx_proc *p,
    const struct sbx_thread *t, const struct sbx_cpu *c)
{
	struct elf_prstatus ps;
	uint64_t v;
	uint8_t *b;

	memset(&ps, 0, sizeof ps);
	ps.pr_info.si_signo = p->death.signo;
	ps.pr_cursig = (short)p->death.signo;
	ps.pr_sigpend = t->pending;
	ps.pr_sighold = t->sigmask;
	ps.pr_pid = t->tid;
	ps.pr_pgrp = ps.pr_sid = 1;
	note_regs(&ps, t, c);
	ps.pr_fpvalid = 1;
	if (note_put(n, NT_PRSTATUS, &ps, sizeof ps))
		return (-1);
	b = note_add(n, "CORE", NT_FPREGSET, sizeof(elf_fpregset_t));
	if (b == NULL)
		return (-1);
	memcpy(b, c->xsave, sizeof(elf_fpregset_t));
	b = note_add(n, "LINUX", NT_X86_XSTATE, NOTE_XSAVE_LEN);
	if (b == NULL)
		return (-1);
	memcpy(b, c->xsave, NOTE_XSAVE_LEN);
	v = SBX_Machine_Features(p->machine) & NOTE_XSAVE_KINDS;
	memcpy(b + NOTE_XSAVE_XCR0, &v, sizeof v);
	memcpy(&v, b + NOTE_XSAVE_BV, sizeof v);
	v &= NOTE_XSAVE_KINDS;
	memcpy(b + NOTE_XSAVE_BV, &v, sizeof v);
	n->sp[n->n_sp++] = c->regs.rsp;
	return (0);
}

/* One that exists: what it had when it left the CPU, or has in it. */
static int
note_thread_at(struct sbx_corenotes *n, struct sbx_proc *p, unsigned u,
    struct sbx_err *err)
{
	struct sbx_threads *ts = &p->threads;
	const struct sbx_thread *t = ts->t[u];
	struct sbx_cpu cpu;
	int i;

	if (t == NULL || t->state == SBX_THREAD_FREE ||
	    ((int)u != ts->loaded && !t->saved))
		return (0);
	if ((int)u != ts->loaded)
		i = note_thread(n, p, t, &t->cpu);
	else if (SBX_Machine_Peek(p->machine, &cpu, err))
		return (-1);
	else
		i = note_thread(n, p, t, &cpu);
	return (i ? SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "core") : 0);
}

/*--------------------------------------------------------------------
 * The process
 */

static int
note_psinfo(struct sbx_corenotes *n, const struct sbx_proc *p)
{
	struct elf_prpsinfo ps;
	const char *name;

	memset(&ps, 0, sizeof ps);
	name = strrchr(p->path, '/');
	name = name == NULL ? p->path : name + 1;
	ps.pr_sname = 'R';
	ps.pr_uid = ps.pr_gid = SBX_PROC_UID;
	ps.pr_pid = ps.pr_pgrp = ps.pr_sid = 1;
	(void)snprintf(ps.pr_fname, sizeof ps.pr_fname, "%.15s", name);
	(void)snprintf(ps.pr_psargs, sizeof ps.pr_psargs, "%.79s", p->path);
	return (note_put(n, NT_PRPSINFO, &ps, sizeof ps));
}

static int
note_siginfo(struct sbx_corenotes *n, const struct sbx_proc *p)
{
	const struct sbx_death *d = &p->death;
	siginfo_t si;

	memset(&si, 0, sizeof si);
	si.si_signo = d->signo;
	si.si_code = d->code;
	if (d->has_addr)
		si.si_addr = (void *)(uintptr_t)d->addr;
	else if (d->signo == SIGFPE || d->signo == SIGILL ||
	    d->signo == SIGTRAP)
		si.si_addr = (void *)(uintptr_t)d->rip;
	return (note_put(n, NT_SIGINFO, &si, sizeof si));
}

/* From the guest's stack, where it may have been overwritten. */
static int
note_auxv(struct sbx_corenotes *n, const struct sbx_proc *p)
{
	const struct sbx_layout *lay = p->layout;
	uint8_t b[NOTE_AUXV_MAX];

	if (lay->auxv_len == 0 || lay->auxv_len > sizeof b ||
	    SBX_Gmem_CopyIn(&p->machine->gmem, b,
	    (sandbox_gva_t){ lay->auxv }, lay->auxv_len))
		return (0);
	return (note_put(n, NT_AUXV, b, lay->auxv_len));
}

/* Number of mappings, page size; begin, end and page in the file of each; their
 * files' names. Returns the bytes that it takes; writes if (to) is not NULL. */
static size_t
note_files(const struct sbx_proc *p, uint8_t *to)
{
	const struct sbx_symbols_file *f;
	const struct sbx_elf_seg *s;
	uint64_t w[3], n = 0;
	size_t l = 2 * sizeof n;
	unsigned u, pass;

	for (pass = 0; pass < 2; pass++)
		for (u = 0; (f = SBX_Symbols_File(p->layout->symbols, u)) !=
		    NULL; u++)
			for (s = f->seg; s < f->seg + f->n_seg; s++) {
				size_t len = pass == 0 ? sizeof w :
				    strlen(f->path) + 1;

				if (s->len == 0)
					continue;
				w[0] = s->lo;
				w[1] = SBX_Page_Up(s->vaddr + s->len);
				w[2] = s->off / SBX_PAGE;
				if (to != NULL)
					memcpy(to + l, pass == 0 ?
					    (const void *)w : f->path, len);
				l += len;
				n += pass == 0;
			}
	if (to != NULL) {
		w[0] = n;
		w[1] = SBX_PAGE;
		memcpy(to, w, 2 * sizeof n);
	}
	return (l);
}

static int
note_file(struct sbx_corenotes *n, const struct sbx_proc *p)
{
	uint8_t *b;

	b = note_add(n, "CORE", NT_FILE, note_files(p, NULL));
	if (b == NULL)
		return (-1);
	(void)note_files(p, b);
	return (0);
}

int
SBX_Corenotes_Init(struct sbx_corenotes *n, struct sbx_proc *p,
    struct sbx_err *err)
{
	unsigned u, cur;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	memset(n, 0, sizeof *n);
	cur = p->threads.cur;
	/* debuggers show the first one first */
	if (note_thread_at(n, p, cur, err))
		return (-1);
	if (note_psinfo(n, p) || note_siginfo(n, p) || note_auxv(n, p) ||
	    note_file(n, p))
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "core"));
	for (u = 0; u < SBX_THREADS_MAX; u++)
		if (u != cur && note_thread_at(n, p, u, err))
			return (-1);
	return (0);
}

void
SBX_Corenotes_Fini(struct sbx_corenotes *n)
{

	free(n->b);
	n->b = NULL;
}
