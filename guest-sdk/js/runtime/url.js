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
 * A URL taken apart is a list of what the members of class URL say, the way the
 * host has it; null is none. At its end are the searchParams, or null while
 * nobody has asked for them.
 */
export const HREF = 0;
export const PROTOCOL = 1;
export const USERNAME = 2;
export const PASSWORD = 3;
const HOSTNAME = 4;
const PORT = 5;
export const PATHNAME = 6;
export const SEARCH = 7;
export const HASH = 8;
const PARAMS = 9;

export function hostOf(url) {
	return (url[PORT] === "" ? url[HOSTNAME] :
	    `${url[HOSTNAME]}:${url[PORT]}`);
}

export function originOf(url) {
	if (url[PROTOCOL] === "http:" || url[PROTOCOL] === "https:")
		return (`${url[PROTOCOL]}//${hostOf(url)}`);
	return (machine.serializeURLOrigin(machine.basicURLParse(url[HREF])));
}

/* A copy, as others may have the same list. */
function withParams(url, params) {
	const copy = [];

	for (let i = 0; i < PARAMS; i++)
		copy[i] = url[i];
	copy[PARAMS] = params;
	return (copy);
}

/* The same from a record of whatwg-url's. */
function fromRecord(record) {
	return ([
		machine.serializeURL(record),
		`${record.scheme}:`,
		record.username,
		record.password,
		record.host === null ? "" : machine.serializeHost(record.host),
		record.port === null ? "" : `${record.port}`,
		machine.serializePath(record),
		record.query ? `?${record.query}` : "",
		record.fragment ? `#${record.fragment}` : "",
		null,
	]);
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
 * is taken apart is never changed, so URLs can share it. Nothing equals NaN. */
let last = [NaN];

/*
 * (input) relative to (base), which may be undefined, taken apart; or null.
 * Both are USVStrings.
 */
export function parseURL(input, base) {
	let url = null;

	if (base === undefined) {
		if (input === last[HREF])
			return (last);
		url = host.splitURL(input) ?? parseSlowly(input);
		if (url !== null)
			last = url;
		return (url);
	}
	if (input[0] === "/" && input[1] !== "/" && input[1] !== "\\") {
		const at = host.splitURL(base);

		url = at && host.splitURL(`${at[PROTOCOL]}//${hostOf(at)}` +
		    input);
	} else if (host.splitURL(base) !== null)
		url = host.splitURL(input);
	return (url ?? parseSlowly(input, base));
}

/* The href of the request that is being answered; null if it is not one of
 * those that the host takes apart. */
export function requestHref() {
	const url = host.requestURL();

	if (url === null)
		return (null);
	last = url;
	return (url[HREF]);
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
	let plain;

	if (text === "")
		return (list);
	plain = !text.includes("+") && !text.includes("%");
	for (const piece of text.split("&")) {
		let at, name, value;

		if (piece === "")
			continue;
		at = piece.indexOf("=");
		name = at < 0 ? piece : piece.slice(0, at);
		value = at < 0 ? "" : piece.slice(at + 1);
		if (!plain) {
			name = decodePart(name);
			value = decodePart(value);
		}
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

let setParams, linkParams, listOf, update;

export class URLSearchParams {
	#list;
	#changed = null;	/* of a URL: tell it the new query */

	constructor(init = "") {
		this.#list = init === "" ? [] :
		    isObject(init) ? URLSearchParams.#from(init) :
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
		update = (params) =>
		    params.#changed?.(serializeForm(params.#list));
	}

	get size() {
		return (this.#list.length);
	}

	append(name, value) {
		need(arguments.length, 2, "URLSearchParams.append");
		this.#list.push([usv(name), usv(value)]);
		update(this);
	}

	delete(name, value = undefined) {
		need(arguments.length, 1, "URLSearchParams.delete");
		name = usv(name);
		value = value === undefined ? value : usv(value);
		this.#list = this.#list.filter((pair) => pair[0] !== name ||
		    (value !== undefined && pair[1] !== value));
		update(this);
	}

	get(name) {
		const list = this.#list;

		if (arguments.length < 1)
			need(arguments.length, 1, "URLSearchParams.get");
		name = usv(name);
		for (let i = 0; i < list.length; i++)
			if (list[i][0] === name)
				return (list[i][1]);
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
		update(this);
	}

	sort() {
		this.#list.sort((a, b) => a[0] < b[0] ? -1 :
		    Number(a[0] > b[0]));
		update(this);
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

/* Those that are private are no methods, which cost each object a property. */
let become, setMember, setQuery, refresh;

export class URL {
	#url;

	/* Without an argument there is no URL either: "undefined" is none. */
	constructor(url, base = undefined) {
		if (base === undefined && url === last[HREF]) {
			this.#url = last;
			return;
		}
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

	static {
		/* Its searchParams stay what they are. */
		become = (u, url) => {
			const params = u.#url[PARAMS];

			u.#url = params === null ? url :
			    withParams(url, params);
		};
		setMember = (u, what, value) => {
			const record = machine.basicURLParse(u.#url[HREF]);

			SETTERS[what](record, usv(value));
			become(u, fromRecord(record));
		};
		setQuery = (u, text) => {
			const record = machine.basicURLParse(u.#url[HREF]);

			record.query = text === "" ? null : text;
			become(u, fromRecord(record));
		};
		refresh = (u, search) => {
			const params = u.#url[PARAMS];

			if (params !== null)
				setParams(params,
				    parseForm(search.replace(/^\?/, "")));
		};
	}

	get href() {
		return (this.#url[HREF]);
	}

	set href(value) {
		const url = parseURL(usv(value), undefined);

		if (url === null)
			throw new TypeError(`Invalid URL: "${value}"`);
		become(this, url);
		refresh(this, url[SEARCH]);
	}

	get origin() {
		return (originOf(this.#url));
	}

	get protocol() {
		return (this.#url[PROTOCOL]);
	}

	set protocol(value) {
		setMember(this, "protocol", value);
	}

	get username() {
		return (this.#url[USERNAME]);
	}

	set username(value) {
		setMember(this, "username", value);
	}

	get password() {
		return (this.#url[PASSWORD]);
	}

	set password(value) {
		setMember(this, "password", value);
	}

	get host() {
		return (hostOf(this.#url));
	}

	set host(value) {
		setMember(this, "host", value);
	}

	get hostname() {
		return (this.#url[HOSTNAME]);
	}

	set hostname(value) {
		setMember(this, "hostname", value);
	}

	get port() {
		return (this.#url[PORT]);
	}

	set port(value) {
		setMember(this, "port", value);
	}

	get pathname() {
		return (this.#url[PATHNAME]);
	}

	set pathname(value) {
		setMember(this, "pathname", value);
	}

	get search() {
		return (this.#url[SEARCH]);
	}

	set search(value) {
		value = usv(value);
		setMember(this, "search", value);
		refresh(this, value);
	}

	get searchParams() {
		let params = this.#url[PARAMS];

		if (params === null) {
			params = linkParams(
			    parseForm(this.#url[SEARCH].slice(1)),
			    (text) => setQuery(this, text));
			this.#url = withParams(this.#url, params);
		}
		return (params);
	}

	get hash() {
		return (this.#url[HASH]);
	}

	set hash(value) {
		setMember(this, "hash", value);
	}

	toString() {
		return (this.#url[HREF]);
	}

	toJSON() {
		return (this.#url[HREF]);
	}
}
expose(URL, "URL");
