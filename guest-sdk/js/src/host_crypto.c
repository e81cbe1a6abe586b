/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Digests and HMAC, by mbed TLS.
 */

#include <string.h>

#include <mbedtls/md.h>

#include "host.h"

/* The digest called argument (i), or NULL, and it has thrown. */
static const mbedtls_md_info_t *
crypto_find(struct engine_call *c, int i)
{
	static const struct {
		const char		*name;
		mbedtls_md_type_t	type;
	} algs[] = {
		{ "SHA-1",	MBEDTLS_MD_SHA1 },
		{ "SHA-256",	MBEDTLS_MD_SHA256 },
		{ "SHA-384",	MBEDTLS_MD_SHA384 },
		{ "SHA-512",	MBEDTLS_MD_SHA512 },
	};
	const char *name;
	size_t len, j;

	name = engine_arg_text(c, i, &len);
	if (name == NULL)
		return (NULL);
	for (j = 0; j < sizeof algs / sizeof algs[0]; j++)
		if (strcmp(algs[j].name, name) == 0)
			return (mbedtls_md_info_from_type(algs[j].type));
	engine_throw(c, "no such digest: %.40s", name);
	return (NULL);
}

static void
crypto_digest(struct engine_call *c)
{
	unsigned char out[MBEDTLS_MD_MAX_SIZE];
	const mbedtls_md_info_t *md;
	uint8_t *p;
	size_t len;

	md = crypto_find(c, 0);
	if (md == NULL || engine_arg_bytes(c, 1, &p, &len) < 0)
		return;
	if (mbedtls_md(md, p, len, out) != 0)
		engine_throw(c, "the digest failed");
	else
		engine_return(c, engine_bytes(out, mbedtls_md_get_size(md)));
}

static void
crypto_hmac(struct engine_call *c)
{
	unsigned char out[MBEDTLS_MD_MAX_SIZE];
	const mbedtls_md_info_t *md;
	size_t key_len, len;
	uint8_t *key, *p;

	md = crypto_find(c, 0);
	if (md == NULL || engine_arg_bytes(c, 1, &key, &key_len) < 0 ||
	    engine_arg_bytes(c, 2, &p, &len) < 0)
		return;
	if (mbedtls_md_hmac(md, key, key_len, p, len, out) != 0)
		engine_throw(c, "the HMAC failed");
	else
		engine_return(c, engine_bytes(out, mbedtls_md_get_size(md)));
}

static void
crypto_equal(struct engine_call *c)
{
	volatile uint8_t diff;
	size_t i, a_len, b_len;
	uint8_t *a, *b;

	if (engine_arg_bytes(c, 0, &a, &a_len) < 0 ||
	    engine_arg_bytes(c, 1, &b, &b_len) < 0)
		return;
	diff = a_len != b_len;
	for (i = 0; i < a_len && i < b_len; i++)
		diff |= a[i] ^ b[i];
	engine_return(c, engine_bool(diff == 0));
}

const struct engine_func host_crypto[] = {
	{ "digest",		crypto_digest,		2 },
	{ "hmac",		crypto_hmac,		3 },
	{ "timingSafeEqual",	crypto_equal,		2 },
};
const size_t host_crypto_n = sizeof host_crypto / sizeof host_crypto[0];
