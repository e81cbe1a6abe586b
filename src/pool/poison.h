/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that kill, and programs that get killed.
 *
 * Two things are kept apart. A request that has killed its VM a few times in
 * succession, whoever asked, is refused for a while: that is between this
 * request and the program, and nobody else notices. A program whose VMs have
 * been killed by many different requests, for some time, without one good
 * answer in between, is paused as a whole and said to be sick; what it has
 * answered well not long ago is let through all the same. In both cases one
 * request is let through after the pause, to try, and if that is killed as
 * well the next pause is twice as long. One good answer ends it.
 *
 * A request is known by its print, a keyed hash of what makes it what it is.
 * All tables have a fixed size: 16 KB in all, nothing is allocated later.
 *
 * Part of a pool, and protected by its lock. Times are in seconds, of a clock
 * that does not go back.
 */

#ifndef SBX_POISON_H_INCLUDED
#define SBX_POISON_H_INCLUDED

#include <stdint.h>

struct sbx_err;
struct sbx_txt;

/* Kills in succession until a request is refused. Whenever it turns out that
 * the same request is also answered well, so that something else than what
 * makes its print must matter, twice as many, up to the maximum. */
#define SBX_POISON_KILLS	3
#define SBX_POISON_KILLS_MAX	768

/* Different requests killed in succession, and the seconds that it must have
 * gone on, until the program is paused. With any good answer every two seconds
 * it never is, however many are killed. */
#define SBX_POISON_RUN		8
#define SBX_POISON_RUN_TIME	2.0

/* The first pause, seconds, if the longest is not shorter. */
#define SBX_POISON_PAUSE	1.0

/* What has happened is forgotten after so many seconds without a kill, or
 * twice the longest pause. */
#define SBX_POISON_FORGET	600.0

#define SBX_POISON_SETS		64
#define SBX_POISON_WAYS		4
#define SBX_POISON_GOOD		1024

/* A request that has killed. */
struct sbx_poisonous {
	uint64_t		print;		/* 0: none */
	double			when;		/* it killed last */
	double			pause;		/* 0: not refused */
	double			until;		/* refused until then */
	unsigned		kills;		/* in succession */
	unsigned		need;		/* as many, then a pause */
};

/* The same for the program. */
struct sbx_poison {
	double			longest;	/* pause; 0: look away */
	uint64_t		key[2];
	double			when;		/* killed last */
	double			pause;		/* 0: none */
	double			until;
	double			first;		/* kill in this succession */
	unsigned		kills;		/* of different requests */
	unsigned		n;		/* entries in use */
	struct sbx_poisonous	set[SBX_POISON_SETS][SBX_POISON_WAYS];
	uint32_t		good[SBX_POISON_GOOD];
};

/* What a request brings along, from Begin to its end. All zero: nothing is to
 * be made of it. */
struct sbx_ask {
	uint64_t		print;		/* 0: it has none */
	unsigned		counts;		/* its end is looked at */
	unsigned		tries;		/* SBX_POISON_... let it try */
	double			deposit;	/* see share.h */
};

enum sbx_poison_e {
	SBX_POISON_NOT = 0,
	SBX_POISON_REQUEST,	/* this request kills */
	SBX_POISON_PROGRAM,	/* the program is killed whatever it gets */
};

/* (longest) seconds is the longest pause, 0: none ever. (key) is secret. */
void SBX_Poison_Init(struct sbx_poison *, double longest,
    const uint64_t key[2]);

/* What is known was about another program. The key stays as it is: prints are
 * made without the lock. */
void SBX_Poison_Forgive(struct sbx_poison *);

/* The print of a request that is made of (n) texts. Never 0. Needs no lock. */
uint64_t SBX_Poison_Print(const struct sbx_poison *, const struct sbx_txt *,
    unsigned n);

/* Is there anything that (now) matters to? If not, it need not be right. */
int SBX_Poison_IsTimed(const struct sbx_poison *);

/* May it run? Anything but SBX_POISON_NOT fills (err), kind
 * SBX_FAIL_BACKOFF. */
enum sbx_poison_e SBX_Poison_Begin(struct sbx_poison *, struct sbx_ask *,
    double now, struct sbx_err *err);

/* How it ended: with an answer, or with the guest killed by its own fault. If
 * neither is called nothing is learnt. */
void SBX_Poison_Good(struct sbx_poison *, const struct sbx_ask *);
void SBX_Poison_Killed(struct sbx_poison *, const struct sbx_ask *,
    double now);

/* Is the program paused? Not if it is time to try. */
int SBX_Poison_IsSick(const struct sbx_poison *, double now);

/* How many requests are refused at present. */
unsigned SBX_Poison_Count(const struct sbx_poison *);

#endif
