/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A handler that does wrong, in the way its URL says. tests/vtc/j00001.vtc has
 * the table of what should come of each.
 */

function recurse(n) {
	return (1 + recurse(n + 1));
}

function later(ms, value) {
	return (new Promise((done) => setTimeout(() => done(value), ms)));
}

const WRONG = {
	ok: () => new Response("ok\n"),

	/* Time */
	loop() {
		for (;;)
			;
	},
	async jobs() {
		for (;;)
			await null;
	},
	finally() {
		try {
			for (;;)
				;
		} finally {
			for (;;)
				;
		}
	},
	catch() {
		for (;;) {
			try {
				for (;;)
					;
			} catch {
				/* go on */
			}
		}
	},
	generator() {
		function* forever() {
			try {
				yield 1;
			} finally {
				for (;;)
					;
			}
		}
		for (const _ of forever())
			break;
	},
	regexp: () => new Response(String(/^(a+)+$/.test("a".repeat(40) +
	    "b"))),
	sort: () => [3, 2, 1].sort(() => {
		for (;;)
			;
	}),
	getter: () => {
		throw Object.defineProperty(new Error("x"), "stack", { get() {
			for (;;)
				;
		} });
	},
	never: () => new Promise(() => {}),
	late: () => later(60000, new Response("too late\n")),
	timers() {
		const again = () => setTimeout(again, 0);
		again();
		return (new Promise(() => {}));
	},

	/* Space */
	stack: () => new Response(String(recurse(0))),
	stack_caught() {
		try {
			recurse(0);
		} catch (e) {
			return (new Response(`${e.message}, caught\n`));
		}
	},
	nested: () => new Response(String(JSON.parse("[".repeat(1000000)))),
	heap() {
		const all = [];
		for (;;)
			all.push(new Array(1000).fill(all.length));
	},
	heap_caught() {
		const all = [];
		try {
			for (;;)
				all.push(new Uint8Array(1 << 20));
		} catch (e) {
			all.length = 0;
			return (new Response(`${e.message}, caught\n`));
		}
	},
	cycles() {
		for (let i = 0; i < 400000; i++) {
			const a = { fill: [i, i, i, i] };
			a.self = a;
		}
		return (new Response("collected\n"));
	},
	string() {
		let s = "x".repeat(1000);
		for (;;)
			s += s;
	},
	body: () => new Response(new Uint8Array(40 << 20)),
	promises: async () => {
		const all = [];
		for (;;)
			all.push(later(1e6));
	},

	/* Errors */
	throw() {
		throw new Error("the matter");
	},
	cause() {
		throw new Error("the outer matter",
		    { cause: new TypeError("the inner matter") });
	},
	cause_cycle() {
		const e = new Error("its own cause");

		e.cause = e;
		throw e;
	},
	headers() {
		return (new Response("x", { headers: {
			"X-Large": "x".repeat(200000) } }));
	},
	text() {
		throw "just text";
	},
	nothing() {
		throw undefined;
	},
	symbol() {
		throw Symbol("x");
	},
	evil() {
		throw { toString() {
			throw new Error("again");
		} };
	},
	reject: () => Promise.reject(new Error("the rejection")),
	unhandled() {
		Promise.reject(new Error("nobody's"));
		return (new Response("answered\n"));
	},
	unhandled_later: async () => {
		(async () => {
			await null;
			throw new Error("nobody's, later");
		})();
		await null;
		return (new Response("answered\n"));
	},
	handled() {
		const p = Promise.reject(new Error("somebody's"));
		p.catch(() => {});
		return (new Response("answered\n"));
	},
	wait_rejected(request, env, ctx) {
		ctx.waitUntil(Promise.reject(new Error("in the background")));
		return (new Response("answered\n"));
	},
	wait_late(request, env, ctx) {
		ctx.waitUntil(later(60000));
		return (new Response("answered\n"));
	},
	string_result: () => "text",
	no_result: () => undefined,
	used: async () => {
		const r = new Response("x");
		await r.text();
		return (r);
	},

	/* The walls */
	host: () => new Response(Object.getOwnPropertyNames(globalThis)
	    .filter((n) => /host|hook|std|os$|print/i.test(n)).join() + "\n"),
	import: () => import(String(Math.random())),
	prototype() {
		Object.prototype.status = 7;
		Array.prototype.push = () => 7;
		Promise.prototype.then = () => 7;
		delete globalThis.Response;
		return ({ ok: true });
	},
	log() {
		for (let i = 0; i < 100000; i++)
			console.log("spam", i);
		return (new Response("logged\n"));
	},
	detach() {
		const b = new ArrayBuffer(64);
		const r = new Response(new Uint8Array(b));
		structuredClone(b, { transfer: [b] });
		return (r);
	},

	/* C's memory: what it is told about views, and what it keeps. */
	view() {
		const b = new ArrayBuffer(16);
		const v = Object.setPrototypeOf(new DataView(b), null);

		Object.defineProperties(v, {
			byteLength: { value: 60000 },
			byteOffset: { value: 0 },
			buffer: { get: () => new ArrayBuffer(60000) },
		});
		for (let i = 0; i < 50; i++)
			crypto.getRandomValues(v);
		return (new Response(`${new Uint8Array(b).some((x) => x) ?
		    "its own" : "others'"}\n`));
	},
	async resized() {
		const b = new ArrayBuffer(100, { maxByteLength: 1000 });
		const v = new Uint8Array(b);
		const sha = async (bytes) => new Uint8Array(
		    await crypto.subtle.digest("SHA-256", bytes)).toHex();

		b.resize(1000);
		v.fill(7);
		if (await sha(v) !== await sha(new Uint8Array(1000).fill(7)))
			return (new Response("a digest of a part\n"));
		b.resize(10);
		crypto.getRandomValues(v);
		return (new Response(`${v.length}\n`));
	},
	given_stream(request, env, ctx) {
		const v = new Uint8Array(200000).fill(65);
		const stream = new ReadableStream({ start(c) {
			c.enqueue(v);
			c.close();
		} });

		ctx.waitUntil(giveAway(v));
		return (new Response(stream));
	},
	given_slice(request, env, ctx) {
		class Mine extends Uint8Array {
			slice() {
				return (this);
			}
		}
		const v = new Mine(200000).fill(65);

		ctx.waitUntil(giveAway(v));
		return (new Response(v));
	},
	describe() {
		const { then } = Promise.prototype;
		const error = new Error("outer");
		let failed = null;

		Promise.prototype.then = function (a, b) {
			failed ??= b;
			return (then.call(this, a, b));
		};
		/* what the runtime waits with is out of reach */
		error.toString = () => {
			failed?.({ toString: () => "B".repeat(8192) });
			return ((failed ? "C" : "A").repeat(8192));
		};
		Object.defineProperty(error, "stack",
		    { value: "S".repeat(1 << 24) });
		return (later(1).then(() => {
			throw error;
		}));
	},
};

async function giveAway(view) {
	await later(20);
	view.buffer.transfer(0);
	for (let i = 0; i < 20; i++)
		later.kept = [later.kept, new Uint8Array(200000).fill(66)];
}

export default {
	fetch(request, env, ctx) {
		return (WRONG[new URL(request.url).pathname.slice(1)](request,
		    env, ctx));
	},
};
