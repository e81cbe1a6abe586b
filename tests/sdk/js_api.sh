#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What handlers in JavaScript see of the web platform: tests/sdk/js, in a
# sandbox and in Node.js. The assertions hold in both, and what comes out of
# thousands of odd URLs, queries and bytes is the same, byte for byte.

set -u

src=$(cd "${top_srcdir:-.}" && pwd)
build=$(cd "${top_builddir:-.}" && pwd)
jsc=$build/guest-sdk/js/sandbox-jsc.mjs
run=$build/sandbox-run

# shellcheck source=tests/test.sh
. "$src/tests/test.sh"
[ -x "$build/guest-sdk/js/sandbox-js" ] ||
    skip 'configured without --enable-js'
need_kvm

node "$jsc" --quiet "$src/tests/sdk/js/selftest.js" -o "$tmp/selftest" ||
    exit 1

# ask PATH: the answer's body, from the sandbox
ask() {
	"$run" --url "$1" --set request_timeout=60 "$tmp/selftest" \
	    >"$tmp/out" 2>"$tmp/log" || {
		cat "$tmp/out" "$tmp/log" >&2
		exit 1
	}
	sed '1,/^\r\{0,1\}$/d' "$tmp/out"
}

echo "In a sandbox:"
ask / >"$tmp/vm"
cat "$tmp/vm"
tail -n 1 "$tmp/vm" | grep -q '^[1-9][0-9]* passed, 0 failed, 0 left out$' ||
    failed=1

echo "In Node.js $(node --version):"
node --no-warnings "$src/tests/sdk/js/node.mjs" / >"$tmp/node"
cat "$tmp/node"
# What older ones lack is not ours to test.
case $(node --version) in
v20.*)
	tail -n 1 "$tmp/node" | grep -q '^[1-9][0-9]* passed, 0 failed, ' ||
	    failed=1

	ask /samples >"$tmp/vm"
	node --no-warnings "$src/tests/sdk/js/node.mjs" /samples >"$tmp/node"
	if [ "$(wc -l <"$tmp/node")" -ge 7000 ] &&
	    cmp "$tmp/vm" "$tmp/node"; then
		echo "Samples: the same, $(wc -l <"$tmp/vm") lines"
	else
		diff "$tmp/vm" "$tmp/node" | head -n 20
		failed=1
	fi
	;;
*)
	echo "Samples: not compared, Node.js 20 is what they were made with"
	;;
esac
exit $failed
