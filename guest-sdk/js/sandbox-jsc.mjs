#!/usr/bin/env node
/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sandbox-jsc: a JavaScript module becomes a program for the sandbox.
 *
 * esbuild makes one module of all; the engine compiles it to bytecode; a copy
 * of the engine gets the bytecode as one more segment.
 */

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { explain, result, settings } from "./tool/bundle.mjs";
import { attach, payload } from "./tool/elf.mjs";
import { check, compile, profile } from "./tool/engine.mjs";
import { parse, USAGE, UsageError } from "./tool/options.mjs";
import { decode, table } from "./tool/sources.mjs";

/* What `make` put beside this file. */
const HERE = path.dirname(fileURLToPath(import.meta.url));
const ENGINE = path.join(HERE, "sandbox-js");
const RUNTIME = path.join(HERE, "runtime.qbc");

/* The handler's name in stacks; src/source.c knows it. */
const BUNDLE = "sandbox:handler";

const RUNTIME_KIND = 1;
const HANDLER_KIND = 2;
const SOURCES_KIND = 3;
const PROFILE_KIND = 4;

/* An error in the user's sources: messages as esbuild has them. */
class SourceError extends Error {
	constructor(messages)
	{
		super(messages[0].text);
		this.messages = messages;
	}
}

function bytes(n)
{
	return (n < 10240 ? `${n} B` : n < 1024 * 1024 ?
	    `${(n / 1024).toFixed(0)} KB` : `${(n / 1048576).toFixed(1)} MB`);
}

/* Where in the sources a place in the bundle is, for a message. */
function locate(lines, map, at)
{
	const pieces = (lines[at.line - 1] ?? [])
	    .filter((p) => p.col <= Math.max(at.column - 1, 0));
	const p = pieces[pieces.length - 1];
	if (p === undefined)
		return (null);
	const file = map.sources[p.file];
	let lineText = "";
	try {
		lineText = fs.readFileSync(file, "utf8").split("\n")[p.line];
	} catch {
		/* a source that a package was made from, and did not bring */
	}
	return ({ file, line: p.line + 1, column: p.column, lineText });
}

/* What stacks call the sources: paths from where the package begins. */
function names(options, sources)
{
	const entry = path.dirname(path.resolve(options.entry));
	let root = entry;
	while (!fs.existsSync(path.join(root, "package.json")))
		if (root === (root = path.dirname(root)))
			break;
	if (!fs.existsSync(path.join(root, "package.json")))
		root = entry;
	return (sources.map((s) => path.relative(root, s)));
}

function needExports(options, b)
{
	if (b.exports.includes("default") || b.listens)
		return;
	throw (new SourceError([{
		text: "there is no default export",
		location: { file: options.entry, line: 1, column: 0,
			lineText: fs.readFileSync(options.entry, "utf8")
			    .split("\n")[0] },
		notes: [{ text: "A handler ends with: export default { " +
		    "async fetch(request, env, ctx) { ... } }" }],
	}]));
}

/*
 * Write it under another name first: varnishd may be about to load it. Then
 * make it again, with what was seen when it ran.
 */
function install(file, sections, options)
{
	const tmp = path.resolve(`${file}.new${process.pid}`);
	const write = () => fs.writeFileSync(tmp, attach(
	    fs.readFileSync(ENGINE), payload(sections)), { mode: 0o755 });

	try {
		write();
		const r = options["no-check"] ? { ok: true } : check(tmp);
		if (!r.ok)
			throw (new SourceError([{ text:
			    `the program does not get ready:\n${r.text}`,
			    notes: [{ text: "It was started here, outside of " +
			    "a sandbox. --no-check leaves that out." }] }]));
		if (r.text)
			process.stderr.write(r.text + "\n");
		const seen = options["no-check"] ? null :
		    profile(tmp, options.rehearse);
		if (seen !== null) {
			sections.push([PROFILE_KIND, seen]);
			write();
		} else if (!options["no-check"] && !options.quiet)
			process.stderr.write(`${file}: it could not be ` +
			    "rehearsed within 20 seconds; it works, and " +
			    "writes to more memory than need be\n");
		r.size = fs.statSync(tmp).size;
		fs.renameSync(tmp, file);
		return (r);
	} catch (e) {
		if (!["open", "write", "rename"].includes(e.syscall))
			throw (e);
		throw (new Error(`can not write ${file}: ` +
		    e.message.replace(/^[A-Z0-9]+: |, \w+ '.*/g, "")));
	} finally {
		fs.rmSync(tmp, { force: true });
	}
}

function make(options, build)
{
	const b = result(build);
	needExports(options, b);
	const lines = decode(b.map);
	const c = compile(ENGINE, b.code, BUNDLE);
	if (c.error !== undefined)
		throw (new SourceError([{ text: c.error.text,
			location: locate(lines, b.map, c.error) }]));
	const sections = [
		[RUNTIME_KIND, fs.readFileSync(RUNTIME)],
		[HANDLER_KIND, c.code],
	];
	if (!options["no-sources"])
		sections.push([SOURCES_KIND, 
		    table(lines, names(options, b.map.sources))]);
	const checked = install(options.output, sections, options);
	return ({ ...b, bytecode: c.code.length, checked });
}

function report(options, m, ms)
{
	if (options.quiet)
		return;
	const parts = [
		`${options.output}: ${bytes(m.checked.size)}`,
		`${m.modules} module${m.modules === 1 ? "" : "s"}, ` +
		    `${bytes(m.code.length)}, bytecode ${bytes(m.bytecode)}`,
	];
	if (m.checked.ms !== undefined)
		parts.push(`ready in ${m.checked.ms.toFixed(0)} ms, ` +
		    `heap ${bytes(m.checked.heap)}`);
	parts.push(`made in ${ms.toFixed(0)} ms`);
	process.stdout.write(parts.join("; ") + "\n");
}

async function complain(esbuild, kind, messages)
{
	const text = await esbuild.formatMessages(messages, {
		kind,
		color: process.stderr.isTTY === true,
		terminalWidth: process.stderr.columns ?? 80,
	});
	process.stderr.write(text.join(""));
}

/* Returns true if it was made. */
async function finish(esbuild, options, build, start)
{
	try {
		if (!options.quiet)
			await complain(esbuild, "warning", build.warnings);
		if (build.errors.length > 0)
			throw (new SourceError(explain(build.errors)));
		report(options, make(options, build),
		    performance.now() - start);
		return (true);
	} catch (e) {
		if (!(e instanceof SourceError))
			throw (e);
		await complain(esbuild, "error", e.messages);
		return (false);
	}
}

async function once(esbuild, options)
{
	const start = performance.now();
	let build;

	try {
		build = await esbuild.build(settings(options));
	} catch (e) {
		if (e.errors === undefined)
			throw (e);
		build = e;
	}
	return (await finish(esbuild, options, build, start) ? 0 : 1);
}

async function watch(esbuild, options)
{
	const s = settings(options);
	let start;

	s.plugins.push({
		name: "watch",
		setup(build) {
			build.onStart(() => {
				start = performance.now();
			});
			build.onEnd((r) => finish(esbuild, options, r, start));
		},
	});
	await (await esbuild.context(s)).watch();
	return (new Promise(() => {}));
}

async function need()
{
	for (const file of [ENGINE, RUNTIME])
		if (!fs.existsSync(file))
			throw (new UsageError(`${file} is missing; ` +
			    "was the project configured with --enable-js?"));
	try {
		return (await import("esbuild"));
	} catch (e) {
		throw (new UsageError("esbuild is missing beside " +
		    `${HERE}: ${e.message}`));
	}
}

async function main()
{
	const options = parse(process.argv.slice(2));

	if (options.help) {
		process.stdout.write(USAGE);
		return (0);
	}
	const esbuild = await need();
	if (options.version) {
		const p = JSON.parse(fs.readFileSync(
		    path.join(HERE, "package.json"), "utf8"));
		process.stdout.write(`sandbox-jsc ${p.version}, QuickJS ` +
		    `(@suchipi/quickjs ${p.devDependencies["@suchipi/quickjs"]})` +
		    `, esbuild ${esbuild.version}\n`);
		return (0);
	}
	return (options.watch ? watch(esbuild, options) :
	    once(esbuild, options));
}

try {
	process.exitCode = await main();
} catch (e) {
	process.stderr.write(`sandbox-jsc: ${e.message}\n`);
	if (e instanceof UsageError)
		process.stderr.write("--help lists the options\n");
	process.exitCode = 2;
}
