/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://encoding.spec.whatwg.org/: text and bytes. UTF-8 in one piece, which
 * is nearly all there ever is, is the C side's; UTF-8 in pieces, UTF-16 and
 * the single-byte encodings are @exodus/bytes'. Those with tables of thousands
 * of characters are left out: their labels are a RangeError.
 *
 * This one puts its classes on globalThis as soon as it is loaded, because
 * whatwg-url makes objects of them when it is.
 */

import {
	TextDecoder as Decoder, TextEncoder as Encoder, normalizeEncoding,
} from "@exodus/bytes/encoding-lite.js";
import { host } from "./host.js";
import { bytesOf, dictionary, expose } from "./webidl.js";

const TOO_LARGE = ["big5", "euc-jp", "euc-kr", "gb18030", "gbk", "iso-2022-jp",
	"replacement", "shift_jis"];
const encoder = new Encoder();

export function encodeUtf8(text) {
	return (new Uint8Array(host.utf8Encode(text)));
}

/* UTF-8 decode: without the BOM, wrong bytes are replaced. */
export function decodeUtf8(bytes) {
	if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
		bytes = bytes.subarray(3);
	return (host.utf8Decode(bytes, false));
}

export class TextEncoder {
	get encoding() {
		return ("utf-8");
	}

	encode(text = "") {
		return (encodeUtf8(`${text}`));
	}

	encodeInto(source, destination) {
		return (encoder.encodeInto(`${source}`, destination));
	}
}
expose(TextEncoder, "TextEncoder");

export class TextDecoder {
	#encoding;
	#fatal;
	#ignoreBOM;
	#inner = null;		/* once it has to remember something */

	constructor(label = "utf-8", options = {}) {
		const name = normalizeEncoding(`${label}`);

		options = dictionary(options, "TextDecoder: options");
		if (name === null || TOO_LARGE.includes(name))
			throw new RangeError(
			    `TextDecoder: "${label}" is not an encoding ` +
			    "that is supported");
		this.#encoding = name;
		this.#fatal = Boolean(options.fatal);
		this.#ignoreBOM = Boolean(options.ignoreBOM);
	}

	get encoding() {
		return (this.#encoding);
	}

	get fatal() {
		return (this.#fatal);
	}

	get ignoreBOM() {
		return (this.#ignoreBOM);
	}

	decode(input = undefined, options = {}) {
		const bytes = input === undefined ? new Uint8Array(0) :
		    bytesOf(input);
		const stream = Boolean(dictionary(options,
		    "TextDecoder.decode: options").stream);

		if (bytes === null)
			throw new TypeError("TextDecoder.decode: neither an " +
			    "ArrayBuffer nor a view of one");
		if (this.#inner === null && !stream &&
		    this.#encoding === "utf-8")
			return (this.#whole(bytes));
		this.#inner ??= new Decoder(this.#encoding,
		    { fatal: this.#fatal, ignoreBOM: this.#ignoreBOM });
		return (this.#inner.decode(bytes, { stream }));
	}

	#whole(bytes) {
		if (!this.#ignoreBOM && bytes[0] === 0xef &&
		    bytes[1] === 0xbb && bytes[2] === 0xbf)
			bytes = bytes.subarray(3);
		return (host.utf8Decode(bytes, this.#fatal));
	}
}
expose(TextDecoder, "TextDecoder");

Object.defineProperties(globalThis, {
	TextDecoder: { value: TextDecoder, writable: true,
		configurable: true },
	TextEncoder: { value: TextEncoder, writable: true,
		configurable: true },
});
