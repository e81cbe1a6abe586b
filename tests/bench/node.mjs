/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * node's http server, to compare with: says its port, and serves until it is
 * ended.
 *
 *	node node.mjs FOLDER [HANDLER]
 *
 * HANDLER is what sandbox-jsc takes as well; its Request and Response come from
 * @hono/node-server, which is in FOLDER/node_modules. Without one it is what
 * the example hello does, written for node and nothing else.
 */

import http from "node:http";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, handler] = process.argv.slice(2).map((p) => resolve(p));
const host = "127.0.0.1";

async function load(file) {
	return (import(pathToFileURL(file)));
}

if (handler) {
	const require = createRequire(resolve(folder, "x.js"));
	const { serve } = await load(require.resolve("@hono/node-server"));
	const app = (await load(handler)).default;

	serve({ fetch: (request) => app.fetch(request, {}), port: 0,
	    hostname: host }, ({ port }) => console.log(port));
} else {
	const server = http.createServer((rq, rp) => {
		const { pathname } = new URL(rq.url,
		    `http://${rq.headers.host}`);

		rp.setHeader("Cache-Control", "max-age=10");
		rp.setHeader("Content-Type", "text/plain;charset=UTF-8");
		rp.end(`Hello, you asked for ${pathname}\n`);
	});

	server.listen(0, host, () => console.log(server.address().port));
}
