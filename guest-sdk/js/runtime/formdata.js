/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * FormData (https://xhr.spec.whatwg.org/#interface-formdata), and its form on
 * the wire, multipart/form-data (RFC 7578), both ways.
 */

import { Blob, File, blobBytes, makeBlob } from "./blob.js";
import { host } from "./host.js";
import { concat } from "./streams.js";
import { decodeUtf8, encodeUtf8 } from "./text.js";
import { expose, need, pairs, usv } from "./webidl.js";

let entriesOf;

function entry(name, value, filename) {
	name = usv(name);
	if (!(value instanceof Blob))
		return ([name, usv(value)]);
	if (!(value instanceof File) || filename !== undefined) {
		const options = { type: value.type };

		if (value instanceof File)
			options.lastModified = value.lastModified;
		value = new File([value], filename ?? "blob", options);
	}
	return ([name, value]);
}

export class FormData {
	#entries = [];

	constructor(form = undefined) {
		if (form !== undefined)
			throw new TypeError("FormData: there are no forms " +
			    "here to take the data from");
	}

	static {
		entriesOf = (data) => data.#entries;
	}

	#make(args, what) {
		need(args.length, 2, what);
		if (args.length > 2 && !(args[1] instanceof Blob))
			throw new TypeError(`${what}: only a Blob has a ` +
			    "file's name");
		return (entry(args[0], args[1], args[2] === undefined ?
		    undefined : usv(args[2])));
	}

	append(name, value, filename = undefined) {
		this.#entries.push(this.#make(arguments, "FormData.append"));
	}

	delete(name) {
		need(arguments.length, 1, "FormData.delete");
		name = usv(name);
		this.#entries = this.#entries.filter((e) => e[0] !== name);
	}

	get(name) {
		need(arguments.length, 1, "FormData.get");
		name = usv(name);
		return (this.#entries.find((e) => e[0] === name)?.[1] ?? null);
	}

	getAll(name) {
		need(arguments.length, 1, "FormData.getAll");
		name = usv(name);
		return (this.#entries.filter((e) => e[0] === name)
		    .map((e) => e[1]));
	}

	has(name) {
		need(arguments.length, 1, "FormData.has");
		name = usv(name);
		return (this.#entries.some((e) => e[0] === name));
	}

	set(name, value, filename = undefined) {
		const made = this.#make(arguments, "FormData.set");
		const at = this.#entries.findIndex((e) => e[0] === made[0]);

		this.#entries = this.#entries.filter((e, i) =>
		    e[0] !== made[0] || i === at);
		if (at < 0)
			this.#entries.push(made);
		else
			this.#entries[at] = made;
	}
}
pairs(FormData, "FormData", (data, i) => entriesOf(data)[i]);
expose(FormData, "FormData");

/*--------------------------------------------------------------------
 * To the wire
 */

function quoted(name) {
	return (name.replace(/\r\n?|\n/g, "\r\n").replace(/[\r\n"]/g,
	    (c) => c === '"' ? "%22" : c === "\r" ? "%0D" : "%0A"));
}

/* { bytes, type } */
export function encodeForm(data) {
	const random = new Uint8Array(16);
	const parts = [];
	let length = 0, boundary;

	function push(part) {
		parts.push(part);
		length += part.length;
	}

	host.random(random);
	boundary = `----formdata-${random.toHex()}`;

	for (const [name, value] of entriesOf(data)) {
		const head = `--${boundary}\r\nContent-Disposition: ` +
		    `form-data; name="${quoted(name)}"`;

		if (typeof value === "string") {
			push(encodeUtf8(`${head}\r\n\r\n` +
			    `${value.replace(/\r\n?|\n/g, "\r\n")}\r\n`));
			continue;
		}
		push(encodeUtf8(`${head}; filename="` +
		    `${quoted(value.name)}"\r\nContent-Type: ` +
		    `${value.type || "application/octet-stream"}\r\n\r\n`));
		push(blobBytes(value));
		push(encodeUtf8("\r\n"));
	}
	push(encodeUtf8(`--${boundary}--\r\n`));
	return ({
		bytes: concat(parts, length),
		type: `multipart/form-data; boundary=${boundary}`,
	});
}

/*--------------------------------------------------------------------
 * From the wire. The positions of things are looked for in a string that has
 * one character for each byte, which is much faster than in the bytes.
 */

function broken(why) {
	return (new TypeError(`not multipart/form-data: ${why}`));
}

/* The parameters of a header: name="value"; name=value */
function parameters(text) {
	const found = {};

	for (const m of text.matchAll(
	    /;[ \t]*([^=;\s]+)[ \t]*=[ \t]*(?:"([^"]*)"|([^;\s"]*))/g))
		found[m[1].toLowerCase()] ??= m[2] ?? m[3];
	return (found);
}

function fieldName(text) {
	return (decodeUtf8(Uint8Array.from(text, (c) => c.charCodeAt(0)))
	    .replace(/%(0A|0D|22)/gi,
	    (all, hex) => String.fromCharCode(parseInt(hex, 16))));
}

function partHeaders(text) {
	const headers = {};

	for (const line of text.split("\r\n")) {
		const m = /^([^\s:]+):(.*)$/s.exec(line);

		if (m === null)
			throw broken("a part's header has no name");
		headers[m[1].toLowerCase()] = m[2].trim();
	}
	return (headers);
}

function addPart(data, head, body) {
	const headers = partHeaders(head);
	const disposition = headers["content-disposition"] ?? "";
	const p = parameters(disposition);

	if (!/^form-data\s*(;|$)/i.test(disposition) || p.name === undefined)
		throw broken("a part has no name");
	if (p.filename === undefined)
		data.append(fieldName(p.name), decodeUtf8(body));
	else
		data.append(fieldName(p.name), new File(
		    [makeBlob(body, "")], fieldName(p.filename),
		    { type: headers["content-type"] ?? "text/plain" }));
}

export function decodeForm(bytes, contentType) {
	const boundary = parameters(contentType).boundary;
	const data = new FormData();
	const text = host.latin1Decode(bytes);
	const mark = `--${boundary}`;
	let at;

	if (boundary === undefined || boundary === "")
		throw broken("Content-Type has no boundary");
	at = text.startsWith(mark) ? 0 : text.indexOf(`\r\n${mark}`) + 2;
	if (at === 1)
		throw broken("the boundary is nowhere");
	for (;;) {
		let head, end;

		at += mark.length;
		if (text.startsWith("--", at))
			return (data);
		at = text.indexOf("\r\n", at) + 2;
		if (at === 1)
			throw broken("it ends early");
		head = text.indexOf("\r\n\r\n", at);
		end = text.indexOf(`\r\n${mark}`, Math.max(at, head + 2));
		if (head < 0 || end < 0)
			throw broken("a part ends early");
		addPart(data, text.slice(at, head),
		    bytes.subarray(head + 4, Math.max(end, head + 4)));
		at = end + 2;
	}
}
