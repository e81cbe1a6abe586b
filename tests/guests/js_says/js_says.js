/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A handler that behaves, and says what it was given. It has counted to where
 * it is when the program was frozen, and no further.
 */

let count = 0;
const made = { random: Math.random(), uuid: crypto.randomUUID() };

await new Promise((done) => setTimeout(done, 5));
count++;

export async function warmup() {
	await null;
	count++;
}

const SAYS = {
	ok: () => "ok\n",
	arg: (request, env) => `${env.ARG}\n`,
	env: (request, env) => `${env.SETTING}\n`,
	count: () => `${++count}\n`,
	frozen: () => `${made.random} ${made.uuid}\n`,
	random: () => [Math.random(), Math.random(), crypto.randomUUID(),
	    crypto.getRandomValues(new Uint32Array(2)).join()].join(" ") + "\n",
	clock: async () => {
		const before = Date.now();
		const mono = performance.now();
		await new Promise((done) => setTimeout(done, 50));
		const good = Date.now() - before >= 49 &&
		    performance.now() - mono >= 49 &&
		    performance.now() < 10000 &&
		    Math.abs(new Date() - before) < 10000;
		return (`${good} ${before}\n`);
	},
	order: async () => {
		const said = [];
		const after = (ms) => new Promise((done) => setTimeout(() => {
			said.push(ms);
			done();
		}, ms));
		await Promise.all([after(30), after(1), after(10)]);
		return (said.join() + "\n");
	},
	body: async (request) => `${(await request.text()).length}\n`,
	/* Nothing in JavaScript refers to them once they are the answer. */
	bytes: () => new Uint8Array(300000).fill(65),
	log: () => {
		console.log("to the log", { a: [1, 2] });
		console.error("worse\nin two lines");
		return ("logged\n");
	},
	digest: async (request) => [...new Uint8Array(
	    await crypto.subtle.digest("SHA-256", await request.arrayBuffer()))]
	    .map((b) => b.toString(16).padStart(2, "0")).join("") + "\n",
};

export default {
	async fetch(request, env, ctx) {
		const url = new URL(request.url);
		const says = SAYS[url.pathname.slice(1)];

		if (says === undefined)
			return (new Response("no such thing\n",
			    { status: 404 }));
		return (new Response(await says(request, env, ctx), {
			status: 200,
			headers: {
				"X-Method": request.method,
				"X-Host": url.host,
				"X-Sent": request.headers.get("X-Sent") ?? "-",
			},
		}));
	},
};
