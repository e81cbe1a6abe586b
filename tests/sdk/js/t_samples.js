/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Many inputs, and what comes out, one line each: the same in Node.js, byte
 * for byte. The inputs are made from pieces, so that there are odd ones.
 */

const SCHEMES = ["http:", "https:", "HTTPS:", "ftp:", "ws:", "file:", "data:",
	"", "1:"];
const HOSTS = ["//a", "//EXAMPLE.com", "//a.b-c.d0", "//127.0.0.1",
	"//0x7f.1", "//[::1]", "//[1:2::FFFF]", "//a:80", "//a:443", "//a:0",
	"//a:65535", "//a:65536", "//a:08080", "//u:p@a", "//u@a:1",
	"//\u00fc.de", "//xn--tda.de", "//a..b", "//a.", "//-a-", "//a_b",
	"//a%41", "//1.2.3", "//256.1.1.1", "//a b", "//", "///a", "/", "",
	"\\\\a\\b", "//a.1", "//a.0x", "//a--b", "//\u2100", "//[::1.2.3.4]",
	"//127.0.0.1:18091", "//0.0.0.0", "//255.255.255.255:1", "//01.2.3.4",
	"//1.2.3.4.", "//1.2.3.4.5", "//1.2.3.04", "//1.2.3.4a", "//1.2.3.4.a",
	"//10.20.30.40:80", "//a:10000", "//a:65530", "//a:65540", "//a:59999",
	"//a:99999", "//a:123456"];
const PATHS = ["", "/", "/a/b", "/a/../b", "/./a", "/a/.", "/a/..", "/%2e/a",
	"/a%2E%2e/b", "/.a", "/a b", "/\u00e4", "/%zz", "/a//b", "/a;b=c,d",
	"/a|b", "/a\\b", "/{a}", "/a'b", "/a\"b", "/a`c", "/c:/d", "/c|/d",
	"/a\tb\n", "/\u{1f600}", "/\ud800", "a", "../x", "/a@b:c", "/[a]"];
const QUERIES = ["", "?", "?a=b", "?a b", "?'\"<>", "?\u00e4", "?a#b", "#",
	"#a b", "#`<>\"", "?a?b", "?{|}^`", "?%zz%41", "#a#b", "?x=1&y=2#z"];
const BASES = [undefined, "http://base.example/p/q?r#s", "file:///C:/x/y",
	"https://b:8443"];

function parts(s, base) {
	let u;

	try {
		u = new URL(s, base);
	} catch (e) {
		return (e instanceof TypeError ? "TypeError" : `${e}`);
	}
	return ([u.href, u.origin, u.protocol, u.username, u.password, u.host,
		u.hostname, u.port, u.pathname, u.search, u.hash].join(" "));
}

/* Numbers that look random and are always the same. */
function* numbers(seed) {
	for (;;) {
		seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
		yield seed >>> 8;
	}
}

function* urls() {
	const n = numbers(4711);
	const pick = (list) => list[n.next().value % list.length];

	for (const host of HOSTS)
		for (const path of PATHS)
			yield [`http:${host}${path}`, undefined];
	for (const query of QUERIES)
		for (const path of PATHS)
			yield [`https://a.example${path}${query}`, undefined];
	for (let i = 0; i < 1500; i++)
		yield [pick(SCHEMES) + pick(HOSTS) + pick(PATHS) +
			pick(QUERIES), pick(BASES)];
}

function* queries() {
	const n = numbers(42);
	const pieces = ["a", "b", "=", "&", "+", "%", "%20", "%2B", "%e2%82%ac",
		"%ff", "%zz", "'", "~", "%EF%BB%BF", "*", "%00"];

	for (let i = 0; i < 1000; i++) {
		let s = "";

		for (let j = n.next().value % 9; j >= 0; j--)
			s += pieces[n.next().value % pieces.length];
		yield s;
	}
}

function* utf8() {
	const n = numbers(99);
	const pieces = [0x61, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe2,
		0x82, 0xac, 0xed, 0xa0, 0x9f, 0xef, 0xbb, 0xf0, 0x90, 0x98,
		0xf4, 0x8f, 0xf5, 0xff, 0x20];

	for (let i = 0; i < 1500; i++)
		yield Uint8Array.from({ length: n.next().value % 9 },
		    () => pieces[n.next().value % pieces.length]);
}

function inPieces(bytes, label) {
	const d = new TextDecoder(label);
	let s = "";

	for (const b of bytes)
		s += d.decode(new Uint8Array([b]), { stream: true });
	return (s + d.decode());
}

export function samples() {
	const lines = [];
	const say = (...what) => lines.push(JSON.stringify(what));

	for (const [s, base] of urls())
		say(s, base ?? "", parts(s, base));
	for (const s of queries()) {
		const p = new URLSearchParams(s);

		say(s, [...p], p.toString());
	}
	for (const bytes of utf8()) {
		say([...bytes], new TextDecoder().decode(bytes),
		    inPieces(bytes, "utf-8"));
		say(new TextDecoder("utf-16le").decode(bytes),
		    inPieces(bytes, "utf-16le"));
	}
	return (`${lines.join("\n")}\n`);
}
