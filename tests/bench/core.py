# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs without Varnish: sandbox-run, many VMs, and computing.

import json
import re
import subprocess

from figures import median
from rows import PAGES, filled, photo

VMS = (1, 8, 32, 128, 512)


def programs(build, tmp):
    """Name, requests, and what sandbox-run is told."""
    examples = build + "/guest-sdk/examples/"
    return [
        ("hello", 20000, [examples + "hello"]),
        ("echo-1k", 20000, [examples + "echo", "-d",
                            "@" + filled(tmp, "core.1k", 1 << 10)]),
        ("echo-1m", 1000, [examples + "echo", "-o", "max_request_body=2M",
                           "-d", "@" + filled(tmp, "core.1m", 1 << 20)]),
    ] + [
        ("dirty-%d" % n, 5000,
         [build + "/tests/guests/dirty/dirty.guest", "-u", "/?pages=%d" % n])
        for n in PAGES
    ] + [
        ("webp", 30, [examples + "webp", "-o", "memory=128M", "-o",
                      "max_request_body=4M", "-d", "@" + photo(build, tmp)]),
    ]


def said(text, pattern):
    m = re.search(pattern, text)
    if m is None:
        raise RuntimeError("no \"%s\" in what sandbox-run says:\n%s" % (
            pattern, text))
    return float(m[1])


def program(build, count, words):
    out = subprocess.run(
        [build + "/sandbox-run", "-q", "-s", "-n", str(count)] + words,
        check=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT).stdout.decode()
    return {
        "request_us": said(out, r"request: median ([0-9.]+)"),
        "request_99_us": said(out, r"request: .* 99% ([0-9.]+)"),
        "reset_us": said(out, r"reset: median ([0-9.]+)"),
        "reset_99_us": said(out, r"reset: .* 99% ([0-9.]+)"),
        "exits": said(out, r"exits: ([0-9]+)"),
        "pages": said(out, r"copied back: ([0-9.]+)"),
        "faults": said(out, r"faults of the host: ([0-9.]+)"),
    }


def vms(build, n, megabytes):
    return json.loads(subprocess.run(
        [build + "/tests/bench/vms", build + "/guest-sdk/examples/hello",
         str(n), str(megabytes)], check=True, stdout=subprocess.PIPE).stdout)


def compute(words):
    """The check sum and the ticks it took."""
    out = subprocess.run(words, check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout.decode()
    m = re.search(r"sum (\w+) ticks (\d+)", out)
    return m[1], int(m[2])


def compare(build, rounds, work):
    """The same binary in a sandbox and outside of one, by turns."""
    guest = build + "/tests/bench/compute.guest"
    url = ["--url", "/?rounds=%d" % work]
    native, inside = [], []
    for _ in range(rounds):
        native.append(compute([guest] + url))
        inside.append(compute([build + "/sandbox-run", guest, "-o",
                               "request_timeout=60"] + url))
    if len({total for total, _ in native + inside}) != 1:
        raise RuntimeError("compute: the results differ")
    native = median([ticks for _, ticks in native])
    inside = median([ticks for _, ticks in inside])
    return {"native_ticks": native, "sandbox_ticks": inside,
            "of_native": round(native / inside, 4)}


def measure(build, tmp, rounds, share, say):
    """Returns "core" of the result. (share) of the requests and VMs."""
    todo = programs(build, tmp)
    runs = {name: [] for name, _, _ in todo}
    for n in range(rounds):
        say("without Varnish, round %d of %d" % (n + 1, rounds))
        for name, count, words in todo:
            runs[name].append(program(build, max(3, int(count * share)),
                                      words))
    say("many VMs")
    some = [n for n in VMS if n <= 8 or n <= 512 * share]
    return {
        "programs": [
            {"name": name, **{key: round(median([r[key] for r in run]), 3)
                              for key in run[0]}}
            for name, run in runs.items()],
        "vms": [vms(build, n, 64) for n in some] + [vms(build, 32, 1024)],
        "compute": compare(build, 9 if share == 1 else 3,
                           max(2, int(40 * share))),
    }
