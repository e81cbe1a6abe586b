/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://fetch.spec.whatwg.org/#body-mixin
 *
 * A body is { source, type, stream, used, shared }. The source is a string, in
 * which lone surrogates stand for U+FFFD, or a Uint8Array that nobody else
 * changes, or null if there is only a stream. The stream is made when somebody
 * asks for it. "type" is the Content-Type that it brings with it, or null.
 * "shared": another body has the same bytes, so that they have to be copied for
 * those who may change them.
 */

import { Blob, blobBytes, makeBlob } from "./blob.js";
import { structuredClone } from "./clone.js";
import { FormData, decodeForm, encodeForm } from "./formdata.js";
import { host } from "./host.js";
import { after, isPromise, later, rejected } from "./promises.js";
import {
	ReadableStream, TransformStream, isDisturbed, readAll, sourceOf,
	streamOf, unusable, useUp,
} from "./streams.js";
import { decodeUtf8, encodeUtf8 } from "./text.js";
import { URLSearchParams, parseForm } from "./url.js";
import { bytesOf } from "./webidl.js";

function freshBody() {
	return ({ source: null, type: null, stream: null, used: false,
	    shared: false });
}

/* One that was made before the freeze, for the first body of a request. */
let spare = null;

export function spareBody() {
	spare = freshBody();
}

/* The Content-Type of a string. */
export const TEXT = "text/plain;charset=UTF-8";

export function newBody(source, type = null) {
	const body = spare ?? freshBody();

	spare = null;
	body.source = source;
	body.type = type;
	return (body);
}

function fromStream(stream) {
	const body = newBody(null);

	if (stream.locked || isDisturbed(stream))
		throw new TypeError("the stream is locked, or has been read " +
		    "from");
	body.stream = stream;
	return (body);
}

/*
 * What the standard calls BodyInit, which is not null: a body.
 */
export function extract(init) {
	let body, bytes;

	if (typeof init === "string") {
		body = newBody(init, TEXT);
	} else if (init instanceof ReadableStream) {
		body = fromStream(init);
	} else if ((bytes = bytesOf(init)) !== null) {
		body = newBody(bytes.slice());
	} else if (init instanceof Blob) {
		body = newBody(blobBytes(init));
		body.shared = true;
		if (init.type !== "")
			body.type = init.type;
	} else if (init instanceof URLSearchParams) {
		body = newBody(init.toString(),
		    "application/x-www-form-urlencoded;charset=UTF-8");
	} else if (init instanceof FormData) {
		const form = encodeForm(init);

		body = newBody(form.bytes, form.type);
	} else {
		body = newBody(`${init}`, TEXT);
	}
	return (body);
}

export function isUsed(body) {
	return (body !== null && (body.used ||
	    (body.stream !== null && isDisturbed(body.stream))));
}

export function isUnusable(body) {
	return (body !== null && (body.used ||
	    (body.stream !== null && unusable(body.stream))));
}

/* The body as a stream. */
export function bodyStream(body) {
	if (body.stream === null) {
		body.stream = streamOf(body.source);
		/* It was read before anybody wanted to see the stream. */
		if (body.used)
			useUp(body.stream);
	}
	return (body.stream);
}

/* Two streams of one; what is in the second is not the first's. */
function teeWithCopies(stream) {
	const [first, second] = stream.tee();

	return ([first, second.pipeThrough(new TransformStream({
		transform(chunk, controller) {
			controller.enqueue(structuredClone(chunk));
		},
	}, undefined, { highWaterMark: 0 }))]);
}

/* A second body with the same content. */
export function cloneBody(body) {
	const copy = newBody(body.source);

	if (body.stream !== null &&
	    (body.source === null || sourceOf(body.stream) === undefined))
		[body.stream, copy.stream] = teeWithCopies(body.stream);
	body.shared = copy.shared = true;
	return (copy);
}

/*
 * Take the content: a string or bytes if it is at hand, or a promise. The
 * body is used from now on.
 */
export function takeBody(body) {
	let source;

	if (body === null)
		return ("");
	if (isUnusable(body))
		throw new TypeError("the body has been used, or is locked");
	source = body.source;
	if (body.stream !== null)
		source = sourceOf(body.stream);
	if (source === undefined || source === null)
		return (readAll(body.stream));
	body.used = true;
	if (body.stream !== null)
		useUp(body.stream);
	return (source);
}

function toText(content) {
	if (typeof content !== "string")
		return (decodeUtf8(content));
	if (content.charCodeAt(0) === 0xfeff)
		content = content.slice(1);
	return (content.toWellFormed());
}

/* Bytes for somebody who may change them. */
function toBytes(content, shared) {
	if (typeof content === "string")
		return (encodeUtf8(content));
	if (shared || content.length !== content.buffer.byteLength)
		return (content.slice());
	return (content);
}

function toForm(content, type) {
	const essence = type === null ? "" :
	    type.split(";", 1)[0].trim().toLowerCase();
	const data = new FormData();

	if (essence === "multipart/form-data")
		return (decodeForm(toBytes(content, false), type));
	if (essence !== "application/x-www-form-urlencoded")
		throw new TypeError(`formData(): the Content-Type is ` +
		    `${type ?? "missing"}, and not one of a form`);
	/* A BOM is part of the first name. */
	for (const [name, value] of parseForm(typeof content === "string" ?
	    content.toWellFormed() : host.utf8Decode(content, false)))
		data.append(name, value);
	return (data);
}

/*
 * Give a class the members of a body. bodyOf(object) is the body or null, and
 * throws if the object is not of that class; typeOf(object), the value of its
 * Content-Type or null.
 */
export function mixin(cls, bodyOf, typeOf) {
	/* What does not come out of a stream is at hand, and converted in a
	 * job, so that nobody gets it sooner than other promises. */
	function consume(object, convert) {
		let content;

		try {
			content = takeBody(bodyOf(object));
		} catch (e) {
			return (rejected(e));
		}
		return (isPromise(content) ? after(content, convert) :
		    later(() => convert(content)));
	}

	function bytes(object, convert) {
		return (consume(object, (content) => convert(
		    toBytes(content, bodyOf(object)?.shared))));
	}

	Object.defineProperties(cls.prototype,
	    Object.getOwnPropertyDescriptors({
		get body() {
			const body = bodyOf(this);

			return (body === null ? null : bodyStream(body));
		},
		get bodyUsed() {
			return (isUsed(bodyOf(this)));
		},
		text() {
			return (consume(this, toText));
		},
		json() {
			return (consume(this, (content) =>
			    JSON.parse(toText(content))));
		},
		bytes() {
			return (bytes(this, (all) => all));
		},
		arrayBuffer() {
			return (bytes(this, (all) => all.buffer));
		},
		blob() {
			return (bytes(this, (all) =>
			    makeBlob(all, typeOf(this) ?? "")));
		},
		formData() {
			return (consume(this, (content) =>
			    toForm(content, typeOf(this))));
		},
	}));
}
