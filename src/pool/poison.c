/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * poison.c: who is refused after kills, and for how long.
 *
 * Whoever is let through to try has its pause started again, with the same
 * length, so that there is one such request in a pause, and nothing is stuck
 * if nobody ever learns what became of it.
 */

#include "config.h"

#include <string.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"
#include "base/hash.h"
#include "hostcall/http.h"
#include "pool/poison.h"

void
SBX_Poison_Init(struct sbx_poison *p, double longest, const uint64_t key[2])
{

	AN(p);
	AN(key);
	memset(p, 0, sizeof *p);
	p->longest = longest;
	p->key[0] = key[0];
	p->key[1] = key[1];
}

/* Each text's hash is part of the next one's key, so that it matters where
 * one ends and the next begins. */
uint64_t
SBX_Poison_Print(const struct sbx_poison *p, const struct sbx_txt *t,
    unsigned n)
{
	uint64_t key[2];
	unsigned u;

	AN(p);
	AN(t);
	key[0] = p->key[0];
	key[1] = p->key[1];
	for (u = 0; u < n; u++)
		key[0] ^= SBX_Hash(key, t[u].b, t[u].l);
	return (key[0] == 0 ? 1 : key[0]);
}

int
SBX_Poison_IsTimed(const struct sbx_poison *p)
{

	AN(p);
	return (p->n > 0 || p->kills > 0);
}

/*--------------------------------------------------------------------
 * The tables
 */

static uint32_t *
poison_good(struct sbx_poison *p, uint64_t print)
{

	return (&p->good[print % SBX_POISON_GOOD]);
}

/* What a slot of that table says if it was this request: never 0. */
static uint32_t
poison_mark(uint64_t print)
{

	return ((uint32_t)(print >> 32) | 1);
}

static struct sbx_poisonous *
poison_find(struct sbx_poison *p, uint64_t print)
{
	struct sbx_poisonous *e;
	unsigned u;

	if (print == 0 || p->n == 0)
		return (NULL);
	e = p->set[print % SBX_POISON_SETS];
	for (u = 0; u < SBX_POISON_WAYS; u++)
		if (e[u].print == print)
			return (&e[u]);
	return (NULL);
}

/* The one that is missed least, or NULL: those that are refused at present
 * stay, or whoever sends many different requests would set them free. */
static struct sbx_poisonous *
poison_victim(struct sbx_poisonous *e, double now)
{
	struct sbx_poisonous *v = NULL;
	unsigned u;

	for (u = 0; u < SBX_POISON_WAYS; u++) {
		if (e[u].print == 0)
			return (&e[u]);
		if (e[u].pause > 0 && now < e[u].until)
			continue;
		if (v == NULL || e[u].kills < v->kills ||
		    (e[u].kills == v->kills && e[u].when < v->when))
			v = &e[u];
	}
	return (v);
}

/* The request's entry, made if there was none. May be NULL. */
static struct sbx_poisonous *
poison_get(struct sbx_poison *p, uint64_t print, double now)
{
	struct sbx_poisonous *e;

	e = poison_find(p, print);
	if (e != NULL || print == 0)
		return (e);
	e = poison_victim(p->set[print % SBX_POISON_SETS], now);
	if (e == NULL)
		return (NULL);
	p->n += e->print == 0;
	memset(e, 0, sizeof *e);
	e->print = print;
	e->need = SBX_POISON_KILLS;
	return (e);
}

/* All is forgiven, but for which requests have been answered well. */
static void
poison_clear(struct sbx_poison *p)
{

	memset(p->set, 0, sizeof p->set);
	p->n = p->kills = 0;
	p->pause = 0;
}

void
SBX_Poison_Forgive(struct sbx_poison *p)
{

	AN(p);
	poison_clear(p);
	memset(p->good, 0, sizeof p->good);
}

static void
poison_age(struct sbx_poison *p, double now)
{

	if (now - p->when > SBX_POISON_FORGET &&
	    now - p->when > 2 * p->longest)
		poison_clear(p);
}

/*--------------------------------------------------------------------
 * Pauses
 */

/* The first pause, or the next one. */
static double
poison_pause(const struct sbx_poison *p, double pause)
{

	pause = pause == 0 ? SBX_POISON_PAUSE : 2 * pause;
	return (pause > p->longest ? p->longest : pause);
}

static enum sbx_poison_e
poison_refuse_request(const struct sbx_poisonous *e, double now,
    struct sbx_err *err)
{

	(void)SBX_Err_Set(err, SBX_FAIL_BACKOFF, 0,
	    "the guest was killed by this request %u times in succession; it "
	    "is refused for %.3f s more, of %g s (backoff)", e->kills,
	    e->until - now, e->pause);
	return (SBX_POISON_REQUEST);
}

static enum sbx_poison_e
poison_refuse_program(const struct sbx_poison *p, double now,
    struct sbx_err *err)
{

	(void)SBX_Err_Set(err, SBX_FAIL_BACKOFF, 0,
	    "guests are killed whatever the request, there was no good answer "
	    "since; the program is paused for %.3f s more, of %g s (backoff)",
	    p->until - now, p->pause);
	return (SBX_POISON_PROGRAM);
}

enum sbx_poison_e
SBX_Poison_Begin(struct sbx_poison *p, struct sbx_ask *ask, double now,
    struct sbx_err *err)
{
	struct sbx_poisonous *e;

	AN(p);
	AN(ask);
	AN(err);
	ask->tries = SBX_POISON_NOT;
	if (!ask->counts || !SBX_Poison_IsTimed(p))
		return (SBX_POISON_NOT);
	poison_age(p, now);
	e = poison_find(p, ask->print);
	if (e != NULL && e->pause > 0) {
		if (now < e->until)
			return (poison_refuse_request(e, now, err));
		ask->tries = SBX_POISON_REQUEST;
	}
	if (p->pause > 0 && (ask->print == 0 ||
	    *poison_good(p, ask->print) != poison_mark(ask->print))) {
		if (now < p->until)
			return (poison_refuse_program(p, now, err));
		ask->tries = SBX_POISON_PROGRAM;
		p->until = now + p->pause;
	}
	if (e != NULL && e->pause > 0)
		e->until = now + e->pause;
	return (SBX_POISON_NOT);
}

int
SBX_Poison_IsSick(const struct sbx_poison *p, double now)
{

	AN(p);
	return (p->pause > 0 && now < p->until);
}

unsigned
SBX_Poison_Count(const struct sbx_poison *p)
{
	unsigned u, n = 0;

	AN(p);
	if (p->n == 0)
		return (0);
	for (u = 0; u < SBX_POISON_SETS * SBX_POISON_WAYS; u++)
		n += p->set[u / SBX_POISON_WAYS][u % SBX_POISON_WAYS].pause >
		    0;
	return (n);
}

/*--------------------------------------------------------------------
 * What became of it
 */

void
SBX_Poison_Good(struct sbx_poison *p, const struct sbx_ask *ask)
{
	struct sbx_poisonous *e;

	AN(p);
	AN(ask);
	if (!ask->counts)
		return;
	if (ask->print != 0)
		*poison_good(p, ask->print) = poison_mark(ask->print);
	if (!SBX_Poison_IsTimed(p))
		return;
	if (p->pause > 0) {
		/* it was not their fault */
		poison_clear(p);
		return;
	}
	p->kills = 0;
	e = poison_find(p, ask->print);
	if (e == NULL || e->kills == 0)
		return;
	e->kills = 0;
	e->pause = 0;
	if (e->need < SBX_POISON_KILLS_MAX)
		e->need *= 2;
}

/* Returns whether it is the first one of this request. */
static int
poison_killed_request(struct sbx_poison *p, const struct sbx_ask *ask,
    double now)
{
	struct sbx_poisonous *e;

	e = poison_get(p, ask->print, now);
	if (e == NULL)
		return (1);
	e->when = now;
	/* those that were under way when the pause began do not count */
	if (e->pause > 0 && ask->tries == SBX_POISON_NOT)
		return (0);
	e->kills++;
	if (e->kills >= e->need) {
		e->pause = poison_pause(p, e->pause);
		e->until = now + e->pause;
	}
	return (e->kills == 1);
}

void
SBX_Poison_Killed(struct sbx_poison *p, const struct sbx_ask *ask, double now)
{
	uint32_t *good;

	AN(p);
	AN(ask);
	if (!ask->counts)
		return;
	poison_age(p, now);
	p->when = now;
	good = poison_good(p, ask->print);
	if (*good == poison_mark(ask->print))
		*good = 0;
	if (ask->tries == SBX_POISON_PROGRAM && p->pause > 0) {
		p->pause = poison_pause(p, p->pause);
		p->until = now + p->pause;
		return;
	}
	if (!poison_killed_request(p, ask, now) || p->pause > 0)
		return;
	if (p->kills++ == 0)
		p->first = now;
	if (p->kills >= SBX_POISON_RUN &&
	    now - p->first >= SBX_POISON_RUN_TIME) {
		p->pause = poison_pause(p, 0);
		p->until = now + p->pause;
	}
}
