/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Let in who has a token: a JSON Web Token (RFC 7519) signed with HS256, in
 * Authorization: Bearer. With the Web Crypto API alone; jose.js does the same
 * with a package.
 *
 * The key is a setting of the program, environment = "JWT_KEY=..." in VCL. It
 * is imported once, before the first request. sandbox-jsc starts the program to
 * see if it gets ready, so it wants one too: JWT_KEY=any sandbox-jsc jwt.js
 */

const decoder = new TextDecoder("utf-8", { fatal: true });
let key = null;

function fromBase64url(text) {
	const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));

	return (Uint8Array.from(binary, (c) => c.charCodeAt(0)));
}

/* The claims of a good token; throws for any other. */
async function verify(token) {
	const [header, payload, signature, ...more] = token.split(".");
	let claims;

	if (signature === undefined || more.length > 0)
		throw new Error("not a token");
	/* Never let the token say how it is to be checked. */
	if (JSON.parse(decoder.decode(fromBase64url(header))).alg !== "HS256")
		throw new Error("not HS256");
	if (!await crypto.subtle.verify("HMAC", key, fromBase64url(signature),
	    new TextEncoder().encode(`${header}.${payload}`)))
		throw new Error("wrong signature");
	claims = JSON.parse(decoder.decode(fromBase64url(payload)));
	if (typeof claims.exp !== "number" || claims.exp * 1000 <= Date.now())
		throw new Error("expired");
	return (claims);
}

/* What this throws is why the VCL can not be loaded. */
export async function warmup(env) {
	if (!env.JWT_KEY)
		throw new Error('no key: environment = "JWT_KEY=..." in VCL');
	key = await crypto.subtle.importKey("raw",
	    new TextEncoder().encode(env.JWT_KEY),
	    { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

export default {
	async fetch(request) {
		const given = /^Bearer +(\S+)$/i.exec(
		    request.headers.get("Authorization") ?? "");
		let claims;

		try {
			if (given === null)
				throw new Error("no token");
			claims = await verify(given[1]);
		} catch (error) {
			console.log("refused:", error.message);
			return (new Response("Who are you?\n", {
				status: 401,
				headers: { "WWW-Authenticate": "Bearer" },
			}));
		}
		return (Response.json({ hello: claims.sub },
		    { headers: { "Cache-Control": "private" } }));
	},
};
