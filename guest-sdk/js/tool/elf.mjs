/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Adds a segment to a static executable, without a linker. The header of a
 * note, of which nobody needs the second one, becomes that of the segment,
 * which is written behind the rest of the file; and the program's slot
 * (src/payload.c) gets its address.
 */

const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_R = 4;
const PAGE = 4096n;
const SLOT = "sandbox-js payload slot\0";

function up(n, align)
{
	return ((n + align - 1n) / align * align);
}

function headers(file)
{
	const off = Number(file.readBigUInt64LE(32));
	const size = file.readUInt16LE(54);
	const n = file.readUInt16LE(56);
	const all = [];
	for (let i = 0; i < n; i++) {
		const at = off + i * size;
		all.push({
			at,
			type: file.readUInt32LE(at),
			vaddr: file.readBigUInt64LE(at + 16),
			memsz: file.readBigUInt64LE(at + 40),
		});
	}
	return (all);
}

function writeHeader(file, at, off, vaddr, len)
{
	file.writeUInt32LE(PT_LOAD, at);
	file.writeUInt32LE(PF_R, at + 4);
	file.writeBigUInt64LE(off, at + 8);
	file.writeBigUInt64LE(vaddr, at + 16);
	file.writeBigUInt64LE(vaddr, at + 24);
	file.writeBigUInt64LE(len, at + 32);
	file.writeBigUInt64LE(len, at + 40);
	file.writeBigUInt64LE(PAGE, at + 48);
}

/* A copy of the executable (engine) with (payload) in it. Both are Buffers. */
export function attach(engine, payload)
{
	if (engine.readUInt32BE(0) !== 0x7f454c46)
		throw (new Error("the engine is not an ELF file"));
	const all = headers(engine);
	const loads = all.filter((h) => h.type === PT_LOAD);
	/* Segments have to be in the order of their addresses. */
	const note = all.filter((h) => h.type === PT_NOTE &&
	    h.at > loads[loads.length - 1].at).pop();
	const slot = engine.indexOf(SLOT);
	if (note === undefined || slot < 0 ||
	    engine.indexOf(SLOT, slot + 1) >= 0)
		throw (new Error("the engine has no place for a handler"));
	const end = loads.reduce((m, h) =>
	    (h.vaddr + h.memsz > m ? h.vaddr + h.memsz : m), 0n);
	const vaddr = up(end, PAGE) + PAGE;
	const off = up(BigInt(engine.length), PAGE);
	const len = BigInt(payload.length);
	const out = Buffer.alloc(Number(off) + payload.length);
	engine.copy(out);
	payload.copy(out, Number(off));
	writeHeader(out, note.at, off, vaddr, len);
	out.writeBigUInt64LE(vaddr, slot + 32);
	out.writeBigUInt64LE(len, slot + 40);
	return (out);
}

/* See src/payload.h. (sections) is [[kind, Buffer], ...]. */
export function payload(sections)
{
	const head = Buffer.alloc(24 + 16 * sections.length);
	const parts = [head];
	let off = head.length;

	head.write("sandbox-js.1", 0, "latin1");
	head.writeUInt32LE(sections.length, 16);
	sections.forEach(([kind, data], i) => {
		const pad = (16 - off % 16) % 16;
		parts.push(Buffer.alloc(pad), data);
		off += pad;
		head.writeUInt32LE(kind, 24 + 16 * i);
		head.writeUInt32LE(off, 28 + 16 * i);
		head.writeUInt32LE(data.length, 32 + 16 * i);
		off += data.length;
	});
	return (Buffer.concat(parts));
}
