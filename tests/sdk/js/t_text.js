/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * TextEncoder, TextDecoder and Web Crypto
 */

import { eq, hex, ok, rejects, test, throws, utf8 } from "./check.js";

const bytes = (s) => new Uint8Array(s.match(/../g)?.map((h) =>
    parseInt(h, 16)) ?? []);
const decode = (s, label, options) =>
    new TextDecoder(label, options).decode(bytes(s));

test("text: TextEncoder", () => {
	const e = new TextEncoder();

	eq(e.encoding, "utf-8");
	eq(hex(e.encode("a\u00e4\u20ac\u{1f600}")), "61c3a4e282acf09f9880");
	eq(hex(e.encode("\ud800a\udc00")), "efbfbd61efbfbd");
	eq(e.encode().length, 0);
	eq(e.encode(undefined).length, 0);
	eq(hex(e.encode(null)), "6e756c6c");
	ok(e.encode("a") instanceof Uint8Array);
});
test("text: encodeInto", () => {
	const b = new Uint8Array(5);

	eq(new TextEncoder().encodeInto("a\u20ac\u20ac", b),
	    { read: 2, written: 4 });
	eq(hex(b), "61e282ac00");
	eq(new TextEncoder().encodeInto("\u{1f600}", b.subarray(0, 3)),
	    { read: 0, written: 0 });
	eq(new TextEncoder().encodeInto("", b), { read: 0, written: 0 });
	throws(() => new TextEncoder().encodeInto("a", new ArrayBuffer(1)),
	    TypeError);
});
test("text: UTF-8", () => {
	eq(decode("61c3a4e282acf09f9880"), "a\u00e4\u20ac\u{1f600}");
	eq(decode(""), "");
	eq(new TextDecoder().decode(), "");
	eq(decode("efbbbf61"), "a");
	eq(decode("efbbbf61", "utf-8", { ignoreBOM: true }), "\ufeffa");
	eq(decode("efbbbfefbbbf61"), "\ufeffa");
	eq(new TextDecoder().decode(utf8("abc").buffer), "abc");
	eq(new TextDecoder().decode(new DataView(utf8("abc").buffer, 1)), "bc");
	eq(decode("6100"), "a\0");
	throws(() => new TextDecoder().decode("a"), TypeError);
	throws(() => new TextDecoder().decode(1), TypeError);
});
test("text: UTF-8 that is wrong", () => {
	const R = "\ufffd";

	eq(decode("ff"), R);
	eq(decode("c0"), R);
	eq(decode("c080"), R + R);
	eq(decode("61c3"), "a" + R);
	eq(decode("e282"), R);
	eq(decode("e28261"), R + "a");
	eq(decode("e08080"), R + R + R);
	eq(decode("eda080"), R + R + R);
	eq(decode("f0808080"), R + R + R + R);
	eq(decode("f09f98"), R);
	eq(decode("f09f9861"), R + "a");
	eq(decode("f4908080"), R + R + R + R);
	eq(decode("f8888080"), R + R + R + R);
	eq(decode("80bf"), R + R);
	eq(decode("f09fe282ac"), R + "\u20ac");
	for (const s of ["ff", "c080", "61c3", "eda080", "f4908080", "80"])
		throws(() => decode(s, "utf-8", { fatal: true }), TypeError, s);
	eq(decode("61", "utf-8", { fatal: true }), "a");
});
test("text: UTF-8 in pieces", () => {
	const d = new TextDecoder();
	const all = bytes("efbbbf61e282acf09f988062");
	let s = "";

	for (const b of all)
		s += d.decode(new Uint8Array([b]), { stream: true });
	s += d.decode();
	eq(s, "a\u20ac\u{1f600}b");
	eq(d.decode(bytes("e2"), { stream: true }), "");
	eq(d.decode(), "\ufffd");
	eq(d.decode(bytes("efbbbf61")), "a");
	eq(d.decode(bytes("e2"), { stream: true }) +
	    d.decode(bytes("82ac"), { stream: false }), "\u20ac");
});
test("text: fatal in pieces", () => {
	const d = new TextDecoder("utf-8", { fatal: true });

	eq(d.decode(bytes("e2"), { stream: true }), "");
	throws(() => d.decode(), TypeError);
	eq(d.decode(bytes("61")), "a");
});
test("text: labels", () => {
	const name = (label) => new TextDecoder(label).encoding;

	eq(name(), "utf-8");
	eq(name("UTF8"), "utf-8");
	eq(name(" unicode-1-1-utf-8\n"), "utf-8");
	eq(name("utf-16"), "utf-16le");
	eq(name("utf-16be"), "utf-16be");
	eq(name("latin1"), "windows-1252");
	eq(name("ISO-8859-1"), "windows-1252");
	eq(name("ascii"), "windows-1252");
	eq(name("iso-8859-15"), "iso-8859-15");
	eq(name("koi8-r"), "koi8-r");
	for (const bad of ["", "x", "utf-32", "utf8\0", "replacement",
		"utf-7"])
		throws(() => new TextDecoder(bad), RangeError, bad);
	throws(() => TextDecoder(), TypeError);
	eq(new TextDecoder("utf-8", { fatal: 1 }).fatal, true);
	eq(new TextDecoder("utf-8", { ignoreBOM: 1 }).ignoreBOM, true);
	eq(new TextDecoder().fatal, false);
});
test("text: UTF-16", () => {
	eq(decode("6100ac20", "utf-16le"), "a\u20ac");
	eq(decode("006120ac", "utf-16be"), "a\u20ac");
	eq(decode("fffe6100", "utf-16le"), "a");
	eq(decode("3dd800de", "utf-16le"), "\u{1f600}");
	eq(decode("00d86100", "utf-16le"), "\ufffda");
	eq(decode("610062", "utf-16le"), "a\ufffd");
	throws(() => decode("610062", "utf-16le", { fatal: true }), TypeError);
	throws(() => decode("00d8", "utf-16le", { fatal: true }), TypeError);
});
test("text: UTF-16 in pieces", () => {
	const d = new TextDecoder("utf-16le");

	eq(d.decode(bytes("61"), { stream: true }), "");
	eq(d.decode(bytes("003d"), { stream: true }), "a");
	eq(d.decode(bytes("d800de"), { stream: true }), "\u{1f600}");
	eq(d.decode(), "");
});
test("text: windows-1252", () => {
	eq(decode("6180e4ff81", "latin1"), "a\u20ac\u00e4\u00ff\u0081");
}, "Node.js 20 takes it for ISO-8859-1");
test("text: look", () => {
	eq(Object.prototype.toString.call(new TextDecoder()),
	    "[object TextDecoder]");
	eq(Object.prototype.toString.call(new TextEncoder()),
	    "[object TextEncoder]");
	throws(() => Reflect.get(TextDecoder.prototype, "encoding"), TypeError);
});

const S = globalThis.crypto.subtle;
const HMAC = { name: "HMAC", hash: "SHA-256" };

test("crypto: digest", async () => {
	const d = async (name, s) => hex(await S.digest(name, utf8(s)));

	eq(await d("SHA-1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
	eq(await d("SHA-256", "abc"), "ba7816bf8f01cfea414140de5dae2223" +
	    "b00361a396177a9cb410ff61f20015ad");
	eq(await d("SHA-384", "abc"), "cb00753f45a35e8bb5a03d699ac65007" +
	    "272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
	eq(await d("SHA-512", "abc"), "ddaf35a193617abacc417349ae204131" +
	    "12e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd" +
	    "454d4423643ce80e2a9ac94fa54ca49f");
	eq(await d("sha-256", ""), "e3b0c44298fc1c149afbf4c8996fb924" +
	    "27ae41e4649b934ca495991b7852b855");
	eq(await d({ name: "SHA-1" }, "a".repeat(1000)),
	    "291e9a6c66994949b57ba5e650361e98fc36b1ba");
	eq(hex(await S.digest("SHA-1", utf8("xabcx").subarray(1, 4))),
	    "a9993e364706816aba3e25717850c26c9cd0d89d");
	ok(await S.digest("SHA-1", new ArrayBuffer(0)) instanceof ArrayBuffer);
	await rejects(S.digest("MD5", utf8("")), "NotSupportedError");
	await rejects(S.digest("SHA-1", "abc"), TypeError);
	await rejects(S.digest({}, utf8("")), TypeError);
	await rejects(S.digest("SHA-1"), TypeError);
});
test("crypto: HMAC of RFC 4231", async () => {
	const sign = async (hash, key, data) => hex(await S.sign("HMAC",
	    await S.importKey("raw", key, { name: "HMAC", hash }, false,
	    ["sign"]), data));

	eq(await sign("SHA-256", bytes("0b".repeat(20)), utf8("Hi There")),
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	eq(await sign("SHA-512", utf8("Jefe"),
	    utf8("what do ya want for nothing?")),
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
	    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
	eq(await sign("SHA-384", bytes("aa".repeat(131)),
	    utf8("Test Using Larger Than Block-Size Key - Hash Key First")),
	    "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6" +
	    "0c2ef6ab4030fe8296248df163f44952");
	eq(await sign("SHA-1", utf8("Jefe"),
	    utf8("what do ya want for nothing?")),
	    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
});
test("crypto: verify", async () => {
	const key = await S.importKey("raw", utf8("k"), HMAC, false,
	    ["sign", "verify"]);
	const mac = await S.sign(HMAC, key, utf8("data"));

	eq(await S.verify("HMAC", key, mac, utf8("data")), true);
	eq(await S.verify("hmac", key, mac, utf8("datb")), false);
	eq(await S.verify("HMAC", key, mac.slice(1), utf8("data")), false);
	eq(await S.verify("HMAC", key, new Uint8Array(32), utf8("data")),
	    false);
});
test("crypto: importKey", async () => {
	const imp = (format, data, alg = HMAC, ext = true, uses = ["sign"]) =>
	    S.importKey(format, data, alg, ext, uses);
	const key = await imp("raw", utf8("secret"));

	ok(key instanceof CryptoKey);
	eq(key.type, "secret");
	eq(key.extractable, true);
	eq(key.usages, ["sign"]);
	eq(key.algorithm.name, "HMAC");
	eq(key.algorithm.hash.name, "SHA-256");
	eq(key.algorithm.length, 48);
	eq(Object.prototype.toString.call(key), "[object CryptoKey]");
	await rejects(imp("raw", utf8("")), "DataError");
	await rejects(imp("raw", utf8("a"), HMAC, true, []), "SyntaxError");
	await rejects(imp("raw", utf8("a"), HMAC, true, ["encrypt"]),
	    "SyntaxError");
	await rejects(imp("raw", utf8("a"), HMAC, true, ["x"]), TypeError);
	await rejects(imp("x", utf8("a")), TypeError);
	await rejects(imp("raw", utf8("a"), { name: "HMAC" }), TypeError);
	await rejects(imp("raw", utf8("a"), { name: "HMAC", hash: "MD5" }),
	    "NotSupportedError");
	await rejects(imp("raw", utf8("a"), { ...HMAC, length: 9 }),
	    "DataError");
	await rejects(imp("jwk", { kty: "RSA" }), "DataError");
	await rejects(imp("jwk", { kty: "oct", k: "YQ", alg: "HS512" }),
	    "DataError");
	await rejects(imp("jwk", { kty: "oct", k: "YQ", key_ops: ["verify"] }),
	    "DataError");
	await rejects(imp("jwk", { kty: "oct", k: "YQ", ext: false }),
	    "DataError");
	throws(() => new CryptoKey(), TypeError);
});
test("crypto: exportKey and JWK", async () => {
	const key = await S.importKey("jwk", { kty: "oct", k: "c2VjcmV0-_8",
	    alg: "HS256" }, HMAC, true, ["verify", "sign"]);
	const jwk = await S.exportKey("jwk", key);

	eq(hex(await S.exportKey("raw", key)), "736563726574fbff");
	eq(jwk.k, "c2VjcmV0-_8");
	eq(jwk.kty, "oct");
	eq(jwk.alg, "HS256");
	eq(jwk.ext, true);
	eq(jwk.key_ops.toSorted(), ["sign", "verify"]);
});
test("crypto: what can not be exported or imported", async () => {
	const key = await S.generateKey(HMAC, true, ["sign"]);

	await rejects(S.exportKey("spki", key), "NotSupportedError");
	await rejects(S.importKey("spki", utf8("a"), HMAC, true, ["sign"]),
	    "NotSupportedError");
	await rejects(S.exportKey("raw", await S.importKey("raw", utf8("a"),
	    HMAC, false, ["sign"])), "InvalidAccessError");
}, "Node.js 20 has errors of its own");
test("crypto: generateKey", async () => {
	const key = await S.generateKey(HMAC, true, ["sign", "verify"]);
	const raw = await S.exportKey("raw", key);

	eq(raw.byteLength, 64);
	eq(key.algorithm.length, 512);
	eq((await S.exportKey("raw", await S.generateKey({ name: "HMAC",
	    hash: "SHA-512" }, true, ["sign"]))).byteLength, 128);
	eq((await S.exportKey("raw", await S.generateKey({ ...HMAC,
	    length: 128 }, true, ["sign"]))).byteLength, 16);
	ok(hex(raw) !== "00".repeat(64));
	await rejects(S.generateKey(HMAC, true, []), "SyntaxError");
	await rejects(S.generateKey({ ...HMAC, length: 0 }, true, ["sign"]),
	    "OperationError");
});
test("crypto: usages are kept", async () => {
	const key = await S.importKey("raw", utf8("k"), HMAC, false,
	    ["verify"]);

	await rejects(S.sign("HMAC", key, utf8("")), "InvalidAccessError");
	await rejects(S.sign("HMAC", {}, utf8("")), TypeError);
});
test("crypto: random", () => {
	const a = crypto.getRandomValues(new Uint8Array(32));
	const u = crypto.randomUUID();
	const b = new Uint32Array(4);

	ok(crypto.getRandomValues(b) === b);
	ok(hex(a) !== hex(crypto.getRandomValues(new Uint8Array(32))));
	ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
	    .test(u), u);
	ok(u !== crypto.randomUUID());
	throws(() => crypto.getRandomValues(new Uint8Array(65537)),
	    "QuotaExceededError");
	throws(() => crypto.getRandomValues(new Float32Array(1)),
	    "TypeMismatchError");
	throws(() => crypto.getRandomValues([]), "TypeMismatchError");
	throws(() => new Crypto(), TypeError);
	throws(() => new SubtleCrypto(), TypeError);
	ok(Math.random() !== Math.random());
}, "Node.js says TypeError for an array");
