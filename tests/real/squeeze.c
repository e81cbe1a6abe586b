/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The request's body, compressed with Zstandard or Brotli, and decompressed
 * again to see that it is right: /zstd?level, /brotli?quality
 */

#include <stdlib.h>
#include <string.h>

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <zstd.h>

#include <sandbox.h>

static size_t
squeeze(const struct sandbox_request *rq, void *to, size_t room, void *back)
{
	const char *q = strchr(rq->url.ptr, '?');
	int level = q == NULL ? 3 : atoi(q + 1);
	size_t l = room, n = rq->body_len;

	if (!strncmp(rq->url.ptr, "/zstd", 5)) {
		l = ZSTD_compress(to, room, rq->body, n, level);
		if (ZSTD_isError(l) || ZSTD_decompress(back, n, to, l) != n)
			return (0);
	} else if (!BrotliEncoderCompress(level, BROTLI_DEFAULT_WINDOW,
	    BROTLI_MODE_GENERIC, n, rq->body, &l, to) ||
	    BrotliDecoderDecompress(l, to, &n, back) !=
	    BROTLI_DECODER_RESULT_SUCCESS)
		return (0);
	return (memcmp(back, rq->body, rq->body_len) ? 0 : l);
}

static void
handler(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	size_t room = ZSTD_compressBound(rq->body_len) + 1000;
	char *to = malloc(room), *back = malloc(rq->body_len + 1);
	size_t l;

	(void)priv;
	l = to == NULL || back == NULL ? 0 : squeeze(rq, to, room, back);
	if (l == 0)
		sandbox_fail(rp, 500, "it did not come back");
	else
		sandbox_write(rp, to, l);
}

int
main(void)
{

	return (sandbox_serve(handler, NULL));
}
