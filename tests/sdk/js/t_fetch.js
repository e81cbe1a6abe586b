/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Request and Response
 */

import { eq, ok, rejects, test, throws, utf8 } from "./check.js";

const U = "http://example.com/";

test("request: defaults", () => {
	const r = new Request("http://Example.com/a/../b?c#d");

	eq(r.url, "http://example.com/b?c#d");
	eq(r.method, "GET");
	eq([...r.headers], []);
	eq(r.body, null);
	eq(r.bodyUsed, false);
	eq(r.redirect, "follow");
	eq(r.mode, "cors");
	eq(r.credentials, "same-origin");
	eq(r.cache, "default");
	eq(r.referrer, "about:client");
	eq(r.referrerPolicy, "");
	eq(r.integrity, "");
	eq(r.keepalive, false);
	eq(r.destination, "");
	eq(r.duplex, "half");
	ok(r.signal instanceof AbortSignal);
	ok(r.signal === r.signal);
	eq(r.signal.aborted, false);
});
test("request: what is no URL", () => {
	throws(() => new Request(), TypeError);
	throws(() => new Request("http://"), TypeError);
	throws(() => new Request("http://user@a/"), TypeError);
	throws(() => new Request("http://:pw@a/"), TypeError);
	throws(() => Request(U), TypeError);
	eq(new Request(new URL(U)).url, U);
	eq(new Request({ toString: () => U }).url, U);
});
test("request: methods", () => {
	const m = (method) => new Request(U, { method }).method;

	eq(m("get"), "GET");
	eq(m("pOsT"), "POST");
	eq(m("delete"), "DELETE");
	eq(m("head"), "HEAD");
	eq(m("options"), "OPTIONS");
	eq(m("put"), "PUT");
	eq(m("patch"), "patch");
	eq(m("PATCH"), "PATCH");
	eq(m("chicken"), "chicken");
	eq(m(undefined), "GET");
	for (const bad of ["", " ", "a b", "a\n", "CONNECT", "trace", "Track",
		"\u00e4", "a(", "a:"])
		throws(() => m(bad), TypeError, bad);
	eq(m(null), "null");
});
test("request: enumerations", () => {
	for (const init of [{ mode: "x" }, { mode: "navigate" },
		{ credentials: "x" }, { cache: "x" }, { redirect: "x" },
		{ redirect: "" }, { cache: "only-if-cached" },
		{ referrerPolicy: "x" }, { window: "x" }, { mode: null },
		{ duplex: "full" }])
		throws(() => new Request(U, init), TypeError,
		    JSON.stringify(init));
	eq(new Request(U, { redirect: "manual" }).redirect, "manual");
	eq(new Request(U, { credentials: "omit" }).credentials, "omit");
	eq(new Request(U, { cache: "no-store" }).cache, "no-store");
	eq(new Request(U, { window: null }).method, "GET");
	throws(() => new Request(U, 1), TypeError);
	eq(new Request(U, null).method, "GET");
});
test("request: body", async () => {
	const r = new Request(U, { method: "POST", body: "abc" });

	eq(r.headers.get("content-type"), "text/plain;charset=UTF-8");
	eq(await r.text(), "abc");
	for (const method of ["GET", "HEAD", "get"])
		throws(() => new Request(U, { method, body: "a" }), TypeError);
	throws(() => new Request(U, { body: "a" }), TypeError);
	throws(() => new Request(U, { body: "" }), TypeError);
	eq(new Request(U, { body: null }).body, null);
	eq(new Request(U, { method: "POST", body: "a",
	    headers: { "Content-Type": "x/y" } }).headers.get("content-type"),
	    "x/y");
});
test("request: a stream needs duplex", async () => {
	const body = () => ReadableStream.from([utf8("a")]);

	throws(() => new Request(U, { method: "POST", body: body() }),
	    TypeError);
	eq(await new Request(U, { method: "POST", body: body(),
	    duplex: "half" }).text(), "a");
});
test("request: from a request", async () => {
	const a = new Request(U, { method: "POST", body: "abc",
	    headers: { "X-A": "1" }, redirect: "error" });
	const b = new Request(a);

	eq(a.bodyUsed, true);
	eq(b.method, "POST");
	eq(b.redirect, "error");
	eq(b.headers.get("x-a"), "1");
	eq(await b.text(), "abc");
	throws(() => new Request(a), TypeError);
	throws(() => a.clone(), TypeError);
	eq(await new Request(a, { body: "new" }).text(), "new");
});
test("request: from a request, with changes", async () => {
	const a = new Request(U, { method: "POST", body: "abc",
	    headers: { "X-A": "1" } });
	const b = new Request("http://b/", a);

	eq(b.url, "http://b/");
	eq(b.method, "POST");
	eq(b.headers.get("x-a"), "1");
	eq(await b.text(), "abc");
	eq(new Request(new Request(U), { headers: { b: "2" } }).headers
	    .get("b"), "2");
	throws(() => new Request(new Request(U,
	    { method: "POST", body: "x" }), { method: "GET" }), TypeError);
	eq([...new Request(new Request(U, { headers: { a: "1" } }),
	    { headers: {} }).headers], []);
});
test("request: clone", async () => {
	const a = new Request(U, { method: "PUT", body: "abc",
	    headers: { a: "1" } });
	const b = a.clone();

	b.headers.set("a", "2");
	eq(a.headers.get("a"), "1");
	eq(b.method, "PUT");
	eq(b.url, U);
	eq(await a.text(), "abc");
	eq(await b.text(), "abc");
});
test("request: signal", () => {
	const c = new AbortController();
	const r = new Request(U, { signal: c.signal });
	const copy = new Request(r);
	const clone = r.clone();

	ok(r.signal !== c.signal);
	c.abort("why");
	eq(r.signal.aborted, true);
	eq(r.signal.reason, "why");
	eq(copy.signal.aborted, true);
	eq(clone.signal.aborted, true);
	throws(() => new Request(U, { signal: {} }), TypeError);
	eq(new Request(U, { signal: null }).signal.aborted, false);
	eq(new Request(U, { signal: AbortSignal.abort() }).signal.aborted,
	    true);
});
test("request: read only", () => {
	const r = new Request(U);

	throws(() => {
		"use strict";
		r.method = "POST";
	}, TypeError);
	throws(() => Reflect.get(Request.prototype, "url"), TypeError);
	eq(Object.prototype.toString.call(r), "[object Request]");
	ok("formData" in r && "bodyUsed" in r);
});
test("request: referrer", () => {
	eq(new Request(U, { referrer: "" }).referrer, "");
	eq(new Request(U, { referrer: "about:client" }).referrer,
	    "about:client");
	throws(() => new Request(U, { referrer: "http://" }), TypeError);
});
test("request: formData", async () => {
	const f = new FormData();
	let r;

	f.set("a", "b");
	r = new Request(U, { method: "POST", body: f });
	eq((await r.formData()).get("a"), "b");
});

test("response: defaults", () => {
	const r = new Response();

	eq(r.status, 200);
	eq(r.statusText, "");
	eq(r.ok, true);
	eq(r.type, "default");
	eq(r.url, "");
	eq(r.redirected, false);
	eq(r.body, null);
	eq([...r.headers], []);
	eq(Object.prototype.toString.call(r), "[object Response]");
	throws(() => Response(), TypeError);
});
test("response: status", () => {
	for (const status of [199, 600, 0, 100, 101, 103, 1000, -1, NaN, "x",
		null, 65536])
		throws(() => new Response("", { status }), RangeError,
		    String(status));
	eq(new Response("", { status: 200.9 }).status, 200);
	eq(new Response("", { status: "404" }).status, 404);
	eq(new Response("", { status: 599 }).status, 599);
	eq(new Response("", { status: 65736 }).status, 200);
	eq(new Response("", { status: undefined }).status, 200);
	eq(new Response("", { status: 299 }).ok, true);
	eq(new Response("", { status: 300 }).ok, false);
}, "Node.js 20 does not wrap 65736");
test("response: statuses without a body", () => {
	for (const status of [204, 205, 304]) {
		throws(() => new Response("", { status }), TypeError);
		throws(() => new Response("x", { status }), TypeError);
		throws(() => Response.json({}, { status }), TypeError);
		eq(new Response(null, { status }).status, status);
		eq(new Response(undefined, { status }).status, status);
	}
});
test("response: statusText", () => {
	eq(new Response("", { statusText: "a \t\u00e4" }).statusText,
	    "a \t\u00e4");
	for (const statusText of ["\n", "\0", "\u0100", "a\r"])
		throws(() => new Response("", { statusText }), TypeError);
});
test("response: init", () => {
	throws(() => new Response("", 1), TypeError);
	eq(new Response("", null).status, 200);
	eq(new Response("", { headers: [["a", "b"]] }).headers.get("a"), "b");
	throws(() => new Response("", { headers: { "a b": "c" } }), TypeError);
	eq(new Response("", new Response("", { status: 404,
	    headers: { a: "b" } })).status, 404);
	eq(new Response("", new Response("", { headers: { a: "b" } })).headers
	    .get("a"), "b");
});
test("response: headers can be changed", () => {
	const r = new Response("a");

	ok(r.headers === r.headers);
	r.headers.set("a", "b");
	r.headers.delete("content-type");
	eq([...r.headers], [["a", "b"]]);
});
test("response: json()", async () => {
	const r = Response.json({ a: 1 });

	eq(r.headers.get("content-type"), "application/json");
	eq(r.status, 200);
	eq(await r.text(), '{"a":1}');
	eq(Response.json(1, { status: 201, headers: { a: "b" } }).status, 201);
	eq(Response.json("a", { headers: { "Content-Type": "x/y" } })
	    .headers.get("content-type"), "x/y");
	throws(() => Response.json(undefined), TypeError);
	throws(() => Response.json(), TypeError);
	throws(() => Response.json(() => {}), TypeError);
	throws(() => Response.json(Symbol("x")), TypeError);
	throws(() => Response.json(1n), TypeError);
	eq(await Response.json(null).text(), "null");
	eq(await Response.json("\ud800").text(), '"\\ud800"');
	throws(() => Response.json({ toJSON() {
		throw new RangeError("x");
	} }), RangeError);
});
test("response: redirect()", () => {
	const r = Response.redirect("http://a/b/../c");

	eq(r.status, 302);
	eq(r.headers.get("location"), "http://a/c");
	eq(r.body, null);
	eq(r.type, "default");
	throws(() => r.headers.set("a", "b"), TypeError);
	throws(() => r.headers.append("a", "b"), TypeError);
	throws(() => r.headers.delete("a"), TypeError);
	for (const status of [301, 303, 307, 308])
		eq(Response.redirect("http://a/", status).status, status);
	for (const status of [200, 300, 304, 305, 309, 0, 1000])
		throws(() => Response.redirect("http://a/", status),
		    RangeError, String(status));
	throws(() => Response.redirect("http://"), TypeError);
	throws(() => Response.redirect(), TypeError);
	eq(Response.redirect("http://a/\u20ac").headers.get("location"),
	    "http://a/%E2%82%AC");
});
test("response: error()", () => {
	const r = Response.error();

	eq(r.type, "error");
	eq(r.status, 0);
	eq(r.ok, false);
	eq(r.body, null);
	throws(() => r.headers.set("a", "b"), TypeError);
});
test("response: clone", async () => {
	const a = new Response("abc", { status: 201, statusText: "x",
	    headers: { a: "1" } });
	const b = a.clone();

	b.headers.set("a", "2");
	eq(a.headers.get("a"), "1");
	eq(b.status, 201);
	eq(b.statusText, "x");
	eq(await a.text(), "abc");
	eq(await b.text(), "abc");
	throws(() => Response.redirect("http://a/").clone().headers
	    .set("a", "b"), TypeError);
});
test("response: subclasses", async () => {
	class Mine extends Response {
		constructor(body) {
			super(body, { status: 418 });
		}
	}

	eq(new Mine("x").status, 418);
	ok(new Mine("x") instanceof Response);
	eq(await new Mine("x").text(), "x");
	throws(() => Response.prototype.clone.call({}), TypeError);
});
test("response: a copy with other headers", async () => {
	const a = new Response("abc", { headers: { a: "1" } });
	const b = new Response(a.body, a);

	b.headers.set("b", "2");
	eq(await b.text(), "abc");
	eq(b.headers.get("a"), "1");
	eq(a.headers.get("b"), null);
	eq(a.bodyUsed, true);
});
test("fetch: what can not be fetched", async () => {
	await rejects(fetch("http://"), TypeError);
	await rejects(fetch(), TypeError);
	await rejects(fetch("ftp://example.com/"), TypeError);
	await rejects(fetch(U, { method: "GET", body: "x" }), TypeError);
	await rejects(fetch(U, { signal: AbortSignal.abort() }), "AbortError");
});
