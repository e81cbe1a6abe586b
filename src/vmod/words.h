/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of words in a string, with the quoting of a shell but no expansion.
 * The rules are in vmod_sandbox.vcc, section QUOTING.
 */

#ifndef VSBX_WORDS_H_INCLUDED
#define VSBX_WORDS_H_INCLUDED

/* Split (s) into words, a NULL terminated array. NULL is an empty list.
 * Returns NULL if the quoting is wrong; *(why) is then what is wrong, a
 * constant. Free the list with vsbx_words_free(). */
char **vsbx_words_split(const char *s, const char **why);

/* Free the list and forget it. NULL is fine. */
void vsbx_words_free(char ***);

#endif
