/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://w3c.github.io/webcrypto/: random values, SHA and HMAC. Every other
 * algorithm is a NotSupportedError.
 */

import { DOMException } from "./dom.js";
import { host } from "./host.js";
import { bytesOf, expose, isObject, need, oneOf } from "./webidl.js";

const MAKE = Symbol("make");
const BLOCK = { "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };
const JWK_ALG = {
	"SHA-1": "HS1",
	"SHA-256": "HS256",
	"SHA-384": "HS384",
	"SHA-512": "HS512",
};
const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey",
	"deriveBits", "wrapKey", "unwrapKey"];

let keyOf;

/* Another object for the same key, for structuredClone(). */
export function copyKey(key) {
	return (new CryptoKey(MAKE, keyOf(key)));
}

export class CryptoKey {
	#key;
	#shown;

	constructor(token, key) {
		if (token !== MAKE)
			throw new TypeError("CryptoKey: use crypto.subtle");
		this.#key = key;
		/* The same objects each time that one looks. */
		this.#shown = {
			algorithm: {
				name: "HMAC",
				hash: { name: key.hash },
				length: key.length,
			},
			usages: key.usages.slice(),
		};
	}

	static {
		keyOf = (key) => key.#key;
	}

	get type() {
		this.#key.hash;
		return ("secret");
	}

	get extractable() {
		return (this.#key.extractable);
	}

	get algorithm() {
		return (this.#shown.algorithm);
	}

	get usages() {
		return (this.#shown.usages);
	}
}
expose(CryptoKey, "CryptoKey");

function fail(name, message) {
	return (new DOMException(message, name));
}

function copyOf(data, what) {
	const bytes = bytesOf(data);

	if (bytes === null)
		throw new TypeError(`${what}: neither an ArrayBuffer nor a ` +
		    "view of one");
	return (bytes);
}

function algorithmName(algorithm) {
	const name = isObject(algorithm) ? algorithm.name : algorithm;

	if (name === undefined)
		throw new TypeError("the algorithm has no name");
	return (`${name}`.toUpperCase());
}

function hashName(algorithm) {
	const name = algorithmName(algorithm);

	if (!Object.hasOwn(BLOCK, name))
		throw fail("NotSupportedError", `there is no digest ${name}`);
	return (name);
}

function onlyHmac(algorithm) {
	const name = algorithmName(algorithm);

	if (name !== "HMAC")
		throw fail("NotSupportedError",
		    `${name} is not here; there is HMAC`);
}

function hmacHash(algorithm) {
	onlyHmac(algorithm);
	if (!isObject(algorithm) || algorithm.hash === undefined)
		throw new TypeError("HMAC: the hash is missing");
	return (hashName(algorithm.hash));
}

function usagesFrom(usages) {
	const list = [...usages].map((u) => oneOf(u, USAGES, "key usages"));

	for (const u of list)
		if (u !== "sign" && u !== "verify")
			throw fail("SyntaxError", `HMAC can not ${u}`);
	return (USAGES.filter((u) => list.includes(u)));
}

function makeKey(bytes, hash, length, extractable, usages) {
	if (usages.length === 0)
		throw fail("SyntaxError", "a key without usages");
	return (new CryptoKey(MAKE, {
		bytes,
		hash,
		length,
		extractable: Boolean(extractable),
		usages,
	}));
}

function fromJwk(jwk, hash, extractable, usages) {
	if (!isObject(jwk) || bytesOf(jwk) !== null)
		throw new TypeError("importKey: not a JSON Web Key");
	if (jwk.kty !== "oct")
		throw fail("DataError", 'JWK: kty is not "oct"');
	if (typeof jwk.k !== "string" || !/^[\w-]*$/.test(jwk.k))
		throw fail("DataError", "JWK: k is not base64url");
	if (jwk.alg !== undefined && jwk.alg !== JWK_ALG[hash])
		throw fail("DataError", `JWK: alg is not ${JWK_ALG[hash]}`);
	if (usages.length > 0 && jwk.use !== undefined && jwk.use !== "sig")
		throw fail("DataError", 'JWK: use is not "sig"');
	if (jwk.key_ops !== undefined &&
	    !usages.every((u) => jwk.key_ops.includes(u)))
		throw fail("DataError", "JWK: key_ops does not allow that");
	if (jwk.ext === false && extractable)
		throw fail("DataError", "JWK: ext does not allow that");
	try {
		return (Uint8Array.fromBase64(jwk.k, { alphabet: "base64url" }));
	} catch {
		throw fail("DataError", "JWK: k is not base64url");
	}
}

function keyLength(bytes, wanted) {
	const bits = bytes.length * 8;

	if (bits === 0)
		throw fail("DataError", "an HMAC key of no bytes");
	if (wanted === undefined)
		return (bits);
	if (wanted > bits || wanted <= bits - 8)
		throw fail("DataError", `a key of ${bits} bits has not ` +
		    `${wanted}`);
	return (Number(wanted));
}

function usable(key, algorithm, usage) {
	onlyHmac(algorithm);
	if (!(key instanceof CryptoKey))
		throw new TypeError("not a CryptoKey");
	if (!keyOf(key).usages.includes(usage))
		throw fail("InvalidAccessError", `the key can not ${usage}`);
	return (keyOf(key));
}

function missing(name) {
	return ({ async [name]() {
		throw fail("NotSupportedError", `crypto.subtle.${name}() is ` +
		    "not here; there are digests and HMAC");
	} }[name]);
}

export class SubtleCrypto {
	constructor(token) {
		if (token !== MAKE)
			throw new TypeError("SubtleCrypto: use crypto.subtle");
	}

	async digest(algorithm, data) {
		need(arguments.length, 2, "digest");
		return (host.digest(hashName(algorithm),
		    copyOf(data, "digest")));
	}

	async importKey(format, keyData, algorithm, extractable, keyUsages) {
		let bytes, hash, usages;

		need(arguments.length, 5, "importKey");
		format = oneOf(format, ["raw", "spki", "pkcs8", "jwk"],
		    "importKey: format");
		hash = hmacHash(algorithm);
		usages = usagesFrom(keyUsages);
		if (format === "raw")
			bytes = copyOf(keyData, "importKey").slice();
		else if (format === "jwk")
			bytes = fromJwk(keyData, hash, extractable, usages);
		else
			throw fail("NotSupportedError",
			    `importKey: HMAC has no format ${format}`);
		return (makeKey(bytes, hash, keyLength(bytes,
		    algorithm.length), extractable, usages));
	}

	async exportKey(format, key) {
		let k;

		need(arguments.length, 2, "exportKey");
		format = oneOf(format, ["raw", "spki", "pkcs8", "jwk"],
		    "exportKey: format");
		if (!(key instanceof CryptoKey))
			throw new TypeError("exportKey: not a CryptoKey");
		k = keyOf(key);
		if (!k.extractable)
			throw fail("InvalidAccessError",
			    "exportKey: the key is not extractable");
		if (format === "raw")
			return (k.bytes.slice().buffer);
		if (format !== "jwk")
			throw fail("NotSupportedError",
			    `exportKey: HMAC has no format ${format}`);
		return ({
			key_ops: k.usages.slice(),
			ext: true,
			kty: "oct",
			k: k.bytes.toBase64(
			    { alphabet: "base64url", omitPadding: true }),
			alg: JWK_ALG[k.hash],
		});
	}

	async generateKey(algorithm, extractable, keyUsages) {
		let bytes, hash, length, usages;

		need(arguments.length, 3, "generateKey");
		hash = hmacHash(algorithm);
		usages = usagesFrom(keyUsages);
		length = algorithm.length ?? BLOCK[hash] * 8;
		if (!(length > 0))
			throw fail("OperationError", "generateKey: no length");
		bytes = new Uint8Array(Math.ceil(length / 8));
		host.random(bytes);
		return (makeKey(bytes, hash, length, extractable, usages));
	}

	async sign(algorithm, key, data) {
		let k;

		need(arguments.length, 3, "sign");
		k = usable(key, algorithm, "sign");
		return (host.hmac(k.hash, k.bytes, copyOf(data, "sign")));
	}

	async verify(algorithm, key, signature, data) {
		let k, bytes;

		need(arguments.length, 4, "verify");
		k = usable(key, algorithm, "verify");
		bytes = copyOf(signature, "verify");
		return (host.timingSafeEqual(bytes,
		    host.hmac(k.hash, k.bytes, copyOf(data, "verify"))));
	}
}
for (const name of ["encrypt", "decrypt", "deriveKey", "deriveBits",
	"wrapKey", "unwrapKey"])
	Object.defineProperty(SubtleCrypto.prototype, name,
	    { value: missing(name), writable: true, configurable: true });
expose(SubtleCrypto, "SubtleCrypto");

const subtle = new SubtleCrypto(MAKE);

export class Crypto {
	constructor(token) {
		if (token !== MAKE)
			throw new TypeError("Crypto: it is there already");
	}

	get subtle() {
		return (subtle);
	}

	getRandomValues(array) {
		if (!ArrayBuffer.isView(array) || array instanceof DataView ||
		    /Float/.test(array[Symbol.toStringTag]))
			throw fail("TypeMismatchError", "getRandomValues: " +
			    "not an array of integers");
		if (array.byteLength > 65536)
			throw fail("QuotaExceededError", "getRandomValues: " +
			    `${array.byteLength} bytes; 65536 at a time`);
		host.random(array);
		return (array);
	}

	randomUUID() {
		const bytes = new Uint8Array(16);
		let hex;

		host.random(bytes);
		bytes[6] = (bytes[6] & 0x0f) | 0x40;
		bytes[8] = (bytes[8] & 0x3f) | 0x80;
		hex = bytes.toHex();
		return (`${hex.slice(0, 8)}-${hex.slice(8, 12)}-` +
		    `${hex.slice(12, 16)}-${hex.slice(16, 20)}-` +
		    `${hex.slice(20)}`);
	}
}
expose(Crypto, "Crypto");

export const crypto = new Crypto(MAKE);
