/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://fetch.spec.whatwg.org/#headers-class
 *
 * A list is flat, [name, value, name, value ...], names in lower case, as the
 * C side has it. The headers of the request are not asked for before somebody
 * wants more than one of them.
 */

import { host, phase } from "./host.js";
import { byteString, expose, isObject, need, pairs } from "./webidl.js";

const ITERATOR = Symbol.iterator;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/* The list of headers behind an object; of the request's, asked for now. */
export let headerList;

/* An object for (list); null is the request's own. */
export let makeHeaders;

/* The value of one, without making the list; or null. */
export let headerValue;

/* Names that have been seen to be tokens, and in lower case. */
const known = new Map();

function lowerName(name) {
	let lower = known.get(name);

	if (lower !== undefined)
		return (lower);
	name = byteString(name);
	if (!TOKEN.test(name))
		throw new TypeError(`"${name}" is not the name of a header`);
	lower = name.toLowerCase();
	if (!phase.serving)
		known.set(name, lower);
	return (lower);
}

/* Not a regular expression: one for the end would take the square of the
 * length for what somebody sends on purpose. */
function trim(s) {
	let a = 0, b = s.length;

	while (a < b && "\t\n\r ".includes(s[a]))
		a++;
	while (b > a && "\t\n\r ".includes(s[b - 1]))
		b--;
	return (s.slice(a, b));
}

function normalValue(value) {
	let s = `${value}`;

	if (/^[!-~](?:[ -~]*[!-~])?$/.test(s))
		return (s);
	s = trim(byteString(s));
	if (/[\0\n\r]/.test(s))
		throw new TypeError(`${JSON.stringify(s)} is not the value ` +
		    "of a header");
	return (s);
}

function append(list, name, value) {
	list.push(lowerName(name), normalValue(value));
}

function fill(list, init) {
	let iterator;

	if (!isObject(init))
		throw new TypeError("Headers: neither an object nor pairs");
	iterator = init[Symbol.iterator];
	if (iterator !== undefined && iterator !== null) {
		for (const pair of init) {
			const two = isObject(pair) ? [...pair] : [];

			if (two.length !== 2)
				throw new TypeError(
				    "Headers: each item has to be a pair");
			append(list, two[0], two[1]);
		}
		return;
	}
	/* A symbol is no name, and lowerName() says so. */
	for (const key of Object.getOwnPropertySymbols(init))
		if (Object.prototype.propertyIsEnumerable.call(init, key))
			lowerName(key);
	for (const key of Object.keys(init))
		append(list, key, init[key]);
}

/* A list from what the standard calls HeadersInit. */
export function listFrom(init) {
	const iterator = init?.[ITERATOR];
	let list;

	if (iterator === undefined) {
		list = host.plainHeaders(init);
		if (list !== null)
			return (list);
	} else if (iterator === iterate && init instanceof Headers)
		return (headerList(init).slice());
	list = [];
	fill(list, init);
	return (list);
}

/* All values of one in a list, joined; or null. */
export function getFrom(list, name) {
	let value = null;

	for (let i = 0; i < list.length; i += 2)
		if (list[i] === name)
			value = value === null ? list[i + 1] :
			    `${value}, ${list[i + 1]}`;
	return (value);
}

/* "sort and combine": cookies that are set stay apart. */
function sortAndCombine(list) {
	const names = new Set();
	const sorted = [];

	for (let i = 0; i < list.length; i += 2)
		names.add(list[i]);
	for (const name of [...names].sort()) {
		if (name !== "set-cookie") {
			sorted.push([name, getFrom(list, name)]);
			continue;
		}
		for (let i = 0; i < list.length; i += 2)
			if (list[i] === name)
				sorted.push([name, list[i + 1]]);
	}
	return (sorted);
}

let sortedPair;

export class Headers {
	#list = [];		/* null: the request's, not asked for yet */
	#fixed = false;
	#sorted = null;		/* while nothing changes */

	constructor(init = undefined) {
		if (init !== undefined)
			this.#list = listFrom(init);
	}

	static {
		headerList = (h) => h.#all();
		makeHeaders = (list, fixed) => {
			const h = new Headers();

			h.#list = list;
			h.#fixed = fixed;
			return (h);
		};
		headerValue = (h, name) => h.#get(name);
		sortedPair = (h, i) =>
		    (h.#sorted ??= sortAndCombine(h.#all()))[i];
	}

	#all() {
		return (this.#list ??= host.headers());
	}

	#get(name) {
		return (this.#list === null ? host.header(name) :
		    getFrom(this.#list, name));
	}

	#change() {
		if (this.#fixed)
			throw new TypeError("these headers can not be " +
			    "changed; make a copy with new Headers(), new " +
			    "Request() or new Response()");
		this.#sorted = null;
		return (this.#all());
	}

	append(name, value) {
		need(arguments.length, 2, "Headers.append");
		name = lowerName(name);
		value = normalValue(value);
		this.#change().push(name, value);
	}

	delete(name) {
		let list, n = 0;

		need(arguments.length, 1, "Headers.delete");
		name = lowerName(name);
		list = this.#change();
		for (let i = 0; i < list.length; i += 2)
			if (list[i] !== name) {
				list[n++] = list[i];
				list[n++] = list[i + 1];
			}
		list.length = n;
	}

	get(name) {
		need(arguments.length, 1, "Headers.get");
		return (this.#get(lowerName(name)));
	}

	getSetCookie() {
		const list = this.#all();
		const values = [];

		for (let i = 0; i < list.length; i += 2)
			if (list[i] === "set-cookie")
				values.push(list[i + 1]);
		return (values);
	}

	has(name) {
		need(arguments.length, 1, "Headers.has");
		return (this.#get(lowerName(name)) !== null);
	}

	set(name, value) {
		let list, n = 0, found = false;

		need(arguments.length, 2, "Headers.set");
		name = lowerName(name);
		value = normalValue(value);
		list = this.#change();
		for (let i = 0; i < list.length; i += 2) {
			if (list[i] === name && found)
				continue;
			list[n] = list[i];
			list[n + 1] = list[i] === name ? value : list[i + 1];
			found ||= list[i] === name;
			n += 2;
		}
		list.length = n;
		if (!found)
			list.push(name, value);
	}
}
pairs(Headers, "Headers", (h, i) => sortedPair(h, i));
expose(Headers, "Headers");
const iterate = Headers.prototype[Symbol.iterator];

/* Those that handlers use, so that no request has to look at them first. */
for (const name of ["Accept", "Age", "Allow", "Authorization",
	"Cache-Control", "Content-Disposition", "Content-Encoding",
	"Content-Language", "Content-Location", "Content-Security-Policy",
	"Content-Type", "Cookie", "Date", "ETag", "Expires", "Host",
	"If-Modified-Since", "If-None-Match", "Last-Modified", "Link",
	"Location", "Origin", "Pragma", "Range", "Referer", "Retry-After",
	"Server", "Set-Cookie", "Strict-Transport-Security",
	"Surrogate-Control", "User-Agent", "Vary", "WWW-Authenticate",
	"X-Content-Type-Options", "X-Frame-Options", "X-Forwarded-For",
	"X-Forwarded-Proto", "X-Powered-By", "X-Request-Id",
	"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
	"Access-Control-Allow-Methods", "Access-Control-Allow-Origin",
	"Access-Control-Expose-Headers", "Access-Control-Max-Age"]) {
	lowerName(name);
	lowerName(name.toLowerCase());
}
