/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A handler that fetches what its URL says, by a listener instead of an export.
 */

function url(request, path) {
	return (new URL(path, request.url));
}

async function name(promise) {
	try {
		await promise;
		return ("nothing");
	} catch (e) {
		return (`${e.name} ${e.code ?? ""}`.trim());
	}
}

const FETCHES = {
	async three(request) {
		const got = await Promise.all(["a", "b", "c"].map((n) =>
		    fetch(url(request, `/part/${n}`))));
		const text = await Promise.all(got.map((r) => r.text()));
		return (new Response(`${text.join("+")}\n`));
	},
	/* The timer fires while the fetch has not ended. */
	async race(request) {
		const slow = fetch(url(request, "/slow"));
		const first = await Promise.race([
			slow.then(() => "fetch"),
			new Promise((done) => setTimeout(done, 30, "timer")),
		]);
		return (new Response(`${first} ` +
		    `${await (await slow).text()}\n`));
	},
	async abort(request) {
		const c = new AbortController();
		const slow = fetch(url(request, "/slow"),
		    { signal: c.signal });
		setTimeout(() => c.abort(), 20);
		return (new Response(`${await name(slow)}\n`));
	},
	async many(request) {
		let got = 0;
		await Promise.all(Array.from({ length: 100 }, async () => {
			const r = await fetch(url(request, "/many/0"));
			got += (await r.text()).length;
		}));
		return (new Response(`${got}\n`));
	},
	async post(request) {
		const r = await fetch(url(request, "/echo"), {
			method: "POST",
			headers: { "X-One": "1" },
			body: await request.arrayBuffer(),
		});
		return (new Response(`${r.status} ${r.headers.get("x-got")} ` +
		    `${await r.text()}\n`));
	},
	/* Nobody may change what is on its way. */
	async changed(request) {
		const body = new TextEncoder().encode("before");
		const sent = fetch(url(request, "/echo"),
		    { method: "POST", body });
		body.fill(0x21);
		return (new Response(await (await sent).text() + "\n"));
	},
	pass: (request) => fetch(url(request, "/part/a")),
	forbidden: async (request) => new Response(
	    `${await name(fetch(url(request, "/part/a")))}\n`),
};

let early = "nothing";
try {
	await fetch("http://example.com/");
} catch (e) {
	early = `${e.name} ${e.code}`;
}

addEventListener("fetch", (event) => {
	const path = new URL(event.request.url).pathname.slice(1);
	event.respondWith(path === "early" ? new Response(`${early}\n`) :
	    FETCHES[path](event.request));
});
