/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The calls of sandbox_abi.h, and answers of every kind; see play.h.
 */

#include "config.h"

#include "fuzz.h"
#include "play.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{

	(void)argc;
	(void)argv;
	Play_Init("FFFFhhaaawwbst0x");
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{

	Play_Input(b, l);
	return (0);
}
