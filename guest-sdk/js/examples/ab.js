/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two variants of a page, and a word about where the visitor is.
 *
 * Who has no cookie yet gets a variant by lot, and a cookie to keep it. VCL
 * is where the cache learns of it: have vcl_hash add the cookie, or pass, as
 * vcl-examples/javascript.vcl does. The country comes in a header that the VCL
 * (or a load balancer) has set from the address of the client.
 */

const SHARE_OF_B = 0.5;
const GREETINGS = { DE: "Guten Tag", FR: "Bonjour", NL: "Goedendag" };

function cookies(request) {
	const all = new Map();

	for (const part of (request.headers.get("Cookie") ?? "").split(";")) {
		const at = part.indexOf("=");

		if (at > 0)
			all.set(part.slice(0, at).trim(),
			    part.slice(at + 1).trim());
	}
	return (all);
}

export default {
	fetch(request) {
		const known = cookies(request).get("variant");
		const variant = known === "a" || known === "b" ? known :
		    Math.random() < SHARE_OF_B ? "b" : "a";
		const country = request.headers.get("X-Country") ?? "";
		const headers = new Headers({
			"Content-Type": "text/plain; charset=utf-8",
			"Vary": "Cookie, X-Country",
		});

		if (variant !== known)
			headers.append("Set-Cookie", `variant=${variant}; ` +
			    "Path=/; Max-Age=2592000; SameSite=Lax");
		return (new Response(`${GREETINGS[country] ?? "Hello"}, this ` +
		    `is ${variant.toUpperCase()}\n`, { headers }));
	},
};
