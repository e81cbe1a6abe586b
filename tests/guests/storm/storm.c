/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Faults all the time and handles each of them, so that nothing ever ends it
 * but its deadline. The path says which:
 *
 *	/store	writes where nothing is; the handler returns to the same
 *	/walk	the same, each time at another address of all there are
 *	/rights	writes to a page that it may only read; the handler gives the
 *		right, and the next round takes it away: two edits of a page
 *		table for each fault
 *	/jump	the handler does not return but jumps
 *	/stack	on the alternate stack
 *	/ud2, /divide, /hlt, /int3	by instruction
 *	/thread	a thread stores as in /store, and main() waits for it
 *
 * With /?n=N in one of these it stops after so many, and says how many that
 * were.
 */

#define _GNU_SOURCE	1

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "../guest.h"

static char page[GUEST_PAGE] __attribute__((__aligned__(GUEST_PAGE)));
static char altstack[65536];
static sigjmp_buf back, out;
static volatile unsigned long n_faults, n_most;
static void *volatile where;

static void
must(int bad)
{

	if (bad)
		abort();
}

/* Count, and leave if it was enough. */
static void
counted(void)
{

	if (++n_faults == n_most)
		siglongjmp(out, 1);
}

static void
again_handler(int sig, siginfo_t *si, void *priv)
{

	(void)sig;
	(void)si;
	(void)priv;
	counted();
}

/* Another address, below 2^47, of all of them. */
static void
walk_handler(int sig, siginfo_t *si, void *priv)
{
	ucontext_t *uc = priv;
	uint64_t a;

	(void)sig;
	(void)si;
	counted();
	a = n_faults * UINT64_C(0x9e3779b97f4a7c15);
	uc->uc_mcontext.gregs[REG_RDI] = (greg_t)(a >> 17);
}

static void
rights_handler(int sig, siginfo_t *si, void *priv)
{

	(void)sig;
	(void)si;
	(void)priv;
	counted();
	must(mprotect(page, sizeof page, PROT_READ | PROT_WRITE));
}

static void
jump_handler(int sig, siginfo_t *si, void *priv)
{

	(void)sig;
	(void)si;
	(void)priv;
	counted();
	siglongjmp(back, 1);
}

static void
thread_handler(int sig, siginfo_t *si, void *priv)
{

	(void)sig;
	(void)si;
	(void)priv;
	if (++n_faults == n_most)
		siglongjmp(back, 1);
}

/* The address is in RDI, where walk_handler() finds it. It may happen upon one
 * that is good. */
static void
store(void)
{

	__asm__ volatile("1: movb $1, (%%rdi); jmp 1b" : : "D" (where) :
	    "memory");
}

static void
rights(void)
{

	for (;;) {
		must(mprotect(page, sizeof page, PROT_READ));
		((volatile char *)page)[0] = 1;
	}
}

static void
jump(void)
{

	(void)sigsetjmp(back, 1);
	store();
}

static void
ud2(void)
{

	__asm__ volatile("ud2");
}

static void
divide(void)
{

	__asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" : : :
	    "eax", "ecx", "edx");
}

static void
hlt(void)
{

	__asm__ volatile("hlt");
}

/* A trap: the handler returns to what comes next. */
static void
int3(void)
{

	for (;;)
		__asm__ volatile("int3");
}

static void *
thread_main(void *priv)
{

	(void)priv;
	if (sigsetjmp(back, 1) == 0)
		store();
	return (NULL);
}

static void
thread(void)
{
	pthread_t t;

	must(pthread_create(&t, NULL, thread_main, NULL));
	must(pthread_join(t, NULL));
}

static const struct {
	const char	*path;
	void		(*func)(void);
	void		(*handler)(int, siginfo_t *, void *);
	int		flags;
} storms[] = {
	{ "/store", store, again_handler, 0 },
	{ "/walk", store, walk_handler, 0 },
	{ "/rights", rights, rights_handler, 0 },
	{ "/jump", jump, jump_handler, SA_NODEFER },
	{ "/stack", store, again_handler, SA_ONSTACK },
	{ "/ud2", ud2, again_handler, 0 },
	{ "/divide", divide, again_handler, 0 },
	{ "/hlt", hlt, again_handler, 0 },
	{ "/int3", int3, again_handler, 0 },
	{ "/thread", thread, thread_handler, 0 },
};

static void
handle(void (*func)(int, siginfo_t *, void *), int flags)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof altstack };
	struct sigaction sa;
	size_t u;

	must(sigaltstack(&ss, NULL));
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = func;
	sa.sa_flags = SA_SIGINFO | flags;
	for (u = 0; u < GUEST_CASES(sigs); u++)
		must(sigaction(sigs[u], &sa, NULL));
}

/* In a function of its own, as sigsetjmp() forgets what is in registers. */
static void
storm(void (*func)(void))
{

	if (sigsetjmp(out, 1) == 0)
		func();
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	size_t n;

	n = GUEST_CASE(rq, rp, storms);
	if (n == GUEST_CASES(storms))
		return;
	n_most = (unsigned long)guest_long(rq, "n", 0);
	where = (void *)24;
	handle(storms[n].handler, storms[n].flags);
	storm(storms[n].func);
	sandbox_printf(rp, "%lu faults\n", n_faults);
}

int
main(void)
{

	return (guest_serve(bad));
}
