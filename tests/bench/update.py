# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The figures in the documents come from here and from nowhere else: what is
# between these two comments of a document is replaced.

import re

import chart
import figures

BEGIN = ".. The next lines are written by tests/bench/run --update."
END = ".. Here they end."


def replaced(document, lines):
    """The document with (lines) between the comments."""
    parts = re.split("(?m)^(%s|%s)\n" % (re.escape(BEGIN), re.escape(END)),
                     document)
    if len(parts) != 5 or parts[1] != BEGIN or parts[3] != END:
        raise ValueError("the two comments are not there")
    return "".join([parts[0], BEGIN, "\n\n", "\n".join(lines).rstrip("\n"),
                    "\n\n", END, "\n", parts[4]])


def block(lines):
    """Literally."""
    return ["::", ""] + ["\t" + line if line else "" for line in lines]


def specification(result):
    return [".. image:: speed.svg", ""] + block(figures.report(result))


def readme(result):
    """The few that say most."""
    lines = ["Through varnishd on %s, platform %s, 8 connections, as" % (
        result["machine"]["cpu"], result["machine"]["platform"][:1]),
        "``tests/bench/run`` prints it, with much more "
        "(``doc/specification.rst``):", ""]
    rows = [r for r in result["http"] if r["conns"] == 8]
    return lines + block(figures.table(
        ("", "requests/s", "p50 us", "p99 us"),
        [(r["name"], r["rps"], r["p50_us"], r["p99_us"]) for r in rows
         if r["name"] in WHAT]))


WHAT = ("synth", "hit", "nginx", "native", "hello", "hello-cached", "echo-1k",
        "dirty-256")


def documents(top, result):
    """Rewrite them. Returns their names."""
    for name, lines in (("README.rst", readme(result)),
                        ("doc/specification.rst", specification(result))):
        with open(top + "/" + name) as f:
            new = replaced(f.read(), lines)
        with open(top + "/" + name, "w") as f:
            f.write(new)
    with open(top + "/doc/speed.svg", "w") as f:
        f.write(chart.svg(result["http"], title(result)))
    return "README.rst", "doc/specification.rst", "doc/speed.svg"


def title(result):
    return "Requests per second through varnishd (%s, %s)" % (
        result["machine"]["cpu"], result["machine"]["date"])
