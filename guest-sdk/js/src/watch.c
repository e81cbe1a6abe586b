/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The heap may not be touched. What reads or writes it is noted, may do it this
 * once, by a single step of the CPU, and the heap is out of reach again.
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
#include "serve.h"
#include "watch.h"

#define WATCH_GRAIN	8
#define WATCH_PROFILE	(1 << 22)	/* 16 million cells */
#define WATCH_OPEN	8
#define WATCH_READS	1000
#define WATCH_ALL_READS	30000
#define WATCH_WRITES	200
#define PAGE		((uintptr_t)4096)
#define FLAG_TRAP	0x100
#define ERROR_WRITE	2		/* of a page fault's error code */

/* Of each page: what is done there in vain, that is, what had been seen, and
 * what is let through by now. */
struct watched {
	unsigned		reads, writes;
	int			rest;		/* PROT_* */
};

static struct {
	const char		*path;
	uintptr_t		from, to;
	uint8_t			*seen;		/* CELLS_* of each grain */
	struct watched		*pages;
	uintptr_t		open[WATCH_OPEN]; /* pages, for one step */
	unsigned		n_open;
	unsigned		n_reads;
} watch;

/* Of all reads of a large string each is the first of its kind. */
static void
watch_no_reads(void)
{
	uintptr_t i;

	for (i = 0; i < (watch.to - watch.from) / PAGE; i++)
		watch.pages[i].rest |= PROT_READ;
	(void)mprotect((void *)watch.from, watch.to - watch.from, PROT_READ);
}

static struct watched *
watch_page(uintptr_t addr)
{

	return (&watch.pages[(addr - watch.from) / PAGE]);
}

/* Note it. What is done in a loop would take seconds, two signals each time:
 * such a page has soon shown what there is to see on it, and is left open, for
 * reads first. */
static void
watch_note(uintptr_t addr, unsigned how)
{
	uint8_t *seen = &watch.seen[(addr - watch.from) / WATCH_GRAIN];
	struct watched *w = watch_page(addr);

	if (how == CELLS_READ && ++watch.n_reads == WATCH_ALL_READS)
		watch_no_reads();
	if ((*seen & how) == 0)
		*seen |= (uint8_t)how;
	else if (how == CELLS_WRITTEN && ++w->writes == WATCH_WRITES)
		w->rest = PROT_READ | PROT_WRITE;
	else if (how == CELLS_READ && ++w->reads == WATCH_READS)
		w->rest |= PROT_READ;
}

static void
watch_fault(int sig, siginfo_t *si, void *priv)
{
	ucontext_t *uc = priv;
	uintptr_t addr = (uintptr_t)si->si_addr, page;

	page = addr & ~(PAGE - 1);
	if (addr < watch.from || addr >= watch.to) {
		(void)signal(sig, SIG_DFL);
		return;
	}
	watch_note(addr, uc->uc_mcontext.gregs[REG_ERR] & ERROR_WRITE ?
	    CELLS_WRITTEN : CELLS_READ);
	if (mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE) != 0)
		(void)signal(sig, SIG_DFL);
	if (watch.n_open < WATCH_OPEN)
		watch.open[watch.n_open++] = page;
	uc->uc_mcontext.gregs[REG_EFL] |= FLAG_TRAP;
}

static void
watch_step(int sig, siginfo_t *si, void *priv)
{
	ucontext_t *uc = priv;
	uintptr_t page;

	(void)sig;
	(void)si;
	while (watch.n_open > 0) {
		page = watch.open[--watch.n_open];
		(void)mprotect((void *)page, PAGE, watch_page(page)->rest);
	}
	uc->uc_mcontext.gregs[REG_EFL] &= ~FLAG_TRAP;
}

/* The kernel is going to read an answer out of the heap. */
static void
watch_stop(void)
{

	(void)mprotect((void *)watch.from, watch.to - watch.from,
	    PROT_READ | PROT_WRITE);
}

static void
watch_end(void)
{
	uint8_t *buf;
	size_t i, len;
	FILE *f;

	watch_stop();
	for (i = 0; i < (watch.to - watch.from) / WATCH_GRAIN; i++)
		if (watch.seen[i])
			cells_mark(watch.from + i * WATCH_GRAIN, watch.seen[i]);
	buf = malloc(WATCH_PROFILE);
	f = fopen(watch.path, "w");
	if (buf == NULL || f == NULL)
		_exit(1);
	len = cells_marked(buf, WATCH_PROFILE);
	if (len == 0 || fwrite(buf, 1, len, f) != len || fclose(f) != 0)
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
	watch.pages = calloc(len / PAGE, sizeof *watch.pages);
	if (watch.seen == NULL || watch.pages == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	if (watch_signal(SIGSEGV, watch_fault) < 0 ||
	    watch_signal(SIGTRAP, watch_step) < 0 || atexit(watch_end) != 0)
		return (-1);
	serve_on_answer(watch_stop);
	return (mprotect(p, len, PROT_NONE));
}
