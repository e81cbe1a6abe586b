/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes that are not text: what is sent comes back untouched, with its type
 * and a checksum.
 *
 * new Response(request.body) hands on the memory the request is in, without a
 * copy, as long as nobody has read from it. For a checksum somebody has to:
 * request.clone() has the same bytes once more.
 */

export default {
	async fetch(request) {
		const type = request.headers.get("Content-Type") ??
		    "application/octet-stream";
		let sum;

		if (request.body === null)
			return (new Response("send something\n",
			    { status: 400 }));
		if (!type.startsWith("image/"))
			return (new Response(request.body,
			    { headers: { "Content-Type": type } }));
		sum = await crypto.subtle.digest("SHA-256",
		    await request.clone().arrayBuffer());
		return (new Response(request.body, {
			headers: {
				"Content-Type": type,
				"Repr-Digest": `sha-256=:${btoa(
				    String.fromCharCode(...new Uint8Array(
				    sum)))}:`,
			},
		}));
	},
};
