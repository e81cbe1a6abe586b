/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The smallest there is. What the default export's fetch() returns, or the
 * promise it returns gives, is the answer.
 */

export default {
	fetch(request) {
		const { pathname } = new URL(request.url);

		return (new Response(`Hello, you asked for ${pathname}\n`, {
			headers: { "Cache-Control": "max-age=10" },
		}));
	},
};
