/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Run the web-platform-tests that are about what the runtime has:
 *
 *	wpt.mjs FOLDER [-v] [--node] -- COMMAND ... [WORD ...]
 *
 * FOLDER is a checkout of them, or test/fixtures/wpt of the source of Node.js
 * ("apt-get source nodejs" gets one). COMMAND, up to a WORD that begins with
 * "=", is sandbox-run and its options for the program made of wpt.js; --node
 * runs them in this process's Node.js instead, for comparison. "=url" runs the
 * files with that in their names. Each file has a VM that knows of no other.
 *
 *	sandbox-jsc wpt.js -o wpt
 *	wpt.mjs FOLDER -- sandbox-run wpt --set memory=256MB \
 *	    --set request_timeout=30 --set max_request_body=32MB
 *
 * What is known to fail is in a table below, with the reason. Exit status: 0 if
 * nothing else does.
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

/* Folders, and what is not about servers, or not in this runtime (README). */
const FOLDERS = ["url", "encoding", "FileAPI/blob", "FileAPI/file",
	"dom/abort", "dom/events", "streams", "WebCryptoAPI",
	"html/webappapis", "webidl", "hr-time", "console", "fetch/api/body",
	"fetch/api/headers", "fetch/api/request", "fetch/api/response",
	"xhr/formdata", "urlpattern", "compression"];
const NOT = new RegExp([
	"idlharness",			/* needs WebIDL's own parser */
	"encoding/(legacy-mb|replacement|unsupported)", /* XMLHttpRequest */
	"WebCryptoAPI/(derive|encrypt|wrap|historical)",
	"WebCryptoAPI/(generateKey|sign_verify)/(?!.*hmac)",
	"WebCryptoAPI/import_export/(?!symmetric)",
	"transferable", "crashtests", "tentative",
	"send-file-form",		/* a browser's forms */
	"webappapis/(scripting/processing|system-state)", "global-.*",
	"shadowrealm", "owning-type", "evil-spec",
].join("|"), "i");

/* Failures that are meant to be, by file, name and message. */
const KNOWN = [
	[/^url\/.*(\^_%60|\^_`|space)/s, "the standard has changed since: ^ " +
	    "in a path, spaces at the end of an opaque one"],
	[/^url\/historical.*location object/, "about a browser's location"],
	[/^encoding\/.*(big5|euc-|gb18030|gbk|iso-2022|shift_jis)/i,
		"encodings with tables are left out"],
	[/^WebCryptoAPI\/import_export.*(AES|HKDF|PBKDF2)/,
		"only SHA and HMAC are there"],
	[/^WebCryptoAPI\/.*(ECDSA|NotSupportedError: AES)/,
		"only SHA and HMAC are there"],
	[/^html\/.*reportError/i, "the place of an error is not in its event"],
	[/^html\/.*structured-clone.*(Growable|OOB|Length-tracking|resiz)/i,
		"views of buffers that change their size"],
	[/^html\/.*closest transferable/, "streams can not be transferred"],
	[/^fetch\/api\/headers\/header-values\./,
		"needs a browser, or servers of the tests' own"],
	[/Message(Port|Channel)/, "there is no MessageChannel"],
	[/XMLHttpRequest|the program may not fetch|only http and https|request-cache/,
		"needs a browser, or servers of the tests' own"],
	[/^fetch\/api\/.*(request-headers|no-cors|forbidden response)/,
		"what browsers forbid"],
	[/^fetch\/api\/(response\/response-headers-guard|.*realm)/,
		"needs what wpt.js puts another thing for"],
	[/^fetch\/api\/headers\/headers-record/,
		"the order in which a Proxy is asked: its keys first"],
	[/^fetch\/api\/.*(via Object.prototype.then)/,
		"web-streams-polyfill's promises can be seen"],
	[/^fetch\/api\/.*empty FormData/, "it has an end, of 51 bytes"],
	[/^fetch\/api\/.*disturbed even if body is not used/,
		"the standard's constructor does not do that"],
	[/^urlpattern/, "urlpattern-polyfill goes by an older standard"],
	[/^streams\/transform/, "web-streams-polyfill goes by the standard since " +
	    "transformers have cancel()"],
	[/^streams\/.*async[ -]iterator/i, "web-streams-polyfill's iterators"],
	[/^streams\/(readable-byte|piping)/, "web-streams-polyfill's"],
];

function reason(name, t) {
	const text = `${name}: ${t.name}: ${t.message ?? ""}`;

	return (t.status === "BROKEN" ? undefined :
	    KNOWN.find(([pattern]) => pattern.test(text))?.[1]);
}

function arguments_(argv) {
	const at = argv.indexOf("--");
	const command = argv.slice(at + 1);
	const options = argv.slice(0, at < 0 ? argv.length : at);

	return ({
		folder: options[0],
		verbose: options.includes("-v"),
		node: options.includes("--node"),
		command: command.filter((w) => !w.startsWith("=")),
		words: argv.filter((w) => w.startsWith("="))
		    .map((w) => w.slice(1)),
	});
}

function* files(folder, below) {
	const full = path.join(folder, below);

	if (!fs.existsSync(full))
		return;
	for (const e of fs.readdirSync(full, { withFileTypes: true })
	    .sort((a, b) => (a.name < b.name ? -1 : 1))) {
		const name = path.join(below, e.name);

		if (e.isDirectory())
			yield* files(folder, name);
		else if (/\.any\.js$/.test(name) && !NOT.test(name))
			yield name;
	}
}

/* What wpt.js is to be given; one for each variant. */
function* jobs(folder, name) {
	const source = fs.readFileSync(path.join(folder, name), "utf8");
	const scripts = [["testharness.js", fs.readFileSync(
	    path.join(folder, "resources/testharness.js"), "utf8")]];
	const variants = [], data = {};

	for (const [, key, value] of source.matchAll(
	    /^\/\/ META: (\w+)=(.*?)\s*$/gm)) {
		if (key === "variant")
			variants.push(value);
		if (key !== "script")
			continue;
		const script = value.startsWith("/") ? value.slice(1) :
		    path.join(path.dirname(name), value);

		scripts.push([script, fs.readFileSync(
		    path.join(folder, script), "utf8")]);
	}
	scripts.push([name, source]);
	/* One script: what a strict one declares is seen by no other that is
	 * evaluated, as it would be by another <script>. */
	scripts.push([name, scripts.splice(1).map((x) => x[1]).join("\n")]);
	for (const [, file] of scripts.map((s) => s[1]).join("\n").matchAll(
	    /["'`]((?:resources\/)?[\w./-]+\.json)["'`]/g)) {
		const full = path.join(folder, path.dirname(name), file);

		if (fs.existsSync(full))
			data[file] = fs.readFileSync(full, "utf8");
	}
	for (const search of variants.length > 0 ? variants : [""])
		yield { scripts, search, files: data };
}

function runOne(job, options) {
	const input = JSON.stringify(job);
	const command = options.node ?
	    [process.execPath, "--no-warnings", "--input-type=module", "-e",
		`import h from ${JSON.stringify(path.resolve(
		    import.meta.dirname ?? path.dirname(
		    new URL(import.meta.url).pathname), "wpt.js"))};
		import fs from "node:fs";
		process.on("uncaughtException", (e) => console.error(e));
		const r = await h.fetch(new Request("http://localhost/",
		    { method: "POST", body: fs.readFileSync(0) }));
		process.stdout.write("\\n\\n" + await r.text(),
		    () => process.exit(0));`] :
	    [...options.command, "--data", "@-"];
	const r = spawnSync(command[0], command.slice(1),
	    { input, encoding: "utf8", maxBuffer: 1 << 28, timeout: 60000 });
	const at = r.stdout?.search(/\r?\n\r?\n/);

	try {
		return (JSON.parse(r.stdout.slice(at).trim()));
	} catch {
		return ([{ name: "the file", status: "BROKEN",
			message: (r.stderr || r.stdout || String(r.error))
			    .trim().split("\n").slice(-3).join(" / ") }]);
	}
}

const options = arguments_(process.argv.slice(2));
const all = { PASS: 0 };

for (const folder of FOLDERS) {
	const sum = {};

	for (const name of files(options.folder, folder)) {
		if (options.words.length > 0 &&
		    !options.words.some((w) => name.includes(w)))
			continue;
		for (const job of jobs(options.folder, name))
			for (const t of runOne(job, options)) {
				const why = t.status === "PASS" ? undefined :
				    reason(name, t);

				if (why !== undefined)
					t.status = "KNOWN";
				sum[t.status] = (sum[t.status] ?? 0) + 1;
				if (t.status !== "PASS" || options.verbose)
					console.log(`${t.status} ${name}` +
					    `${job.search}: ${t.name}: ` +
					    `${why ?? t.message ?? ""}`);
			}
	}
	if (Object.keys(sum).length === 0)
		continue;
	console.log(`== ${folder}: ${JSON.stringify(sum)}`);
	for (const [status, n] of Object.entries(sum))
		all[status] = (all[status] ?? 0) + n;
}
all.KNOWN ??= 0;
console.log(`${all.PASS} passed, ${all.KNOWN} fail for a known reason, ` +
    `${Object.values(all).reduce((a, b) => a + b, 0) - all.PASS -
    all.KNOWN} fail`);
process.exitCode = all.PASS > 0 && Object.keys(all).length === 2 ? 0 : 1;
