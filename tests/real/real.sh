#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs as they are: linked in all ways there are, with libraries and
# interpreters of Debian's packages. Each answers in a sandbox what it answers
# outside of it, byte for byte. What a program may read is what the message
# about it says, word by word.
#
#	real.sh			all
#	real.sh NAME ...	those whose names begin so
#	real.sh -l		their names
#	real.sh -b		only make the programs, in REAL_DIR
#
# In the environment:
#	REAL_DIR	where programs are kept; those that are there are not
#			made again
#	REAL_STATS=1	say what each costs, with REAL_COUNT requests (50)
#	REAL_TABLE	a file for tests/real/table: how each program is run
#	REAL_KEEP	a folder for all that is made on the way, which stays

set -u

build=$(cd "${top_builddir:-.}" && pwd)
src=$(cd "${top_srcdir:-.}" && pwd)
run=$build/sandbox-run
real=$src/tests/real
cc=${REAL_CC:-gcc}
flags="-O2 -I$src/guest-sdk/include"
lib=$build/guest-sdk/libsandbox.a
tmp=${REAL_KEEP:-$(mktemp -d /var/tmp/real.XXXXXX)} || exit 99
bin=${REAL_DIR:-$tmp}
[ -n "${REAL_KEEP:-}" ] || trap 'rm -rf "$tmp"' EXIT
slow=${SBX_TEST_SLOW:-1}
passed=0
failed=0
skipped=0
count=${REAL_COUNT:-50}
list=
build_only=
case ${1:-} in
-l)	list=1; shift ;;
-b)	build_only=1; shift ;;
esac
wanted=$*
seen=

[ -w /dev/kvm ] || [ -n "$list$build_only" ] ||
    { echo 'no /dev/kvm, or not writable'; exit 77; }
[ -x "$run" ] || { echo 'no sandbox-run'; exit 77; }

# wants NAME: true if it is one of those that were asked for
wants() {
	if [ -n "$list" ]; then
		# one line for all that is done with a program
		case " $seen " in
		*" ${1%%[?]*} "*) ;;
		*)	echo "${1%%[?]*}" ;;
		esac
		seen="$seen ${1%%[?]*}"
		return 1
	fi
	[ -n "$wanted" ] || return 0
	for w in $wanted; do
		case $1 in
		"$w"*)	return 0 ;;
		esac
	done
	return 1
}

# needs PACKAGE FILE...: true if all are there; says so if not
needs() {
	pkg=$1
	shift
	for f in "$@"; do
		[ -e "$f" ] && continue
		skipped=$((skipped + 1))
		echo "SKIPPED $name: no $f (apt-get install $pkg)"
		return 1
	done
	return 0
}

# made FILE PACKAGE NEEDED COMMAND...: the program FILE in $bin is there, or has
# been made by COMMAND, with -o FILE at its end. NEEDED are files, as words.
made() {
	m_file=$bin/$1
	m_pkg=$2
	m_needed=$3
	shift 3
	[ ! -e "$m_file" ] || return 0
	# shellcheck disable=SC2086
	needs "$m_pkg" $m_needed && compiled "$@" -o "$m_file"
}

result() {
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $name"
		return
	fi
	failed=$((failed + 1))
	echo "FAILED $name: $2"
	head -c 1500 "$tmp/err"
}

# What a program needs, as -f options; from what is said if it has nothing.
files() {
	"$run" "$@" 2>&1 </dev/null |
	    sed -n 's/.*(each one with -f for sandbox-run) //p' |
	    tr ' ' '\n' | sed 's/^/-f /' | tr '\n' ' '
}

# in_sandbox OPTIONS PROGRAM ARGUMENT...: three times, the last body to
# $tmp/in
in_sandbox() {
	options=$1
	shift
	# shellcheck disable=SC2086 # options are words
	"$run" -o request_timeout=$((20 * slow)) -o max_vms=1 \
	    -o boot_timeout=$((30 * slow)) $options -q -n 2 "$@" \
	    >"$tmp/out" 2>"$tmp/err" </dev/null &&
	"$run" -o request_timeout=$((20 * slow)) -o max_vms=1 \
	    -o boot_timeout=$((30 * slow)) $options "$@" \
	    >"$tmp/out" 2>"$tmp/err" </dev/null || return 1
	LC_ALL=C sed '1,/^$/d' "$tmp/out" >"$tmp/in"
	[ -n "${REAL_STATS:-}" ] || return 0
	# shellcheck disable=SC2086
	"$run" -o request_timeout=$((20 * slow)) -o max_vms=1 \
	    -o boot_timeout=$((30 * slow)) $options -q -s -n "$count" "$@" 2>&1 \
	    >/dev/null </dev/null |
	    sed -n '/^load/p; /^request:/p; /^exits/p; /^pages copied/p'
}

# noted NATIVE OPTIONS PROGRAM ARGUMENT...: for the table. NATIVE is how it is
# run outside: environment, "::", program and arguments, "<" and input.
noted() {
	[ -n "${REAL_TABLE:-}" ] || return 0
	n_native=$1
	n_options=$2
	shift 2
	# shellcheck disable=SC2046,SC2086,SC2116 # one line, single blanks
	printf '%s\t%s\t%s\t%s\n' "$name" "$(echo $n_options)" "$*" \
	    "$(echo $n_native)" >>"$REAL_TABLE"
}

# same OPTIONS REQUEST PROGRAM ARGUMENT...: the same answer in and out. REQUEST
# are options that both know.
same() {
	options=$1
	request=$2
	prog=$3
	shift 3
	[ -z "$build_only" ] || return 0
	# shellcheck disable=SC2086
	if ! env -i "$prog" "$@" $request --body-only >"$tmp/native" \
	    2>"$tmp/err" </dev/null; then
		result 1 "does not answer outside of a sandbox"
		return
	fi
	options="$options $(files "$prog" "$@") $request"
	noted "$prog $* $request --body-only" "$options" "$prog" "$@"
	if ! in_sandbox "$options" "$prog" -- "$@"; then
		result 1 "does not answer"
		return
	fi
	[ -s "$tmp/native" ] && cmp "$tmp/native" "$tmp/in" >"$tmp/err" 2>&1
	result $? "other bytes"
}

# Files with time zones, and where a link leads, if they are there.
zone_files() {
	for f in /etc/localtime /usr/share/zoneinfo/Europe/Berlin; do
		[ ! -e $f ] || echo "-f $f -f $(readlink -f $f)"
	done
}

# compiled COMMAND...: true if that worked
compiled() {
	"$@" >"$tmp/err" 2>&1 && return
	result 1 "$* failed"
	return 1
}

#---------------------------------------------------------------------
# A C program, linked in all ways

kind() {
	name=kinds/$1
	how=$2
	compiler=$3
	wants "$name" || return 0
	# shellcheck disable=SC2086
	made "kind-$1" "$4" "$(command -v "$compiler" || echo "$compiler")" \
	    "$compiler" $flags $how "$real/kinds.c" "$lib" -lm || return 0
	[ -z "${5:-}" ] || [ -e "$bin/kind-$1.done" ] ||
	    compiled sh -c "cd $bin && program=kind-$1 && $5 &&
	    touch kind-$1.done" || return 0
	same "" "--url /$1" "$bin/kind-$1"
}

kind dynamic "" "$cc" gcc
kind dynamic-no-pie "-no-pie -fno-pie" "$cc" gcc
kind dynamic-now "-Wl,-z,now" "$cc" gcc
kind dynamic-lazy "-Wl,-z,lazy" "$cc" gcc
kind dynamic-packed "-Wl,-z,noseparate-code -Wl,-z,norelro" "$cc" gcc
kind static "-static" "$cc" gcc
kind static-pie "-static-pie" "$cc" gcc
kind stripped "" "$cc" gcc "strip \$program"
kind split-debug "-g" "$cc" gcc \
    "objcopy --only-keep-debug \$program \$program.debug &&
    strip \$program &&
    objcopy --add-gnu-debuglink=\$program.debug \$program"
kind musl "" musl-gcc musl-tools
kind musl-static "-static" musl-gcc musl-tools

# Many segments, and what is at certain places
far=
for n in 1 2 3 4 5 6 7 8; do
	far="$far -Wl,--section-start=.piece$n=0x${n}0000000"
done
for how in static many-segments dynamic; do
	opt=
	name=places/$how
	case $how in
	static)		opt=-static ;;
	many-segments)	opt="-static -no-pie $far" ;;
	esac
	wants $name || continue
	# shellcheck disable=SC2086
	made places-$how gcc "" "$cc" $flags -D_GNU_SOURCE $opt "$real/places.c" \
	    "$lib" || continue
	same "$(zone_files)" "--url /" "$bin/places-$how"
done
rm -rf /tmp/sandbox-places

#---------------------------------------------------------------------
# C++

for how in static dynamic; do
	name=streams/$how
	opt=""
	[ $how = dynamic ] || opt=-static
	wants $name || continue
	# shellcheck disable=SC2086
	made streams-$how g++ /usr/bin/g++ g++ -std=c++17 $flags $opt \
	    "$real/streams.cc" "$lib" &&
	    same "" "--url /number/17" "$bin/streams-$how"
done

#---------------------------------------------------------------------
# Libraries

for how in static dynamic immutable; do
	name=database/$how
	opt=""
	db=$tmp/db
	[ $how = dynamic ] || opt=-static
	# without locks, which nobody else could ask for
	[ $how != immutable ] || db="file:$tmp/db?immutable=1"
	wants $name || continue
	# shellcheck disable=SC2086
	made database-$how libsqlite3-dev /usr/include/sqlite3.h "$cc" $flags \
	    $opt "$real/database.c" "$lib" -lsqlite3 -lm || continue
	[ -z "$build_only" ] || continue
	rm -f "$tmp/db"
	compiled "$bin/database-$how" "$tmp/db" make || continue
	same "-f $tmp/db" "--url /" "$bin/database-$how" "$db"
done
rm -f /tmp/sandbox-database /tmp/sandbox-streams /tmp/sandbox-lua

for how in static dynamic; do
	opt=""
	[ $how = dynamic ] || opt=-static
	for url in /zstd?3 /zstd?12 /brotli?5 /brotli?9; do
		name=squeeze/$how$url
		wants "$name" || continue
		# shellcheck disable=SC2086
		made squeeze-$how "libzstd-dev libbrotli-dev" \
		    "/usr/include/zstd.h /usr/include/brotli/encode.h" \
		    "$cc" $flags $opt "$real/squeeze.c" "$lib" -lzstd \
		    -lbrotlienc -lbrotlidec -lbrotlicommon -lm || continue
		same "" "--url $url --data @$src/tests/data/photo.png" \
		    "$bin/squeeze-$how"
	done
done

name=webp/dynamic
if wants $name; then
	# shellcheck disable=SC2086
	made webp "libwebp-dev libjpeg62-turbo-dev libpng-dev" \
	    "/usr/include/webp/encode.h /usr/include/jpeglib.h
	    /usr/include/png.h" \
	    "$cc" $flags "$src/guest-sdk/examples/webp.c" "$lib" -lwebp \
	    -ljpeg -lpng -lz -lm &&
	    same "" "--url / --data @$src/tests/data/photo.jpg" "$bin/webp"
fi

name=vector
if wants $name; then
	# shellcheck disable=SC2046,SC2086
	made vector librsvg2-dev /usr/include/librsvg-2.0 "$cc" $flags \
	    $(pkg-config --cflags librsvg-2.0 2>/dev/null) "$real/vector.c" \
	    "$lib" $(pkg-config --libs librsvg-2.0 cairo 2>/dev/null) &&
	    same "-o memory=128M" "--url / --data @$real/picture.svg" \
	    "$bin/vector"
fi

#---------------------------------------------------------------------
# Go: a URL, which can be any bytes, is taken apart and put on a page

go_build() {
	(cd "$real/pages" && CGO_ENABLED=0 GOFLAGS=-mod=mod \
	    GOCACHE=${GOCACHE:-$HOME/.cache/go-build} go build "$@" .)
}

n=0
while IFS= read -r url; do
	n=$((n + 1))
	name=pages/$n
	wants $name || continue
	made pages golang-go "$(command -v go || echo go)" go_build || break
	[ -z "$build_only" ] || break
	# escapes, as printf has them
	printf '%b' "$url" >"$tmp/url$n"
	"$bin/pages" native <"$tmp/url$n" >"$tmp/native" 2>"$tmp/err"
	noted "$bin/pages native < $tmp/url$n" "-d @$tmp/url$n" "$bin/pages"
	in_sandbox "-d @$tmp/url$n" "$bin/pages" &&
	    [ -s "$tmp/native" ] && cmp "$tmp/native" "$tmp/in"
	result $? "another page than outside"
done <"$real/pages/urls"

#---------------------------------------------------------------------
# Interpreters: as installed, and a script

name=lua
if wants $name && needs lua5.4 /usr/bin/lua5.4; then
	# shellcheck disable=SC2086
	if made luasandbox.so liblua5.4-dev /usr/include/lua5.4/lua.h "$cc" \
	    $flags -I/usr/include/lua5.4 -shared -fPIC "$real/luasandbox.c" \
	    "$lib" && [ -z "$build_only" ]; then
		cp "$real/handler.lua" "$tmp/handler.lua"
		chmod +x "$tmp/handler.lua"
		LUA_CPATH="$bin/?.so" SANDBOX_REQUEST="--url /lua --data text \
		    --body-only" "$tmp/handler.lua" >"$tmp/native" 2>"$tmp/err"
		options="-u /lua -d text -e LUA_CPATH=$bin/?.so \
		    -f /usr/bin/lua5.4 -f $bin/luasandbox.so \
		    $(files -f /usr/bin/lua5.4 "$tmp/handler.lua")"
		noted "LUA_CPATH='$bin/?.so' SANDBOX_REQUEST='--url /lua \
		    --data text --body-only' :: $tmp/handler.lua" "$options" \
		    "$tmp/handler.lua"
		in_sandbox "$options" "$tmp/handler.lua" &&
		    [ -s "$tmp/native" ] && cmp "$tmp/native" "$tmp/in"
		result $? "not the same answer"
	fi
fi

name=python
if wants $name && [ -z "$build_only" ] &&
    needs "python3 libpython3-stdlib" /usr/bin/python3; then
	cp "$real/handler.py" "$tmp/handler.py"
	chmod +x "$tmp/handler.py"
	url="/a/b%20c?x=1&y=%C3%A9"
	"$tmp/handler.py" native "$url" >"$tmp/native" 2>"$tmp/err"
	lib3=$(/usr/bin/python3 -c 'import os; print(os.path.dirname(os.__file__))')
	options="-u $url -f $(readlink -f /usr/bin/python3) \
	    -f /usr/bin/python3 -f $lib3"
	for f in /lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu \
	    /usr/lib/x86_64-linux-gnu; do
		[ ! -e $f ] || options="$options -f $f"
	done
	noted "$tmp/handler.py native '$url'" "$options" "$tmp/handler.py"
	in_sandbox "$options" "$tmp/handler.py" &&
	    [ -s "$tmp/native" ] && cmp "$tmp/native" "$tmp/in"
	result $? "not the same answer"
fi

#---------------------------------------------------------------------
# Programs that know nothing of sandboxes do not become ready. But they run,
# and what they wrote last is said.

data=$src/tests/data
extra=

busybox() {
	name=busybox/$1
	[ -z "$build_only" ] || return 0
	wants "$name" && needs busybox-static /bin/busybox || return 0
	env -i /bin/busybox "$@" </dev/null 2>&1 | tr '\n' ';' |
	    sed 's/;;*$//; s/;/; /g' >"$tmp/native"
	# shellcheck disable=SC2086
	"$run" -f "$data" -f "$src/LICENSE" $extra /bin/busybox -- "$@" \
	    2>&1 >"$tmp/out" </dev/null | tr '\n' ' ' |
	    sed 's/.*its last words: "//; s/" *$//' >"$tmp/in"
	cp "$tmp/in" "$tmp/err"
	[ -s "$tmp/native" ] && cmp -s "$tmp/native" "$tmp/in"
	result $? "other words than $(head -c 200 "$tmp/native")"
}

busybox sha256sum "$data/photo.png" "$data/text.bin"
busybox md5sum "$data/photo.jpg"
busybox cksum "$data/photo.jpg"
busybox expr 6 '*' 7
busybox seq 1 20
busybox wc "$src/LICENSE"
busybox head -n 3 "$src/LICENSE"
busybox grep -c -i the "$src/LICENSE"
busybox sed -n 's/Redistribution/& &/p' "$src/LICENSE"
busybox awk '{ n += NF } END { print n, NR }' "$src/LICENSE"
printf 'pear 3\nfig 20\npear 3\napple 1\n' >"$tmp/words"
extra="-f $tmp/words"
busybox sort -u -k 2 -n "$tmp/words"
busybox uniq -c "$tmp/words"
busybox cut -d ' ' -f 2 "$tmp/words"
busybox rev "$tmp/words"
busybox diff "$tmp/words" "$src/tests/data/text.bin"
busybox od -A d -t x1 -N 40 "$data/photo.png"
busybox ls -1 "$data"
busybox find "$data" -name '*.png' -size +1
busybox stat -c '%n %s %F' "$data/photo.png"
busybox sh -c 'i=0; while [ $i -lt 5 ]; do i=$((i + 1)); done; echo $i'
busybox dd if="$data/photo.png" of=/dev/null bs=1000 count=3
busybox cmp "$data/photo.png" "$data/photo.jpg"
busybox basename /a/b/c.txt .txt
busybox date -u -d @86400
busybox printf '%05.2f|%x|%s\n' 3.14159 255 text
busybox cal 2 2024
busybox factor 1234567891011

#---------------------------------------------------------------------
# Timers, signals, and calls that wait: as Linux answers them

for u in real prof alarm sleep ignored create cpu overrun thread none errors \
    suspend masks shared restart boot; do
	name=alarms/$u
	wants $name || continue
	same "" "--url /$u" "$build/tests/guests/alarms/alarms.guest"
done

[ -z "$list$build_only" ] || exit "$failed"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] || exit 1
[ "$passed" -gt 0 ] || exit 77
