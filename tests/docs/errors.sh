#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Is every message that the module can produce in doc/errors.rst, and nothing
# that it can not?
#
#	tests/docs/errors.sh [--list]
#
# A message is a string, or several in a row, in src/ (without src/run) that
# is in the arguments of one of CALLS, or that has a blank in it. What has one
# and is no message is in IGNORED, by the call that it is in, or by its file.
# What printf() fills in is <something> in the document; that, blanks and
# punctuation at either end do not count.

exec env PYTHONPATH="${top_srcdir:-.}/tests" python3 -B - \
    "${top_srcdir:-.}" "$@" <<'END'
import glob
import os
import re
import sys

import tree
from tree import complain, read, top

# call: how many of its arguments come before the text
CALLS = {
    "ANSWER_NO": 1, "ELF_NO": 1, "SBX_Err_Set": 3, "SBX_Err_Wrap": 1,
    "SBX_Proc_Kill": 2, "VFP_Error": 1, "VRT_fail": 1, "VSLb": 2,
}
# These log what is no error; the manual has them.
TAGS = {"SLT_Begin", "SLT_Link", "SLT_VCL_Log", "SLT_VCL_use"}
IGNORED_CALLS = {
    "ALLOC_OBJ", "VSB_cat", "WRONG", "bprintf", "memcmp", "strcspn",
    "strncmp", "strspn", "write",
}
IGNORED_FILES = {
    "src/linux/procfs.c":	"what guests read in /proc",
    "src/linux/vdso.c":		"assembler",
    "src/vmod/list.c":		"backend.list and JSON",
}
# What is none for another reason
IGNORED = {
    "HTTP/1.1 503 Service Unavailable\\r\\nContent-Length: 0\\r\\n"
	"Connection: close\\r\\n\\r\\n":	"an answer, for pipes",
    "vmod_sandbox task":	"a type, for Varnish",
    "vmod_sandbox vcl":		"a type, for Varnish",
    "Content-Length: 18446744073709551615":	"measured only",
    "sandbox: a guest fetches %s, depth %u, bereq %ju\\n":
	"in panics only, which Varnish writes",
}

TOKEN = re.compile(r"""
    (?P<comment> /\*.*?\*/ | //[^\n]*) | (?P<string> "(?:[^"\\\n]|\\.)*") |
    (?P<char> '(?:[^'\\\n]|\\.)+') | (?P<word> \w+) | (?P<space> \s+) | .
    """, re.S | re.X)

def tokens(text):
    """(kind, text, line); strings that follow each other are one."""
    line = 1
    run = None
    for m in TOKEN.finditer(text):
        t = m.group()
        kind = m.lastgroup or t
        if kind == "string":
            run = run and (run[0], run[1] + t[1:-1], run[2]) or \
                ("string", t[1:-1], line)
        elif kind not in ("comment", "space"):
            if run:
                yield run
            run = None
            yield kind, t, line
        line += t.count("\n")

def strings(text):
    """(string, line, stack of the calls it is in); a call is [name, number of
    this argument, words of its arguments]."""
    calls = []
    word = ""
    for kind, t, line in tokens(text):
        if kind == "(":
            calls.append([word, 0, set()])
        elif kind == ")" and calls:
            calls.pop()
        elif kind == "," and calls:
            calls[-1][1] += 1
        elif kind in ("{", "}", ";"):
            calls = [] if kind != "{" else calls
        elif kind == "string":
            yield t, line, calls
        if kind == "word" and calls:
            calls[-1][2].add(t)
        word = t if kind == "word" else ""

def is_message(text, calls):
    if not re.search(r"[A-Za-z]", re.sub(r"%[-.*\d]*[a-z]+", "", text)) or \
        re.search(r'\.[ch]$', text):
        return False
    for name, n, words in reversed(calls):
        if name in IGNORED_CALLS or words & TAGS:
            return False
        if name == "VSB_printf":
            return "msg" in words
        if name in CALLS:
            return n >= CALLS[name]
    return " " in text.strip() and text not in IGNORED

def same(text):
    """What is compared."""
    text = text.replace("\\n", "").replace("\\t", " ").replace('\\"', '"')
    text = re.sub(r"%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|j|z)?[a-z]", "<>",
        text.replace("%%", "%"))
    text = re.sub(r"(<[^<>]*>)+", "<>", text)
    text = " ".join(text.split())
    text = re.sub(r"^sandbox <>: ", "", text)
    return re.sub(r'^(<>|[\s,;:."])+|(<>|[\s,;:."])+$', "", text)

def messages():
    """What is compared: where it comes from"""
    found = {}
    for path in sorted(glob.glob(os.path.join(top, "src", "*", "*.[ch]"))):
        name = os.path.relpath(path, top)
        if name.startswith(("src/run/", "src/tbl/")) or name in IGNORED_FILES:
            continue
        text = read(name)
        for t, line, calls in strings(text):
            if is_message(t, calls) and same(t):
                found.setdefault(same(t), ("%s:%d" % (name, line), t))
        # what is only assigned, or has no blank
        for m in re.finditer(r'err_reason = "([^"]+)"', text):
            found.setdefault(same(m.group(1)), (name, m.group(1)))
    return found

def documented(name):
    """The paragraphs that are nothing but literals"""
    said = {}
    for p in re.split(r"\n\s*\n", read(name)):
        if re.fullmatch(r"(``[^`]+``[,\s]*)+", p) and not p[0].isspace():
            for m in re.findall(r"``([^`]+)``", p):
                said[same(m)] = m
    return said

have = messages()
if "--list" in sys.argv:
    for n, (where, text) in have.items():
        print("%s: %s" % (where, text))
    sys.exit(0)
said = documented("doc/errors.rst")
for n, (where, text) in have.items():
    if n not in said:
        complain('%s: "%s" is not in doc/errors.rst' % (where, text))
for n, text in said.items():
    if n not in have:
        complain('doc/errors.rst: nothing in src says "%s"' % text)
print("errors: %d messages, %d wrong" % (len(have), tree.bad))
sys.exit(1 if tree.bad or len(have) < 100 else 0)
END
