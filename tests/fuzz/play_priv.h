/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What play.c and playhost.c share.
 */

#ifndef PLAY_PRIV_H_INCLUDED
#define PLAY_PRIV_H_INCLUDED

#include "pool/vm_priv.h"

#include "fakekvm.h"

#define PLAY_MEMORY	(UINT64_C(1280) << 10)
#define PLAY_BODY	UINT64_C(8192)
#define PLAY_ANSWER_MAX	UINT64_C(65536)
#define PLAY_TIMEOUT	1.0		/* seconds */
#define PLAY_REQUESTS	4		/* for one input */
#define PLAY_CALLS	200		/* for one request */

/* The program: code, constants, data with the paths in it. */
#define PLAY_CODE	UINT64_C(0x400000)
#define PLAY_CONST	UINT64_C(0x401000)
#define PLAY_DATA	UINT64_C(0x402000)
#define PLAY_PATH_LEN	256
#define PLAY_PATHS	32

/* Bits of an entry for another table. */
#define PLAY_TABLE	(SBX_PTE_P | SBX_PTE_W | SBX_PTE_U | SBX_PTE_A | \
			    SBX_PTE_D)

/* In the stack, below its end: where paths and answers are put. */
#define PLAY_SCRATCH	8192

/* What it may fetch. */
#define PLAY_FETCHES	40
#define PLAY_FETCH_BYTES UINT64_C(100000)

struct play {
	unsigned		magic;
#define PLAY_MAGIC		0x42c7a91d
	const char		*mix;
	const uint8_t		*p, *e;		/* of the input */
	struct sbx_image	*img;
	struct sbx_vm		*vm;
	fake_run_f		*run;		/* instead of an input */
	void			*run_priv;
	struct sbx_machine	*m;
	struct sbx_proc		*proc;
	unsigned		booted;		/* calls made so far */
	unsigned		calls;
	int			wild;		/* has been in ring 0 */
	uint64_t		result[4];

	/* The call that has not returned yet. */
	int			pending;
	uint64_t		nr, a[6];
	int			fresh;		/* nobody wrote above brk */
	uint64_t		brk;

	/* What the page tables have to be. */
	uint8_t			*tables;
	uint64_t		tables_len;
	unsigned		n_fd, n_map;	/* without open files */
	unsigned		n_lines;

	/* Of this request's fetches. */
	unsigned		n_fetch;	/* started */
	unsigned		fetches;	/* not dropped yet */
	uint64_t		fetched;	/* bytes, both ways */
};

/* The input: a number of (n) bytes, and an argument. Zero behind its end. */
uint64_t Play_Bytes(struct play *, unsigned n);
uint64_t Play_Arg(struct play *);

/* It must be a token, or a field's value. */
void Play_Text(const struct sbx_txt *, int token);

/* The guest was killed: a core file of it. */
void Play_Core(const struct play *);

/* For struct sbx_host. */
sbx_log_f Play_Log;
sbx_fetch_start_f Play_FetchStart;
sbx_fetch_wait_f Play_FetchWait;
sbx_fetch_answer_f Play_FetchAnswer;
sbx_fetch_drop_f Play_FetchDrop;

#endif
