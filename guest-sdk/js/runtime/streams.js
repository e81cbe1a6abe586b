/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://streams.spec.whatwg.org/, by web-streams-polyfill. A body is there
 * as a whole before anybody asks for it, and becomes a stream only for those
 * who want one; what such a stream is made from is remembered, so that
 * new Response(request.body) hands the bytes on as they are.
 */

import { ReadableStream } from "web-streams-polyfill";
import { encodeUtf8 } from "./text.js";

export {
	ByteLengthQueuingStrategy, CountQueuingStrategy,
	ReadableByteStreamController, ReadableStream, ReadableStreamBYOBReader,
	ReadableStreamBYOBRequest, ReadableStreamDefaultController,
	ReadableStreamDefaultReader, TransformStream,
	TransformStreamDefaultController, WritableStream,
	WritableStreamDefaultController, WritableStreamDefaultWriter,
} from "web-streams-polyfill";

const CHUNK = 65536;
const sources = new WeakMap();

/* The polyfill's own mark; the standard has no way to ask for it. */
export function isDisturbed(stream) {
	return (stream._disturbed);
}

/* The same as (stream.locked), for one that is known to be a stream. */
export function unusable(stream) {
	return (stream._reader !== undefined || isDisturbed(stream));
}

/* One that was made before the freeze, for the first body of a request that
 * somebody wants as a stream. */
let spare = null;

export function spareStream() {
	spare = makeStream();
}

/* A stream, and what makes its source known. */
function makeStream() {
	let source, bytes = null, at = 0;
	const stream = new ReadableStream({
		type: "bytes",
		pull(controller) {
			let end;

			bytes ??= typeof source === "string" ?
			    encodeUtf8(source) : source;
			end = Math.min(at + CHUNK, bytes.length);
			/* A copy: the stream detaches what it is given. */
			if (end > at)
				controller.enqueue(bytes.slice(at, end));
			at = end;
			if (at === bytes.length) {
				controller.close();
				controller.byobRequest?.respond(0);
			}
		},
	}, { highWaterMark: 0 });

	return ({
		stream,
		use(value) {
			source = value;
			sources.set(stream, value);
		},
	});
}

/* A stream of (source), a string or a Uint8Array. */
export function streamOf(source) {
	const { stream, use } = spare ?? makeStream();

	spare = null;
	use(source);
	return (stream);
}

/* A reader that reads nothing. */
const nobody = new ReadableStream().getReader();

/* Leave one whose source is known as if it had been read to its end: nobody can
 * get at it again. */
export function useUp(stream) {
	stream._reader = nobody;
	stream._disturbed = true;
}

/* What a stream nobody has read from was made of; or undefined. */
export function sourceOf(stream) {
	return (unusable(stream) ? undefined : sources.get(stream));
}

export function concat(chunks, length) {
	const all = new Uint8Array(length);
	let at = 0;

	for (const chunk of chunks) {
		all.set(chunk, at);
		at += chunk.length;
	}
	return (all);
}

/* All bytes of a stream, which is read to its end. */
export async function readAll(stream) {
	const reader = stream.getReader();
	const chunks = [];
	let length = 0;

	for (;;) {
		const { done, value } = await reader.read();

		/* A copy: they belong to who has made the stream. */
		if (done)
			return (concat(chunks, length));
		if (!(value instanceof Uint8Array)) {
			const error = new TypeError(
			    "a body's stream gave something that is not a " +
			    "Uint8Array");

			await reader.cancel(error).catch(() => {});
			throw error;
		}
		chunks.push(value);
		length += value.length;
	}
}
