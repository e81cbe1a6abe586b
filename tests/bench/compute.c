/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program that computes and does nothing else: mixing of integers, a matrix
 * product in floating point, sorting. /?rounds=N does all of it N times and
 * answers with a check sum and the CPU's time stamp counter's ticks, so that
 * the same binary can be compared in a sandbox and outside of one.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include <sandbox.h>

#define MIXES		2000000
#define SIDE		128
#define SORTED		65536

static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
static uint32_t list[SORTED];

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t
mix(uint64_t *state)
{
	uint64_t z;

	z = (*state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31));
}

static uint64_t
integers(uint64_t seed)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < MIXES; i++)
		sum ^= mix(&seed);
	return (sum);
}

static uint64_t
matrices(uint64_t seed)
{
	uint64_t bits;
	double s;
	int i, j, k;

	for (i = 0; i < SIDE; i++)
		for (j = 0; j < SIDE; j++) {
			a[i][j] = (double)(mix(&seed) >> 40);
			b[i][j] = (double)(mix(&seed) >> 40);
		}
	for (i = 0; i < SIDE; i++)
		for (j = 0; j < SIDE; j++) {
			for (s = 0, k = 0; k < SIDE; k++)
				s += a[i][k] * b[k][j];
			c[i][j] = s;
		}
	memcpy(&bits, &c[SIDE - 1][seed % SIDE], sizeof bits);
	return (bits);
}

static int
by_value(const void *x, const void *y)
{
	const uint32_t *p = x, *q = y;

	return (*p < *q ? -1 : *p > *q);
}

static uint64_t
sorted(uint64_t seed)
{
	int i;

	for (i = 0; i < SORTED; i++)
		list[i] = (uint32_t)mix(&seed);
	qsort(list, SORTED, sizeof list[0], by_value);
	return (list[SORTED / 3]);
}

static uint64_t
work(unsigned rounds)
{
	uint64_t sum = 0;
	unsigned u;

	for (u = 0; u < rounds; u++)
		sum += integers(u) ^ matrices(u) ^ sorted(u);
	return (sum);
}

static void
compute(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	uint64_t sum, ticks;
	long rounds = 1;

	(void)priv;
	if (sandbox_get_param_long(rq, "rounds", 1, 100000, &rounds) < 0) {
		sandbox_fail(rp, 400, "rounds must be from 1 to 100000");
		return;
	}
	/* once before it counts: memory is there, caches are warm */
	sum = work(1);
	ticks = __rdtsc();
	sum += work((unsigned)rounds);
	ticks = __rdtsc() - ticks;
	sandbox_printf(rp, "sum %016" PRIx64 " ticks %" PRIu64 "\n", sum,
	    ticks);
}

int
main(void)
{

	return (sandbox_serve(compute, NULL));
}
