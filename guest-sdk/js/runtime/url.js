/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://url.spec.whatwg.org/. The parser and the setters are whatwg-url's,
 * the reference implementation. It looks at a URL character by character in
 * JavaScript, so what most URLs look like is taken apart in C instead (url.c):
 * an http or https URL in which the parser would change nothing. tests/sdk/js
 * compares the two.
 */

import machine from "whatwg-url/lib/url-state-machine.js";
import urlencoded from "whatwg-url/lib/urlencoded.js";
import { host } from "./host.js";
import { expose, isObject, need, pairs, usv } from "./webidl.js";

/*
 * A URL taken apart, as the members of class URL say it; null if (m), which the
 * host has found, is none.
 */
function fromParts(m) {
	let href, port, path;

	if (m === null)
		return (null);
	href = m[0];
	port = m[3];
	path = m[4];
	if (path === "" || port === "80" || port === "443") {
		if (port === (m[1] === "http:" ? "80" : "443"))
			port = "";
		path ||= "/";
		href = `${m[1]}//${m[2]}${port && ":"}${port}${path}` +
		    `${m[5]}${m[6]}`;
	}
	return ({
		href,
		protocol: m[1],
		username: "",
		password: "",
		hostname: m[2],
		port,
		pathname: path,
		search: m[5],
		hash: m[6],
	});
}

function split(href) {
	return (fromParts(host.splitURL(href)));
}

/* The same from a record of whatwg-url's. */
function fromRecord(record) {
	return ({
		href: machine.serializeURL(record),
		protocol: `${record.scheme}:`,
		username: record.username,
		password: record.password,
		hostname: record.host === null ? "" :
		    machine.serializeHost(record.host),
		port: record.port === null ? "" : `${record.port}`,
		pathname: machine.serializePath(record),
		search: record.query ? `?${record.query}` : "",
		hash: record.fragment ? `#${record.fragment}` : "",
	});
}

function parseSlowly(input, base) {
	let baseURL = null, record;

	if (base !== undefined) {
		baseURL = machine.basicURLParse(base);
		if (baseURL === null)
			return (null);
	}
	record = machine.basicURLParse(input, { baseURL });
	return (record === null ? null : fromRecord(record));
}

/* The last one, because new URL(request.url) is what handlers begin with. What
 * is taken apart is never changed, so URLs can share it. */
let last = { href: "" };

/*
 * (input) relative to (base), which may be undefined, taken apart; or null.
 * Both are USVStrings.
 */
export function parseURL(input, base) {
	let url = null;

	if (base === undefined) {
		if (input === last.href && input !== "")
			return (last);
		url = split(input) ?? parseSlowly(input);
		if (url !== null)
			last = url;
		return (url);
	}
	if (input[0] === "/" && input[1] !== "/" && input[1] !== "\\") {
		const at = split(base);

		url = at && split(`${at.protocol}//${at.hostname}` +
		    `${at.port && ":"}${at.port}${input}`);
	} else if (split(base) !== null)
		url = split(input);
	return (url ?? parseSlowly(input, base));
}

/* The URL of the request that is being answered; null if it is not one of
 * those that the host takes apart. */
export function parseRequestURL() {
	const url = fromParts(host.requestURL());

	if (url !== null)
		last = url;
	return (url);
}

/* For the tests: the same without the short way. */
export { parseSlowly };

/*--------------------------------------------------------------------
 * application/x-www-form-urlencoded
 */

function decodePart(part) {
	if (part.includes("+"))
		part = part.replaceAll("+", " ");
	if (!part.includes("%"))
		return (part);
	try {
		return (decodeURIComponent(part));
	} catch {
		return (null);
	}
}

export function parseForm(text) {
	const list = [];

	for (const piece of text.split("&")) {
		let at, name, value;

		if (piece === "")
			continue;
		at = piece.indexOf("=");
		name = decodePart(at < 0 ? piece : piece.slice(0, at));
		value = at < 0 ? "" : decodePart(piece.slice(at + 1));
		if (name === null || value === null)
			/* Bytes that are not UTF-8, or a % alone. */
			[[name, value]] = urlencoded.parseUrlencodedString(
			    piece);
		list.push([name, value]);
	}
	return (list);
}

function encodePart(part) {
	if (/^[\w*.-]*$/.test(part))
		return (part);
	return (encodeURIComponent(part).replace(/[!'()~]|%20/g,
	    (c) => c === "%20" ? "+" :
	    `%${c.charCodeAt(0).toString(16).toUpperCase()}`));
}

export function serializeForm(list) {
	let text = "";

	for (const [name, value] of list)
		text += `${text && "&"}${encodePart(name)}=` +
		    encodePart(value);
	return (text);
}

let setParams, linkParams, listOf;

export class URLSearchParams {
	#list;
	#changed = null;	/* of a URL: tell it the new query */

	constructor(init = "") {
		this.#list = isObject(init) ? URLSearchParams.#from(init) :
		    parseForm(usv(init).replace(/^\?/, ""));
	}

	static #from(init) {
		const iterator = init[Symbol.iterator];
		const list = [];

		if (iterator === undefined || iterator === null) {
			const seen = new Map();

			for (const key of Reflect.ownKeys(init)) {
				const d = Reflect.getOwnPropertyDescriptor(
				    init, key);

				if (d !== undefined && d.enumerable)
					seen.set(usv(key), usv(init[key]));
			}
			return ([...seen]);
		}
		for (const pair of init) {
			const two = isObject(pair) ? [...pair] : [];

			if (two.length !== 2)
				throw new TypeError("URLSearchParams: each " +
				    "item has to be a pair");
			list.push([usv(two[0]), usv(two[1])]);
		}
		return (list);
	}

	static {
		setParams = (params, list) => {
			params.#list = list;
		};
		linkParams = (list, changed) => {
			const params = new URLSearchParams();

			params.#list = list;
			params.#changed = changed;
			return (params);
		};
		listOf = (params) => params.#list;
	}

	#update() {
		this.#changed?.(serializeForm(this.#list));
	}

	get size() {
		return (this.#list.length);
	}

	append(name, value) {
		need(arguments.length, 2, "URLSearchParams.append");
		this.#list.push([usv(name), usv(value)]);
		this.#update();
	}

	delete(name, value = undefined) {
		need(arguments.length, 1, "URLSearchParams.delete");
		name = usv(name);
		value = value === undefined ? value : usv(value);
		this.#list = this.#list.filter((pair) => pair[0] !== name ||
		    (value !== undefined && pair[1] !== value));
		this.#update();
	}

	get(name) {
		need(arguments.length, 1, "URLSearchParams.get");
		name = usv(name);
		for (const pair of this.#list)
			if (pair[0] === name)
				return (pair[1]);
		return (null);
	}

	getAll(name) {
		need(arguments.length, 1, "URLSearchParams.getAll");
		name = usv(name);
		return (this.#list.filter((pair) => pair[0] === name)
		    .map((pair) => pair[1]));
	}

	has(name, value = undefined) {
		need(arguments.length, 1, "URLSearchParams.has");
		name = usv(name);
		value = value === undefined ? value : usv(value);
		return (this.#list.some((pair) => pair[0] === name &&
		    (value === undefined || pair[1] === value)));
	}

	set(name, value) {
		let found = false;

		need(arguments.length, 2, "URLSearchParams.set");
		name = usv(name);
		value = usv(value);
		this.#list = this.#list.filter((pair) => {
			if (pair[0] !== name)
				return (true);
			if (found)
				return (false);
			pair[1] = value;
			found = true;
			return (true);
		});
		if (!found)
			this.#list.push([name, value]);
		this.#update();
	}

	sort() {
		this.#list.sort((a, b) => a[0] < b[0] ? -1 :
		    Number(a[0] > b[0]));
		this.#update();
	}

	toString() {
		return (serializeForm(this.#list));
	}
}
pairs(URLSearchParams, "URLSearchParams", (params, i) => listOf(params)[i]);
expose(URLSearchParams, "URLSearchParams");

/*--------------------------------------------------------------------
 * URL
 */

/* What each setter does to a record; as the standard says it. */
const SETTERS = {
	protocol(record, value) {
		machine.basicURLParse(`${value}:`,
		    { url: record, stateOverride: "scheme start" });
	},
	username(record, value) {
		if (!machine.cannotHaveAUsernamePasswordPort(record))
			machine.setTheUsername(record, value);
	},
	password(record, value) {
		if (!machine.cannotHaveAUsernamePasswordPort(record))
			machine.setThePassword(record, value);
	},
	host(record, value) {
		if (!machine.hasAnOpaquePath(record))
			machine.basicURLParse(value,
			    { url: record, stateOverride: "host" });
	},
	hostname(record, value) {
		if (!machine.hasAnOpaquePath(record))
			machine.basicURLParse(value,
			    { url: record, stateOverride: "hostname" });
	},
	port(record, value) {
		if (machine.cannotHaveAUsernamePasswordPort(record))
			return;
		if (value === "")
			record.port = null;
		else
			machine.basicURLParse(value,
			    { url: record, stateOverride: "port" });
	},
	pathname(record, value) {
		if (machine.hasAnOpaquePath(record))
			return;
		record.path = [];
		machine.basicURLParse(value,
		    { url: record, stateOverride: "path start" });
	},
	search(record, value) {
		record.query = value === "" ? null : "";
		if (value !== "")
			machine.basicURLParse(value.replace(/^\?/, ""),
			    { url: record, stateOverride: "query" });
	},
	hash(record, value) {
		record.fragment = value === "" ? null : "";
		if (value !== "")
			machine.basicURLParse(value.replace(/^#/, ""),
			    { url: record, stateOverride: "fragment" });
	},
};

export class URL {
	#url;
	#params = null;

	constructor(url, base = undefined) {
		need(arguments.length, 1, "URL");
		url = usv(url);
		base = base === undefined ? base : usv(base);
		this.#url = parseURL(url, base);
		if (this.#url === null)
			throw new TypeError(`Invalid URL: "${url}"` +
			    (base === undefined ? "" : `, base "${base}"`));
	}

	static canParse(url, base = undefined) {
		need(arguments.length, 1, "URL.canParse");
		return (parseURL(usv(url), base === undefined ? base :
		    usv(base)) !== null);
	}

	static parse(url, base = undefined) {
		need(arguments.length, 1, "URL.parse");
		try {
			return (new URL(url, base));
		} catch (e) {
			if (e instanceof TypeError)
				return (null);
			throw e;
		}
	}

	#set(what, value) {
		const record = machine.basicURLParse(this.#url.href);

		SETTERS[what](record, usv(value));
		this.#url = fromRecord(record);
	}

	#query(text) {
		const record = machine.basicURLParse(this.#url.href);

		record.query = text === "" ? null : text;
		this.#url = fromRecord(record);
	}

	get href() {
		return (this.#url.href);
	}

	set href(value) {
		const url = parseURL(usv(value), undefined);

		if (url === null)
			throw new TypeError(`Invalid URL: "${value}"`);
		this.#url = url;
		this.#refresh();
	}

	#refresh() {
		if (this.#params !== null)
			setParams(this.#params,
			    parseForm(this.#url.search.slice(1)));
	}

	get origin() {
		const u = this.#url;

		if (u.protocol === "http:" || u.protocol === "https:")
			return (`${u.protocol}//${this.host}`);
		return (machine.serializeURLOrigin(
		    machine.basicURLParse(u.href)));
	}

	get protocol() {
		return (this.#url.protocol);
	}

	set protocol(value) {
		this.#set("protocol", value);
	}

	get username() {
		return (this.#url.username);
	}

	set username(value) {
		this.#set("username", value);
	}

	get password() {
		return (this.#url.password);
	}

	set password(value) {
		this.#set("password", value);
	}

	get host() {
		const u = this.#url;

		return (u.port === "" ? u.hostname : `${u.hostname}:${u.port}`);
	}

	set host(value) {
		this.#set("host", value);
	}

	get hostname() {
		return (this.#url.hostname);
	}

	set hostname(value) {
		this.#set("hostname", value);
	}

	get port() {
		return (this.#url.port);
	}

	set port(value) {
		this.#set("port", value);
	}

	get pathname() {
		return (this.#url.pathname);
	}

	set pathname(value) {
		this.#set("pathname", value);
	}

	get search() {
		return (this.#url.search);
	}

	set search(value) {
		value = usv(value);
		this.#set("search", value);
		if (this.#params !== null)
			setParams(this.#params,
			    parseForm(value.replace(/^\?/, "")));
	}

	get searchParams() {
		this.#params ??= linkParams(
		    parseForm(this.#url.search.slice(1)),
		    (text) => this.#query(text));
		return (this.#params);
	}

	get hash() {
		return (this.#url.hash);
	}

	set hash(value) {
		this.#set("hash", value);
	}

	toString() {
		return (this.#url.href);
	}

	toJSON() {
		return (this.#url.href);
	}
}
expose(URL, "URL");
