# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Requests through varnishd: what is asked for, and how fast it comes.

import os
import re
import subprocess

import servers
from figures import median

CONNS = (1, 8, 64)
PAGES = (16, 64, 256, 1024)

HERE = os.path.dirname(os.path.abspath(__file__))
HELLO = servers.TEXT.encode()


class Row:
    """A thing to ask for. good() looks at the answer's body."""

    def __init__(self, name, path, body=None, good=HELLO.__eq__,
                 server="sandbox"):
        self.name = name
        self.path = path
        self.body = body        # a file
        self.good = good
        self.server = server

    def check(self, all_servers):
        """One request, and is the answer right?"""
        body = None
        if self.body is not None:
            with open(self.body, "rb") as f:
                body = f.read()
        server = getattr(all_servers, self.server)
        status, got = servers.get(server.addr, self.method(), self.path, body)
        if status != 200 or not self.good(got):
            raise RuntimeError("%s: status %d, body %.80r" % (
                self.name, status, got))

    def method(self):
        return "GET" if self.body is None else "POST"

    def load(self, all_servers, conns, seconds):
        """Returns what wrk measured, and the worker's CPU."""
        server = getattr(all_servers, self.server)
        cpu = server.cpu()
        out = subprocess.run(
            ["wrk", "-t", "1", "-c", str(conns), "-d", "%ds" % seconds,
             "--timeout", "30s", "-s", HERE + "/wrk.lua",
             "http://%s:%d%s" % (*server.addr, self.path),
             "--", self.method()] + ([self.body] if self.body else []),
            check=True, stdout=subprocess.PIPE).stdout.decode()
        cpu = server.cpu() - cpu
        m = re.search(r"bench: (\d+) requests (\d+) us (\d+) p50 (\d+) p99 "
                      r"(\d+) failed (\d+) wrong", out)
        if m is None:
            raise RuntimeError("%s: wrk says:\n%s" % (self.name, out))
        n, us, p50, p99, failed, wrong = map(int, m.groups())
        if n == 0 or failed > 0 or wrong > 0:
            raise RuntimeError(
                "%s, %d connections: of %d requests %d failed and %d were "
                "not answered with 200" % (self.name, conns, n, failed, wrong))
        return {"rps": n * 1e6 / us, "p50_us": p50, "p99_us": p99,
                "cpu_us": cpu * 1e6 / n}


def filled(tmp, name, size):
    path = os.path.join(tmp, name)
    with open(path, "wb") as f:
        f.write(b"x" * size)
    return path


PHOTO = (1200, 834)     # a megapixel


def photo(build, tmp, size=PHOTO):
    path = os.path.join(tmp, "photo.jpg")
    subprocess.run([build + "/tests/bench/mkimages", path, str(size[0]),
                    str(size[1])], check=True)
    return path


def make(build, tmp, size=PHOTO):
    """All rows of the table."""
    small = filled(tmp, "1k", 1 << 10)
    large = filled(tmp, "1m", 1 << 20)
    return [
        Row("synth", "/synth"),
        Row("hit", "/hit"),
        Row("nginx", "/nginx"),
        Row("native", "/native", server="native"),
        Row("hello", "/hello"),
        Row("hello-cached", "/hello-cached"),
        Row("echo-1k", "/echo", small, (b"x" * (1 << 10)).__eq__),
        Row("echo-1m", "/echo", large, (b"x" * (1 << 20)).__eq__),
    ] + [
        Row("dirty-%d" % n, "/dirty?pages=%d" % n,
            good=(b"%d pages\n" % n).__eq__) for n in PAGES
    ] + [
        Row("webp", "/webp", photo(build, tmp, size),
            lambda b: b[:4] == b"RIFF" and b[8:12] == b"WEBP"),
    ]


# Requests for hello with so many VMs, over so many connections.
SCALE = ((1, 1), (1, 8), (2, 2), (2, 16), (8, 8), (8, 64))


def scale():
    return {vms: Row("hello, %d VMs" % vms, "/vms%d" % vms)
            for vms in sorted({v for v, _ in SCALE})}


def merge(runs):
    """Medians of what several runs have measured."""
    return {key: round(median([r[key] for r in runs]), 2) for key in runs[0]}


def measure(build, tmp, rounds, seconds, conns, say, size=PHOTO):
    """Returns the lists "http" and "scale" of the result."""
    rows = make(build, tmp, size)
    more = scale()
    cells = [(row, c) for c in conns for row in rows]
    cells += [(more[vms], c) for vms, c in SCALE if len(conns) > 1]
    runs = {cell: [] for cell in cells}
    with servers.Servers(build, tmp) as s:
        for row in rows + list(more.values()):
            row.check(s)
        for row in rows:
            row.load(s, 8, 1)
        for n in range(rounds):
            say("round %d of %d" % (n + 1, rounds))
            for row, c in cells:
                runs[row, c].append(row.load(s, c, seconds))
    http = [{"name": row.name, "conns": c, **merge(runs[row, c])}
            for row, c in cells if row in rows]
    return http, [{"vms": vms, "conns": c, **merge(runs[more[vms], c])}
                  for vms, c in SCALE if (more[vms], c) in runs]
