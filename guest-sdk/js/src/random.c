/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

#include <string.h>

#include "random.h"

#define BLOCK		64

static struct {
	uint8_t			key[32];
	uint64_t		n;		/* next block */
	uint8_t			block[BLOCK];
	size_t			left;		/* of it, at its end */
} random_state;

static uint32_t
chacha_word(const uint8_t *p)
{

	return ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24);
}

static uint32_t
chacha_rotate(uint32_t v, unsigned n)
{

	return (v << n | v >> (32 - n));
}

static void
chacha_quarter(uint32_t x[16], int a, int b, int c, int d)
{

	x[a] += x[b];
	x[d] = chacha_rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = chacha_rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = chacha_rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = chacha_rotate(x[b] ^ x[c], 7);
}

static void
chacha_block(const uint8_t key[32], uint64_t n, uint8_t out[BLOCK])
{
	static const uint8_t sigma[] = "expand 32-byte k";
	uint32_t s[16], x[16];
	int i;

	for (i = 0; i < 4; i++)
		s[i] = chacha_word(sigma + 4 * i);
	for (i = 0; i < 8; i++)
		s[4 + i] = chacha_word(key + 4 * i);
	s[12] = (uint32_t)n;
	s[13] = (uint32_t)(n >> 32);
	s[14] = s[15] = 0;
	memcpy(x, s, sizeof x);
	for (i = 0; i < 10; i++) {
		chacha_quarter(x, 0, 4, 8, 12);
		chacha_quarter(x, 1, 5, 9, 13);
		chacha_quarter(x, 2, 6, 10, 14);
		chacha_quarter(x, 3, 7, 11, 15);
		chacha_quarter(x, 0, 5, 10, 15);
		chacha_quarter(x, 1, 6, 11, 12);
		chacha_quarter(x, 2, 7, 8, 13);
		chacha_quarter(x, 3, 4, 9, 14);
	}
	for (i = 0; i < 16; i++) {
		x[i] += s[i];
		memcpy(out + 4 * i, &x[i], 4);	/* x86-64: little endian */
	}
}

void
random_seed(const uint8_t key[32])
{

	memcpy(random_state.key, key, sizeof random_state.key);
	random_state.n = 0;
	random_state.left = 0;
}

void
random_fill(void *ptr, size_t len)
{
	uint8_t *p = ptr;
	size_t l;

	while (len > 0) {
		if (random_state.left == 0) {
			chacha_block(random_state.key, random_state.n++,
			    random_state.block);
			random_state.left = BLOCK;
		}
		l = len < random_state.left ? len : random_state.left;
		memcpy(p, random_state.block + BLOCK - random_state.left, l);
		random_state.left -= l;
		p += l;
		len -= l;
	}
}

double
random_number(void)
{
	uint64_t u;

	random_fill(&u, sizeof u);
	return ((double)(u >> 11) * 0x1p-53);
}
