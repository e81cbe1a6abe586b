/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * text.c [text]: UTF-8, as the Encoding standard wants it, bytes as characters
 * (isomorphic encoding), and base64.
 */

#ifndef TEXT_H_INCLUDED
#define TEXT_H_INCLUDED

#include <stddef.h>

/* True if no byte is above 0x7f. */
int text_is_ascii(const char *ptr, size_t len);

/*
 * Copy, with a U+FFFD for each piece that is not UTF-8. (to) has room for three
 * times (len), or is NULL. Returns the length of the copy; (wrong) gets the
 * number of U+FFFD put in.
 */
size_t text_repair(const char *from, size_t len, char *to, size_t *wrong);

/* Bytes to the UTF-8 of the characters with their numbers; with (lower) ASCII
 * letters are made small. (to) has room for twice (len). Returns the length. */
size_t text_from_latin1(const char *from, size_t len, int lower, char *to);

/* Back, in place. Returns -1 if there is a character above U+00FF. The result
 * is NUL terminated if (text) was. */
int text_to_latin1(char *text, size_t *len);

/* UTF-8 that an engine wrote, with lone surrogates as three bytes each. */
int text_has_surrogates(const char *ptr, size_t len);
void text_drop_surrogates(char *ptr, size_t len);	/* U+FFFD instead */

/* (to) has room for (len + 2) / 3 * 4. Returns the length. */
size_t text_to_base64(const unsigned char *from, size_t len, char *to);

/* Forgiving base64 decode, of (len) bytes in place. -1 if it is none. */
int text_from_base64(char *text, size_t *len);

#endif
