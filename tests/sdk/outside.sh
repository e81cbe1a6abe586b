#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The examples without a sandbox around them: one request from the command
# line, the environment or standard input, and the answer on standard output.

set -u

src=${top_srcdir:-.}
bin=${top_builddir:-.}/guest-sdk/examples
data=$src/tests/data
# shellcheck source=tests/test.sh
. "$src/tests/test.sh"

evidence() {
	cat "$tmp/out" "$tmp/err" | head -n 20
}

# run PROGRAM WORDS...: output to $tmp/out and $tmp/err, status to $rc
run() {
	prog=$1
	shift
	"$bin/$prog" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
}

status() {
	[ "$rc" -eq 0 ] && [ "$(sed -n 1p "$tmp/out")" = "HTTP/1.1 $1" ]
}

out() {
	grep -q -e "$1" "$tmp/out"
}

err() {
	grep -q -e "$1" "$tmp/err"
}

same() {
	cmp -s "$1" "$2"
}

# hello
run hello
check 'hello: status' status 200
check 'hello: header' out '^Content-Type: text/plain$'
check 'hello: body' out '^Hello from a sandbox.$'
check 'hello: says that there is no sandbox' err 'there is none'
run hello --help
check 'help: status' [ "$rc" -eq 0 ]
check 'help: options' out '--url'
run hello --url
check 'no value: status' [ "$rc" -eq 2 ]
run hello --url / --nope
check 'unknown option: status' [ "$rc" -eq 2 ]
run hello -x own.conf --url /
check 'own words: status' status 200
check 'own words: said so' err "program's own: -x"
SANDBOX_REQUEST="--url '" run hello
check 'open quote: status' [ "$rc" -eq 2 ]

# echo
run echo --url '/a?b' --method PUT --header 'X-A: b c' \
    --header 'Content-Type: text/x' --data 'Hi there'
check 'echo: status' status 200
check 'echo: type' out '^Content-Type: text/x$'
check 'echo: method' out '^X-Echo-Method: PUT$'
check 'echo: URL' out '^X-Echo-URL: /a?b$'
check 'echo: header' out '^X-Echo-X-A: b c$'
check 'echo: body' [ "$(tail -n 1 "$tmp/out")" = 'Hi there' ]
run echo --url '/?status=404'
check 'echo: 404' status 404
run echo --url '/?status=1'
check 'echo: bad status' status 400
SANDBOX_REQUEST="--data 'from the environment' --body-only" run echo --url x
check 'echo: environment' [ "$(cat "$tmp/out")" = 'from the environment' ]
run echo --data "@$data/photo.jpg" --body-only
check 'echo: file' same "$tmp/out" "$data/photo.jpg"
"$bin/echo" --data - --body-only <"$data/photo.png" >"$tmp/out" 2>"$tmp/err"
check 'echo: stdin' same "$tmp/out" "$data/photo.png"
printf 'POST /m HTTP/1.0\r\nA: b\r\nContent-Type: t/u\r\n\r\nbody\n' |
    "$bin/echo" --request - >"$tmp/out" 2>"$tmp/err"
rc=$?
check 'echo: message' status 200
check 'echo: message, URL' out '^X-Echo-URL: /m$'
check 'echo: message, header' out '^X-Echo-A: b$'
check 'echo: message, body' [ "$(tail -n 1 "$tmp/out")" = body ]
run echo --data @/does/not/exist
check 'echo: no such file' [ "$rc" -eq 2 ]

# inspect
run inspect --url '/p/q?r=s' --header 'A: "b"' --arg 'the arg' --data 'x' \
    --client-ip 192.0.2.1 --client-port 4711
check 'inspect: status' status 200
check 'inspect: path' out '"path": "/p/q"'
check 'inspect: query' out '"query": "r=s"'
check 'inspect: header' out '\["A", "\\"b\\""\]'
check 'inspect: arg' out '"arg": "the arg"'
check 'inspect: client' out '"client_ip": "192.0.2.1"'
check 'inspect: port' out '"client_port": 4711'
check 'inspect: random' out '"random": "[0-9a-f]\{64\}"'
check 'inspect: year' out "\"time\": \"$(date -u +%Y)-"
if command -v python3 >/dev/null; then
	run inspect --body-only --header 'A: ü"\' --url '/%00\?"'
	check 'inspect: JSON' python3 -c \
	    'import json, sys; json.load(open(sys.argv[1]))' "$tmp/out"
fi

# What fetches has nobody to fetch from, and says so, once.
run compose --arg '/a /b /c'
check 'compose: status' status 200
check 'compose: parts' [ "$(grep -c missing "$tmp/out")" -eq 3 ]
check 'compose: says so' [ "$(grep -c 'nobody to fetch' "$tmp/err")" -eq 1 ]
run compose
check 'compose: no argument' status 500
run api --url '/cheapest?category=books'
check 'api: status' status 502
check 'api: why' out 'Network is down'
run api --url '/cheapest?category=a%2fb'
check 'api: category' status 400

# webp WANTED FILE
webp() {
	want=$1
	file=$2
	shift 2
	run webp --data "@$data/$file" "$@"
	check "webp: $file $*: $want" status "$want"
}

# size WIDTH HEIGHT, of a lossy one without transparency in $tmp/out
size() {
	[ "$(head -c 4 "$tmp/out")" = RIFF ] || return 1
	# shellcheck disable=SC2046
	set -- "$1" "$2" $(od -An -j 26 -N 4 -t u2 "$tmp/out")
	[ "$1" -eq "$3" ] && [ "$2" -eq "$4" ]
}

run webp
check 'webp: nowhere to get it' status 502
webp 200 photo.jpg
check 'webp: type' out '^Content-Type: image/webp'
webp 200 photo.png
webp 200 alpha.png
webp 200 grey.jpg
webp 200 progressive.jpg
webp 200 photo.jpg --header 'Accept: image/webp;q=0.8, image/png'
webp 406 photo.jpg --header 'Accept: image/png'
webp 400 photo.jpg --url '/?q=101'
webp 400 photo.jpg --url '/?w=0'
webp 400 photo.jpg --arg 'h=x'
webp 400 empty.bin
webp 413 huge.png
webp 415 text.bin
webp 422 truncated.jpg
webp 422 truncated.png
webp 422 flipped.jpg
webp 422 flipped.png
run webp --data "@$data/photo.jpg" --body-only
check 'webp: size' size 480 320
run webp --data "@$data/photo.jpg" --body-only --url '/?w=120'
check 'webp: width' size 120 80
run webp --data "@$data/photo.jpg" --body-only --url '/?w=120&h=40'
check 'webp: height' size 60 40
run webp --data "@$data/photo.jpg" --body-only --url '/?w=120' --arg w=60
check 'webp: the argument wins' size 60 40
run webp --data "@$data/photo.jpg" --body-only --url '/?w=9999'
check 'webp: not enlarged' size 480 320
run webp --data "@$data/photo.jpg" --body-only --url '/?q=90'
mv "$tmp/out" "$tmp/large"
run webp --data "@$data/photo.jpg" --body-only --url '/?q=10'
check 'webp: quality' [ "$(wc -c <"$tmp/out")" -lt "$(wc -c <"$tmp/large")" ]

tally outside
