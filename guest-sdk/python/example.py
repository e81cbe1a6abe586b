#!/usr/bin/python3
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause

"""A WSGI application with templates, JSON, coroutines, and workers that wait for
work since before the first request.

    sandbox-run -o memory=128MB -f ... -u '/json?a=1' /usr/bin/python3 -- \\
        -I -S example.py

Without a sandbox it is served by wsgiref: PORT=8080 ./example.py
"""

import asyncio
import hashlib
import html
import json
import os
import queue
import re
import string
import sys
import threading
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sandbox

PAGE = string.Template("<h1>$title</h1>\n<p>$n words, $digest</p>\n")

jobs = queue.Queue()
results = queue.Queue()


def worker():
    while True:
        n = jobs.get()
        results.put(n * n)


async def square(n):
    await asyncio.sleep(0.001)
    return n * n


async def squares(n):
    parts = await asyncio.gather(*(square(i) for i in range(n)))
    return await asyncio.to_thread(sum, parts)


def app(environ, start_response):
    query = urllib.parse.parse_qs(environ["QUERY_STRING"])
    path = environ["PATH_INFO"]
    kind = "text/plain"
    if path == "/json":
        kind = "application/json"
        text = json.dumps(
            {"method": environ["REQUEST_METHOD"], "query": query}, sort_keys=True
        )
    elif path == "/threads":
        n = int(query.get("n", ["10"])[0])
        for i in range(n):
            jobs.put(i)
        text = str(sum(results.get() for _ in range(n)))
    elif path == "/async":
        text = str(asyncio.run(squares(int(query.get("n", ["10"])[0]))))
    elif path == "/fail":
        raise ValueError("no good")
    elif path == "/page":
        kind = "text/html; charset=utf-8"
        title = query.get("title", ["none"])[0]
        text = PAGE.substitute(
            title=html.escape(title),
            n=len(re.findall(r"\w+", title)),
            digest=hashlib.sha256(title.encode()).hexdigest(),
        )
    else:
        start_response("404 Not Found", [("Content-Type", kind)])
        return [b"No such thing.\n"]
    start_response(
        "200 OK", [("Content-Type", kind), ("Cache-Control", "max-age=60")]
    )
    return [text.encode(), b"\n"]


if __name__ == "__main__":
    for _ in range(2):
        threading.Thread(target=worker, daemon=True).start()
    try:
        sandbox.serve(app)
    except sandbox.NoSandbox:
        from wsgiref.simple_server import make_server

        make_server("localhost", int(os.environ["PORT"]), app).serve_forever()
