/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://fetch.spec.whatwg.org/#response-class
 */

import {
	TEXT, cloneBody, extract, isUnusable, mixin, newBody,
} from "./body.js";
import { getFrom, headerList, listFrom, makeHeaders } from "./headers.js";
import { resolveURL } from "./request.js";
import { HREF } from "./url.js";
import { byteString, dictionary, expose, need, uint16 } from "./webidl.js";

const NULL_BODY = [101, 103, 204, 205, 304];
const REDIRECT = [301, 302, 303, 307, 308];

/*
 * What is in one: { status, statusText, list, headers, body, more }. list is
 * there until somebody asks for the object, and without the Content-Type that
 * the body brings with it until somebody asks for either. more is null for
 * those that handlers make, or { type, url, redirected, fixed }.
 */
export let responseState;	/* null: it is not one */

/* One that was fetched: its headers can not be changed. */
export let makeResponse;

function freshState() {
	return ({
		status: 200,
		statusText: "",
		list: null,
		headers: null,
		body: null,
		more: null,
	});
}

/* One that was made before the freeze, for the first of a request. */
let spare = null;

export function spareResponse() {
	spare = freshState();
}

function statusFrom(value) {
	const status = uint16(value);

	if (status < 200 || status > 599)
		throw new RangeError(`Response: the status ${status} is not ` +
		    "in 200 to 599");
	return (status);
}

function reasonFrom(value) {
	const s = byteString(value);

	if (/[^\t\x20-\x7e\x80-\xff]/.test(s))
		throw new TypeError("Response: the statusText has control " +
		    "characters");
	return (s);
}

/* These are no methods: those that are private cost each object a property. */

function setOptions(s, init, what) {
	if (typeof init !== "object" || init === null)
		init = dictionary(init, what);
	if (init.status !== undefined)
		s.status = statusFrom(init.status);
	if (init.statusText !== undefined)
		s.statusText = reasonFrom(init.statusText);
	if (init.headers !== undefined)
		s.list = listFrom(init.headers);
}

function checkBody(s) {
	if (s.body !== null && NULL_BODY.includes(s.status))
		throw new TypeError(`Response: with the status ${s.status} ` +
		    "there is no body");
}

/* For those who look at the headers: with the Content-Type of the body. */
function listOf(s) {
	if (s.headers !== null)
		return (headerList(s.headers));
	s.list ??= [];
	if (s.body !== null && s.body.type !== null &&
	    getFrom(s.list, "content-type") === null)
		s.list.push("content-type", s.body.type);
	return (s.list);
}

export class Response {
	#s;

	constructor(body = null, init = undefined) {
		const s = spare ?? freshState();

		spare = null;
		this.#s = s;
		if (init !== undefined)
			setOptions(s, init, "Response: init");
		if (body !== null)
			s.body = typeof body === "string" ?
			    newBody(body, TEXT) : extract(body);
		if (s.status !== 200)
			checkBody(s);
	}

	static {
		responseState = (rs) =>
		    typeof rs === "object" && rs !== null && #s in rs ?
		    rs.#s : null;
		makeResponse = (members, more) => {
			const rs = new Response();

			Object.assign(rs.#s, members);
			rs.#s.more = { type: "default", url: "",
				redirected: false, fixed: true, ...more };
			return (rs);
		};
		mixin(Response, (rs) => rs.#s.body,
		    (rs) => getFrom(listOf(rs.#s), "content-type"));
	}

	static error() {
		return (makeResponse({ status: 0 }, { type: "error" }));
	}

	static json(data, init = undefined) {
		const rs = new Response();
		const text = JSON.stringify(data);
		let body;

		need(arguments.length, 1, "Response.json");
		if (text === undefined)
			throw new TypeError("Response.json: there is no JSON " +
			    "for that");
		body = newBody(text, "application/json");
		if (init !== undefined)
			setOptions(rs.#s, init, "Response.json: init");
		rs.#s.body = body;
		checkBody(rs.#s);
		return (rs);
	}

	static redirect(url, status = 302) {
		let location;

		need(arguments.length, 1, "Response.redirect");
		location = resolveURL(url, "Response.redirect")[HREF];
		status = uint16(status);
		if (!REDIRECT.includes(status))
			throw new RangeError("Response.redirect: the status " +
			    `${status} is not one of a redirect`);
		return (makeResponse({ status, list: ["location", location] },
		    null));
	}

	get type() {
		return (this.#s.more?.type ?? "default");
	}

	get url() {
		return (this.#s.more?.url ?? "");
	}

	get redirected() {
		return (this.#s.more?.redirected ?? false);
	}

	get status() {
		return (this.#s.status);
	}

	get ok() {
		return (this.#s.status >= 200 && this.#s.status < 300);
	}

	get statusText() {
		return (this.#s.statusText);
	}

	get headers() {
		const s = this.#s;

		s.headers ??= makeHeaders(listOf(s), s.more?.fixed ?? false);
		return (s.headers);
	}

	clone() {
		const s = this.#s;
		const copy = new Response();

		if (isUnusable(s.body))
			throw new TypeError("Response.clone: the body has " +
			    "been used, or is locked");
		copy.#s = {
			...s,
			list: listOf(s).slice(),
			headers: null,
			body: s.body === null ? null : cloneBody(s.body),
		};
		return (copy);
	}
}
expose(Response, "Response");
