#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Some things have to be said in two places. Do they agree?
#
#	sandbox.vsc and src/tbl/pool_stats.h: the counters
#	vmod_sandbox.vcc and src/tbl/limits.h: the defaults, and in the prose
#	    the defaults and the ranges
#	src/run/main.c and src/run/sandbox-run.rst: the options
#	src/tbl/syscalls.h and doc/syscalls.rst: the system calls, and what each
#	    leaves
#	magic numbers: no two structures have the same one

exec env PYTHONPATH="${top_srcdir:-.}/tests" python3 -B - \
    "${top_srcdir:-.}" <<'END'
import glob
import os
import re
import sys

import tree
from tree import complain, read, top

def strings(text):
    """What C's adjacent string literals are together."""
    return "".join(re.findall(r'"([^"]*)"', text))

# Counters

want = {}
for t, n, text in re.findall(r'^POOL_STAT\((\w), (\w+),\s*((?:"[^"]*"\s*)+)\)',
    read("src/tbl/pool_stats.h"), re.M):
    want["%s_%s" % (t, n)] = strings(text)
have = dict(re.findall(
    r'^\.\. varnish_vsc:: (\w+)\n(?:\t:\w+:.*\n)*?\t:oneliner:\t(.*)$',
    read("sandbox.vsc"), re.M))
if not want:
    complain("no POOL_STAT in src/tbl/pool_stats.h?")
for n in want:
    if have.get(n) == want[n]:
        continue
    complain("sandbox.vsc should have:\n.. varnish_vsc:: %s\n\t:type:\t%s\n"
        "\t:level:\tdiag\n\t:oneliner:\t%s\n" % (n,
        {"g": "gauge", "c": "counter"}[n[0]], want[n]))
for n in set(have) - set(want):
    complain("sandbox.vsc has %s, pool_stats.h has not" % n)

# Limits. What is a number in C is one in Python too.

UNITS = {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}

def number(text):
    return float(eval(text, {}, UNITS))

def as_vcl(v, unit):
    """How a VCL author writes it."""
    if unit == "bytes":
        for u in "B", "KB", "MB", "GB":
            if v == 0 or v % 1024 or u == "GB":
                return "%d%s" % (v, u)
            v //= 1024
    if unit == "boolean":
        return "true" if v else "false"
    if unit == "seconds":
        if v > 0 and v % 3600 == 0:
            return "%dh" % (v // 3600)
        return "%gs" % v if v == 0 or v >= 1 else "%gms" % (v * 1000)
    return "%d" % v

vcc = read("vmod_sandbox.vcc")
limits = re.findall(r'^LIMIT\(\w+, (\w+), "(\w+)", ([^,]+), ([^,]+), ([^,]+),',
    read("src/tbl/limits.h"), re.M)
if not limits:
    complain("no LIMIT in src/tbl/limits.h?")
for name, unit, *nums in limits:
    dflt, lo, hi = map(number, nums)
    m = re.search(r'\b%s=([0-9.]+)' % name, vcc)
    if m is None or float(m.group(1)) != dflt:
        complain("vmod_sandbox.vcc: %s=%s should be %g" % (name,
            m and m.group(1), dflt))
    m = re.search(r'^%s\n((?:\t.*\n|\n(?=\t))+)' % name, vcc, re.M)
    prose = " ".join(m.group(1).split()) if m else ""
    texts = ["Default: %s." % as_vcl(dflt, unit)]
    if unit != "boolean":
        texts.append("From %s to %s" % (as_vcl(lo, unit), as_vcl(hi, unit)))
    for text in texts:
        if text not in prose:
            complain('vmod_sandbox.vcc: %s: "%s" is missing' % (name, text))

# Options of sandbox-run

want = re.findall(r'^\t\{ "([\w-]+)",\s*\w+_argument,', read("src/run/main.c"),
    re.M)
have = re.findall(r'^(?:-\w.*, )?--([a-z][\w-]*)', read("src/run/sandbox-run.rst"),
    re.M)
if not want:
    complain("no options in src/run/main.c?")
for o in set(want) ^ set(have):
    complain("src/run/main.c and src/run/sandbox-run.rst: only one of them has "
        "--%s" % o)

# System calls

LEAVES = {"READ": "nothing", "STATE": "state", "PAGES": "pages"}
want = re.findall(r'^(?:SYSCALL|ANOTHER)\((\w+),\s*\w+,\s*(\w+),',
    read("src/tbl/syscalls.h"), re.M)
have = re.findall(r'^``(\w+)``\s+(nothing|state|pages)\s',
    read("doc/syscalls.rst"), re.M)
if not want:
    complain("no SYSCALL in src/tbl/syscalls.h?")
for n, leaves in want:
    if have.count((n, LEAVES[leaves])) != 1:
        complain("doc/syscalls.rst should have once: ``%s`` %s" % (n,
            LEAVES[leaves]))
for n in set(n for n, _ in have) - set(n for n, _ in want):
    complain("doc/syscalls.rst has %s, tbl/syscalls.h has not" % n)

# Magic numbers

seen = {}
for d in "src", "guest-sdk", "tests":
    for name in glob.glob(os.path.join(top, d, "**", "*.[ch]"),
        recursive=True):
        with open(name) as f:
            for n, v in re.findall(
                r'^#\s*define\s+(\w+_MAGIC)\s+(0x[0-9a-f]+)', f.read(), re.M):
                where = "%s in %s" % (n, os.path.relpath(name, top))
                if v in seen:
                    complain("%s: %s and %s" % (v, seen[v], where))
                seen[v] = where

sys.exit(1 if tree.bad else 0)
END
