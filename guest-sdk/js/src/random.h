/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * random.c [random]: random bytes without asking the host: ChaCha20 (RFC
 * 8439), with 32 bytes that nobody else got as its key.
 */

#ifndef RANDOM_H_INCLUDED
#define RANDOM_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/* Begin a new sequence. */
void random_seed(const uint8_t key[32]);

void random_fill(void *ptr, size_t len);

/* From 0 to 1, without 1; 53 bits of it. */
double random_number(void);

#endif
