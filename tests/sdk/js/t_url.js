/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * URL and URLSearchParams. t_samples.js has many more URLs.
 */

import { eq, ok, test, throws } from "./check.js";

test("url: parts", () => {
	const u = new URL("HTTP://User:p%20w@Example.COM:8080/a/../b/./c?d=e&f#g");

	eq(u.href, "http://User:p%20w@example.com:8080/b/c?d=e&f#g");
	eq(u.protocol, "http:");
	eq(u.username, "User");
	eq(u.password, "p%20w");
	eq(u.host, "example.com:8080");
	eq(u.hostname, "example.com");
	eq(u.port, "8080");
	eq(u.pathname, "/b/c");
	eq(u.search, "?d=e&f");
	eq(u.hash, "#g");
	eq(u.origin, "http://example.com:8080");
	eq(`${u}`, u.href);
	eq(JSON.stringify(u), `"${u.href}"`);
});
test("url: errors", () => {
	for (const s of ["", "a", "/a", "//a", "http://", "http:///", "?a",
		"http://a b/", "http://[::1", "http://1.2.3.256/",
		"http://a:65536/", "http://a:b/", "http://%/", "http://a<b"])
		throws(() => new URL(s), TypeError, s);
	throws(() => new URL(), TypeError);
	throws(() => URL("http://a/"), TypeError);
	throws(() => new URL("/a", "b"), TypeError);
	throws(() => new URL("http://a/", "b"), TypeError);
	throws(() => new URL("http://a/", ""), TypeError);
});
test("url: base", () => {
	const at = (s) => new URL(s, "https://h:444/a/b?c#d").href;

	eq(at(""), "https://h:444/a/b?c");
	eq(at("x"), "https://h:444/a/x");
	eq(at("/x"), "https://h:444/x");
	eq(at("/x/../y?z"), "https://h:444/y?z");
	eq(at("//g/x"), "https://g/x");
	eq(at("/\\g/x"), "https://g/x");
	eq(at("?x"), "https://h:444/a/b?x");
	eq(at("#x"), "https://h:444/a/b?c#x");
	eq(at("../x"), "https://h:444/x");
	eq(at("http://g"), "http://g/");
	eq(at("https:x"), "https://h:444/a/x");
	eq(at("mailto:x"), "mailto:x");
	eq(new URL("/a", new URL("http://b/c")).href, "http://b/a");
});
test("url: setters", () => {
	const set = (s, name, value) => {
		const u = new URL(s);

		u[name] = value;
		return (u.href);
	};

	eq(set("http://a/", "protocol", "https"), "https://a/");
	eq(set("http://a:443/", "protocol", "https:x"), "https://a/");
	eq(set("http://a/", "protocol", "mailto"), "http://a/");
	eq(set("http://a/", "username", "x y"), "http://x%20y@a/");
	eq(set("http://a/", "password", ":"), "http://:%3A@a/");
	eq(set("http://a/", "host", "B:81"), "http://b:81/");
	eq(set("http://a:82/", "hostname", "B:81"), "http://a:82/");
	eq(set("http://a:82/", "hostname", "B"), "http://b:82/");
	eq(set("http://a/", "host", "x y"), "http://a/");
	eq(set("http://a/", "port", "80"), "http://a/");
	eq(set("http://a/", "port", "81x"), "http://a:81/");
	eq(set("http://a:81/", "port", ""), "http://a/");
	eq(set("http://a:81/", "port", "99999"), "http://a:81/");
	eq(set("http://a/b", "pathname", "x y"), "http://a/x%20y");
	eq(set("http://a/b", "pathname", ""), "http://a/");
	eq(set("http://a/b", "pathname", "?#"), "http://a/%3F%23");
	eq(set("http://a/b", "search", "x y"), "http://a/b?x%20y");
	eq(set("http://a/b?c", "search", "?"), "http://a/b?");
	eq(set("http://a/b?c", "search", ""), "http://a/b");
	eq(set("http://a/b", "hash", "x y"), "http://a/b#x%20y");
	eq(set("http://a/b#c", "hash", ""), "http://a/b");
	eq(set("http://a/", "href", "ftp://b"), "ftp://b/");
	throws(() => set("http://a/", "href", "b"), TypeError);
	eq(set("mailto:a", "pathname", "b"), "mailto:a");
	eq(set("mailto:a", "host", "b"), "mailto:a");
	eq(set("http://a/", "search", 1), "http://a/?1");
});
test("url: canParse and parse", () => {
	eq(URL.canParse("http://a"), true);
	eq(URL.canParse("a"), false);
	eq(URL.canParse("a", "http://b"), true);
	eq(URL.canParse("http://a", "b"), false);
});
test("url: parse", () => {
	eq(URL.parse("http://a").href, "http://a/");
	eq(URL.parse("a"), null);
	eq(URL.parse("a", "http://b").href, "http://b/a");
}, "not before Node.js 22");
test("url: origin", () => {
	eq(new URL("https://a:443/b").origin, "https://a");
	eq(new URL("mailto:a").origin, "null");
	eq(new URL("file:///a").origin, "null");
	eq(new URL("blob:https://a/b").origin, "https://a");
	eq(new URL("ws://a:1").origin, "ws://a:1");
});
test("url: lone surrogates", () => {
	eq(new URL("http://a/\ud800").href, "http://a/%EF%BF%BD");
	eq(new URLSearchParams("a=\ud800").get("a"), "\ufffd");
	eq(new URLSearchParams({ "\ud800": "\udc00" }).toString(),
	    "%EF%BF%BD=%EF%BF%BD");
});
test("url: its search parameters", () => {
	const u = new URL("http://a/?b=c%20d&e=f+g");
	const p = u.searchParams;

	ok(p === u.searchParams);
	eq([...p], [["b", "c d"], ["e", "f g"]]);
	p.append("h", "i j");
	eq(u.search, "?b=c+d&e=f+g&h=i+j");
	p.delete("b");
	p.delete("e");
	p.delete("h");
	eq(u.href, "http://a/");
	u.search = "?x=y";
	eq(p.get("x"), "y");
	eq(p.size, 1);
	u.href = "http://b/?z";
	eq([...p], [["z", ""]]);
	u.search = "";
	eq(p.size, 0);
	p.set("q", "'\"<>#&=~!*()");
	eq(u.href, "http://b/?q=%27%22%3C%3E%23%26%3D%7E%21*%28%29");
	u.hash = "#x";
	eq(p.get("q"), "'\"<>#&=~!*()");
});
test("params: parse", () => {
	const all = (s) => [...new URLSearchParams(s)];

	eq(all(""), []);
	eq(all("?"), []);
	eq(all("??a"), [["?a", ""]]);
	eq(all("a"), [["a", ""]]);
	eq(all("a=b=c"), [["a", "b=c"]]);
	eq(all("&&a&&=&=b&"), [["a", ""], ["", ""], ["", "b"]]);
	eq(all("a+b=c%20d"), [["a b", "c d"]]);
	eq(all("%"), [["%", ""]]);
	eq(all("a=%zz&b=%e4%f6&c=%e2%82%ac"),
	    [["a", "%zz"], ["b", "\ufffd\ufffd"], ["c", "\u20ac"]]);
	eq(all("a=%ef%bb%bfb"), [["a", "\ufeffb"]]);
	eq(all("%61+%2b=%2B"), [["a +", "+"]]);
	eq(all("a=%2"), [["a", "%2"]]);
	eq(all("a=+%zz+"), [["a", " %zz "]]);
	eq(all("a=\u00e4"), [["a", "\u00e4"]]);
});
test("params: init", () => {
	eq([...new URLSearchParams([["a", 1], ["b", "2"]])],
	    [["a", "1"], ["b", "2"]]);
	eq([...new URLSearchParams({ a: 1, b: null })],
	    [["a", "1"], ["b", "null"]]);
	eq([...new URLSearchParams(new URLSearchParams("a=b&a=c"))],
	    [["a", "b"], ["a", "c"]]);
	eq([...new URLSearchParams(undefined)], []);
	eq([...new URLSearchParams(1)], [["1", ""]]);
	throws(() => new URLSearchParams([["a"]]), TypeError);
	throws(() => new URLSearchParams([1]), TypeError);
	eq([...new URLSearchParams(new Map([["a", "b"]]))], [["a", "b"]]);
});
test("params: null is a string", () => {
	eq([...new URLSearchParams(null)], [["null", ""]]);
}, "Node.js takes it for nothing; web-platform-tests want this");
test("params: members", () => {
	const p = new URLSearchParams("a=1&b=2&a=3");

	eq(p.size, 3);
	eq(p.get("a"), "1");
	eq(p.get("x"), null);
	eq(p.getAll("a"), ["1", "3"]);
	eq(p.has("a"), true);
	eq(p.has("x"), false);
	p.append("c", "");
	p.set("a", "9");
	eq(p.toString(), "a=9&b=2&c=");
	p.set("d", 4);
	p.delete("b");
	eq(`${p}`, "a=9&c=&d=4");
	eq([...p.keys()], ["a", "c", "d"]);
	eq([...p.values()], ["9", "", "4"]);
	throws(() => p.append("a"), TypeError);
	throws(() => p.get(), TypeError);
});
test("params: delete and has with a value", () => {
	const p = new URLSearchParams("a=1&a=2&a=1");

	eq(p.has("a", "2"), true);
	eq(p.has("a", "3"), false);
	p.delete("a", "1");
	eq(p.toString(), "a=2");
	p.delete("a", undefined);
	eq(p.toString(), "");
});
test("params: sort is stable, by UTF-16 code units", () => {
	const p = new URLSearchParams("z=1&\ufb03=2&\u{1f308}=3&a=4&z=0&a=3");

	p.sort();
	eq([...p], [["a", "4"], ["a", "3"], ["z", "1"], ["z", "0"],
		["\u{1f308}", "3"], ["\ufb03", "2"]]);
});
test("params: iteration while they change", () => {
	const u = new URL("http://a/?a=1&b=2&c=3");
	const seen = [];

	for (const [name] of u.searchParams) {
		seen.push(name);
		u.searchParams.delete(name);
	}
	eq(seen, ["a", "c"]);
	eq(u.search, "?b=2");
});
test("params: written", () => {
	eq(new URLSearchParams([["a b", "*-._~!'()"]]).toString(),
	    "a+b=*-._%7E%21%27%28%29");
	eq(new URLSearchParams([["\u20ac", "%+&="]]).toString(),
	    "%E2%82%AC=%25%2B%26%3D");
});
test("url: look", () => {
	eq(Object.prototype.toString.call(new URL("http://a")), "[object URL]");
	eq(Object.prototype.toString.call(new URLSearchParams()),
	    "[object URLSearchParams]");
	eq(new URLSearchParams().entries()[Symbol.toStringTag],
	    "URLSearchParams Iterator");
});
/* The last URL is kept, taken apart; and a list of its parts may be shared. */
test("url: two of the same", () => {
	const href = "http://a.example:8080/p?x=1#h";
	const u = new URL(href), v = new URL(href);
	const params = u.searchParams;

	ok(v.searchParams !== params, "searchParams of its own");
	params.append("y", "2");
	u.pathname = "/q";
	eq([u.href, v.href], ["http://a.example:8080/q?x=1&y=2#h", href]);
	eq(new URL(href).href, href);
	eq(new URL({ toString: () => href }).pathname, "/p");
	ok(u.searchParams === params, "the same searchParams");
	u.href = "https://b.example/?z=3";
	ok(u.searchParams === params, "the same searchParams");
	eq([...params], [["z", "3"]]);
	u.search = "?w=4";
	eq([...params], [["w", "4"]]);
	params.delete("w");
	eq(u.href, "https://b.example/");
	eq(new URL("https://b.example/").search, "");
});
test("url: what is none", () => {
	for (const bad of [undefined, null, NaN, 0, "", "a", {}, []])
		throws(() => new URL(bad), TypeError, String(bad));
	throws(() => new URL(), TypeError);
	throws(() => new URL(Symbol("s")), TypeError);
	eq(new URL(undefined, "http://a/").href, "http://a/undefined");
	eq(new URL(null, "http://a/b/c").href, "http://a/b/null");
});
test("url: the default port and a path that is missing", () => {
	for (const [given, href, port] of [
		["http://a:80", "http://a/", ""],
		["http://a:80/b?c#d", "http://a/b?c#d", ""],
		["http://a:443/", "http://a:443/", "443"],
		["https://a:443?x", "https://a/?x", ""],
		["https://a:80#x", "https://a:80/#x", "80"],
		["http://a:8080", "http://a:8080/", "8080"],
		["http://1.2.3.4:80?", "http://1.2.3.4/?", ""],
	]) {
		const u = new URL(given);

		eq([u.href, u.port], [href, port], given);
		eq(u.origin, href.replace(/^(\w+:\/\/[^/]*).*/, "$1"));
	}
});
