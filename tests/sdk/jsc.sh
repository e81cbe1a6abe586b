#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# sandbox-jsc: what it makes, and what it says when it can not. Without a
# sandbox; tests/vtc/j*.vtc have what it made in one.

set -u

# shellcheck source=tests/test.sh
. "${top_srcdir:-.}/tests/test.sh"
top=$(cd "${top_builddir:-.}" && pwd)
jsc=$top/guest-sdk/js/sandbox-jsc.mjs
[ -e "$jsc" ] || skip 'not built: configure --enable-js'
watcher=
trap 'rm -rf "$tmp"; [ -z "$watcher" ] || kill "$watcher"' EXIT
cd "$tmp" || exit 99

evidence() {
	cat out err | head -n 30
}

# jsc WORDS...: output to out and err, status to $rc
jsc() {
	node "$jsc" "$@" >out 2>err </dev/null
	rc=$?
}

# run PROGRAM WORDS...: the same
run() {
	prog=./$1
	shift
	"$prog" "$@" >out 2>err </dev/null
	rc=$?
}

is() {
	[ "$rc" -eq "$1" ]
}

# Fixed strings in a line of standard output, and of standard error
out() {
	grep -qF -e "$1" out
}

err() {
	grep -qF -e "$1" err
}

no_err() {
	! grep -qF -e "$1" err
}

# fails NAME SOURCE TEXT...: making SOURCE fails, with these lines
fails() {
	what=$1
	source=$2
	shift 2
	jsc "$source" -o never
	check "$what: status" is 1
	check "$what: no program" test ! -e never
	for text in "$@"; do
		check "$what: $text" err "$text"
	done
}

#---------------------------------------------------------------------
# Usage

jsc --help
check 'help: status' is 0
check 'help: text' out 'usage: sandbox-jsc'
jsc --version
check 'version: status' is 0
check 'version: engine' out '@suchipi/quickjs 0.16.1'
jsc
check 'no handler: status' is 2
check 'no handler: text' err 'which handler?'
jsc --nonsense x.js
check 'unknown option: status' is 2
check 'unknown option: text' err '--nonsense'
jsc a.js b.js
check 'two handlers: status' is 2
jsc handler
check 'no output name: status' is 2

#---------------------------------------------------------------------
# Errors in the sources: file, line and caret

cat >syntax.js <<'END'
export default {
	fetch() {
		return new Response("x";
	},
};
END
fails syntax syntax.js 'syntax.js:3:25' 'return new Response("x";' '^'

cat >imports.js <<'END'
import a from "./missing.js";
import b from "no-such-package";
import c from "node:fs";
import d from "path";
export default { fetch: () => new Response(a + b + c + d) };
END
fails imports imports.js 'imports.js:1:14' '"./missing.js"' \
    'imports.js:2:14' 'npm install no-such-package' \
    '"node:fs" is a part of Node.js' '"path" is a part of Node.js'
check 'imports: no advice that does not help' no_err external

echo 'export const there = 1;' >lib.js
cat >export.js <<'END'
import { not_there } from "./lib.js";
export default { fetch: () => new Response(not_there) };
END
fails export export.js 'export.js:1:9' \
    'No matching export in "lib.js" for import "not_there"'

echo 'export const fetch = () => new Response("x");' >default.js
fails default default.js 'there is no default export' 'default.js:1:0'

echo 'export default { get() {} };' >fetch.js
fails fetch fetch.js 'has no handler' '--no-check'

cat >top.ts <<'END'
interface Settings { name: string }

function need(s: Settings): never {
	throw new Error(`there is no ${s.name}`);
}
need({ name: "setting" });
export default { fetch: () => new Response("") };
END
fails top top.ts 'Error: there is no setting' 'at need (top.ts:4:' \
    'at <anonymous> (top.ts:6:'
jsc top.ts -o unchecked --no-check
check 'no check: status' is 0
run unchecked
check 'no check: the program fails instead' is 1
check 'no check: and says why' err 'at need (top.ts:4:'

echo 'export default { fetch: () => /(?<a>.)(?<a>.)/ };' >engine.js
fails engine engine.js 'duplicate group name' 'engine.js:1:30' \
    '/(?<a>.)(?<a>.)/'

cat >rejected.js <<'END'
Promise.reject(new Error("nobody's"));
export default { fetch: () => new Response("") };
END
fails rejected rejected.js "nobody handles it: Error: nobody's" \
    'rejected.js:1:'

cat >hangs.js <<'END'
await new Promise(() => {});
export default { fetch: () => new Response("") };
END
fails hangs hangs.js 'waits for something that can not happen'

fails absent absent.js 'absent.js'

jsc lib.js -o /no/such/directory/x
check 'no directory: status' is 1
echo 'export default { fetch: () => new Response("") };' >fine.js
jsc fine.js -o /no/such/directory/x
check 'no directory: status' is 2
check 'no directory: text' err '/no/such/directory'

#---------------------------------------------------------------------
# What can be imported, and stacks

mkdir -p app/src node_modules/greet/dist
echo '{ "name": "app" }' >package.json
cat >node_modules/greet/package.json <<'END'
{ "name": "greet", "version": "1.0.0", "main": "wrong.js",
  "exports": { "worker": "./dist/worker.mjs", "default": "./wrong.js" } }
END
echo 'export default (name) => `Hello ${name}`;' \
    >node_modules/greet/dist/worker.mjs
echo '{ "name": "you" }' >app/src/data.json
echo '<p>{}</p>' >app/src/page.html
cat >app/src/deep.ts <<'END'
// One line, so that this is the third

export function deep(a: string): Response {
	if (a.endsWith("/throw"))
		throw new TypeError("deep trouble");
	return (new Response(a));
}
END
cat >app/src/index.ts <<'END'
import greet from "greet";
import data from "./data.json";
import page from "./page.html";
import { deep } from "./deep";

const late = await Promise.resolve("!");

export default {
	async fetch(request: Request): Promise<Response> {
		await null;
		return (request.url.endsWith("/page") ?
		    new Response(page.replace("{}", greet(data.name) + late)) :
		    deep(request.url));
	},
};
END
jsc app/src/index.ts -o app/handler
check 'app: status' is 0
check 'app: size and time' out 'app/handler: '
check 'app: modules' out '5 modules'
check 'app: nothing else is there' test "$(ls app)" = "handler
src"
check 'app: smaller than 4 MB' \
    test "$(wc -c <app/handler)" -lt 4000000
check 'app: one static file' \
    sh -c 'command -v file >/dev/null || exit 0
    file app/handler | grep -q "statically linked"'
run app/handler --url /page
check 'app: answers' is 0
check 'app: the text' out '<p>Hello you!</p>'
run app/handler --url /throw
check 'app: a 500' out 'HTTP/1.1 500'
check 'app: no stack for the client' sh -c '! grep -q deep out'
check 'app: what' err 'TypeError: deep trouble'
check 'app: where' err 'at deep (app/src/deep.ts:5:'
check 'app: called from' err 'at fetch (app/src/index.ts:1'
jsc -m app/src/index.ts -o app/small
check 'minified: status' is 0
run app/small --url /throw
check 'minified: where' err '(app/src/deep.ts:5:'
jsc --no-sources app/src/index.ts -o app/bare
run app/bare --url /throw
check 'no sources: where' err 'at deep (sandbox:handler:'

cat >define.js <<'END'
export default { fetch: (rq, env) => new Response(`${WHO} ${env.NAME}\n`) };
END
jsc define.js -D 'WHO="me"'
check 'define: status' is 0
NAME=value run define
check 'define: both' out 'me value'

# What cannot be made leaves what was made before.
cp syntax.js define.js
jsc define.js -D 'WHO="me"'
check 'again: status' is 1
NAME=value run define
check 'again: still there' out 'me value'

# esbuild needs no network; where we may, have none.
if unshare -rn true 2>/dev/null; then
	unshare -rn node "$jsc" fine.js >out 2>err
	check 'without a network' test -x fine
fi

#---------------------------------------------------------------------
# What a request writes to is put together, and so is what it reads

# pages PROGRAM: how many are copied back, of which hardware's page tables are
# some
pages() {
	"$top/sandbox-run" -q -s -n 50 "$1" 2>&1 |
	    sed -n 's/^pages copied back: \([0-9]*\).*/\1/p'
}

jsc fine.js -r nowhere -o rehearsed
check 'rehearse: not a path' is 2
jsc fine.js -r / -r '/other?x' -o rehearsed
check 'rehearse: status' is 0
check 'rehearse: nothing is left' test "$(echo *.new* *.profile)" = '*.new* *.profile'
echo 'export default { fetch() { throw new Error("always"); } };' >throws.js
jsc throws.js
check 'rehearse: a handler that throws' is 0
echo 'export default { fetch() { for (;;) ; } };' >loops.js
jsc loops.js -q --no-check
check 'no check: no rehearsal' is 0
jsc loops.js
check 'rehearse: one that does not end: status' is 0
check 'rehearse: one that does not end' err 'loops: it could not be rehearsed'

# What is touched a million times is looked at some hundred times.
cat >busy.js <<'END'
const kept = { a: 1 };
let last = null;
export default { fetch() {
	for (let i = 0; i < 1000000; i++)
		last = kept;
	return new Response(`${last.a}`);
} };
END
# The kernel reads this one's answer, out of the heap.
echo 'const long = "x".repeat(1e6);
export default { fetch: () => new Response(long) };' >long.js
jsc long.js
check 'rehearse: a long answer' test ! -s err
jsc busy.js
check 'rehearse: a busy one' is 0
check 'rehearse: a busy one, in time' test ! -s err
jsc fine.js -o nowhere/fine
check 'output: no such folder: status' is 2
check 'output: no such folder' err \
    'sandbox-jsc: can not write nowhere/fine: no such file or directory'
mkdir folder
jsc fine.js -o folder
check 'output: a folder' err 'can not write folder: illegal operation'
check 'output: nothing is left' test "$(echo *.new*)" = '*.new*'
if [ -w /dev/kvm ]; then
	jsc fine.js --no-check -o scattered
	with=$(pages ./rehearsed)
	without=$(pages ./scattered)
	check "rehearse: $with pages are far fewer than $without" \
	    test "$with" -lt $((without * 2 / 3))

	# What it says is the reason, and nothing else that it may have met
	cat >unready.js <<'END'
export function warmup() { throw new Error("no table"); }
export default { fetch: () => new Response("never") };
END
	jsc unready.js --no-check -o unready
	check 'warmup() that throws: made' is 0
	"$top/sandbox-run" ./unready >out 2>err
	rc=$?
	check 'warmup() that throws: status' is 1
	check 'warmup() that throws: why' err 'Error: no table'
	check 'warmup() that throws: not for memory' no_err 'raise memory'
	check 'warmup() that throws: not by main()' no_err 'return from main'
fi

#---------------------------------------------------------------------
# The ways of an answer: at once, or after jobs that were there before

cat >ways.js <<'END'
const answer = (text) => new Response(text, { headers: { "X-A": "1" } });
class Late extends Promise {
	then(f, g) {
		return (super.then((r) => f(answer(`then ${r}`)), g));
	}
}
const ways = {
	"/now": () => answer("now"),
	"/none": () => new Response(null, { status: 204 }),
	"/async": async () => answer("async"),
	"/await": async () => (await null, answer("await")),
	"/job": async () => {
		const r = answer("job");

		Promise.resolve().then(() => r.headers.set("X-A", "2"));
		return (r);
	},
	"/subclass": () => Late.resolve("subclass"),
	"/thenable": () => ({ then: (f) => f(answer("thenable")) }),
	"/twice": async () => Promise.resolve(answer("twice")),
	"/rejected": async () => {
		throw new Error("as it should");
	},
	"/text": async () => "no Response",
	"/fake": () => Object.create(Response.prototype),
	"/used": async () => {
		const r = answer("used");

		await r.text();
		return (r);
	},
	"/stream": () => new Response(answer("stream").body),
	"/locked": () => {
		const r = answer("locked");

		r.body.getReader();
		return (r);
	},
	"/later": (request, ctx) => {
		const r = answer("later");
		const { body } = r;

		ctx.waitUntil(Promise.resolve().then(() =>
		    console.log(r.bodyUsed, body.locked)));
		return (r);
	},
	"/type": () => {
		const r = answer("type");

		r.headers.delete("Content-Type");
		return (r);
	},
	"/surrogate": () => new Response("a\ud800b"),
	"/reason": () => new Response("", { statusText: "Fine" }),
	"/header": ({ headers }) => answer(["a b", "x-\u00e4", "\u20ac", "",
		"n".repeat(100), "x-b", "X-Sent"].map((name) => {
			try {
				return (headers.get(name));
			} catch (e) {
				return (`${e.name}: ${e.message}`);
			}
		}).join("\n")),
	"/then": () => {
		const p = Promise.resolve(answer("plain"));

		p.then = (f) => f(answer("own then"));
		return (p);
	},
	"/several": () => {
		const a = new Response("a", { status: 201 });
		const b = new Response("b");

		a.headers.set("x-b", "2");
		return (new Response(`${a.status} ${b.status} ${
		    b.headers.get("x-b")} ${a.bodyUsed}`));
	},
};
export default {
	fetch(request, env, ctx) {
		return (ways[new URL(request.url).pathname](request, ctx));
	},
};
END
jsc ways.js -o ways
check 'ways: made' is 0

# way PATH TEXT...: the answer has these lines
way() {
	path=$1
	shift
	run ways --url "$path" --header 'Host: a' --header 'X-Sent: b'
	for text in "$@"; do
		check "ways: $path: $text" grep -qxF -e "$text" out
	done
}

type='content-type: text/plain;charset=UTF-8'
way /now 'HTTP/1.1 200' 'x-a: 1' "$type" now
way /none 'HTTP/1.1 204'
check 'ways: nothing has no type' test "$(grep -c content-type out)" = 0
way /async 'x-a: 1' async
way /await 'x-a: 1' await
way /job 'x-a: 2' "$type" job
way /subclass 'then subclass'
way /thenable thenable
way /twice twice
way /rejected 'HTTP/1.1 500'
check 'ways: rejected' err 'as it should'
way /text 'HTTP/1.1 500'
check 'ways: text' err 'not a Response'
way /fake 'HTTP/1.1 500'
check 'ways: fake' err 'not a Response'
way /used 'HTTP/1.1 500'
check 'ways: used' err 'has been used'
way /stream stream
way /locked 'HTTP/1.1 500'
check 'ways: locked' err 'or is locked'
way /later later
check 'ways: used up when it was sent' err 'true true'
way /type 'x-a: 1' type
check 'ways: a type that was deleted' test "$(grep -c content-type out)" = 0
way /surrogate "$(printf 'a\357\277\275b')"
way /reason 'HTTP/1.1 200 Fine'
bad='is not the name of a header'
way /header "TypeError: \"a b\" $bad" "TypeError: \"x-$(printf '\303\244')\" $bad" \
    "TypeError: \"$(printf '\342\202\254')\" has characters that are not bytes" \
    "TypeError: \"\" $bad" b
check 'ways: headers that are not there' test "$(grep -cx '' out)" = 3
way /then plain
way /several '201 200 null false'

# What libraries do to the globals is not in our way.
cat >globals.js <<'END'
globalThis.Promise = class extends Promise {};
Promise.prototype.then = () => {};
Array.prototype.with = undefined;
export default {
	async fetch(request) {
		const { searchParams } = new URL(request.url);
		const body = request.body.pipeThrough(new TransformStream());
		const text = await new Response(body).text();

		return (new Response(new Response(`${text} ${
		    searchParams.get("a")} ${await new Response("x").text()}`)
		    .body.pipeThrough(new TransformStream())));
	},
};
END
jsc globals.js -o globals
run globals --url '/?a=b' --header 'Host: a' --data 'bo dy'
check 'globals' grep -qx 'bo dy b x' out

#---------------------------------------------------------------------
# Watching

# wait_for COMMAND...: for 10 seconds at the most
wait_for() {
	for _ in $(seq 100); do
		"$@" && return 0
		sleep .1
	done
	return 1
}

says() {
	[ -x watched ] && ./watched --body-only 2>/dev/null | grep -q "$1"
}

echo 'export default "first";' >text.js
cat >watched.js <<'END'
import text from "./text.js";
export default { fetch: () => new Response(text) };
END
node "$jsc" --watch watched.js >out 2>err </dev/null &
watcher=$!
check 'watch: made' wait_for says first
echo 'export default "second";' >text.js
check 'watch: made again' wait_for says second
echo 'export default "' >text.js
check 'watch: an error' wait_for err 'Unterminated string'
check 'watch: the old one stays' says second
echo 'export default "third";' >text.js
check 'watch: goes on' wait_for says third
kill "$watcher"
wait "$watcher" 2>/dev/null
watcher=

tally
