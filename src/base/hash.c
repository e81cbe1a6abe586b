/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * hash.c: SipHash-1-3, one round for each word and three at the end. Written
 * after the paper, "SipHash: a fast short-input PRF" (2012).
 */

#include "config.h"

#include <string.h>

#include "vdef.h"
#include "vas.h"

#include "base/hash.h"

#define HASH_ROTL(x, n)		((x) << (n) | (x) >> (64 - (n)))

static inline void
hash_round(uint64_t v[4])
{

	v[0] += v[1];
	v[2] += v[3];
	v[1] = HASH_ROTL(v[1], 13) ^ v[0];
	v[3] = HASH_ROTL(v[3], 16) ^ v[2];
	v[0] = HASH_ROTL(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = HASH_ROTL(v[1], 17) ^ v[2];
	v[3] = HASH_ROTL(v[3], 21) ^ v[0];
	v[2] = HASH_ROTL(v[2], 32);
}

static inline void
hash_word(uint64_t v[4], uint64_t w)
{

	v[3] ^= w;
	hash_round(v);
	v[0] ^= w;
}

uint64_t
SBX_Hash(const uint64_t key[2], const void *ptr, size_t len)
{
	const uint8_t *p = ptr;
	uint64_t v[4], w;
	size_t l;

	AN(key);
	AN(ptr);
	/* "somepseudorandomlygeneratedbytes" */
	v[0] = key[0] ^ UINT64_C(0x736f6d6570736575);
	v[1] = key[1] ^ UINT64_C(0x646f72616e646f6d);
	v[2] = key[0] ^ UINT64_C(0x6c7967656e657261);
	v[3] = key[1] ^ UINT64_C(0x7465646279746573);
	for (l = len; l >= sizeof w; l -= sizeof w, p += sizeof w) {
		memcpy(&w, p, sizeof w);
		hash_word(v, w);
	}
	w = 0;
	memcpy(&w, p, l);
	hash_word(v, w | (uint64_t)len << 56);
	v[2] ^= 0xff;
	hash_round(v);
	hash_round(v);
	hash_round(v);
	return (v[0] ^ v[1] ^ v[2] ^ v[3]);
}
