/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash with a secret key (SipHash-1-3, by Aumasson and Bernstein): whoever
 * does not know the key can not look for texts whose hashes are the same, or
 * fall into the same slot of a table.
 */

#ifndef SBX_HASH_H_INCLUDED
#define SBX_HASH_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/* The hash of (len) bytes. Does not fail, allocates nothing. */
uint64_t SBX_Hash(const uint64_t key[2], const void *, size_t len);

#endif
