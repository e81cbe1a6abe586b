/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * heap.c [heap]: the memory that JavaScript lives in.
 *
 * One region, taken from the system once. Made for a program that is frozen
 * and put back after each request: what costs is how many pages are written
 * to, not that memory comes back to the system. So all that is handed out
 * after the freeze is new pages, side by side, from the end of the region, and
 * pages that the engine divides by itself are aligned, so that each of them is
 * one page and not two.
 */

#ifndef HEAP_H_INCLUDED
#define HEAP_H_INCLUDED

#include <stddef.h>

/* Take all memory there is, but for some that the C library may need; at most
 * (max) bytes. Returns the number of bytes taken, 0 if there is none. */
size_t heap_init(size_t max);

/*
 * As malloc() and so on; 16 bytes aligned. NULL when there is none left: then
 * there is a little more the next time, so that the error can be made. When
 * that has happened so often that there is nothing more, they call (f), which
 * must not return.
 */
void *heap_alloc(size_t size);
void *heap_realloc(void *ptr, size_t size);
void heap_free(void *ptr);

/* Bytes that may be used at (ptr), which came from heap_alloc(). */
size_t heap_size(const void *ptr);

/* Bytes that are handed out. */
size_t heap_used(void);

/* Bytes that can be had in one piece, if not from what was given back. */
size_t heap_left(void);

/* All pages that were handed out so far. */
void *heap_region(size_t *len);

/* For when nothing is left at all. */
void heap_on_end(void (*f)(void));

#endif
