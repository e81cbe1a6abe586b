/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * cells.c [cells]: the engine's objects.
 *
 * A reference count that goes up and down again has been written to, so each
 * request writes to many objects that were made before the freeze, a few on
 * each of many pages; and it is pages that a reset copies. So those objects are
 * put together: sandbox-jsc lets the new program answer a request, sees which
 * of the cells made before the freeze were written to, and the program puts
 * these side by side when it starts. Those that are only read are put together
 * elsewhere: a CPU that has done other things since has fewer lines and page
 * table entries to fetch then. Which they are is known by their number:
 * a program that starts makes the same cells in the same order each time. If it
 * does not, because its settings are others, then some are in the wrong place,
 * which costs time and nothing else.
 *
 * After the freeze cells come from pages of their own, one after the other.
 *
 * In front of each cell are eight bytes. The fourth, and the last four, belong
 * to the engine, and stay as they are when a cell is moved.
 */

#ifndef CELLS_H_INCLUDED
#define CELLS_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/* As malloc() and so on; 8 bytes aligned. */
void *cells_alloc(size_t size);
void *cells_realloc(void *ptr, size_t size);
void cells_free(void *ptr);
size_t cells_size(const void *ptr);

/* Bytes of all that there are. */
size_t cells_used(void);

/* Have that number there from now on. */
void cells_count(size_t *where);

/* What a request does with a cell. */
#define CELLS_WRITTEN	1U
#define CELLS_READ	2U

/* Which cells are used, of each phase: a 32 bit number, little endian, and as
 * many bits, in bytes, the lowest first, two for each cell. Before the first
 * cell; it stays in place. */
void cells_profile(const uint8_t *profile, size_t len);

/* A new phase begins, with cell number 0. What differs in one phase does not
 * put those of the next in the wrong place. */
void cells_phase(void);

/* No more phases: what follows is a request's. */
void cells_freeze(void);

/*
 * For who makes the profile: remember each cell made in a phase. When there
 * are no more to come, cells_mark() says what is done at an address, and
 * cells_marked() writes the profile to (buf), if it has room for that many
 * bytes. Returns its length, or 0.
 */
void cells_record(void);
void cells_mark(uintptr_t addr, unsigned used);
size_t cells_marked(uint8_t *buf, size_t size);

#endif
