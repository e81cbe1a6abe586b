/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One page of three fragments, which are fetched at the same time. fetch()
 * goes through Varnish: each fragment is in its cache, with its own lifetime,
 * and VCL says where it comes from. The program needs max_fetches in VCL.
 *
 * A relative URL is one of the same site. A fragment that is late, or broken,
 * does not take the page with it.
 */

async function fragment(path) {
	try {
		const response = await fetch(path,
		    { signal: AbortSignal.timeout(500) });

		if (!response.ok)
			throw new Error(`status ${response.status}`);
		return (await response.text());
	} catch (error) {
		console.warn(path, error.message);
		return (`<!-- ${path} is not there -->`);
	}
}

export default {
	async fetch(request) {
		const { search } = new URL(request.url);
		const [head, body, foot] = await Promise.all([
			fragment("/fragment/head"),
			fragment(`/fragment/body${search}`),
			fragment("/fragment/foot"),
		]);

		return (new Response(`${head}\n${body}\n${foot}\n`, {
			headers: { "Content-Type": "text/html; charset=utf-8" },
		}));
	},
};
