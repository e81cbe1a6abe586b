/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Handles signals, from itself, from its threads and from the CPU; and makes
 * frames of handlers that there never were. The path says which; the answer is
 * what came of it.
 */

#define _GNU_SOURCE	1

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "../guest.h"

#define N(a)		(sizeof (a) / sizeof (a)[0])

static void
must(int err)
{

	if (err != 0)
		abort();
}

static void
handle(int sig, void (*func)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = func;
	sa.sa_flags = SA_SIGINFO | flags;
	must(sigemptyset(&sa.sa_mask));
	must(sigaction(sig, &sa, NULL));
}

/*--------------------------------------------------------------------
 * From the CPU: the handler leaves by a jump
 */

static sigjmp_buf back;
static siginfo_t seen;
static void *seen_rip;
static int seen_trap, on_stack;
static char altstack[65536];

static void
fault_handler(int sig, siginfo_t *si, void *priv)
{
	const ucontext_t *uc = priv;

	seen = *si;
	seen_trap = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
	seen_rip = (void *)uc->uc_mcontext.gregs[REG_RIP];
	on_stack = (char *)&si >= altstack &&
	    (char *)&si < altstack + sizeof altstack;
	siglongjmp(back, sig);
}

static int *volatile wild = (int *)24;

static void
fault_store(void)
{

	*wild = 1;
}

static void
fault_jump(void)
{

	((void (*)(void))(uintptr_t)0x123000)();
}

static void
fault_ud2(void)
{

	__asm__ volatile("ud2");
}

static void
fault_hlt(void)
{

	__asm__ volatile("hlt");
}

static void
fault_int3(void)
{

	__asm__ volatile("int3");
}

static void
fault_divide(void)
{

	__asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" : : :
	    "eax", "ecx", "edx");
}

static void
fault_const(void)
{
	static const int one = 1;

	*(volatile int *)(uintptr_t)&one = 2;
}

static int __attribute__((__noinline__))
recurse(volatile char *p)
{
	volatile char buf[4096];

	if (wild == NULL)
		return (0);
	buf[0] = *p;
	return (recurse(buf) + buf[1]);
}

static void
fault_stack(void)
{
	char c = 0;

	(void)recurse(&c);
}

static void
fault(struct sandbox_reply *rp, void (*func)(void))
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof altstack };
	volatile unsigned u, n = 0;
	volatile int sig = 0;

	must(sigaltstack(&ss, NULL));
	for (u = 0; u < N(sigs); u++)
		handle(sigs[u], fault_handler, SA_ONSTACK);
	/* more than once: the mask must come back */
	for (u = 0; u < 3; u++) {
		sig = sigsetjmp(back, 1);
		if (sig == 0)
			func();
		else
			n++;
	}
	sandbox_printf(rp, "signal %d, code %d, trap %d, %s%s, %u times\n",
	    sig, seen.si_code, seen_trap,
	    seen.si_addr == (void *)24 ? "at 24" :
	    seen.si_addr == seen_rip ? "at RIP" :
	    seen.si_addr == NULL ? "at 0" : "elsewhere",
	    on_stack ? ", other stack" : "", n);
}

/* The handler repairs it, and comes back. */
static void
fix_handler(int sig, siginfo_t *si, void *priv)
{
	ucontext_t *uc = priv;

	(void)sig;
	(void)si;
	uc->uc_mcontext.gregs[REG_RIP] += 2;	/* ud2 */
	uc->uc_mcontext.gregs[REG_RAX] = 42;
	__asm__ volatile("pxor %%xmm5, %%xmm5; vzeroupper" : : : "xmm5");
}

static void
fixed(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	uint64_t r, f, x = 0x123456789abcdef, y, flags;

	(void)rq;
	handle(SIGILL, fix_handler, 0);
	__asm__ volatile(
	    "movq %3, %%xmm5\n\t"
	    "mov %3, %%r11; mov %3, %%rcx; mov %3, %%r9\n\t"
	    "std\n\t"
	    "ud2\n\t"
	    "pushfq; pop %1\n\t"
	    "cld\n\t"
	    "movq %%xmm5, %2\n\t"
	    "cmp %%r11, %3; jne 1f\n\t"
	    "cmp %%rcx, %3; jne 1f\n\t"
	    "cmp %%r9, %3; je 2f\n"
	    "1:\tmov $1, %2\n"
	    "2:" : "=&a" (r), "=&r" (flags), "=&r" (y) : "r" (x) : "rcx", "r9",
	    "r11", "xmm5", "memory", "cc");
	f = flags >> 10 & 1;
	sandbox_printf(rp, "rax %lu, DF %lu, %s\n", r, f,
	    x == y ? "registers kept" : "registers lost");
}

/*--------------------------------------------------------------------
 * From itself
 */

static volatile int count, depth, deepest, last_code, blocked;

static void
count_handler(int sig, siginfo_t *si, void *priv)
{
	sigset_t set;

	(void)priv;
	count++;
	if (++depth > deepest)
		deepest = depth;
	must(pthread_sigmask(SIG_SETMASK, NULL, &set));
	blocked = sigismember(&set, sig);
	last_code = si->si_code;
	if (count < 4)
		must(raise(sig));
	depth--;
}

static void
raised(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	int one, nodefer;

	(void)rq;
	handle(SIGUSR1, count_handler, 0);
	must(raise(SIGUSR1));
	one = count * 100 + deepest * 10 + blocked;
	count = deepest = 0;
	handle(SIGUSR1, count_handler, SA_NODEFER);
	must(kill(getpid(), SIGUSR1));
	nodefer = count * 100 + deepest * 10 + blocked;
	count = 4;
	handle(SIGUSR1, count_handler, (int)SA_RESETHAND);
	must(raise(SIGUSR1));
	sandbox_printf(rp, "%d, %d, %s\n", one, nodefer,
	    signal(SIGUSR1, SIG_DFL) == SIG_DFL ? "reset" : "not reset");
}

static void
pending(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	sigset_t set, pend;
	siginfo_t si;
	struct timespec ts = { 0, 10000000 };
	int before, in, sig, none;

	(void)rq;
	handle(SIGUSR2, count_handler, 0);
	count = 4;
	must(sigemptyset(&set));
	must(sigaddset(&set, SIGUSR2));
	must(pthread_sigmask(SIG_BLOCK, &set, NULL));
	must(raise(SIGUSR2));
	before = count;
	must(sigpending(&pend));
	in = sigismember(&pend, SIGUSR2);
	sig = sigtimedwait(&set, &si, &ts);
	none = sigtimedwait(&set, &si, &ts) == -1 ? errno : 0;
	must(raise(SIGUSR2));
	must(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	sandbox_printf(rp, "%d, pending %d, waited %d, %s, then %d\n",
	    before - 4, in, sig == SIGUSR2, none == EAGAIN ? "EAGAIN" : "?",
	    count - 4);
}

/*--------------------------------------------------------------------
 * To and from threads
 */

static volatile int stop, started, result, seen_errno;

static void
stop_handler(int sig, siginfo_t *si, void *priv)
{

	(void)sig;
	(void)si;
	(void)priv;
	stop = 1;
}

/* A handler, which runs at any place: nothing of this may change. */
static void *
spin_main(void *priv)
{
	double d = 1.5, sum = 0;
	uint64_t n = 0;

	(void)priv;
	started = 1;
	while (!stop) {
		sum += d;
		n++;
	}
	result = sum == 1.5 * (double)n;
	return (NULL);
}

static void
preempt(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 5000000 };
	pthread_t thr;

	(void)rq;
	handle(SIGURG, stop_handler, SA_RESTART | SA_ONSTACK);
	must(pthread_create(&thr, NULL, spin_main, NULL));
	while (!started)
		must(nanosleep(&ts, NULL));
	must(pthread_kill(thr, SIGURG));
	must(pthread_join(thr, NULL));
	sandbox_printf(rp, "stopped, %s\n", result ? "sum right" : "sum wrong");
}

static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;

static void *
lock_main(void *priv)
{

	(void)priv;
	must(pthread_mutex_lock(&mtx));
	must(pthread_mutex_unlock(&mtx));
	result = 1;
	return (NULL);
}

static void *
sleep_main(void *priv)
{
	struct timespec ts = { 30, 0 };

	(void)priv;
	result = nanosleep(&ts, &ts);
	seen_errno = errno;
	/* what is left of it */
	if (ts.tv_sec > 29 || ts.tv_sec < 20)
		result = 7;
	return (NULL);
}

static void
interrupt(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 5000000 };
	pthread_t thr;
	int restarted;

	(void)rq;
	handle(SIGUSR1, stop_handler, SA_RESTART);
	must(pthread_mutex_lock(&mtx));
	must(pthread_create(&thr, NULL, lock_main, NULL));
	must(nanosleep(&ts, NULL));
	must(pthread_kill(thr, SIGUSR1));
	must(nanosleep(&ts, NULL));
	restarted = stop == 1 && result == 0;
	must(pthread_mutex_unlock(&mtx));
	must(pthread_join(thr, NULL));
	must(pthread_create(&thr, NULL, sleep_main, NULL));
	must(nanosleep(&ts, NULL));
	must(pthread_kill(thr, SIGUSR1));
	must(pthread_join(thr, NULL));
	sandbox_printf(rp, "%s, sleep %d %s\n",
	    restarted ? "restarted" : "not restarted", result,
	    seen_errno == EINTR ? "EINTR" : "?");
}

static void *
wait_main(void *priv)
{
	sigset_t set;
	int sig = 0;

	must(sigemptyset(&set));
	must(sigaddset(&set, SIGUSR1));
	must(sigwait(&set, &sig));
	result = sig;
	return (priv);
}

static void
waits(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct timespec ts = { 0, 5000000 };
	sigset_t set, none;
	pthread_t thr;

	(void)rq;
	must(sigemptyset(&none));
	must(sigemptyset(&set));
	must(sigaddset(&set, SIGUSR1));
	must(pthread_sigmask(SIG_BLOCK, &set, NULL));
	must(pthread_create(&thr, NULL, wait_main, NULL));
	must(nanosleep(&ts, NULL));
	must(pthread_kill(thr, SIGUSR1));
	must(pthread_join(thr, NULL));
	handle(SIGUSR1, stop_handler, 0);
	must(pthread_kill(pthread_self(), SIGUSR1));
	started = stop;
	must(sigsuspend(&none) == -1 && errno == EINTR ? 0 : 1);
	sandbox_printf(rp, "sigwait %s, %d before sigsuspend, %d after\n",
	    result == SIGUSR1 ? "SIGUSR1" : "?", started, stop);
}

/*--------------------------------------------------------------------
 * Frames that nobody has made
 */

struct frame {
	uint64_t		restorer;
	uint64_t		flags, link, stack[3];
	uint64_t		reg[18];	/* r8 ... rip, rflags */
	uint16_t		seg[4];
	uint64_t		err, trapno, oldmask, cr2, fpstate, more[8];
	uint64_t		mask;
	uint8_t			info[128];
};

#define F_RSP		15
#define F_RIP		16
#define F_RFLAGS	17

static struct frame forged;
static uint8_t fp[4096] __attribute__((__aligned__(64)));
static char landing[65536];
static volatile uint64_t landed_flags;
static volatile uint16_t landed_cs, landed_ss;
static struct sandbox_reply *forged_rp;

static void __attribute__((__used__))
landed(void)
{

	sandbox_printf(forged_rp, "flags %lx, cs %x, ss %x\n",
	    (unsigned long)(landed_flags & 0x3f7700), landed_cs, landed_ss);
	(void)sandbox_next(sandbox_reply_end(forged_rp));
	abort();
}

static void __attribute__((__naked__, __used__))
land(void)
{

	__asm__ volatile(
	    "pushfq\n\t"
	    "popq landed_flags(%rip)\n\t"
	    "mov %cs, landed_cs(%rip)\n\t"
	    "mov %ss, landed_ss(%rip)\n\t"
	    "pushq $2; popfq\n\t"
	    "call landed\n\t"
	    "hlt");
}

static void
forge(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	uint64_t *v, seed = 88172645463325252;
	uint32_t u32;
	size_t u;

	forged_rp = rp;
	forged.stack[1] = SS_DISABLE;
	forged.reg[F_RIP] = (uintptr_t)land;
	forged.reg[F_RSP] = (uintptr_t)(landing + sizeof landing - 8);
	forged.reg[F_RFLAGS] = 2;
	if (sandbox_path_is(rq, "/forged-flags"))
		forged.reg[F_RFLAGS] = UINT64_MAX & ~UINT64_C(0x40000);
	if (sandbox_path_is(rq, "/forged-segments"))
		memset(forged.seg, 0x10, sizeof forged.seg);
	if (sandbox_path_is(rq, "/forged-kernel"))
		forged.reg[F_RIP] = 0xffffffff81000000;
	if (sandbox_path_is(rq, "/forged-hole"))
		forged.reg[F_RIP] = 0x8000000000000000;
	if (sandbox_path_is(rq, "/forged-edge"))
		forged.reg[F_RIP] = 0x6fffffffffff;
	if (sandbox_path_is(rq, "/forged-stub"))
		forged.reg[F_RIP] = 0x4000;
	if (sandbox_path_is(rq, "/forged-switch"))
		forged.reg[F_RIP] = 0x7100;
	if (sandbox_path_is(rq, "/forged-rsp"))
		forged.reg[F_RSP] = 0x8000000000000000;
	if (sandbox_path_is(rq, "/forged-fp-null"))
		forged.fpstate = 1;
	if (sandbox_path_is(rq, "/forged-fp-kernel"))
		forged.fpstate = 0xffff800000000000;
	if (sandbox_path_is(rq, "/forged-fp-garbage")) {
		forged.fpstate = (uintptr_t)fp;
		memset(fp, 0xff, sizeof fp);
	}
	if (sandbox_path_is(rq, "/forged-fp-mxcsr")) {
		forged.fpstate = (uintptr_t)fp;
		memset(fp + 24, 0xff, 4);
	}
	if (sandbox_path_is(rq, "/forged-fp-header")) {
		forged.fpstate = (uintptr_t)fp;
		u32 = 0x46505853;
		memcpy(fp + 464, &u32, 4);
		u32 = 0xc00;
		memcpy(fp + 480, &u32, 4);
		memset(fp + 512, 0xff, 64);
	}
	if (sandbox_path_is(rq, "/forged-fp-good")) {
		forged.fpstate = (uintptr_t)fp;
		fp[0] = 0x7f;
		fp[1] = 3;
		fp[24] = 0x80;
		fp[25] = 0x1f;
	}
	if (sandbox_path_is(rq, "/forged-random")) {
		v = (uint64_t *)(void *)&forged;
		for (u = 0; u < sizeof forged / sizeof *v; u++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			v[u] = seed;
		}
	}
	v = sandbox_path_is(rq, "/forged-nowhere") ? (uint64_t *)8 :
	    &forged.flags;
	__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; hlt" : :
	    "r" (v));
}

/* A handler without a stack: one that is not mapped, and one too small. */
static void
no_stack(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	stack_t ss = { .ss_sp = (void *)0x10, .ss_size = 65536 };

	(void)rp;
	if (sandbox_path_is(rq, "/no-stack-readonly"))
		ss.ss_sp = (void *)((uintptr_t)no_stack & ~UINT64_C(4095));
	must(sigaltstack(&ss, NULL));
	handle(SIGUSR1, stop_handler, SA_ONSTACK);
	handle(SIGSEGV, stop_handler, SA_ONSTACK);
	if (sandbox_path_is(rq, "/no-stack-fault"))
		fault_store();
	must(raise(SIGUSR1));
}

/* A handler whose own fault is what it handles, for ever. */
static void
again_handler(int sig, siginfo_t *si, void *priv)
{

	(void)sig;
	(void)si;
	(void)priv;
}

static void
again(const struct sandbox_request *rq, struct sandbox_reply *rp)
{

	(void)rq;
	(void)rp;
	handle(SIGSEGV, again_handler, SA_NODEFER);
	fault_store();
}

static void
nested(const struct sandbox_request *rq, struct sandbox_reply *rp)
{

	(void)rq;
	(void)rp;
	handle(SIGSEGV, (void (*)(int, siginfo_t *, void *))(uintptr_t)0x10,
	    SA_NODEFER);
	fault_store();
}

/*--------------------------------------------------------------------*/

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static const struct {
		const char	*path;
		void		(*func)(void);
	} faults[] = {
		{ "/store", fault_store },
		{ "/jump", fault_jump },
		{ "/ud2", fault_ud2 },
		{ "/hlt", fault_hlt },
		{ "/int3", fault_int3 },
		{ "/divide", fault_divide },
		{ "/const", fault_const },
		{ "/stack", fault_stack },
	};
	static const struct guest_path cases[] = {
		{ "/fixed", fixed },
		{ "/raise", raised },
		{ "/pending", pending },
		{ "/preempt", preempt },
		{ "/interrupt", interrupt },
		{ "/wait", waits },
		{ "/again", again },
		{ "/nested", nested },
	};
	char path[64];
	size_t u;

	for (u = 0; u < N(faults); u++)
		if (sandbox_path_is(rq, faults[u].path)) {
			fault(rp, faults[u].func);
			return;
		}
	for (u = 0; u < N(cases); u++)
		if (sandbox_path_is(rq, cases[u].path)) {
			cases[u].func(rq, rp);
			return;
		}
	(void)snprintf(path, sizeof path, "%s", rq->url.ptr);
	if (!strncmp(path, "/forged", 7))
		forge(rq, rp);
	else if (!strncmp(path, "/no-stack", 9))
		no_stack(rq, rp);
	else
		sandbox_fail(rp, 404, "No such case.");
}

int
main(void)
{

	return (guest_serve(bad));
}
