/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://encoding.spec.whatwg.org/#interface-textdecoderstream and its
 * opposite
 */

import { TransformStream } from "./streams.js";
import { TextDecoder, encodeUtf8 } from "./text.js";
import { bytesOf, expose } from "./webidl.js";

export class TextDecoderStream {
	#decoder;
	#stream;

	constructor(label = "utf-8", options = {}) {
		const decoder = new TextDecoder(label, options);

		this.#decoder = decoder;
		this.#stream = new TransformStream({
			transform(chunk, controller) {
				if (bytesOf(chunk) === null)
					throw new TypeError("TextDecoder" +
					    "Stream: a chunk is not bytes");
				const text = decoder.decode(chunk,
				    { stream: true });

				if (text !== "")
					controller.enqueue(text);
			},
			flush(controller) {
				const text = decoder.decode();

				if (text !== "")
					controller.enqueue(text);
			},
		});
	}

	get encoding() {
		return (this.#decoder.encoding);
	}

	get fatal() {
		return (this.#decoder.fatal);
	}

	get ignoreBOM() {
		return (this.#decoder.ignoreBOM);
	}

	get readable() {
		return (this.#stream.readable);
	}

	get writable() {
		return (this.#stream.writable);
	}
}
expose(TextDecoderStream, "TextDecoderStream");

export class TextEncoderStream {
	#stream;

	constructor() {
		/* The first half of a character whose second is to come. */
		let half = "";

		this.#stream = new TransformStream({
			transform(chunk, controller) {
				let text = half + `${chunk}`;

				half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? "";
				text = text.slice(0,
				    text.length - half.length);
				if (text !== "")
					controller.enqueue(encodeUtf8(text));
			},
			flush(controller) {
				if (half !== "")
					controller.enqueue(encodeUtf8(half));
			},
		});
	}

	get encoding() {
		this.#stream;
		return ("utf-8");
	}

	get readable() {
		return (this.#stream.readable);
	}

	get writable() {
		return (this.#stream.writable);
	}
}
expose(TextEncoderStream, "TextEncoderStream");
