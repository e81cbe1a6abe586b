/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Bodies: what a Request or Response can be made from and read as, Blob, File,
 * FormData, streams
 */

import { eq, hex, ok, rejects, test, text, throws, utf8 } from "./check.js";

const make = (body) => new Response(body);

test("body: readers", async () => {
	eq(await make("a\u20ac").text(), "a\u20ac");
	eq(await make('{"a":[1]}').json(), { a: [1] });
	eq(hex(await make("a\u20ac").arrayBuffer()), "61e282ac");
	eq((await make("ab").blob()).size, 2);
	eq(await make(null).text(), "");
	eq((await make().arrayBuffer()).byteLength, 0);
	await rejects(make("{").json(), SyntaxError);
	await rejects(make().json(), SyntaxError);
	eq(await make("\ufeffa").text(), "a");
	eq(await make("\ufeff1").json(), 1);
	eq(await make("\ud800").text(), "\ufffd");
	eq(await make(new Uint8Array([0x61, 0xff, 0x62])).text(), "a\ufffdb");
});
test("body: no sooner than what is there already", async () => {
	const other = Promise.resolve("other");

	for (const read of [() => make("a").text(), () => make("1").json(),
		() => make("a").arrayBuffer(), () => make(null).blob()])
		eq(await Promise.race([read(), other]), "other");
});
test("body: bytes()", async () => {
	eq(await make("ab").bytes(), new Uint8Array([97, 98]));
}, "not before Node.js 22");
test("body: what it is made from", async () => {
	const b = utf8("xabcy");

	eq(await make(b).text(), "xabcy");
	eq(await make(b.buffer).text(), "xabcy");
	eq(await make(b.subarray(1, 4)).text(), "abc");
	eq(await make(new DataView(b.buffer, 1, 2)).text(), "ab");
	eq(await make(new Uint16Array([0x6261])).text(), "ab");
	eq(await make(new Blob(["a", "b"])).text(), "ab");
	eq(await make(new URLSearchParams({ a: "b c" })).text(), "a=b+c");
	eq(await make(1).text(), "1");
	eq(await make({}).text(), "[object Object]");
	eq(await make(undefined).text(), "");
	throws(() => make(Symbol("x")), TypeError);
});
test("body: the bytes are copied", async () => {
	const b = utf8("abc");
	const r = make(b);

	b[0] = 120;
	eq(await r.text(), "abc");
});
test("body: Content-Type", () => {
	const type = (body) => make(body).headers.get("content-type");

	eq(type("a"), "text/plain;charset=UTF-8");
	eq(type(utf8("a")), null);
	eq(type(new Blob(["a"])), null);
	eq(type(new Blob(["a"], { type: "Image/PNG" })), "image/png");
	eq(type(new URLSearchParams()),
	    "application/x-www-form-urlencoded;charset=UTF-8");
	ok(/^multipart\/form-data; ?boundary=\S+$/.test(type(new FormData())));
	eq(type(null), null);
	eq(type(new ReadableStream()), null);
	eq(new Response("a", { headers: { "Content-Type": "x/y" } })
	    .headers.get("content-type"), "x/y");
});
test("body: used once", async () => {
	const r = make("a");

	eq(r.bodyUsed, false);
	eq(await r.text(), "a");
	eq(r.bodyUsed, true);
	await rejects(r.text(), TypeError);
	await rejects(r.json(), TypeError);
	throws(() => r.clone(), TypeError);
	throws(() => new Response(r.body), TypeError);
});
test("body: null is never used", async () => {
	const r = make(null);

	eq(r.body, null);
	eq(await r.text(), "");
	eq(r.bodyUsed, false);
	eq(await r.text(), "");
});
test("body: an empty one can be used", async () => {
	const r = make("");

	ok(r.body instanceof ReadableStream);
	eq(await r.text(), "");
	eq(r.bodyUsed, true);
});
test("body: as a stream", async () => {
	const r = make("abc");
	const stream = r.body;
	const reader = stream.getReader();

	ok(stream === r.body);
	ok(stream.locked);
	eq(r.bodyUsed, false);
	await rejects(r.text(), TypeError);
	eq((await reader.read()).value, utf8("abc"));
	eq(r.bodyUsed, true);
	eq((await reader.read()).done, true);
	reader.releaseLock();
	await rejects(r.text(), TypeError);
});
test("body: a stream that was only looked at", async () => {
	const r = make("abc");

	r.body.getReader().releaseLock();
	eq(r.bodyUsed, false);
	eq(await r.text(), "abc");
	eq(r.bodyUsed, true);
	ok(r.body instanceof ReadableStream);
});
test("body: async iteration", async () => {
	let s = "";

	for await (const chunk of make("abc").body)
		s += text(chunk);
	eq(s, "abc");
});
test("body: a large stream", async () => {
	const b = new Uint8Array(200000).map((n, i) => i % 251);
	let n = 0;

	for await (const chunk of make(b).body) {
		for (let i = 0; i < chunk.length; i += 997)
			eq(chunk[i], (n + i) % 251);
		n += chunk.length;
	}
	eq(n, 200000);
	eq((await make(make(b).body).arrayBuffer()).byteLength, 200000);
});
test("body: from a stream", async () => {
	const source = () => new ReadableStream({
		start(c) {
			c.enqueue(utf8("a"));
			c.enqueue(utf8("b\u20ac"));
			c.close();
		},
	});
	const s = source();
	const r = make(s);

	ok(r.body === s);
	eq(await r.text(), "ab\u20ac");
	eq(r.bodyUsed, true);
	ok(s.locked);
	throws(() => make(s), TypeError);
	eq(await make(make(source()).body).text(), "ab\u20ac");
	eq(await make(ReadableStream.from([utf8("x"), utf8("y")])).text(),
	    "xy");
});
test("body: a stream of something else, and a broken one", async () => {
	const r = make(new ReadableStream({
		start(c) {
			c.enqueue("text");
			c.close();
		},
	}));

	await rejects(r.text(), TypeError);
	await rejects(make(new ReadableStream({
		pull() {
			throw new RangeError("x");
		},
	})).text(), RangeError);
});
test("body: clone", async () => {
	const r = make("abc");
	const c = r.clone();

	eq(await r.text(), "abc");
	eq(c.bodyUsed, false);
	eq(await c.text(), "abc");
});
test("body: clone of a stream", async () => {
	const r = make(new ReadableStream({
		pull(c) {
			c.enqueue(utf8("abc"));
			c.close();
		},
	}));
	const c = r.clone();

	eq(await c.text(), "abc");
	eq(await r.text(), "abc");
});
test("body: clones do not share memory", async () => {
	const r = make(utf8("abc"));
	const c = r.clone();
	const b = new Uint8Array(await r.arrayBuffer());

	b[0] = 120;
	eq(await c.text(), "abc");
});
test("body: a clone after the stream was looked at", async () => {
	const r = make("abc");

	ok(r.body);
	eq(await r.clone().text(), "abc");
	eq(await r.text(), "abc");
});
test("body: locked, it can not be cloned", () => {
	const r = make("abc");

	r.body.getReader();
	throws(() => r.clone(), TypeError);
});
test("body: blob()", async () => {
	const b = await new Response("abc",
	    { headers: { "Content-Type": "Text/X" } }).blob();

	eq(b.type, "text/x");
	eq(await b.text(), "abc");
});
test("body: the promise is rejected, nothing is thrown", async () => {
	const r = make("a");

	await r.text();
	const p = r.text();

	ok(p instanceof Promise);
	await rejects(p, TypeError);
});

test("blob: parts", async () => {
	eq(await new Blob().text(), "");
	eq(await new Blob(["a", utf8("b"), new Blob(["c"]), 1, null]).text(),
	    "abc1null");
	eq(new Blob(["\u20ac"]).size, 3);
	eq(await new Blob(["\ud800"]).text(), "\ufffd");
	throws(() => new Blob("a"), TypeError);
	throws(() => new Blob(null), TypeError);
	throws(() => new Blob([], { endings: "x" }), TypeError);
	eq(await new Blob(["\ufeffa"]).text(), "a");
});
test("blob: type", () => {
	eq(new Blob([]).type, "");
	eq(new Blob([], { type: "A/B;C" }).type, "a/b;c");
	eq(new Blob([], { type: "a\u00e4" }).type, "");
	eq(new Blob([], { type: null }).type, "null");
});
test("blob: slice", async () => {
	const b = new Blob(["abcdef"], { type: "x/y" });
	const s = async (...args) => await b.slice(...args).text();

	eq(await s(), "abcdef");
	eq(await s(2), "cdef");
	eq(await s(1, 3), "bc");
	eq(await s(-2), "ef");
	eq(await s(-4, -2), "cd");
	eq(await s(4, 2), "");
	eq(await s(10), "");
	eq(b.slice(0, 1).type, "");
	eq(b.slice(0, 1, "A/B").type, "a/b");
	eq(await b.slice(1).slice(1, 3).text(), "cd");
});
test("blob: its bytes can not be changed", async () => {
	const b = new Blob(["abc"]);

	new Uint8Array(await b.arrayBuffer())[0] = 120;
	eq(await b.text(), "abc");
	for await (const chunk of b.stream())
		chunk[0] = 120;
	eq(await b.text(), "abc");
	new Uint8Array(await make(b).arrayBuffer())[0] = 120;
	eq(await b.text(), "abc");
});
test("blob: what a blob() gives can not be changed", async () => {
	const r = make(utf8("abc"));
	const c = r.clone();

	eq(await (await r.blob()).text(), "abc");
	eq(await c.text(), "abc");
});
test("file", async () => {
	const f = new File(["abc"], "n", { type: "a/b", lastModified: 42 });

	eq(f.name, "n");
	eq(f.type, "a/b");
	eq(f.lastModified, 42);
	eq(f.size, 3);
	eq(await f.text(), "abc");
	ok(f instanceof Blob);
	throws(() => new File([]), TypeError);
	ok(Math.abs(new File([], "x").lastModified - Date.now()) < 10000);
	eq(Object.prototype.toString.call(f), "[object File]");
});

test("formdata: members", () => {
	const f = new FormData();

	f.append("a", "1");
	f.append("b", 2);
	f.append("a", "3");
	eq(f.get("a"), "1");
	eq(f.getAll("a"), ["1", "3"]);
	eq(f.get("b"), "2");
	eq(f.get("x"), null);
	eq(f.has("a"), true);
	f.set("a", "9");
	eq([...f], [["a", "9"], ["b", "2"]]);
	f.set("c", "c");
	f.delete("a");
	eq([...f.keys()], ["b", "c"]);
	throws(() => f.append("a"), TypeError);
	throws(() => f.append("a", "b", "c"), TypeError);
	throws(() => new FormData({}), TypeError);
	eq(Object.prototype.toString.call(f), "[object FormData]");
});
test("formdata: files", () => {
	const f = new FormData();
	const file = new File(["x"], "n");

	f.append("a", new Blob(["b"], { type: "x/y" }));
	f.append("a", file);
	f.append("a", file, "other");
	eq(f.getAll("a").map((v) => v.name), ["blob", "n", "other"]);
	ok(f.getAll("a")[0] instanceof File);
	eq(f.getAll("a")[0].type, "x/y");
	ok(f.getAll("a")[1] === file);
});
test("formdata: there and back", async () => {
	const f = new FormData();
	let g;

	f.append("a\r\n\"b", "1\n2\r3\r\n");
	f.append("\u20ac", "\u00e4\ud83d\ude00");
	f.append("empty", "");
	f.append("file", new File([new Uint8Array([0, 13, 10, 45, 45, 255])],
	    "n \"\u20ac\".bin", { type: "x/y" }));
	g = await make(f).formData();
	eq([...g.keys()], ["a\r\n\"b", "\u20ac", "empty", "file"]);
	eq(g.get("a\r\n\"b"), "1\r\n2\r\n3\r\n");
	eq(g.get("\u20ac"), "\u00e4\ud83d\ude00");
	eq(g.get("empty"), "");
	eq(g.get("file").name, "n \"\u20ac\".bin");
	eq(g.get("file").type, "x/y");
	eq(hex(await g.get("file").arrayBuffer()), "000d0a2d2dff");
}, "Node.js 20 keeps %0D%0A and %22 in names");
test("formdata: there and back, plain", async () => {
	const f = new FormData();
	let g;

	f.append("a", "1");
	f.append("a", "2");
	f.append("f", new File(["x\r\n--y"], "n.txt", { type: "text/x" }));
	g = await make(f).formData();
	eq(g.getAll("a"), ["1", "2"]);
	eq(g.get("f").name, "n.txt");
	eq(g.get("f").type, "text/x");
	eq(await g.get("f").text(), "x\r\n--y");
});
const multipart = (body, type = "multipart/form-data; boundary=B") =>
    new Response(body.replace(/\n/g, "\r\n"),
    { headers: { "Content-Type": type } }).formData();
test("formdata: multipart", async () => {
	const f = await multipart("--B\nContent-Disposition: form-data; " +
	    "name=\"a\"\n\n1\n2\n--B\ncontent-disposition: form-data; " +
	    "name=\"f\"; filename=\"x.y\"\n\n\n--B\n" +
	    "Content-Disposition: form-data; name=\"g\"; filename=\"\"\n" +
	    "Content-Type: a/b\n\nz\n--B--\n");

	eq(f.get("a"), "1\r\n2");
	eq(f.get("f").name, "x.y");
	eq(f.get("f").size, 0);
	eq(f.get("g").name, "");
	eq(f.get("g").type, "a/b");
	eq((await multipart("--B--\n"))?.has("a"), false);
	eq((await multipart("--B\nContent-Disposition: form-data; name=\"a\"" +
	    "\n\n1\n--B--\n", 'Multipart/Form-Data; boundary="B"')).get("a"),
	    "1");
});
test("formdata: multipart that is broken", async () => {
	for (const body of ["", "x", "--B", "--B\n", "--B\n\n1\n--B--\n",
		"--B\nContent-Disposition: form-data; name=\"a\"\n\n1",
		"--B\nContent-Disposition: form-data\n\n1\n--B--\n",
		"--B\nContent-Disposition: attachment; name=\"a\"\n\n1\n--B--",
		"--B\nbroken\n\n1\n--B--\n"])
		await rejects(multipart(body), TypeError);
	await rejects(multipart("--B--\n", "multipart/form-data"), TypeError);
});
test("formdata: nothing takes the square of a length", async () => {
	const spaces = " ".repeat(100000);
	const before = Date.now();

	/* the square would be minutes */
	eq((await multipart(`--B\nContent-Disposition: form-data; name="a"` +
	    `\nX: x${spaces}y\n\n1\n--B--\n`)).get("a"), "1");
	eq(new Headers({ a: `\u00e4${spaces}b` }).get("a").length, 100002);
	throws(() => new URL(`http://${"a".repeat(50000)}^/`), TypeError);
	eq([...new URLSearchParams("&".repeat(50000))], []);
	ok(Date.now() - before < 30000, "30 seconds");
});
test("formdata: urlencoded", async () => {
	const f = await make(new URLSearchParams("a=1&a=2&b=+%20")).formData();

	eq([...f], [["a", "1"], ["a", "2"], ["b", "  "]]);
	await rejects(make("a=b").formData(), TypeError);
	await rejects(make(utf8("a=b")).formData(), TypeError);
});

test("streams: transform and pipe", async () => {
	const up = new TransformStream({
		transform(chunk, c) {
			c.enqueue(chunk.toUpperCase());
		},
	});
	const r = make(ReadableStream.from(["a\u20ac", "b"]).pipeThrough(up)
	    .pipeThrough(new TextEncoderStream()));

	eq(await r.text(), "A\u20acB");
});
test("streams: TextDecoderStream", async () => {
	const b = utf8("a\u20acb");
	let s = "";

	for await (const part of ReadableStream.from(
	    [b.slice(0, 2), b.slice(2, 3), b.slice(3)])
	    .pipeThrough(new TextDecoderStream()))
		s += part;
	eq(s, "a\u20acb");
});
test("streams: tee", async () => {
	const [a, b] = make("abc").body.tee();

	eq(await make(a).text(), "abc");
	eq(await make(b).text(), "abc");
});
test("streams: BYOB", async () => {
	const reader = make("abcdef").body.getReader({ mode: "byob" });
	const a = await reader.read(new Uint8Array(4));

	eq(text(a.value), "abcd");
	eq(text((await reader.read(new Uint8Array(4))).value), "ef");
	eq((await reader.read(new Uint8Array(4))).done, true);
}, "Node.js 20 has no byte streams for bodies made from strings");
test("streams: cancel", async () => {
	const r = make("abc");

	await r.body.cancel();
	eq(r.bodyUsed, true);
	await rejects(r.text(), TypeError);
});
/* Strings are kept as they are until somebody wants them. */
test("body: lone surrogates", async () => {
	const bad = "a\ud800b", good = "a\ufffdb";
	const form = { headers: {
		"Content-Type": "application/x-www-form-urlencoded",
	} };
	const post = { method: "POST", body: bad };

	eq(await make(bad).text(), good);
	eq(text(await make(bad).arrayBuffer()), good);
	eq(await (await make(bad).blob()).text(), good);
	eq(await make({ toString: () => bad }).text(), good);
	eq(await make(make(bad).body).text(), good);
	eq(await make(bad).clone().text(), good);
	eq((await new Response(`x=${bad}`, form).formData()).get("x"), good);
	eq(await make(`"${bad}"`).json(), good);
	eq(await new Request("http://a/", post).text(), good);
	eq(await Response.json(bad).json(), bad);
	eq(await make("\ufeff\ud800").text(), "\ufffd");
});
/* The Content-Type of a body is put there when somebody looks. */
test("body: its Content-Type", () => {
	const type = (rs) => rs.headers.get("content-type");
	const plain = "text/plain;charset=UTF-8";
	let r = make("a");

	eq(type(r), plain);
	r.headers.delete("content-type");
	eq(type(r), null);
	eq(type(r.clone()), null);
	eq(type(make("a").clone()), plain);
	eq(type(new Response("a", r)), plain);
	r = new Response("a", { headers: { "X-A": "1" } });
	eq([...r.headers], [["content-type", plain], ["x-a", "1"]]);
	r = new Response("a", { headers: [["CONTENT-TYPE", "x/y"]] });
	eq([...r.headers], [["content-type", "x/y"]]);
	r = new Response("a", { headers: { "Content-Type": "" } });
	eq(type(r), "");
	eq(type(make(new Blob(["a"], { type: "x/z" }))), "x/z");
	eq(type(make(new Uint8Array(1))), null);
	eq(type(make(null)), null);
	eq(type(Response.json({})), "application/json");
	eq(type(Response.json({}, { headers: { "Content-Type": "x/y" } })),
	    "x/y");
});
test("body: none with some of the statuses", () => {
	for (const status of [204, 205, 304]) {
		throws(() => new Response("", { status }), TypeError);
		throws(() => new Response(new Blob(), { status }), TypeError);
		eq(new Response(null, { status }).status, status);
		eq(new Response(undefined, { status }).body, null);
	}
	throws(() => Response.json({}, { status: 204 }), TypeError);
});
/* What is in a stream that has been used up was not read from it. */
test("body: a stream that was used up", async () => {
	const r = make("abc");
	const stream = r.body;
	const second = make(stream);

	eq([stream.locked, r.bodyUsed, second.bodyUsed], [false, false, false]);
	eq(await second.text(), "abc");
	eq([stream.locked, r.bodyUsed, second.bodyUsed], [true, true, true]);
	throws(() => stream.getReader(), TypeError);
	throws(() => stream.tee(), TypeError);
	throws(() => make(stream), TypeError);
	throws(() => r.clone(), TypeError);
	await rejects(stream.cancel(), TypeError);
	await rejects(r.text(), TypeError);
	await rejects(stream.pipeTo(new WritableStream()), TypeError);
});
test("body: two streams at a time", async () => {
	const a = make("first"), b = make("second");
	const [s, t] = [a.body, b.body];

	ok(s !== t, "another stream");
	ok(a.body === s && b.body === t, "the same stream");
	eq(await make(t).text(), "second");
	eq(await make(s).text(), "first");
});
