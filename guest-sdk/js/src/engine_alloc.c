/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * QuickJS's own functions for memory, replaced. It divides pages by the size of
 * its objects, which spreads those that a request writes to over many pages;
 * cells.c does not. These take the place of its own when the program is linked
 * (js.am makes those weak). The eight bytes in front of an object are the
 * engine's layout, struct JSMallocBlockHeader: what belongs to the allocator is
 * the first three of them.
 */

#include "cells.h"

struct JSRuntime;

void *js_malloc_rt(struct JSRuntime *, size_t);
void *js_realloc_rt(struct JSRuntime *, void *, size_t);
void js_free_rt(struct JSRuntime *, void *);
size_t js_malloc_usable_size_rt(struct JSRuntime *, const void *);

void *
js_malloc_rt(struct JSRuntime *rt, size_t size)
{

	(void)rt;
	return (cells_alloc(size));
}

void *
js_realloc_rt(struct JSRuntime *rt, void *ptr, size_t size)
{

	(void)rt;
	return (cells_realloc(ptr, size));
}

void
js_free_rt(struct JSRuntime *rt, void *ptr)
{

	(void)rt;
	cells_free(ptr);
}

size_t
js_malloc_usable_size_rt(struct JSRuntime *rt, const void *ptr)
{

	(void)rt;
	return (cells_size(ptr));
}
