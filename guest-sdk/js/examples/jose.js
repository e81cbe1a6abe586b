/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The same as jwt.js with jose, as it comes from npm:
 *
 *	npm install jose
 */

import { errors, jwtVerify } from "jose";

let key = null;

export function warmup(env) {
	key = new TextEncoder().encode(env.JWT_KEY);
}

export default {
	async fetch(request) {
		const token = request.headers.get("Authorization")
		    ?.replace(/^Bearer +/i, "") ?? "";

		try {
			const { payload } = await jwtVerify(token, key,
			    { algorithms: ["HS256"], requiredClaims: ["exp"] });

			return (Response.json({ hello: payload.sub },
			    { headers: { "Cache-Control": "private" } }));
		} catch (error) {
			if (!(error instanceof errors.JOSEError))
				throw error;
			console.log("refused:", error.code);
			return (new Response("Who are you?\n", {
				status: 401,
				headers: { "WWW-Authenticate": "Bearer" },
			}));
		}
	},
};
