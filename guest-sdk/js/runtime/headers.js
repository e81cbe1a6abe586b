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

import { host } from "./host.js";
import { byteString, expose, isObject, need, pairs } from "./webidl.js";

const ITERATOR = Symbol.iterator;
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/* The list of headers behind an object; of the request's, asked for now. */
export let headerList;

/* An object for (list); null is the request's own. */
export let makeHeaders;

/* The value of one, without making the list; or null. */
export let headerValue;

/* What is most common is looked at by the host, here and below. */
function lowerName(name) {
	return (host.plainName(name) ?? lowerSlowly(name));
}

function lowerSlowly(name) {
	name = byteString(name);
	if (!TOKEN.test(name))
		throw new TypeError(`"${name}" is not the name of a header`);
	return (name.toLowerCase());
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
	let s;

	if (host.isPlainValue(value))
		return (value);
	s = trim(byteString(value));
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

/* "sort and combine": cookies that are set stay apart. Most lists are short, or
 * sorted already. */
function sortAndCombine(list) {
	const sorted = [];

	for (let i = 0; i < list.length; i += 2) {
		const name = list[i];
		let at = sorted.length;

		while (at > 0 && sorted[at - 1][0] > name)
			at--;
		if (at > 0 && sorted[at - 1][0] === name &&
		    name !== "set-cookie")
			sorted[at - 1][1] += `, ${list[i + 1]}`;
		else if (at === sorted.length)
			sorted.push([name, list[i + 1]]);
		else
			sorted.splice(at, 0, [name, list[i + 1]]);
	}
	return (sorted);
}

/* Those that are private are no methods, which cost each object a property. */
let sortedPair, listToChange;

export class Headers {
	#list;			/* null: the request's, not asked for yet */
	#fixed = false;
	#sorted = null;		/* while nothing changes */

	constructor(init = undefined) {
		this.#list = init === undefined ? [] : listFrom(init);
	}

	static {
		headerList = (h) => h.#list ??= host.headers();
		makeHeaders = (list, fixed) => {
			const h = new Headers();

			h.#list = list;
			h.#fixed = fixed;
			return (h);
		};
		headerValue = (h, name) => h.#list === null ?
		    host.header(name) : getFrom(h.#list, name);
		sortedPair = (h, i) =>
		    (h.#sorted ??= sortAndCombine(headerList(h)))[i];
		listToChange = (h) => {
			if (h.#fixed)
				throw new TypeError("these headers can not " +
				    "be changed; make a copy with new " +
				    "Headers(), new Request() or new " +
				    "Response()");
			h.#sorted = null;
			return (headerList(h));
		};
	}

	append(name, value) {
		need(arguments.length, 2, "Headers.append");
		name = lowerName(name);
		value = normalValue(value);
		listToChange(this).push(name, value);
	}

	delete(name) {
		let list, n = 0;

		need(arguments.length, 1, "Headers.delete");
		name = lowerName(name);
		list = listToChange(this);
		for (let i = 0; i < list.length; i += 2)
			if (list[i] !== name) {
				list[n++] = list[i];
				list[n++] = list[i + 1];
			}
		list.length = n;
	}

	get(name) {
		const list = this.#list;

		if (arguments.length < 1)
			need(arguments.length, 1, "Headers.get");
		if (list === null) {
			const value = host.header(name);

			if (value !== undefined)
				return (value);
		}
		return (headerValue(this, lowerName(name)));
	}

	getSetCookie() {
		const list = headerList(this);
		const values = [];

		for (let i = 0; i < list.length; i += 2)
			if (list[i] === "set-cookie")
				values.push(list[i + 1]);
		return (values);
	}

	has(name) {
		need(arguments.length, 1, "Headers.has");
		return (headerValue(this, lowerName(name)) !== null);
	}

	set(name, value) {
		let list, n = 0, found = false;

		need(arguments.length, 2, "Headers.set");
		name = lowerName(name);
		value = normalValue(value);
		list = listToChange(this);
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
