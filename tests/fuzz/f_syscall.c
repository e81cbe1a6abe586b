/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * System calls in any order, with any arguments; see play.h.
 */

#include "config.h"

#include "fuzz.h"
#include "play.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{

	(void)argc;
	(void)argv;
	Play_Init("ssssssswwbpptfx0");
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{

	Play_Input(b, l);
	return (0);
}
