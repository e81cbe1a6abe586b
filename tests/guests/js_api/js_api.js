/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A handler that tests what only a real request shows: the request itself, and
 * what fetch() does with redirects, methods and headers. The answer is the
 * report. j00003.vtc sends the request, and answers what is fetched.
 *
 *	/echo			200, X-Method, X-Type ... say what came
 *	/r/STATUS/LOCATION	a redirect
 *	/chain/N		N redirects
 */

import { eq, ok, rejects, run, test, throws, utf8 } from "../../sdk/js/check.js";

let request, env, ctx;

test("incoming: look", () => {
	ok(request instanceof Request);
	eq(Object.prototype.toString.call(request), "[object Request]");
	eq(request.method, "POST");
	eq(request.url, "https://www.example.com/c%20d?x=1&y=%27");
	eq(request.redirect, "manual");
	eq(request.bodyUsed, false);
	ok(request.body instanceof ReadableStream);
	eq(request.signal.aborted, false);
});
test("incoming: headers", () => {
	const h = request.headers;

	ok(h === request.headers);
	eq(h.get("X-Sent"), "one, two");
	eq(h.get("x-latin"), "\u00c3\u00a4");		/* UTF-8: two bytes */
	eq(h.get("nothing"), null);
	eq(h.has("host"), true);
	throws(() => h.get("no name"), TypeError);
	throws(() => h.set("a", "b"), TypeError);
	throws(() => h.append("a", "b"), TypeError);
	throws(() => h.delete("x-sent"), TypeError);
	ok([...h].some(([n, v]) => n === "x-sent" && v === "one, two"));
	ok([...h.keys()].every((n, i, a) => i === 0 || a[i - 1] < n));
});
test("incoming: copies can be changed", async () => {
	const copy = new Request(request.clone(),
	    { headers: { ...Object.fromEntries(request.headers), a: "b" } });

	copy.headers.set("c", "d");
	eq(copy.headers.get("a"), "b");
	eq(copy.headers.get("x-sent"), "one, two");
	eq(copy.method, "POST");
	eq(copy.url, request.url);
	eq(await copy.text(), "abc\u20ac");
	eq(request.bodyUsed, false);
	request.clone().headers.set("x", "y");
});
test("incoming: body", async () => {
	const copy = request.clone();

	eq(await copy.text(), "abc\u20ac");
	eq(copy.bodyUsed, true);
	eq((await request.clone().arrayBuffer()).byteLength, 6);
	await rejects(copy.text(), TypeError);
	await rejects(request.clone().json(), SyntaxError);
	await rejects(request.clone().formData(), TypeError);
});
test("incoming: clones do not share memory", async () => {
	const b = await request.clone().bytes();

	b[0] = 120;
	eq(await request.clone().text(), "abc\u20ac");
});
test("incoming: settings and context", () => {
	eq(env.ARG, "the arg");
	eq(env.COLOUR, "blue");
	eq(Object.keys(env).toSorted(), ["ARG", "COLOUR"]);
	eq(ctx.clientIp, "127.0.0.1");
	ok(ctx.clientPort > 0 && ctx.xid > 0);
	ok(ctx.timeLeft > 100 && ctx.timeLeft <= 10000, "the time left");
	throws(() => ctx.passThroughOnException(), TypeError);
	eq(ctx.waitUntil(Promise.resolve()), undefined);
});
test("incoming: relative URLs", () => {
	eq(new Request("/p?q").url, "https://www.example.com/p?q");
	eq(new Request("p").url, "https://www.example.com/p");
	eq(Response.redirect("/p", 301).headers.get("location"),
	    "https://www.example.com/p");
});

test("fetch: a response", async () => {
	const r = await fetch("/echo#fragment");

	eq(r.status, 200);
	eq(r.ok, true);
	eq(r.type, "basic");
	eq(r.url, "https://www.example.com/echo");
	eq(r.redirected, false);
	eq(r.headers.get("x-method"), "GET");
	eq(r.headers.get("x-host"), "www.example.com");
	throws(() => r.headers.set("a", "b"), TypeError);
	eq(await r.clone().text(), "GET /echo");
	eq(r.bodyUsed, false);
	eq(await r.text(), "GET /echo");
	await rejects(r.text(), TypeError);
});
test("fetch: a response, changed and handed on", async () => {
	const r = await fetch("/echo");
	const copy = new Response(r.body, r);

	copy.headers.set("a", "b");
	eq(copy.headers.get("x-method"), "GET");
	eq(await copy.text(), "GET /echo");
	eq(r.bodyUsed, true);
});
test("fetch: a new body is not cut to the length of the old", async () => {
	const r = await fetch("/echo");
	const copy = new Response(`${await r.text()}, and more`, r);

	eq(await copy.text(), "GET /echo, and more");
});
test("fetch: methods and bodies", async () => {
	const ask = async (init) => {
		const r = await fetch("/echo", init);

		return (`${r.headers.get("x-method")} ` +
		    `${r.headers.get("x-type")} ${r.headers.get("x-length")}`);
	};

	eq(await ask({ method: "post", body: "abc" }),
	    "POST text/plain;charset=UTF-8 3");
	eq(await ask({ method: "PUT", body: utf8("ab") }), "PUT null 2");
	eq(await ask({ method: "POST", body: new URLSearchParams("a=b") }),
	    "POST application/x-www-form-urlencoded;charset=UTF-8 3");
	eq(await ask({ method: "DELETE" }), "DELETE null null");
	eq(await ask({ method: "PATCH", body: new Blob(["x"],
	    { type: "a/b" }) }), "PATCH a/b 1");
	eq(await ask({ method: "POST", duplex: "half",
	    body: ReadableStream.from([utf8("ab"), utf8("c")]) }),
	    "POST null 3");
});
test("fetch: HEAD and 204 have no body", async () => {
	const head = await fetch("/echo", { method: "HEAD" });
	const none = await fetch("/r/204/");

	eq(head.headers.get("x-method"), "HEAD");
	eq(head.body, null);
	eq(await head.text(), "");
	eq(none.status, 204);
	eq(none.body, null);
});
test("fetch: headers", async () => {
	const r = await fetch("/echo", { headers: { "X-One": "1",
	    "Connection": "x-one", "Host": "elsewhere", "TE": "trailers",
	    "Accept-Encoding": "gzip",
	    "Content-Length": "99", "X-Latin": "\u00e4" } });

	eq(r.headers.get("x-one"), "1");
	eq(r.headers.get("x-host"), "www.example.com");
	eq(r.headers.get("x-te"), null);
	eq(r.headers.get("x-encoding"), null);
	eq(r.headers.get("x-length"), null);
	eq(r.headers.get("x-got-latin"), "\u00e4");
	eq(r.statusText, "OK");
});
test("fetch: a Request", async () => {
	const rq = new Request("http://other.example/echo",
	    { method: "POST", body: "abc", headers: { "X-One": "1" } });
	const r = await fetch(rq, { headers: { "X-One": "2" } });

	eq(r.headers.get("x-host"), "other.example");
	eq(r.headers.get("x-one"), "2");
	eq(r.url, "http://other.example/echo");
	eq(rq.bodyUsed, true);
	await rejects(fetch(rq), TypeError);
});
test("fetch: the request itself", async () => {
	const r = await fetch(new Request("/r/302//echo", request.clone()));

	eq(r.status, 302);
	eq(r.headers.get("location"), "/echo");
});
test("redirect: followed", async () => {
	const r = await fetch("/r/302//echo?a#b");

	eq(r.status, 200);
	eq(r.redirected, true);
	eq(r.url, "https://www.example.com/echo?a");
	eq(await r.text(), "GET /echo?a");
});
test("redirect: not followed", async () => {
	const r = await fetch("/r/307//echo", { redirect: "manual" });

	eq(r.status, 307);
	eq(r.redirected, false);
	await rejects(fetch("/r/302//echo", { redirect: "error" }), TypeError);
	eq((await fetch("/echo", { redirect: "error" })).status, 200);
	/* Not one of the five, or nowhere to go. */
	eq((await fetch("/r/300//echo")).status, 300);
	eq((await fetch("/r/304//echo")).status, 304);
	eq((await fetch("/r/302/")).status, 302);
});
test("redirect: 20 of them", async () => {
	eq(await (await fetch("/chain/20")).text(), "GET /chain/0");
	await rejects(fetch("/chain/21"), TypeError);
});
test("redirect: methods", async () => {
	const ask = async (status, method, body) => {
		const r = await fetch(`/r/${status}//echo`, { method, body });

		return (`${r.headers.get("x-method")} ` +
		    `${r.headers.get("x-type")} ${r.headers.get("x-length")}`);
	};
	const text = "text/plain;charset=UTF-8";

	eq(await ask(301, "POST", "abc"), "GET null null");
	eq(await ask(302, "POST", "abc"), "GET null null");
	eq(await ask(303, "POST", "abc"), "GET null null");
	eq(await ask(301, "PUT", "abc"), `PUT ${text} 3`);
	eq(await ask(303, "PUT", "abc"), "GET null null");
	eq(await ask(303, "HEAD"), "HEAD null null");
	eq(await ask(302, "HEAD"), "HEAD null null");
	eq(await ask(307, "POST", "abc"), `POST ${text} 3`);
	eq(await ask(308, "PUT", "abc"), `PUT ${text} 3`);
});
test("redirect: a body that can not be sent again", async () => {
	const init = (status) => [`/r/${status}//echo`, { method: "POST",
		duplex: "half", body: ReadableStream.from([utf8("abc")]) }];

	await rejects(fetch(...init(307)), TypeError);
	eq((await fetch(...init(303))).headers.get("x-method"), "GET");
});
test("redirect: secrets stay at home", async () => {
	const headers = { Authorization: "Basic x", Cookie: "a=b" };
	const near = await fetch("/r/302//echo", { headers });
	const far = await fetch("/r/302/https://other.example/echo",
	    { headers });

	eq(near.headers.get("x-auth"), "Basic x");
	eq(near.headers.get("x-cookie"), "a=b");
	eq(far.headers.get("x-host"), "other.example");
	eq(far.headers.get("x-auth"), null);
	eq(far.headers.get("x-cookie"), null);
});
test("redirect: to where nobody can go", async () => {
	await rejects(fetch("/r/302/ftp://example.com/"), TypeError);
	await rejects(fetch("/r/302/http://[/"), TypeError);
	await rejects(fetch("/r/302/data:,x"), TypeError);
	await rejects(fetch("/r/302/http://a:b@example.com/"), TypeError);
});
test("fetch: called off", async () => {
	const c = new AbortController();
	const p = fetch("/echo", { signal: c.signal });

	c.abort();
	await rejects(p, "AbortError");
	await rejects(fetch("/echo", { signal: c.signal }), "AbortError");
	await rejects(fetch(new Request("/echo", { signal: c.signal })),
	    "AbortError");
	c.abort(new RangeError("x"));
	await rejects(fetch("/echo", { signal: AbortSignal.abort(
	    new RangeError("x")) }), RangeError);
	eq((await fetch("/echo", { signal: AbortSignal.timeout(5000) }))
	    .status, 200);
});
test("fetch: called off after it ended", async () => {
	const c = new AbortController();
	const r = await fetch("/echo", { signal: c.signal });

	c.abort();
	eq(r.status, 200);
});

/* Answers that are none. */
const WRONG = {
	"/error": () => Response.error(),
	"/nothing": () => undefined,
	"/text": async () => "text",
	"/like": () => ({ status: 200, headers: new Headers(), body: null }),
	"/used": async () => {
		const r = new Response("a");

		await r.text();
		return (r);
	},
	"/locked": () => {
		const r = new Response("a");

		r.body.getReader();
		return (r);
	},
	"/stream": () => new Response(new ReadableStream({
		pull() {
			throw new RangeError("the stream's");
		},
	})),
	"/header": () => new Response("a", { headers: { a: "b\u0001" } }),
};

/* Answers that are one, in unusual ways. */
const RIGHT = {
	"/ok": () => new Response("ok\n"),
	"/stream/ok": () => new Response(ReadableStream.from(
	    [utf8("in "), utf8("pieces\n")])),
	"/empty": () => new Response(null, { status: 204 }),
	"/reason": () => new Response("a\n", { status: 299,
	    statusText: "Mine" }),
	"/cookies": () => new Response("a\n", { headers: [
	    ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]] }),
	"/teapot": () => Response.json({ a: "\u20ac" }, { status: 418 }),
	"/fetched": () => fetch("/echo"),
	"/longer": async () => {
		const r = await fetch("/echo");

		return (new Response(`${await r.text()}, and more`, r));
	},
	"/thenable": () => ({ then(f) {
		f(new Response("then\n"));
	} }),
};

export default {
	async fetch(rq, settings, context) {
		const path = rq.url.replace(/^.*?:\/\/[^/]*/, "");
		const other = WRONG[path] ?? RIGHT[path];

		if (other !== undefined)
			return (other());
		[request, env, ctx] = [rq, settings, context];
		return (new Response(await run("")));
	},
};
