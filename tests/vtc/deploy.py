#!/usr/bin/env python3
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# New versions of a program under load.
#
#	deploy.py install GUEST PATH VERSION [FAULT]
#		make PATH of tests/guests/version's program, as mv(1) does
#	deploy.py wait ADDRESS PORT URL
#		until URL says that nothing is being reloaded: by "reloading:
#		false", or a status that is not 202
#	deploy.py reload GUEST PATH ADDRESS PORT ROUNDS
#		clients, while versions 2, 3, ... are installed and the VCL is
#		asked to reload them, with bad files in between
#	deploy.py vcl GUEST PATH ADDRESS PORT ROUNDS NAME VCL
#		the same, but with vcl.load and vcl.use in varnishd NAME
#
# Each answer has to be of one version, none may fail, and none may be of a
# version older than the one that was said to serve when it was asked for.

import http.client
import os
import subprocess
import sys
import threading
import time

MARK = b"@VERSION="
CLIENTS = 6

def install(guest, path, version, fault="none"):
    """Put a version in the place of what is there."""
    with open(guest, "rb") as f:
        data = bytearray(f.read())
    at = data.index(MARK)
    text = b"@VERSION=%06d@FAULT=%-7s@" % (version, fault.encode())
    data[at:at + len(text)] = text
    install_bytes(path, bytes(data))

def install_bytes(path, data):
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)

def wait(address, port, url):
    for _ in range(1000):
        conn = http.client.HTTPConnection(address, port, timeout=20)
        conn.request("GET", url)
        resp = conn.getresponse()
        resp.read()
        conn.close()
        if resp.headers["reloading"] != "true" and resp.status != 202:
            return 0
        time.sleep(.03)
    print("still not done")
    return 1

class Load:
    """Clients that ask until they are told to stop."""

    URLS = ("/?size=100", "/?size=70000", "/?ms=20&size=700",
        "/?size=700000", "/?ms=4&size=70")

    def __init__(self, address, port):
        self.address = address
        self.port = port
        self.serves = 1
        self.stop = False
        self.lock = threading.Lock()
        self.wrong = []
        self.times = []
        self.versions = {}
        self.threads = [threading.Thread(target=self.client, args=(n,))
            for n in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def connect(self):
        return http.client.HTTPConnection(self.address, self.port,
            timeout=20)

    def check(self, url, least, resp, body):
        """The version of an answer."""
        if resp.status != 200:
            raise ValueError("status %d %s" % (resp.status, resp.reason))
        name = resp.headers["X-Version"]
        size = int(url.split("size=")[1])
        want = (name + "\n").encode() * -(-size // 7)
        if body != want:
            raise ValueError("header %s, and a body of %d bytes with %s" %
                (name, len(body), sorted(set(body.split()))[:3]))
        if int(name) < least:
            raise ValueError("version %s after %d" % (name, least))
        return int(name)

    def client(self, n):
        conn = self.connect()
        last = 0
        while not self.stop:
            n += 1
            url = self.URLS[n % len(self.URLS)]
            least = max(self.serves, last)
            begin = time.monotonic()
            try:
                conn.request("GET", url)
                resp = conn.getresponse()
                last = self.check(url, least, resp, resp.read())
            except (OSError, ValueError, http.client.HTTPException) as e:
                with self.lock:
                    self.wrong.append("%s: %s: %s" % (url,
                        type(e).__name__, e))
                conn.close()
                conn = self.connect()
            with self.lock:
                self.times.append(time.monotonic() - begin)
                self.versions[last] = self.versions.get(last, 0) + 1
        conn.close()

    def wait(self, version):
        """Until somebody has got that version."""
        for _ in range(1000):
            with self.lock:
                if version in self.versions:
                    return
            time.sleep(.01)

    def end(self):
        self.stop = True
        for t in self.threads:
            t.join()
        times = sorted(self.times)
        print("%d requests, %d wrong, of %d versions; seconds: half %.4f, "
            "99%% %.4f, all %.4f" % (len(times), len(self.wrong),
            len(self.versions), times[len(times) // 2],
            times[len(times) * 99 // 100], times[-1]))
        for text in self.wrong[:20]:
            print(text)
        return len(self.wrong)

class Reload:
    """By app.reload()."""

    def __init__(self, address, port):
        self.conn = http.client.HTTPConnection(address, port, timeout=20)

    def state(self):
        self.conn.request("GET", "/state")
        resp = self.conn.getresponse()
        resp.read()
        return resp.headers

    def deploy(self):
        """Why it failed, or an empty string."""
        self.conn.request("POST", "/reload")
        resp = self.conn.getresponse()
        resp.read()
        assert resp.status == 202, resp.status
        while True:
            state = self.state()
            if state["reloading"] == "false":
                return state["error"] or ""
            time.sleep(.002)

class Vcl:
    """By vcl.load."""

    def __init__(self, name, vcl):
        self.name = name
        self.vcl = vcl
        self.n = 0
        self.old = None

    def cli(self, *words):
        p = subprocess.run(("varnishadm", "-n", self.name) + words,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return p.returncode, p.stdout

    def deploy(self):
        self.n += 1
        name = "deploy%d" % self.n
        rc, text = self.cli("vcl.load", name, self.vcl)
        if rc != 0:
            return text
        rc, text = self.cli("vcl.use", name)
        assert rc == 0, text
        if self.old is not None:
            rc, text = self.cli("vcl.discard", self.old)
            assert rc == 0, text
        self.old = name
        return ""

def bad_files(guest):
    """Files that must not get into service, and a word of the reason."""
    with open(guest, "rb") as f:
        data = f.read()
    return (
        ("script", "#!/nowhere/at/all\n", "/nowhere/at/all"),
        ("text", "hello, world\n", "path"),
        ("empty", "", "the file is empty"),
        ("truncated", data[:5000], "truncated"),
        ("crash", None, "Aborted"),
        ("exit", None, "exit(3)"),
        ("never", None, "boot_timeout"),
        ("spin", None, "boot_timeout"),
        ("status", None, "the database is closed"),
        ("abort", None, "the probe /probe failed"),
    )

def deploy_bad(how, guest, path, bad):
    fault, data, word = bad
    if data is None:
        install(guest, path, 999999, fault)
    else:
        install_bytes(path, data if isinstance(data, bytes) else
            data.encode())
    why = how.deploy()
    print("%s: %s" % (fault, " ".join(why.split())[:300]))
    if data is None or fault in ("empty", "truncated"):
        assert word in why, (word, why)
    assert why != ""

def run(how, load, guest, path, rounds):
    bad = bad_files(guest)
    try:
        for n in range(2, rounds + 2):
            install(guest, path, n)
            why = how.deploy()
            assert why == "", why
            load.serves = n
            if n % 2 == 0:
                deploy_bad(how, guest, path, bad[n // 2 % len(bad)])
            time.sleep(.03)
        load.wait(rounds + 1)
    finally:
        wrong = load.end()
    assert max(load.versions) == rounds + 1, load.versions
    # clients that did not see much of it would prove little
    assert len(load.versions) > rounds // 2, load.versions
    return wrong

def main(argv):
    if argv[1] == "install":
        install(argv[2], argv[3], int(argv[4]), *argv[5:])
        return 0
    if argv[1] == "wait":
        return wait(argv[2], int(argv[3]), argv[4])
    guest, path, address, port, rounds = argv[2:7]
    how = Reload(address, int(port)) if argv[1] == "reload" else \
        Vcl(*argv[7:9])
    load = Load(address, int(port))
    wrong = run(how, load, guest, path, int(rounds))
    return 1 if wrong else 0

if __name__ == "__main__":
    sys.exit(main(sys.argv))
