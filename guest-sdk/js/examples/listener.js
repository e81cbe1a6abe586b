/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The older form, of service workers: a listener instead of an export.
 */

async function respond(event) {
	const { request } = event;

	if (request.method !== "GET" && request.method !== "HEAD")
		return (new Response("only GET\n",
		    { status: 405, headers: { "Allow": "GET, HEAD" } }));
	/* The answer waits for this; afterwards there is no afterwards. */
	event.waitUntil(log(request));
	return (new Response("listening\n"));
}

async function log(request) {
	console.log("asked for", new URL(request.url).pathname);
}

addEventListener("fetch", (event) => event.respondWith(respond(event)));
