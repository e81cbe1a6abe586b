#!/usr/bin/python3 -IS
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Python as it is installed, with its standard library, and without an SDK: the
# calls of sandbox_abi.h through ctypes. With "native" as argument it prints
# what it would answer to that URL.

import ctypes
import datetime
import decimal
import hashlib
import html
import json
import re
import string
import sys
import tempfile
import urllib.parse

PAGE = string.Template("<h1>$title</h1>\n<pre>$data</pre>\n")


def answer(url):
    u = urllib.parse.urlsplit(url)
    query = urllib.parse.parse_qs(u.query)
    with tempfile.TemporaryFile() as f:
        f.write(url.encode())
        f.seek(0)
        digest = hashlib.sha256(f.read()).hexdigest()
    data = {
        "path": [urllib.parse.unquote(p) for p in u.path.split("/")[1:]],
        "query": query,
        "sha256": digest,
        "third": str(decimal.Decimal(1) / 3),
        "day": datetime.date(2024, 2, 28).isoformat(),
        "words": re.findall(r"\w+", url),
    }
    text = json.dumps(data, indent=1, sort_keys=True)
    return PAGE.substitute(title=html.escape(u.path), data=html.escape(text))


if len(sys.argv) > 2:
    sys.stdout.write(answer(sys.argv[2]))
    sys.exit(0)

NEXT = 0x5b001
libc = ctypes.CDLL(None)
libc.syscall.restype = ctypes.c_long
libc.syscall.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p]


class Request(ctypes.Structure):
    # struct sandbox_request, up to the URL
    _fields_ = [("head", ctypes.c_char * 128), ("url", ctypes.c_void_p),
                ("url_len", ctypes.c_uint32)]


class Response(ctypes.Structure):
    # struct sandbox_response
    _fields_ = [("size", ctypes.c_uint32), ("status", ctypes.c_uint32),
                ("reason", ctypes.c_char * 16),
                ("headers", ctypes.c_void_p), ("n_headers", ctypes.c_uint32),
                ("reserved", ctypes.c_uint32), ("body", ctypes.c_char_p),
                ("body_len", ctypes.c_uint64)]


answer("/what?is=imported&when=asked")
rq = libc.syscall(NEXT, 1, None)
while rq > 0:
    rq = Request.from_address(rq)
    body = answer(ctypes.string_at(rq.url, rq.url_len).decode()).encode()
    rp = Response(size=ctypes.sizeof(Response), status=200, body=body,
                  body_len=len(body))
    rq = libc.syscall(NEXT, 1, ctypes.addressof(rp))
sys.exit("there is no sandbox")
