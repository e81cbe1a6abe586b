/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://fetch.spec.whatwg.org/#response-class
 */

import { cloneBody, extract, isUnusable, mixin, newBody } from "./body.js";
import { getFrom, headerList, listFrom, makeHeaders } from "./headers.js";
import { resolveURL } from "./request.js";
import { byteString, dictionary, expose, need, uint16 } from "./webidl.js";

const NULL_BODY = [101, 103, 204, 205, 304];
const REDIRECT = [301, 302, 303, 307, 308];

/*
 * What is in one: { type, url, redirected, status, statusText, list, headers,
 * body }. list is there until somebody asks for the object.
 */
export let responseState;

/* One that was fetched: its headers can not be changed. */
export let makeResponse;

function freshState() {
	return ({
		type: "default",
		url: "",
		redirected: false,
		status: 200,
		statusText: "",
		list: null,
		headers: null,
		fixed: false,
		body: null,
	});
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

export class Response {
	#s = freshState();

	constructor(body = null, init = undefined) {
		if (init !== undefined)
			this.#options(dictionary(init, "Response: init"));
		if (body !== null)
			this.#setBody(extract(body));
	}

	static {
		responseState = (rs) => rs.#s;
		makeResponse = (members) => {
			const rs = new Response();

			Object.assign(rs.#s, members);
			rs.#s.fixed = true;
			return (rs);
		};
		mixin(Response, (rs) => rs.#s.body,
		    (rs) => getFrom(rs.#list(), "content-type"));
	}

	#options(init) {
		const s = this.#s;

		if (init.status !== undefined)
			s.status = statusFrom(init.status);
		if (init.statusText !== undefined)
			s.statusText = reasonFrom(init.statusText);
		if (init.headers !== undefined)
			s.list = listFrom(init.headers);
	}

	#setBody(body) {
		const s = this.#s;

		if (NULL_BODY.includes(s.status))
			throw new TypeError(`Response: with the status ` +
			    `${s.status} there is no body`);
		s.body = body;
		if (body.type !== undefined) {
			s.list ??= [];
			if (getFrom(s.list, "content-type") === null)
				s.list.push("content-type", body.type);
		}
	}

	#list() {
		return (this.#s.headers === null ? this.#s.list ??= [] :
		    headerList(this.#s.headers));
	}

	static error() {
		const rs = new Response();

		rs.#s.type = "error";
		rs.#s.status = 0;
		rs.#s.fixed = true;
		return (rs);
	}

	static json(data, init = undefined) {
		const rs = new Response();
		const text = JSON.stringify(data);
		let body;

		need(arguments.length, 1, "Response.json");
		if (text === undefined)
			throw new TypeError("Response.json: there is no JSON " +
			    "for that");
		body = newBody(text.toWellFormed());
		body.type = "application/json";
		if (init !== undefined)
			rs.#options(dictionary(init, "Response.json: init"));
		rs.#setBody(body);
		return (rs);
	}

	static redirect(url, status = 302) {
		const rs = new Response();
		let location;

		need(arguments.length, 1, "Response.redirect");
		location = resolveURL(url, "Response.redirect").href;
		rs.#s.status = uint16(status);
		if (!REDIRECT.includes(rs.#s.status))
			throw new RangeError("Response.redirect: the status " +
			    `${rs.#s.status} is not one of a redirect`);
		rs.#s.list = ["location", location];
		rs.#s.fixed = true;
		return (rs);
	}

	get type() {
		return (this.#s.type);
	}

	get url() {
		return (this.#s.url);
	}

	get redirected() {
		return (this.#s.redirected);
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

		s.headers ??= makeHeaders(s.list ?? [], s.fixed);
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
			list: this.#list().slice(),
			headers: null,
			body: s.body === null ? null : cloneBody(s.body),
		};
		return (copy);
	}
}
expose(Response, "Response");
