/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * debug.c: a guest as gdb sees it.
 *
 * A breakpoint is an INT3 in the guest's memory, a step is the trap flag. Both
 * end in an exception that comes to us as any other does, on both kinds of KVM;
 * KVM_SET_GUEST_DEBUG is not needed. Time stands still while gdb has the guest.
 */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/debugger.h"
#include "linux/mem.h"
#include "linux/proc.h"
#include "linux/signals.h"
#include "machine/watchdog.h"
#include "pool/vm.h"
#include "run/debug.h"
#include "run/gdb.h"

#define DEBUG_BREAKS_MAX	256
#define DEBUG_INT3		0xcc
#define DEBUG_TRAP		1	/* vectors */
#define DEBUG_BREAK		3

struct debug_break {
	uint64_t		va;
	uint8_t			was;
};

static struct debug {
	int			listen;		/* -1: not asked for */
	const char		*path;		/* of the socket, or NULL */
	struct gdb		*gdb;		/* NULL: gone */
	struct sbx_proc		*p;
	struct sbx_cpu		cpu;		/* stopped: of the loaded one */
	int			stepping;
	int			in_stub;	/* a step is in a system call */
	uint64_t		first;		/* where the request begins */
	unsigned		n;
	struct debug_break	brk[DEBUG_BREAKS_MAX];
} debug = { .listen = -1 };

/*--------------------------------------------------------------------
 * Memory
 */

/* As many bytes as lie in a row. */
static size_t
debug_span(struct sbx_proc *p, uint64_t va, size_t len, int write,
    uint8_t **b)
{
	const uint64_t *e;

	if (va >= SBX_SYS_END)
		return ((size_t)SBX_Mem_Behind(p, va, len, write, b));
	/* the vDSO is the only page below that is the program's to see */
	e = SBX_Gmem_Entry(&p->machine->gmem, (sandbox_gva_t){ va });
	if (write || va / SBX_PAGE != SBX_SYS_VDSO / SBX_PAGE || e == NULL ||
	    !(*e & SBX_PTE_P))
		return (0);
	*b = SBX_Gmem_Phys(&p->machine->gmem, (sbx_gpa_t){ va }, 1);
	return (len < SBX_PAGE - va % SBX_PAGE ? len :
	    (size_t)(SBX_PAGE - va % SBX_PAGE));
}

static struct debug_break *
debug_find(uint64_t va)
{
	unsigned u;

	for (u = 0; u < debug.n; u++)
		if (debug.brk[u].va == va)
			return (&debug.brk[u]);
	return (NULL);
}

/* Breakpoints are not to be seen. */
static size_t
debug_read(void *priv, uint64_t va, void *buf, size_t len)
{
	uint8_t *b, *to = buf;
	size_t n, l;
	unsigned u;

	(void)priv;
	for (n = 0; n < len; n += l) {
		l = debug_span(debug.p, va + n, len - n, 0, &b);
		if (l == 0)
			break;
		memcpy(to + n, b, l);
	}
	for (u = 0; u < debug.n; u++)
		if (debug.brk[u].va - va < n)
			to[debug.brk[u].va - va] = debug.brk[u].was;
	return (n);
}

static int
debug_write(void *priv, uint64_t va, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	struct debug_break *brk;
	uint8_t *b;
	size_t n, l, u;

	(void)priv;
	for (n = 0; n < len; n += l) {
		l = debug_span(debug.p, va + n, len - n, 1, &b);
		if (l == 0)
			return (-1);
		for (u = 0; u < l; u++) {
			brk = debug_find(va + n + u);
			if (brk != NULL)
				brk->was = from[n + u];
			else
				b[u] = from[n + u];
		}
	}
	return (0);
}

static int
debug_breakpoint(void *priv, uint64_t va, int set)
{
	struct debug_break *brk = debug_find(va);
	uint8_t *b;

	(void)priv;
	if ((brk != NULL) == set)
		return (0);
	if (debug_span(debug.p, va, 1, 1, &b) == 0 ||
	    (set && debug.n == DEBUG_BREAKS_MAX))
		return (-1);
	if (set) {
		debug.brk[debug.n++] = (struct debug_break){ va, *b };
		*b = DEBUG_INT3;
	} else {
		*b = brk->was;
		*brk = debug.brk[--debug.n];
	}
	return (0);
}

/* gdb leaves: the guest runs as if it had never been there. */
static void
debug_clear(void)
{

	while (debug.n > 0)
		if (debug_breakpoint(NULL, debug.brk[debug.n - 1].va, 0))
			debug.n--;
	debug.stepping = debug.in_stub = 0;
}

/*--------------------------------------------------------------------
 * Threads and registers
 */

static struct sbx_thread *
debug_thread(int32_t tid)
{

	return (SBX_Thread_Find(debug.p, tid));
}

static int
debug_is_loaded(const struct sbx_thread *t)
{
	const struct sbx_threads *ts = &debug.p->threads;

	return (ts->loaded >= 0 && ts->t[ts->loaded] == t);
}

static struct sbx_cpu *
debug_cpu(int32_t tid)
{
	struct sbx_thread *t = debug_thread(tid);

	if (t == NULL)
		return (NULL);
	if (debug_is_loaded(t))
		return (&debug.cpu);
	return (t->saved ? &t->cpu : NULL);
}

/* In gdb's order */
#define DEBUG_REGS(REG)							\
	REG(rax) REG(rbx) REG(rcx) REG(rdx) REG(rsi) REG(rdi) REG(rbp)	\
	REG(rsp) REG(r8) REG(r9) REG(r10) REG(r11) REG(r12) REG(r13)	\
	REG(r14) REG(r15) REG(rip)

static uint8_t *
debug_put32(uint8_t *to, uint32_t v)
{

	memcpy(to, &v, sizeof v);
	return (to + sizeof v);
}

/* x87 and SSE, of the XSAVE area (SDM vol. 1, 10.5.1) */
static uint8_t *
debug_put_fp(uint8_t *to, const uint8_t *x)
{
	static const uint8_t at[] = { 0, 2, 4, 12, 8, 20, 16, 6 };
	uint16_t v;
	unsigned u;

	for (u = 0; u < 8; u++, to += 10)
		memcpy(to, x + 32 + u * 16, 10);
	for (u = 0; u < 8; u++) {
		memcpy(&v, x + at[u], sizeof v);
		to = debug_put32(to, v);
	}
	memcpy(to, x + 160, 16 * 16);
	to += 16 * 16;
	memcpy(to, x + 24, 4);
	return (to + 4);
}

static int
debug_get_regs(void *priv, int32_t tid, uint8_t *to)
{
	const struct sbx_cpu *c = debug_cpu(tid);

	(void)priv;
	if (c == NULL)
		return (-1);
#define PUT(r)	memcpy(to, &c->regs.r, 8); to += 8;
	DEBUG_REGS(PUT)
#undef PUT
	to = debug_put32(to, (uint32_t)c->regs.rflags);
	to = debug_put32(to, SBX_SEL_UCODE);
	to = debug_put32(to, SBX_SEL_UDATA);
	memset(to, 0, 16);			/* DS, ES, FS, GS */
	to = debug_put_fp(to + 16, c->xsave);
	/* no system call is to be made again */
	memset(to, 0xff, 8);
	memcpy(to + 8, &c->fs_base, 8);
	memcpy(to + 16, &c->gs_base, 8);
	return (0);
}

static int
debug_set_regs(void *priv, int32_t tid, const uint8_t *b)
{
	struct sbx_cpu *c = debug_cpu(tid);
	uint32_t flags;

	(void)priv;
	if (c == NULL)
		return (-1);
#define GET(r)	memcpy(&c->regs.r, b, 8); b += 8;
	DEBUG_REGS(GET)
#undef GET
	memcpy(&flags, b, sizeof flags);
	c->regs.rflags = flags;
	if (c->regs.rip >= SBX_GVA_USER_END)
		c->regs.rip = SBX_GVA_USER_END - 1;
	if (c != &debug.cpu)
		debug_thread(tid)->changed = debug.p->threads.changed = 1;
	return (0);
}

static unsigned
debug_threads(void *priv, int32_t *tids)
{
	const struct sbx_threads *ts = &debug.p->threads;
	unsigned u, n = 0;

	(void)priv;
	_Static_assert(GDB_THREADS_MAX >= SBX_THREADS_MAX, "threads");
	for (u = 0; u < SBX_THREADS_MAX; u++)
		if (ts->t[u] != NULL && ts->t[u]->state != SBX_THREAD_FREE)
			tids[n++] = ts->t[u]->tid;
	return (n);
}

static size_t
debug_auxv(void *priv, void *b, size_t len)
{
	const struct sbx_layout *lay = debug.p->layout;

	return (lay->auxv_len > len ? 0 :
	    debug_read(priv, lay->auxv, b, (size_t)lay->auxv_len));
}

static const struct gdb_target debug_target = {
	.get_regs = debug_get_regs,
	.set_regs = debug_set_regs,
	.read = debug_read,
	.write = debug_write,
	.breakpoint = debug_breakpoint,
	.threads = debug_threads,
	.auxv = debug_auxv,
};

/*--------------------------------------------------------------------
 * Stops
 */

static void
debug_rearm(struct sbx_proc *p)
{
	int64_t at = SBX_Os_Mono() + SBX_DEBUGGER_TICK;

	if (at > p->deadline)
		at = p->deadline;
	SBX_Watchdog_Rearm(p->machine, at);
	p->threads.armed = at;
}

static int32_t
debug_tid(const struct sbx_proc *p)
{

	return (p->threads.t[p->threads.cur]->tid);
}

static void
debug_leave(void)
{

	debug_clear();
	if (debug.gdb != NULL)
		Gdb_Destroy(&debug.gdb);
}

static int
debug_take(struct sbx_proc *p)
{
	struct sbx_err err;

	SBX_Err_Clear(&err);
	if (!SBX_Machine_Peek(p->machine, &debug.cpu, &err))
		return (0);
	SBX_Proc_Kill(p, SBX_KILL_host, "%s", err.msg);
	return (-1);
}

static void
debug_resume(struct sbx_proc *p)
{
	struct sbx_err err;

	SBX_Err_Clear(&err);
	if (SBX_Machine_Resume(p->machine, &debug.cpu.regs, &err))
		SBX_Proc_Kill(p, SBX_KILL_host, "%s", err.msg);
}

/* gdb has it, until it goes on; debug.cpu are its registers. */
static void
debug_stop(struct sbx_proc *p, int signo, int swbreak)
{
	int64_t since = SBX_Os_Mono();

	debug.stepping = debug.in_stub = 0;
	switch (Gdb_Stop(debug.gdb, signo, debug_tid(p), swbreak)) {
	case GDB_STEP:
		debug.stepping = 1;
		break;
	case GDB_KILL:
		SBX_Proc_Kill(p, SBX_KILL_gone, "killed by the debugger");
		debug_leave();
		break;
	case GDB_DETACH:
		debug_leave();
		break;
	default:
		break;
	}
	since = SBX_Os_Mono() - since;
	p->deadline += since;
	p->start += since;
}

/*--------------------------------------------------------------------
 * What the loop tells us
 */

/* The request begins where the program has called next(): there it is stopped,
 * before anything has happened, by a breakpoint of our own. */
static void
debug_begin(void *priv, struct sbx_proc *p)
{
	const uint8_t *page;

	(void)priv;
	debug.p = p;
	page = SBX_Gmem_Phys(&p->machine->gmem,
	    (sbx_gpa_t){ SBX_SYS_ENTRY_DATA }, SBX_PAGE);
	memcpy(&debug.first, page + SBX_ENTRY_RIP, sizeof debug.first);
	if (debug_breakpoint(NULL, debug.first, 1))
		debug_leave();
	debug_rearm(p);
}

static int
debug_fault_fatal(struct sbx_proc *p, const struct sbx_fault *f)
{
	int sig = SBX_Signal_Of(f);

	if (!debug_take(p))
		debug_stop(p, sig != 0 ? sig : SIGSEGV, 0);
	/* it dies of it all the same, with the usual words */
	return (p->kill != SBX_KILL_NONE);
}

/* A step has ended, or is in code of ours. */
static int
debug_fault_step(struct sbx_proc *p)
{
	uint64_t rip = debug.cpu.regs.rip;

	if (rip / SBX_PAGE == SBX_SYS_SYSCALL / SBX_PAGE) {
		/* platform P: it goes on when the call has been answered */
		debug.in_stub = 1;
		debug_resume(p);
		return (1);
	}
	if (rip >= SBX_SYS_END || rip / SBX_PAGE == SBX_SYS_VDSO / SBX_PAGE)
		debug_stop(p, SIGTRAP, 0);
	if (p->kill == SBX_KILL_NONE)
		debug_resume(p);
	return (1);
}

static int
debug_fault(void *priv, struct sbx_proc *p, const struct sbx_fault *f,
    int fatal)
{

	(void)priv;
	if (debug.gdb == NULL)
		return (0);
	if (fatal)
		return (debug_fault_fatal(p, f));
	if (f->vector != DEBUG_TRAP && f->vector != DEBUG_BREAK)
		return (0);
	if (debug_take(p))
		return (1);
	if (f->vector == DEBUG_TRAP)
		return (debug.stepping ? debug_fault_step(p) : 0);
	/* it is behind the INT3; one of the program's own is its own matter */
	debug.cpu.regs.rip--;
	if (debug_find(debug.cpu.regs.rip) == NULL)
		return (0);
	if (debug.cpu.regs.rip == debug.first) {
		(void)debug_breakpoint(NULL, debug.first, 0);
		debug.first = 0;
	}
	debug_stop(p, SIGTRAP, 1);
	if (p->kill == SBX_KILL_NONE)
		debug_resume(p);
	return (1);
}

static int
debug_kicked(void *priv, struct sbx_proc *p)
{
	int i;

	(void)priv;
	if (debug.gdb == NULL || SBX_Os_Mono() >= p->deadline)
		return (0);
	i = Gdb_Poll(debug.gdb);
	if (i < 0)
		debug_leave();
	if (i > 0 && SBX_Machine_CanSave(p->machine)) {
		if (debug_take(p))
			return (1);
		debug_stop(p, SIGINT, 0);
		if (p->kill == SBX_KILL_NONE)
			debug_resume(p);
	} else if (i == 0 && !debug.stepping)
		/* threads take turns as ever */
		return (0);
	debug_rearm(p);
	return (1);
}

static void
debug_goes(void *priv, struct sbx_proc *p)
{

	(void)priv;
	if (!debug.stepping)
		return;
	/* not in the stub, but when the call has been answered */
	if (debug.in_stub && p->machine->last != SBX_EXIT_SYSCALL)
		return;
	debug.in_stub = 0;
	SBX_Machine_Trap(p->machine);
}

static const struct sbx_debugger debug_debugger = {
	.begin = debug_begin,
	.fault = debug_fault,
	.kicked = debug_kicked,
	.goes = debug_goes,
};

/*--------------------------------------------------------------------
 * The connection
 */

static void v_noreturn_
debug_usage(const char *where, const char *why)
{

	fprintf(stderr, "sandbox-run: --gdb %s: %s\n", where, why);
	exit(2);
}

static int
debug_listen_at(const char *where, const struct sockaddr *sa, socklen_t l)
{
	const int one = 1;
	int fd;

	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		debug_usage(where, strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, sa, l) < 0 || listen(fd, 1) < 0)
		debug_usage(where, strerror(errno));
	return (fd);
}

/* One that nobody listens at any more, because whoever did was killed. */
static void
debug_unlink_stale(const struct sockaddr_un *un)
{
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const void *)un, sizeof *un) < 0 &&
	    errno == ECONNREFUSED)
		(void)unlink(un->sun_path);
	(void)close(fd);
}

static void
debug_listen_unix(const char *where)
{
	struct sockaddr_un un;
	mode_t mask;

	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	if (strlen(where) >= sizeof un.sun_path)
		debug_usage(where, "the path is too long");
	strcpy(un.sun_path, where);
	debug_unlink_stale(&un);
	mask = umask(0077);
	debug.listen = debug_listen_at(where, (const void *)&un, sizeof un);
	(void)umask(mask);
	debug.path = where;
	fprintf(stderr, "sandbox-run: waiting for gdb: target remote %s\n",
	    where);
}

void
Run_DebugListen(const char *where)
{
	struct sockaddr_in in;
	socklen_t l = sizeof in;
	const char *port;
	char *e;
	unsigned long n;

	if (strchr(where, '/') != NULL) {
		debug_listen_unix(where);
		return;
	}
	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	port = strrchr(where, ':');
	/* who can connect can do everything that the guest can, and read what
	 * it knows: nobody from elsewhere */
	if (port != NULL && port != where &&
	    strncmp(where, "127.0.0.1:", 10) &&
	    strncmp(where, "localhost:", 10))
		debug_usage(where, "not an address of this host's own; use "
		    "127.0.0.1");
	port = port == NULL ? where : port + 1;
	n = strtoul(port, &e, 10);
	if (e == port || *e != '\0' || n > 65535)
		debug_usage(where, "not a port");
	in.sin_port = htons((uint16_t)n);
	debug.listen = debug_listen_at(where, (const void *)&in, sizeof in);
	AZ(getsockname(debug.listen, (void *)&in, &l));
	fprintf(stderr, "sandbox-run: waiting for gdb: target remote "
	    "127.0.0.1:%u\n", ntohs(in.sin_port));
}

void
Run_Debug(struct sbx_vm *vm)
{
	int fd;

	if (debug.listen < 0)
		return;
	do
		fd = accept4(debug.listen, NULL, NULL, SOCK_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	(void)close(debug.listen);
	debug.listen = -1;
	if (debug.path != NULL)
		(void)unlink(debug.path);
	if (fd < 0) {
		fprintf(stderr, "sandbox-run: gdb: %s\n", strerror(errno));
		return;
	}
	debug.gdb = Gdb_New(fd, &debug_target);
	SBX_VM_Debug(vm, &debug_debugger);
}

void
Run_DebugEnd(void)
{
	const struct sbx_death *d;

	if (debug.gdb == NULL)
		return;
	d = &debug.p->death;
	Gdb_End(debug.gdb, d->why == SBX_KILL_NONE ? 0 :
	    d->signo != 0 ? d->signo : SIGKILL);
	Gdb_Destroy(&debug.gdb);
}
