/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A guest that does what a fuzzer's input says: writes to its memory, makes
 * system calls and calls of ours, faults, breaks into its own ring 0. It runs
 * in a VM of the real pool/vm.c on a KVM without a CPU (fakekvm.h).
 *
 * After each call it is checked that the page tables are as they have to be,
 * that nothing of the host's was written to, and that the bookkeeping of
 * memory and descriptors adds up; after each request, that the reset has left
 * nothing.
 */

#ifndef PLAY_H_INCLUDED
#define PLAY_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/* What an input's guest may do; the letters of a mix, sixteen of them, one
 * for each value of an op's low four bits. Arguments follow. */
#define PLAY_SYSCALL	's'	/* number, mask of arguments, arguments */
#define PLAY_HOSTCALL	'h'	/* the same */
#define PLAY_ANSWER	'a'	/* status, headers, body, what to spoil */
#define PLAY_BYTES	'b'	/* address, count, bytes */
#define PLAY_WORDS	'w'	/* address, count, arguments to write there */
#define PLAY_PATH	'p'	/* which; to where PLAY_SCRATCH is */
#define PLAY_FETCH	'F'	/* how many, which are new, and what they are */
#define PLAY_FAULT	'f'	/* vector, stack pointer, frame */
#define PLAY_EXIT	'x'	/* any exit of KVM's */
#define PLAY_TIME	't'	/* that passes, as a power of two */
#define PLAY_RING0	'0'	/* physical address, value */

/* Once for a process; (mix) as above. */
void Play_Init(const char *mix);

/* One input: some requests, one after the other, until it is used up. */
void Play_Input(const uint8_t *, size_t);

/*--------------------------------------------------------------------
 * For fuzzers whose input is something else: their guests are functions.
 */

struct fake_vm;
struct sbx_vm;

/* A VM, lent; (run) is called once when it is served, and has to end with an
 * answer. Return it, and it is reset and checked. */
struct sbx_vm *Play_Lend(void (*run)(void *, struct fake_vm *), void *priv);
void Play_Return(void);

/* The guest's memory as ring 3 sees it, or NULL; and writing there. */
uint8_t *Play_At(uint64_t va, int writing);
void Play_Write(struct fake_vm *, uint64_t va, const void *, size_t);

/* Where the request block is, and 512 KB that nobody uses. */
uint64_t Play_Window(void);
uint64_t Play_Arena(void);

/* Answer with 200, or with what is at (va). */
void Play_Answer(struct fake_vm *);
void Play_Next(struct fake_vm *, uint64_t va);

#endif
