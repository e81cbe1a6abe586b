/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a fuzzer consists of: libFuzzer's interface, which replay.c has, too.
 */

#ifndef FUZZ_H_INCLUDED
#define FUZZ_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/* Once, in those that have it. Returns 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* For each input. Returns 0; what is wrong does not return. */
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#endif
