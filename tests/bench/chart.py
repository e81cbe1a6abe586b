# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A bar chart of requests per second as SVG.

from xml.sax.saxutils import escape

COLOURS = ("#9fb8d0", "#5b8db8", "#2b5c8a", "#173a5e")
LABEL, BARS, VALUE = 110, 520, 70       # pixels, from left to right
BAR, GAP, TOP = 11, 8, 40


def text(x, y, what, anchor="start", size=12):
    return '<text x="%d" y="%d" font-size="%d" text-anchor="%s">%s</text>' % (
        x, y, size, anchor, escape(what))


def bar(y, rps, top, colour):
    width = rps / top * BARS
    return [
        '<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
            LABEL, y, max(width, .5), BAR - 1, colour),
        text(LABEL + width + 4, y + BAR - 2, "{:,.0f}".format(rps), size=10),
    ]


def legend(conns):
    out = []
    for i, c in enumerate(conns):
        x = LABEL + i * 130
        out.append('<rect x="%d" y="%d" width="9" height="9" fill="%s"/>' %
                   (x, TOP - 18, COLOURS[i % len(COLOURS)]))
        out.append(text(x + 14, TOP - 9, "%d connection%s" % (
            c, "s"[c == 1:])))
    return out


def svg(http, title):
    """(http) is that list of the result."""
    conns = sorted({r["conns"] for r in http})
    names = list(dict.fromkeys(r["name"] for r in http))
    top = max(r["rps"] for r in http)
    rps = {(r["name"], r["conns"]): r["rps"] for r in http}
    out, y = [text(LABEL, 14, title, size=13)] + legend(conns), TOP
    for name in names:
        out.append(text(LABEL - 6, y + BAR * (len(conns) + 1) // 2 + 2, name,
                        "end"))
        for i, c in enumerate(conns):
            if (name, c) in rps:
                out += bar(y, rps[name, c], top, COLOURS[i % len(COLOURS)])
            y += BAR
        y += GAP
    return "\n".join(
        ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
         'font-family="sans-serif" fill="#222">' % (
             LABEL + BARS + VALUE, y + 4),
         '<rect width="100%" height="100%" fill="#fff"/>'] + out +
        ["</svg>", ""])
