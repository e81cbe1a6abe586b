/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://console.spec.whatwg.org/, written to Varnish's log. A line that is
 * longer than the log takes becomes several.
 */

import { host } from "./host.js";
import { encodeUtf8 } from "./text.js";

const MAX_LINE = 1024;
const counts = new Map();
const timers = new Map();
let indent = "";

function show(value) {
	return (typeof value === "string" ? value : host.inspect(value));
}

function specifier(letter, value) {
	switch (letter) {
	case "s":
		return (typeof value === "symbol" ? value.toString() :
		    typeof value === "object" && value !== null ?
		    host.inspect(value) : `${value}`);
	case "d":
	case "i":
		return (typeof value === "symbol" ? "NaN" :
		    typeof value === "bigint" ? `${value}n` :
		    `${letter === "i" ? parseInt(value, 10) : Number(value)}`);
	case "f":
		return (typeof value === "symbol" ? "NaN" :
		    `${parseFloat(value)}`);
	case "j":
		return (JSON.stringify(value));
	case "c":
		return ("");
	default:
		return (host.inspect(value));
	}
}

export function format(args) {
	let text = "", at = 0;

	if (typeof args[0] === "string" && args.length > 1) {
		text = args[0].replace(/%[sdifjoOc%]/g, (all) => {
			if (all === "%%")
				return ("%");
			if (at + 1 >= args.length)
				return (all);
			return (specifier(all[1], args[++at]));
		});
		at++;
	}
	for (; at < args.length; at++)
		text += (at > 0 ? " " : "") + show(args[at]);
	return (text);
}

/* One line, in pieces that the log takes. */
function logLine(level, line) {
	let bytes;

	if (line.length * 3 <= MAX_LINE) {
		host.log(level, line);
		return;
	}
	bytes = encodeUtf8(line);
	for (let at = 0, end; at < bytes.length; at = end) {
		end = Math.min(at + MAX_LINE, bytes.length);
		while (end < bytes.length && (bytes[end] & 0xc0) === 0x80)
			end--;
		host.log(level, host.utf8Decode(bytes.subarray(at, end),
		    false));
	}
}

function write(level, text) {
	for (const line of text.split("\n"))
		logLine(level, indent + line);
}

function print(level, args) {
	if (args.length > 0)
		write(level, format(args));
}

function row(cells, widths) {
	return (cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")
	    .trimEnd());
}

/* The rows and columns of console.table() */
function table(data, wanted) {
	const columns = new Set(wanted ?? []);
	const rows = [];
	let values = false, lines, widths;

	for (const [index, item] of data instanceof Map ? data :
		Object.entries(data)) {
		const object = typeof item === "object" && item !== null;

		values ||= !object;
		if (object && !wanted)
			Object.keys(item).forEach((key) => columns.add(key));
		rows.push([index, item, object]);
	}
	lines = rows.map(([index, item, object]) => [show(index),
		...[...columns].map((c) => object && c in item ?
		    host.inspect(item[c]) : ""),
		...values ? [object ? "" : host.inspect(item)] : []]);
	lines.unshift(["(index)", ...columns, ...values ? ["Values"] : []]);
	widths = lines[0].map((cell, i) =>
	    Math.max(...lines.map((line) => line[i].length)));
	lines.splice(1, 0, widths.map((n) => "-".repeat(n)));
	return (lines.map((line) => row(line, widths)).join("\n"));
}

function since(label, what, args) {
	const begin = timers.get(label);

	if (begin === undefined)
		print(1, [`console.${what}: there is no timer ${label}`]);
	else
		print(0, [`${label}: ${(host.monoMs() - begin).toFixed(3)}ms`,
			...args]);
}

/* A namespace has an empty object above it. */
export const console = Object.assign(Object.create({}), {
	log(...args) {
		print(0, args);
	},
	info(...args) {
		print(0, args);
	},
	debug(...args) {
		print(0, args);
	},
	warn(...args) {
		print(1, args);
	},
	error(...args) {
		print(1, args);
	},
	assert(condition = false, ...args) {
		if (condition)
			return;
		if (typeof args[0] === "string")
			args[0] = `Assertion failed: ${args[0]}`;
		else
			args.unshift("Assertion failed");
		print(1, args);
	},
	clear() {
	},
	count(label = "default") {
		const n = (counts.get(`${label}`) ?? 0) + 1;

		counts.set(`${label}`, n);
		print(0, [`${label}: ${n}`]);
	},
	countReset(label = "default") {
		if (!counts.delete(`${label}`))
			print(1, [`console.countReset: there is no ${label}`]);
	},
	dir(value) {
		write(0, host.inspect(value));
	},
	dirxml(...args) {
		print(0, args);
	},
	group(...args) {
		print(0, args);
		indent += "  ";
	},
	groupCollapsed(...args) {
		print(0, args);
		indent += "  ";
	},
	groupEnd() {
		indent = indent.slice(2);
	},
	table(data = undefined, columns = undefined) {
		if (typeof data === "object" && data !== null)
			write(0, table(data, columns));
		else
			print(0, [data]);
	},
	time(label = "default") {
		if (timers.has(`${label}`))
			print(1, [`console.time: there is a timer ${label}`]);
		else
			timers.set(`${label}`, host.monoMs());
	},
	timeLog(label = "default", ...args) {
		since(`${label}`, "timeLog", args);
	},
	timeEnd(label = "default") {
		since(`${label}`, "timeEnd", []);
		timers.delete(`${label}`);
	},
	trace(...args) {
		const text = args.length > 0 ? `: ${format(args)}` : "";

		write(1, `Trace${text}\n${new Error().stack.trimEnd()}`);
	},
});
Object.defineProperty(console, Symbol.toStringTag,
    { value: "console", configurable: true });
