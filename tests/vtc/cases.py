#!/usr/bin/env python3
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Requests that must fail, from a table. A line of it is a URL, white space,
# and a regular expression for the reason, which has to be in the log. "= " and
# an expression says that the request is answered, and with what; "-" that it
# may or may not be. "500 " and an expression: a handler in JavaScript failed,
# the guest has answered with a 500 that says nothing, and the expression
# matches a line that it has logged. The first part of a URL is the name of the
# guest, and of the object in VCL.
#
#	cases.py vcl GUESTS EXAMPLES [OPTIONS] <TABLE >VCL
#
# makes the VCL: an object for each guest, with OPTIONS, and "other" for a
# program that never fails.
#
#	cases.py run NAME ADDRESS PORT [THREADS] <TABLE
#
# asks, THREADS at a time. Meanwhile two other clients ask /GUEST/ok of each
# guest and /other/, and have to get the right answer each time; so has
# /GUEST/ok after each request. NAME is varnishd's working directory.

import concurrent.futures
import http.client
import re
import subprocess
import sys
import threading
import time

PAGE = "our own error page\n"
HELLO = "Hello from a sandbox.\n"
JS_PAGE = """The program that should have answered failed. Varnish's log says why.
"""

VCL = """
backend default none;
sub vcl_init {
%s	new other = sandbox.program("%s/hello", queue_timeout = 50s);
}
sub vcl_recv {
	if (req.url ~ "/ok$") {
		return (pass);
	}
	return (hash);
}
sub vcl_backend_fetch {
	set bereq.backend = other.backend();
%s	set bereq.url = regsub(bereq.url, "^/[^/]+", "");
}
sub vcl_backend_response {
	set beresp.ttl = 0s;
}
sub vcl_backend_error {
	set beresp.body = {"%s"};
	return (deliver);
}
"""

NEW = """	new %s = sandbox.program("%s/%s/%s.guest",
	    queue_timeout = 50s, backoff = 0s%s);
"""

ROUTE = """	if (bereq.url ~ "^/%s/") {
		set bereq.backend = %s.backend();
	}
"""


def table():
    rows = [line.strip().split(None, 1) for line in sys.stdin]
    return [row for row in rows if row]


def objects(rows):
    return sorted({guest(url) for url, _ in rows})


def guest(url):
    return url.split("/")[1]


def vcl(rows, guests, examples, options=""):
    more = options and ", " + options
    names = objects(rows)
    new = "".join(NEW % (n, guests, n, n, more) for n in names)
    route = "".join(ROUTE % (n, n) for n in names)
    print(VCL % (new, examples, route, PAGE))


class Run:

    def __init__(self, rows, name, addr, port, threads="8"):
        self.rows = rows
        self.name = name
        self.addr = addr, int(port)
        self.threads = int(threads)
        self.wrong = []
        self.stop = threading.Event()

    def check(self, good, text):
        if not good:
            self.wrong.append(text)

    def connect(self):
        return http.client.HTTPConnection(*self.addr, timeout=50)

    def ask(self, conn, url):
        conn.request("GET", url)
        r = conn.getresponse()
        return r, r.read().decode("latin-1")

    def right(self, conn, url, body):
        r, got = self.ask(conn, url)
        self.check((r.status, got) == (200, body),
                   "%s: %d %s" % (url, r.status, got))

    def bystander(self, urls, body):
        conn = self.connect()
        n = 0
        while n == 0 or not self.stop.is_set():
            for url in urls:
                self.right(conn, url, body)
                n += 1
                time.sleep(.01)
        print("bystander: %d answers" % n)

    def case(self, row):
        """Returns true if the request has failed."""
        url, why = row
        conn = self.connect()
        try:
            r, body = self.ask(conn, url)
            text = "%s: %d %s %s" % (url, r.status, r.reason, body)
            failed = r.status == 503
            if failed:
                self.check(r.reason == "Sandbox failed" and body == PAGE, text)
            if why.startswith("500 "):
                self.check((r.status, body) == (500, JS_PAGE), text)
            elif why.startswith("= "):
                self.check(not failed and re.search(why[2:], body), text)
            elif why != "-":
                self.check(failed, text)
            self.right(conn, "/%s/ok" % guest(url), "ok\n")
        except (OSError, http.client.HTTPException) as e:
            self.check(False, "%s: %r" % (url, e))
            return False
        return failed

    def reasons(self, tag="FetchError"):
        """The FetchErrors for each URL."""
        out = subprocess.run(
            ["varnishlog", "-n", self.name, "-d", "-b", "-q", tag,
             "-i", "BereqURL," + tag],
            check=True, stdout=subprocess.PIPE).stdout.decode("latin-1")
        found = {}
        for group in out.split("\n\n"):
            url = re.search(r"BereqURL +(\S+)", group)
            for text in re.findall(tag + r" +(.*)", group):
                found.setdefault(url[1], []).append(text)
        return found

    def logged(self, rows):
        end = time.monotonic() + 20
        found = self.reasons()
        while len(found) < len(rows) and time.monotonic() < end:
            time.sleep(.5)
            found = self.reasons()
        for url, why in rows:
            line = "^sandbox %s: .*%s" % (guest(url), why)
            got = found.get(url, [])
            self.check(len(got) == 1 and re.search(line, got[0]),
                       "%s: the log has %r, not %r" % (url, got, line))

    def complained(self, rows):
        """Lines that handlers in JavaScript have logged."""
        found = self.reasons("Error")
        for url, why in rows:
            got = "\n".join(found.get(url, []))
            self.check(re.search(why[4:], got),
                       "%s: the log has %r, not %r" % (url, got, why))

    def ask_all(self):
        """Returns the rows whose requests have failed."""
        others = [threading.Thread(target=self.bystander, args=a) for a in (
            (["/%s/ok" % n for n in objects(self.rows)], "ok\n"),
            (["/other/"], HELLO))]
        for t in others:
            t.start()
        with concurrent.futures.ThreadPoolExecutor(self.threads) as pool:
            failed = list(pool.map(self.case, self.rows))
        self.stop.set()
        for t in others:
            t.join()
        print("%d cases, %d failed" % (len(failed), sum(failed)))
        return [row for row, f in zip(self.rows, failed) if f]

    def run(self):
        failed = self.ask_all()
        self.logged([row for row in failed if row[1] != "-"])
        self.complained([r for r in self.rows if r[1].startswith("500 ")])
        print("\n".join(self.wrong[:30]))
        return 1 if self.wrong else 0


def main():
    rows = table()
    if sys.argv[1] == "vcl":
        return vcl(rows, *sys.argv[2:])
    return Run(rows, *sys.argv[2:]).run()


sys.exit(main())
