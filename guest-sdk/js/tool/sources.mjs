/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A source map as the program reads it (src/source.h), which it does when
 * there is an error to be reported, and not before.
 */

const DIGITS =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* One piece of a map: numbers in base 64, five bits a digit. */
function numbers(piece)
{
	const all = [];
	let n = 0;
	let shift = 0;

	for (const c of piece) {
		const d = DIGITS.indexOf(c);
		n |= (d & 31) << shift;
		shift += 5;
		if (d & 32)
			continue;
		all.push(n & 1 ? -(n >> 1) : n >> 1);
		n = shift = 0;
	}
	return (all);
}

/* [[{ col, file, line, column }, ...] for each line], all from 0. */
export function decode(map)
{
	let file = 0;
	let line = 0;
	let column = 0;

	return (map.mappings.split(";").map((text) => {
		const pieces = [];
		let col = 0;
		for (const piece of text === "" ? [] : text.split(",")) {
			const n = numbers(piece);
			col += n[0];
			if (n.length < 4)
				continue;
			file += n[1];
			line += n[2];
			column += n[3];
			pieces.push({ col, file, line, column });
		}
		return (pieces);
	}));
}

function put(out, n)
{
	while (n > 127) {
		out.push(n & 127 | 128);
		n >>>= 7;
	}
	out.push(n);
}

function putSigned(out, n)
{
	put(out, n < 0 ? -n * 2 + 1 : n * 2);
}

function pack(pieces)
{
	let last = { col: 0, file: 0, line: 0, column: 0 };
	const out = [];

	for (const p of pieces) {
		put(out, p.col - last.col);
		putSigned(out, p.file - last.file);
		putSigned(out, p.line - last.line);
		putSigned(out, p.column - last.column);
		last = p;
	}
	return (Buffer.from(out));
}

/* (names) are what to call the map's files. */
export function table(lines, names)
{
	const head = Buffer.alloc(4 * (2 + names.length + lines.length + 1));
	const parts = [head];
	let off = head.length;
	let at = 8;
	const add = (part) => {
		parts.push(part);
		head.writeUInt32LE(off, at);
		off += part.length;
		at += 4;
	};

	head.writeUInt32LE(names.length, 0);
	head.writeUInt32LE(lines.length, 4);
	for (const name of names)
		add(Buffer.from(name + "\0"));
	for (const pieces of lines)
		add(pack(pieces));
	add(Buffer.alloc(0));
	return (Buffer.concat(parts));
}
