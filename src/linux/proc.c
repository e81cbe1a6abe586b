/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * proc.c: a process, its snapshot and reset, its log lines.
 */

#include "config.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/symbol.h"
#include "machine/machine.h"

/* Not all of it: most is arrays, of which most VMs use little, and what has
 * never been touched is no memory. What is initialised by itself is left out,
 * too. */
static void
proc_clear(struct sbx_proc *p)
{

	memset(p, 0, offsetof(struct sbx_proc, mm));
	memset(&p->edits, 0, offsetof(struct sbx_mm_edits, edit));
	memset(&p->host, 0, sizeof *p - offsetof(struct sbx_proc, host));
	p->magic = SBX_PROC_MAGIC;
}

void
SBX_Proc_Init(struct sbx_proc *p, struct sbx_machine *m,
    const struct sbx_layout *lay, const struct sbx_allow *allow,
    const char *path)
{

	AN(p);
	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AN(lay);
	AN(path);
	proc_clear(p);
	p->machine = m;
	p->layout = lay;
	p->path = path;
	SBX_Mm_Init(&p->mm, lay->arena_lo, lay->arena_hi);
	SBX_Far_Init(&p->far, lay->far_lo, lay->far_hi, lay->table,
	    lay->table_end);
	m->gmem.missing = SBX_Far_Missing;
	m->gmem.priv = p;
	SBX_Files_Init(&p->files, allow);
	SBX_Threads_Init(&p->threads);
	SBX_Channels_Init(&p->channels);
	SBX_Timers_Init(&p->timers);
}

void
SBX_Proc_Fini(struct sbx_proc *p)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	SBX_Files_Fini(&p->files);
	SBX_Threads_Fini(&p->threads);
	SBX_Channels_Fini(&p->channels);
	p->magic = 0;
}

static void
proc_copy(struct sbx_proc *p, const struct sbx_proc *from)
{

	memcpy(p->sigaction, from->sigaction, sizeof p->sigaction);
	p->changed = 0;
}

int
SBX_Proc_Copy(struct sbx_proc *p, const struct sbx_proc *golden)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(golden, SBX_PROC_MAGIC);
	proc_copy(p, golden);
	SBX_Mm_Copy(&p->mm, &golden->mm);
	SBX_Far_Copy(&p->far, &golden->far);
	SBX_Files_Copy(&p->files, &golden->files);
	SBX_Timers_Copy(&p->timers, &golden->timers);
	p->serving = 1;
	return (SBX_Threads_Copy(&p->threads, &golden->threads, 1) ||
	    SBX_Channels_Copy(&p->channels, &golden->channels, 1) ? -1 : 0);
}

void
SBX_Proc_Begin(struct sbx_proc *p, const struct sbx_host *host,
    int64_t start, int64_t deadline)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	p->host = host;
	p->start = start;
	p->deadline = deadline;
	p->waited = 0;
	p->out[0].len = p->out[1].len = p->tail_len = 0;
	p->log_lines = p->log_bytes = 0;
	p->log_dropped = 0;
	p->syscalls = 0;
	p->kill = SBX_KILL_NONE;
	SBX_Err_Clear(&p->err);
	memset(&p->death, 0, sizeof p->death);
}

void
SBX_Proc_End(struct sbx_proc *p)
{
	enum sbx_log_e what;
	struct sbx_line *l;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	for (what = SBX_LOG_STDOUT; what <= SBX_LOG_STDERR; what++) {
		l = &p->out[what - SBX_LOG_STDOUT];
		if (l->len > 0)
			(void)SBX_Proc_Log(p, what, l->b, l->len);
		l->len = 0;
	}
	p->host = NULL;
	if (!p->serving) {
		p->threads.frozen = SBX_Os_Mono();
		SBX_Timers_Freeze(p);
	}
}

int64_t
SBX_Proc_Cpu(const struct sbx_proc *p)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	return (SBX_Os_Mono() - p->start - p->waited);
}

int
SBX_Proc_Undo(struct sbx_proc *p, struct sbx_err *err)
{
	struct sbx_edit batch[SBX_EDITS_MAX];
	unsigned n;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (p->edits.overflow)
		return (SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "more than %d pages changed their protection",
		    SBX_MM_EDITS_MAX));
	while (p->edits.n > 0) {
		/* the last one first: an entry may have changed twice */
		for (n = 0; n < SBX_EDITS_MAX && p->edits.n > 0; n++)
			batch[n] = p->edits.edit[--p->edits.n];
		if (SBX_Machine_Edit(p->machine, batch, n, err))
			return (-1);
	}
	return (0);
}

void
SBX_Proc_Reset(struct sbx_proc *p, const struct sbx_proc *golden)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(golden, SBX_PROC_MAGIC);
	AZ(p->edits.n);
	if (p->threads.changed)
		AZ(SBX_Threads_Copy(&p->threads, &golden->threads, 0));
	if (p->channels.changed)
		AZ(SBX_Channels_Copy(&p->channels, &golden->channels, 0));
	if (p->changed)
		proc_copy(p, golden);
	if (p->mm.changed)
		SBX_Mm_Copy(&p->mm, &golden->mm);
	if (p->far.changed)
		SBX_Far_Copy(&p->far, &golden->far);
	if (p->timers.changed)
		SBX_Timers_Copy(&p->timers, &golden->timers);
	SBX_Files_Reset(&p->files, &golden->files);
}

uint64_t
SBX_Proc_Rip(const struct sbx_proc *p)
{
	const struct sbx_threads *ts = &p->threads;
	const struct sbx_thread *t = ts->t[ts->cur];
	struct kvm_regs r;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if ((int)ts->cur != ts->loaded)
		return (t->saved ? t->cpu.regs.rip : 0);
	SBX_Machine_User(p->machine, &r);
	/* code of ours is nobody's place in a program; but for the vDSO */
	if (r.rip < SBX_SYS_END && r.rip / SBX_PAGE != SBX_SYS_VDSO / SBX_PAGE)
		return (0);
	return (r.rip);
}

const char *
SBX_Proc_Where(const struct sbx_proc *p, uint64_t rip, char *buf)
{
	char name[SBX_SYMBOL_TEXT_MAX - 24];

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	AN(buf);
	if (SBX_Symbols_Find(p->layout->symbols, rip, name, sizeof name))
		(void)snprintf(buf, SBX_SYMBOL_TEXT_MAX, "0x%jx",
		    (uintmax_t)rip);
	else
		(void)snprintf(buf, SBX_SYMBOL_TEXT_MAX, "0x%jx (%s)",
		    (uintmax_t)rip, name);
	return (buf);
}

void
SBX_Proc_Signal(struct sbx_proc *p, int signo, int code,
    const uint64_t *addr)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (p->kill != SBX_KILL_NONE)
		return;
	p->death.signo = signo;
	p->death.code = code;
	p->death.has_addr = addr != NULL;
	p->death.addr = addr != NULL ? *addr : 0;
}

void
SBX_Proc_Kill(struct sbx_proc *p, enum sbx_kill_e kill, const char *fmt, ...)
{
	char buf[SBX_ERR_MAX];
	va_list ap;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	assert(kill != SBX_KILL_NONE);
	if (p->kill != SBX_KILL_NONE)
		return;
	p->kill = p->death.why = kill;
	p->death.rip = SBX_Proc_Rip(p);
	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	(void)SBX_Err_Set(&p->err,
	    kill == SBX_KILL_host ? SBX_FAIL_HOST : SBX_FAIL_GUEST, 0,
	    "%s", buf);
}

int
SBX_Proc_WantsCore(const struct sbx_proc *p)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	switch (p->death.why) {
	case SBX_KILL_fault:
	case SBX_KILL_exit:
	case SBX_KILL_timeout:
	case SBX_KILL_answer:
		return (1);
	default:
		/* its client has gone, or the host has let it down */
		return (0);
	}
}

void
SBX_Proc_Exit(struct sbx_proc *p, int status)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	p->status = status & 0xff;
	SBX_Proc_Kill(p, SBX_KILL_exit, "the guest called exit(%d)",
	    p->status);
}

void
SBX_Proc_Given(struct sbx_proc *p, int given)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (!given)
		p->refused = 1;
	p->refused_last = !given;
}

void
SBX_Proc_KillLate(struct sbx_proc *p)
{
	char where[SBX_SYMBOL_TEXT_MAX];
	uint64_t rip;
	double t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	t = SBX_Os_Seconds(p->deadline - p->start);
	rip = SBX_Proc_Rip(p);
	SBX_Proc_Signal(p, SIGXCPU, SI_KERNEL, NULL);
	if (p->serving)
		SBX_Proc_Kill(p, SBX_KILL_timeout, "the guest did not answer "
		    "within %.3f s (request_timeout)%s%s", t,
		    rip != 0 ? ", it was at RIP " : "",
		    rip != 0 ? SBX_Proc_Where(p, rip, where) : "");
	else
		SBX_Proc_Kill(p, SBX_KILL_timeout, "not ready within %.3f s "
		    "(boot_timeout)%s%s; the program must call "
		    "sandbox_serve() or sandbox_next()", t,
		    rip != 0 ? ", it was at RIP " : "",
		    rip != 0 ? SBX_Proc_Where(p, rip, where) : "");
}

/*--------------------------------------------------------------------
 * Logging
 */

/* Keep the last SBX_TAIL_MAX bytes, lines separated by "; ". */
static void
proc_tail(struct sbx_proc *p, const char *b, size_t l)
{
	size_t drop;

	if (l > sizeof p->tail - 2) {
		b += l - (sizeof p->tail - 2);
		l = sizeof p->tail - 2;
	}
	if (p->tail_len > 0) {
		if (p->tail_len + 2 + l > sizeof p->tail) {
			drop = p->tail_len + 2 + l - sizeof p->tail;
			p->tail_len -= drop;
			memmove(p->tail, p->tail + drop, p->tail_len);
		}
		p->tail[p->tail_len++] = ';';
		p->tail[p->tail_len++] = ' ';
	}
	memcpy(p->tail + p->tail_len, b, l);
	p->tail_len += (unsigned)l;
}

int
SBX_Proc_Log(struct sbx_proc *p, enum sbx_log_e what, const char *b, size_t l)
{
	char buf[SBX_LOG_LINE_MAX];
	size_t u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	if (l > sizeof buf)
		l = sizeof buf;
	/* what a terminal or a log reader could take for something else */
	for (u = 0; u < l; u++)
		buf[u] = (b[u] >= ' ' && b[u] != 0x7f) || b[u] == '\t' ||
		    (b[u] & 0x80) ? b[u] : '?';
	if (!p->serving || what == SBX_LOG_STDERR)
		proc_tail(p, buf, l);
	if (p->serving && (p->log_lines >= SBX_LOG_LINES_MAX ||
	    p->log_bytes + l > SBX_LOG_BYTES_MAX)) {
		p->log_dropped++;
		return (-1);
	}
	p->log_lines++;
	p->log_bytes += (unsigned)l;
	if (p->host != NULL && p->host->log != NULL)
		p->host->log(p->host->priv, what, buf, l);
	return (0);
}

void
SBX_Proc_Output(struct sbx_proc *p, enum sbx_log_e what, const char *b,
    size_t l)
{
	struct sbx_line *line;
	size_t u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	assert(what == SBX_LOG_STDOUT || what == SBX_LOG_STDERR);
	line = &p->out[what - SBX_LOG_STDOUT];
	for (u = 0; u < l; u++) {
		if (b[u] != '\n' && line->len < sizeof line->b) {
			line->b[line->len++] = b[u];
			continue;
		}
		if (line->len > 0)
			(void)SBX_Proc_Log(p, what, line->b, line->len);
		line->len = 0;
		if (b[u] != '\n')
			line->b[line->len++] = b[u];
	}
}
