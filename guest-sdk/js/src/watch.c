/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The heap may not be written to. What tries to is noted, may write this once,
 * by a single step of the CPU, and the heap is read-only again.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "cells.h"
#include "heap.h"
#include "watch.h"

#define WATCH_GRAIN	8
#define WATCH_PROFILE	(1 << 20)
#define WATCH_OPEN	8
#define WATCH_DULL	200
#define PAGE		((uintptr_t)4096)
#define FLAG_TRAP	0x100

static struct {
	const char		*path;
	uintptr_t		from, to;
	uint8_t			*seen;		/* a byte for each grain */
	uint8_t			*dull;		/* of each page: writes to what
						 * had been seen */
	uintptr_t		open[WATCH_OPEN]; /* pages, for one step */
	unsigned		n_open;
} watch;

/* Note it. What is written to in a loop would take seconds, two signals each
 * time: such a page has soon shown what there is to see on it, and is left
 * open. */
static int
watch_is_dull(uintptr_t addr)
{
	uint8_t *seen = &watch.seen[(addr - watch.from) / WATCH_GRAIN];
	uint8_t *dull = &watch.dull[(addr - watch.from) / PAGE];

	if (*seen == 0) {
		*seen = 1;
		return (0);
	}
	return (++*dull >= WATCH_DULL);
}

static void
watch_fault(int sig, siginfo_t *si, void *priv)
{
	ucontext_t *uc = priv;
	uintptr_t addr = (uintptr_t)si->si_addr, page;

	page = addr & ~(PAGE - 1);
	if (addr < watch.from || addr >= watch.to ||
	    mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE) != 0) {
		(void)signal(sig, SIG_DFL);
		return;
	}
	if (watch_is_dull(addr))
		return;
	if (watch.n_open < WATCH_OPEN)
		watch.open[watch.n_open++] = page;
	uc->uc_mcontext.gregs[REG_EFL] |= FLAG_TRAP;
}

static void
watch_step(int sig, siginfo_t *si, void *priv)
{
	ucontext_t *uc = priv;

	(void)sig;
	(void)si;
	while (watch.n_open > 0)
		(void)mprotect((void *)watch.open[--watch.n_open], PAGE,
		    PROT_READ);
	uc->uc_mcontext.gregs[REG_EFL] &= ~FLAG_TRAP;
}

static void
watch_end(void)
{
	uint8_t *buf;
	size_t i, len;
	FILE *f;

	(void)mprotect((void *)watch.from, watch.to - watch.from,
	    PROT_READ | PROT_WRITE);
	for (i = 0; i < (watch.to - watch.from) / WATCH_GRAIN; i++)
		if (watch.seen[i])
			cells_mark(watch.from + i * WATCH_GRAIN);
	buf = malloc(WATCH_PROFILE);
	f = fopen(watch.path, "w");
	if (buf == NULL || f == NULL)
		_exit(1);
	len = cells_marked(buf, WATCH_PROFILE);
	if (fwrite(buf, 1, len, f) != len || fclose(f) != 0)
		_exit(1);
	free(buf);
}

static int
watch_signal(int sig, void (*f)(int, siginfo_t *, void *))
{
	struct sigaction sa;

	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = f;
	sa.sa_flags = SA_SIGINFO;
	return (sigaction(sig, &sa, NULL));
}

int
watch_begin(const char *path)
{
	size_t len;
	void *p;

	p = heap_region(&len);
	watch.path = path;
	watch.from = (uintptr_t)p;
	watch.to = watch.from + len;
	watch.seen = calloc(len / WATCH_GRAIN, 1);
	watch.dull = calloc(len / PAGE, 1);
	if (watch.seen == NULL || watch.dull == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	if (watch_signal(SIGSEGV, watch_fault) < 0 ||
	    watch_signal(SIGTRAP, watch_step) < 0 || atexit(watch_end) != 0)
		return (-1);
	return (mprotect(p, len, PROT_READ));
}
