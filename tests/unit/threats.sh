#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The tests that doc/threat-model.rst names, line by line: is each of them
# there, is it run, and does it have the parts that are named?

exec env PYTHONPATH="${top_srcdir:-.}/tests" python3 -B - \
    "${top_srcdir:-.}" <<'END'
import glob
import os
import re
import sys

import tree
from tree import complain, read, top

AM = ("tests/unit/unit.am", "tests/kvm/kvm.am", "tests/fuzz/fuzz.am",
    "src/vmod/vmod.am")

RUNNERS = ["tests/guests/guests.sh", "tests/kvm/cases.sh"] + [
    os.path.relpath(f, top) for f in
    glob.glob(os.path.join(top, "tests/kvm/t_*.c"))]

def exists(*parts):
    return os.path.exists(os.path.join(top, *parts))

def complain_of_test(name, text):
    complain('doc/threat-model.rst: %s %s' % (name, text))

def check_test(name, parts):
    if re.fullmatch(r"[a-z]\d{5}", name):
        if name + ".vtc" not in read("tests/vtc/vtc.am"):
            complain_of_test(name, "is not in tests/vtc/vtc.am")
        return
    if name in ("soak", "chaos"):
        if not exists("tests/soak", {"soak": "run"}.get(name, name)):
            complain_of_test(name, "is not in tests/soak")
        return
    if name.endswith(".sh"):
        if not any(exists("tests", d, name) for d in ("guests", "kvm")):
            complain_of_test(name, "is neither in tests/guests nor tests/kvm")
        return
    for d in "unit", "kvm", "fuzz":
        if exists("tests", d, name + ".c"):
            if not any("tests/%s/%s" % (d, name) in read(f) for f in AM):
                complain_of_test(name, "is in none of %s" % " ".join(AM))
            text = read("tests/%s/%s.c" % (d, name))
            parts -= set(re.findall(r"\bTEST\((\w+)\)", text))
            if not parts:
                return
    if exists("tests/guests", name):
        text = "".join(read(f) for f in glob.glob(
            os.path.join(top, "tests/guests", name, "*.c")))
        parts -= set(re.findall(r'"/([\w-]+)"', text))
        if not any(name in read(f) for f in RUNNERS):
            complain_of_test(name, "is run by nothing")
        if not parts:
            return
    complain_of_test(name, "does not exist" if not parts else
        "has no " + ", ".join(sorted(parts)))

lines = re.findall(r"^   \* - (?:.+\n)+?     - ((?:.+\n)+?)     - .+\n(?:       .+\n)*"
    r"     - ", read("doc/threat-model.rst"), re.M)
if len(lines) < 30:
    complain("no table of tests in doc/threat-model.rst?")
for line in lines:
    for name, parts in re.findall(r"([\w.]+)(?:\s+\(([\w,\s-]+)\))?", line):
        if name not in ("tests", "none"):
            check_test(name, set(re.split(r",\s*", parts)) - {""})

sys.exit(1 if tree.bad else 0)
END
