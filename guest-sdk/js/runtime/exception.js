/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://webidl.spec.whatwg.org/#idl-DOMException: errors with a name
 */

import { expose, isObject } from "./webidl.js";

const CODES = [
	"", "IndexSizeError", "", "HierarchyRequestError",
	"WrongDocumentError", "InvalidCharacterError", "",
	"NoModificationAllowedError", "NotFoundError", "NotSupportedError",
	"InUseAttributeError", "InvalidStateError", "SyntaxError",
	"InvalidModificationError", "NamespaceError", "InvalidAccessError",
	"", "TypeMismatchError", "SecurityError", "NetworkError",
	"AbortError", "URLMismatchError", "QuotaExceededError",
	"TimeoutError", "InvalidNodeTypeError", "DataCloneError",
];
const CONSTANTS = [
	"INDEX_SIZE_ERR", "DOMSTRING_SIZE_ERR", "HIERARCHY_REQUEST_ERR",
	"WRONG_DOCUMENT_ERR", "INVALID_CHARACTER_ERR",
	"NO_DATA_ALLOWED_ERR", "NO_MODIFICATION_ALLOWED_ERR",
	"NOT_FOUND_ERR", "NOT_SUPPORTED_ERR", "INUSE_ATTRIBUTE_ERR",
	"INVALID_STATE_ERR", "SYNTAX_ERR", "INVALID_MODIFICATION_ERR",
	"NAMESPACE_ERR", "INVALID_ACCESS_ERR", "VALIDATION_ERR",
	"TYPE_MISMATCH_ERR", "SECURITY_ERR", "NETWORK_ERR", "ABORT_ERR",
	"URL_MISMATCH_ERR", "QUOTA_EXCEEDED_ERR", "TIMEOUT_ERR",
	"INVALID_NODE_TYPE_ERR", "DATA_CLONE_ERR",
];

/* exception => { name, message } */
const states = new WeakMap();

function stateOf(exception) {
	const s = states.get(exception);

	if (s === undefined)
		throw new TypeError("not a DOMException");
	return (s);
}

/*
 * Its instances are errors (they have a stack) and its prototype inherits from
 * Error's, but the class itself does not: so there is no "extends".
 */
export class DOMException {
	constructor(message = "", options = "Error") {
		const error = Reflect.construct(Error, [], new.target);
		const s = { name: "Error", message: `${message}` };

		if (isObject(options)) {
			if (options.name !== undefined)
				s.name = `${options.name}`;
			if ("cause" in options)
				Object.defineProperty(error, "cause", {
					value: options.cause,
					writable: true,
					configurable: true,
				});
		} else
			s.name = `${options}`;
		delete error.message;
		states.set(error, s);
		return (error);
	}

	get name() {
		return (stateOf(this).name);
	}

	get message() {
		return (stateOf(this).message);
	}

	get code() {
		return (Math.max(0, CODES.indexOf(stateOf(this).name || "?")));
	}
}
Object.setPrototypeOf(DOMException.prototype, Error.prototype);
expose(DOMException, "DOMException");
CONSTANTS.forEach((name, i) => {
	for (const object of [DOMException, DOMException.prototype])
		Object.defineProperty(object, name,
		    { value: i + 1, enumerable: true });
});
