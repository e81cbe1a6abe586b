/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * url.c [url]: what most URLs look like, taken apart.
 */

#ifndef URL_H_INCLUDED
#define URL_H_INCLUDED

#include <stddef.h>

/* Where the parts begin and end: part n is text[at[n]] to text[at[n + 1] - 1],
 * with what is between it and its neighbours: "http:" "//" "host" ":80" "/path"
 * "?query" "#fragment". */
enum url_part_e {
	URL_SCHEME,
	URL_SLASHES,
	URL_HOST,
	URL_PORT,
	URL_PATH,
	URL_QUERY,
	URL_FRAGMENT,
	URL_N_PART
};

/*
 * Take apart an absolute http or https URL in which the parser of the URL
 * standard would change nothing, but for a port that is the default one and a
 * path that is missing: host in lower case, a name whose last label begins
 * with a letter or an IPv4 address as it should be written, no user, a port
 * from 1 to 65535 without zeroes before it, no character that would be
 * escaped, no "." or ".." in the path, nothing in Punycode, no empty query or
 * fragment. Returns -1 for any other text: that may be a URL as well.
 */
int url_split(const char *text, size_t len, size_t at[URL_N_PART + 1]);

#endif
