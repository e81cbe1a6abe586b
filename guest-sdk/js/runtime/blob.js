/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://w3c.github.io/FileAPI/: bytes with a type, and perhaps a name. They
 * are in memory, in one piece.
 */

import { host } from "./host.js";
import { concat, streamOf } from "./streams.js";
import { decodeUtf8, encodeUtf8 } from "./text.js";
import {
	bytesOf, dictionary, expose, isObject, need, oneOf, usv,
} from "./webidl.js";

/* The bytes of a blob, not to be changed. */
export let blobBytes;

/* A blob of bytes that nobody else will change. */
export let makeBlob;

function typeFrom(type) {
	const s = type === undefined ? "" : `${type}`;

	return (/[^\x20-\x7e]/.test(s) ? "" : s.toLowerCase());
}

function partBytes(part, native) {
	const bytes = bytesOf(part);

	if (bytes !== null)
		return (bytes);
	if (part instanceof Blob)
		return (blobBytes(part));
	part = usv(part);
	if (native)
		part = part.replace(/\r\n?/g, "\n");
	return (encodeUtf8(part));
}

/* [Clamp] long long, relative to an end */
function clamp(value, size, otherwise) {
	const n = value === undefined ? otherwise :
	    Math.round(Math.min(Math.max(Number(value) || 0,
	    Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER));

	return (n < 0 ? Math.max(size + n, 0) : Math.min(n, size));
}

export class Blob {
	#bytes;
	#type;

	constructor(parts = [], options = {}) {
		const list = [];
		const iterate = isObject(parts) ? parts[Symbol.iterator] : null;
		let native, length = 0;

		if (typeof iterate !== "function")
			throw new TypeError("Blob: the parts are not a list");
		options = dictionary(options, "Blob: options");
		native = options.endings !== undefined &&
		    oneOf(options.endings, ["transparent", "native"],
		    "Blob: endings") === "native";
		for (const part of
		    { [Symbol.iterator]: () => iterate.call(parts) }) {
			const bytes = partBytes(part, native);

			list.push(bytes);
			length += bytes.length;
		}
		this.#bytes = concat(list, length);
		this.#type = typeFrom(options.type);
	}

	static {
		blobBytes = (blob) => blob.#bytes;
		makeBlob = (bytes, type) => {
			const blob = new Blob();

			blob.#bytes = bytes;
			blob.#type = typeFrom(type);
			return (blob);
		};
	}

	get size() {
		return (this.#bytes.length);
	}

	get type() {
		return (this.#type);
	}

	slice(start = undefined, end = undefined, type = "") {
		const size = this.#bytes.length;

		start = clamp(start, size, 0);
		end = clamp(end, size, size);
		return (makeBlob(this.#bytes.subarray(start,
		    Math.max(start, end)), type));
	}

	stream() {
		return (streamOf(this.#bytes));
	}

	async text() {
		return (decodeUtf8(this.#bytes));
	}

	async arrayBuffer() {
		return (this.#bytes.slice().buffer);
	}

	async bytes() {
		return (this.#bytes.slice());
	}
}
expose(Blob, "Blob");

export class File extends Blob {
	#name;
	#lastModified;

	constructor(parts, name, options = {}) {
		need(arguments.length, 2, "File");
		super(parts, options);
		this.#name = usv(name);
		this.#lastModified = options?.lastModified === undefined ?
		    Math.floor(host.wallMs()) :
		    Math.trunc(Number(options.lastModified)) || 0;
	}

	get name() {
		return (this.#name);
	}

	get lastModified() {
		return (this.#lastModified);
	}

	get webkitRelativePath() {
		return ("");
	}
}
expose(File, "File");
