# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Run Debian's prometheus-varnish-exporter on a varnishd, and look at what it
# says: everything in sandbox.vsc for each of the objects given, with the values
# that varnishstat shows; and whatever doc/grafana.json asks for.
#
#	exporter.py VARNISHD-DIRECTORY TOP OBJECT...

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

BOUND = 30			# seconds, for all of it


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fetch(url, until):
    """The exporter is asked until it listens, and answers."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as f:
                return f.read().decode()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(.1)


def scrape(directory):
    until = time.monotonic() + BOUND
    port = free_port()
    p = subprocess.Popen(["prometheus-varnish-exporter", "-n", directory,
        "-web.listen-address", "127.0.0.1:%d" % port],
        stdout=subprocess.DEVNULL)
    try:
        return fetch("http://127.0.0.1:%d/metrics" % port, until)
    finally:
        p.kill()
        p.wait()


def metrics(text):
    """{(name, id): value}, and {name: type}"""
    values = {(n, i): float(v) for n, i, v in
        re.findall(r'^(\w+)\{id="([^"]*)"\} (\S+)$', text, re.M)}
    types = dict(re.findall(r'^# TYPE (\w+) (\w+)$', text, re.M))
    return values, types


def varnishstat(directory):
    out = subprocess.run(["varnishstat", "-n", directory, "-j"], check=True,
        timeout=BOUND, stdout=subprocess.PIPE).stdout
    j = json.loads(out)
    return {k: v["value"] for k, v in j.get("counters", j).items()
        if isinstance(v, dict)}


def dashboard(top):
    """Its expressions."""
    with open(os.path.join(top, "doc", "grafana.json")) as f:
        board = json.load(f)
    exprs = [v["query"] for v in board["templating"]["list"]]
    for panel in board["panels"]:
        exprs += [t["expr"] for t in panel.get("targets", ())]
    return [e for e in exprs if e != "prometheus"]


def check_board(top, values, counters):
    found = 0
    for expr in dashboard(top):
        names = re.findall(r'__name__=~"([^"]+)"', expr)
        assert names, "no metric in %s" % expr
        for name in names:
            found += 1
            have = {n for n, i in values if re.fullmatch(name, n)}
            assert have, "the exporter has no %s" % name
            assert re.sub(r'.*\.\+_', "", name) in counters, name
    assert found > 50, found
    # what a program's name stands for when it is "all of them"
    ids = {i for n, i in values if n.startswith("varnish_main_sandbox_")}
    return {i for i in ids if re.fullmatch(r'sandbox[.][^.]+', i)}


def ours(stat):
    return {k: v for k, v in stat.items() if k.startswith("SANDBOX.")}


def at_rest(directory):
    """What the exporter says, and varnishstat before and after it: counters
    are brought up to date one after the other, four times a second."""
    end = time.monotonic() + BOUND
    while True:
        before = varnishstat(directory)
        text = scrape(directory)
        stat = varnishstat(directory)
        if ours(before) == ours(stat):
            return text, stat
        assert time.monotonic() < end, "the counters do not come to rest"
        time.sleep(.3)


def main():
    directory, top, *objects = sys.argv[1:]
    with open(os.path.join(top, "sandbox.vsc")) as f:
        counters = re.findall(r'^\.\. varnish_vsc:: (\w+)', f.read(), re.M)
    assert len(counters) > 40
    text, stat = at_rest(directory)
    values, types = metrics(text)
    for obj in objects:
        for c in counters:
            n = "varnish_main_sandbox_%s_%s" % (obj.replace(".", "_"), c)
            v = values[n, "sandbox." + obj]
            assert v == stat["SANDBOX.%s.%s" % (obj, c)], (n, v)
            want = "gauge" if c[0] == "g" else "counter"
            assert types[n] == want, (n, types[n])
    programs = check_board(top, values, set(counters))
    print("%d counters of %s; dashboard: %s" % (len(counters),
        " ".join(objects), " ".join(sorted(programs))))


main()
