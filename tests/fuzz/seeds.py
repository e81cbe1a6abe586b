#!/usr/bin/env python3
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What fuzzers start from: seeds.py DIR makes DIR/NAME/* for each of them.
# Numbers of system calls and ops are read from the sources.

import os
import re
import struct
import sys

here = os.path.dirname(os.path.abspath(__file__))
top = os.path.join(here, "..", "..")


def source(*name):
    with open(os.path.join(*name), encoding="utf-8") as f:
        return f.read()


def seed(fuzzer, name, data):
    where = os.path.join(sys.argv[1], fuzzer)
    os.makedirs(where, exist_ok=True)
    if isinstance(data, str):
        data = data.encode("latin-1")
    with open(os.path.join(where, name), "wb") as f:
        f.write(data)


# ---------------------------------------------------------------------
# Guests: see play.c

NR = re.findall(r"^(?:SYSCALL|ANOTHER)\((\w+),",
                source(top, "src/tbl/syscalls.h"), re.M)
AT = ("result result1 result2 far lo hi brk used first last stack "
      "stack_end scratch window body window_end code const data data_end "
      "null stub entry vdso edits sys_end tables tables_end user_end "
      "canonical max minus").split()


def n(value):
    """A number."""
    if 0 <= value < 96:
        return bytes([value])
    if value == -1:
        return bytes([96])
    return b"\x61" + struct.pack("<Q", value & (1 << 64) - 1)


def at(where, off=None, pages=None):
    """An address."""
    which = 128 + AT.index(where)
    if off is not None:
        return struct.pack("<Bb", which + 32, off)
    if pages is not None:
        return struct.pack("<Bb", which + 64, pages)
    return bytes([which])


class Guest:
    """What a guest does, for one fuzzer."""

    def __init__(self, fuzzer):
        self.mix = re.search(r'Play_Init\("(.{16})"\)',
                             source(here, "f_%s.c" % fuzzer)).group(1)
        self.b = b""

    def op(self, letter, *args):
        self.b += bytes([self.mix.index(letter)]) + b"".join(
            bytes([a]) if isinstance(a, int) else a for a in args)
        return self

    def args(self, args):
        return [(1 << len(args)) - 1] + [
            n(a) if isinstance(a, int) else a for a in args]

    def call(self, name, *args):
        return self.op("s", NR.index(name), *self.args(args))

    def host(self, nr, *args):
        return self.op("h", nr, *self.args(args))

    def words(self, where, *args):
        return self.op("w", where, len(args), *[
            n(a) if isinstance(a, int) else a for a in args])

    def path(self, which):
        return self.op("p", which)


RW, ANON, FIXED = 3, 0x22, 0x32


def guests_memory(g):
    g.call("mmap", 0, 8192, RW, ANON, -1, 0)
    g.call("mmap", 0, 65536, RW, ANON, -1, 0)
    g.call("munmap", at("result", pages=1), 4096)
    g.call("mprotect", at("result1", pages=2), 4096, 1)
    g.call("mremap", at("result2"), 8192, 16384, 1)
    g.call("brk", at("lo", pages=16))
    g.call("brk", at("lo", pages=2))
    g.call("mmap", at("first", pages=2), 4096, RW, FIXED, -1, 0)
    g.call("mprotect", at("data"), 8192, 0)
    g.call("mprotect", at("code"), 4096, 5)
    g.call("madvise", at("lo"), n(65536), 4)
    g.call("madvise", at("stack"), n(65536), 4)
    g.call("mmap", 0, 4096, 1, 2, 3, 0)
    return g


def guests_far(g):
    g.call("mmap", 0, n(1 << 34), 0, 0x4022, -1, 0)
    g.call("mprotect", at("result", pages=16), 65536, RW)
    g.call("read", 5, at("result1", pages=17), 8192)
    g.op("f", 14, n(6), n(0x400000), n(0x33), n(0x202), n(0),
         at("result", pages=20), 0)
    g.call("madvise", at("far"), n(1 << 30), 4)
    g.call("mprotect", at("far", pages=18), 4096, 1)
    g.call("munmap", at("far", pages=17), 8192)
    g.call("mmap", at("far", pages=40), 65536, RW, FIXED, -1, 0)
    g.call("write", 1, at("far", pages=40), 4097)
    return g


def guests_files(g):
    for path in range(32):
        g.path(path)
        g.call("open", at("scratch"), 0)
        g.call("stat", at("scratch"), at("data", off=64))
        g.call("fstat", at("result1"), at("stack"))
    g.call("read", 3, at("data"), 100)
    g.call("lseek", 3, 10, 2)
    g.call("pread64", 3, at("stack"), 65537, 4)
    g.call("dup2", 3, 40)
    g.call("dup3", 3, 41, 0o2000000)
    g.call("fcntl", 41, 4, 0o2000)
    g.call("fcntl", 3, 1030, 50)
    g.call("close", 3)
    g.call("readlink", at("scratch"), at("data"), 20)
    g.words(at("stack"), at("data"), 100, at("const"), 5, at("window"), 4097)
    g.call("writev", 1, at("stack"), 3)
    g.call("readv", 40, at("stack"), 3)
    g.call("write", 2, at("data"), 95)
    return g


def guests_tmp(g):
    g.path(17)
    g.call("open", at("scratch"), 0o102, 0o666)
    g.call("write", 11, at("const"), 4097)
    g.call("pwrite64", 11, at("data"), 95, 9000)
    g.call("ftruncate", 11, 8191)
    g.call("fallocate", 11, 0, 0, 65536)
    g.call("lseek", 11, 0, 0)
    g.call("read", 11, at("data"), 8192)
    g.path(19)
    g.call("mkdir", at("scratch"), 0o777)
    g.path(17)
    g.path(20 + 32)
    g.call("rename", at("scratch"), at("scratch", off=100))
    g.path(20)
    g.call("open", at("scratch"), 0)
    g.call("unlink", at("scratch"))
    g.call("read", 12, at("data"), 100)
    g.call("mmap", 0, 8192, RW, 2, 12, 0)
    g.call("close", 12)
    g.path(16)
    g.call("open", at("scratch"), 0o200000)
    g.call("getdents64", 12, at("data"), 1024)
    g.path(19)
    g.call("rmdir", at("scratch"))
    g.call("statfs", at("scratch"), at("data"))
    g.call("statx", -100, at("scratch"), 0, 4095, at("data"))
    return g


def guests_channels(g):
    g.call("read", 7, at("data"), 50)
    g.call("write", 8, at("const"), 4096)
    g.call("pipe2", at("data", pages=2), 0o4000)
    g.call("dup", 8)
    g.call("eventfd2", 3, 1)
    g.call("timerfd_create", 1, 0)
    g.words(at("data"), 0, n(5000), 0, n(9000))
    g.call("timerfd_settime", 14, 0, at("data"), at("stack"))
    g.words(at("data"), n(0x80000001), 7)
    for fd in 8, 9, 13, 14, 10:
        g.call("epoll_ctl", 10, 1, fd, at("data"))
    g.call("epoll_wait", 10, at("data"), 4, 0)
    g.op("t", 20)
    g.call("epoll_wait", 10, at("data"), 4, n(1000))
    g.call("epoll_ctl", 10, 3, 7, at("data"))
    g.call("close", 8)
    g.call("epoll_ctl", 10, 2, 9, 0)
    g.words(at("data"), n(0x100000007), n(0x400000009))
    g.call("poll", at("data"), 2, 3)
    g.call("read", 9, at("data"), 8)
    g.call("read", 14, at("data"), 8)
    return g


def guests_threads(g):
    flags = 0x3d0f00
    for _ in range(3):
        g.call("clone", n(flags), at("data_end"), at("data"), at("data", off=8),
               at("stack"))
    g.call("sched_yield")
    g.call("futex", at("data"), 0, 0, 0)
    g.call("futex", at("data"), 1, 9)
    g.call("set_robust_list", at("data"), 24)
    g.call("gettid")
    g.call("exit", 0)
    g.op("t", 24)
    g.call("exit", 0)
    g.call("sched_yield")
    return g


def guests_signals(g):
    g.words(at("stack"), at("code"), n(0x0c000004), at("code"), 0)
    for sig in 10, 11, 14:
        g.call("rt_sigaction", sig, at("stack"), at("data"), 8)
    g.words(at("data"), at("window"), 0, n(65536))
    g.call("sigaltstack", at("data"), 0)
    g.call("kill", 1, 10)
    g.call("rt_sigreturn")
    g.call("tgkill", 1, 1, 14)
    g.op("f", 14, *[n(u) for u in range(6)], 0)
    g.call("rt_sigreturn")
    g.call("rt_sigpending", at("data"), 8)
    g.call("rt_sigtimedwait", at("data"), at("stack"), at("data"), 8)
    g.call("rt_sigsuspend", at("data"), 8)
    return g


def guests_rest(g):
    g.words(at("stack"), 1, 2, 3, 4)
    g.call("rt_sigaction", 10, at("stack"), at("data"), 8)
    g.call("rt_sigprocmask", 0, at("stack"), at("data"), 8)
    g.call("sigaltstack", at("stack"), at("data"))
    g.call("prctl", 15, at("const"))
    g.call("prctl", 16, at("data"))
    g.call("nanosleep", at("stack"), 0)
    g.call("clock_nanosleep", 1, 1, at("stack"), 0)
    g.call("clock_gettime", 1, at("data"))
    g.call("futex", at("stack"), 0, 1, at("stack", off=8))
    g.call("getrandom", at("data"), 4097, 0)
    g.call("arch_prctl", 0x1002, at("data"))
    g.call("arch_prctl", 0x1003, at("data"))
    g.call("prlimit64", 0, 3, 0, at("data"))
    g.call("kill", 1, 17)
    g.op("t", 20)
    g.call("tgkill", 1, 1, 6)
    return g


def guests_answer(g):
    g.op("a", 0, 2, 3, 40, at("const"), n(200), 0)
    g.op("a", 51, 0, at("window"), n(65536), 0)
    for word in range(1, 40, 3):
        g.op("a", 0, 1, 3, at("const"), n(200), word, n(-1))
    return g


def guests_syscall():
    def new():
        return Guest("syscall")

    seed("syscall", "memory", guests_memory(new()).b)
    seed("syscall", "files", guests_files(new()).b)
    seed("syscall", "rest", guests_rest(new()).b)
    seed("syscall", "far", guests_far(new()).b)
    seed("syscall", "tmp", guests_tmp(new()).b)
    seed("syscall", "channels", guests_channels(new()).b)
    seed("syscall", "threads", guests_threads(new()).b)
    seed("syscall", "signals", guests_signals(new()).b)
    for name in NR:
        g = new()
        for where in "data", "const", "null", "tables", "result":
            g.call(name, at(where), at(where), at(where), at("stack"))
            g.call(name, 1, at(where), 16, at(where))
            g.call(name, 0, 4096, 1, 2, 3, 0)
        seed("syscall", "call_" + name, g.b)
    g = new()
    g.op("0", 1, struct.pack("<H", 512), n(-1), 0)
    seed("syscall", "ring0", guests_memory(g).b)
    seed("syscall", "fault", new().op("f", 14, *[n(u) for u in range(6)],
                                      0).b)
    seed("syscall", "exit", new().op("x", 7, n(0x4000), n(0x4000), 4).b)


def guests_hostcall():
    def new():
        return Guest("hostcall")

    g = new()
    g.host(2, 0, at("const"), 100)
    g.host(2, 1, at("tables"), 100)
    g.host(2, 1, at("data"), 5000)
    seed("hostcall", "log", guests_answer(g).b)
    seed("hostcall", "next", new().host(1, 1, at("data")).b)

    def fetch(g, count, new, wait, spoil=(0,)):
        g.op("F", count, struct.pack("<H", new))
        for u in range(count):
            if new >> u & 1:
                g.b += at("window") + n(8192) + n(10) + n(1000) + n(0)
        g.b += struct.pack("<H", spoil[0]) + b"".join(spoil[1:])
        g.b += bytes([wait])
        # what the host does: one answer for each that is started
        for u in range(count):
            if new >> u & 1:
                g.b += b"\xff\x12\x02" + n(90)
        g.b += b"\0" * 4
        return g

    seed("hostcall", "fetch1", fetch(new(), 1, 1, 1).b)
    g = fetch(fetch(new(), 8, 255, 0), 8, 0, 8)
    seed("hostcall", "fetch8", fetch(g, 8, 0x80ff, 4).b)
    for word in range(0, 1000, 37):
        g = fetch(new(), 3, 7, 2, (word, n(-1)))
        seed("hostcall", "fetch_word%d" % word, fetch(g, 3, 0, 3).b)


# ---------------------------------------------------------------------
# Executables

def elf(segments, kind=2, entry=0x400100, machine=62, size=0x400, phnum=None,
        phentsize=56):
    ph = b"".join(struct.pack("<IIQQQQQQ", t, flags, off, va, va, filesz,
                              memsz, 0x1000)
                  for t, flags, off, va, filesz, memsz in segments)
    head = b"\x7fELF" + bytes([2, 1, 1]) + b"\0" * 9
    head += struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, entry, 64, 0, 0,
                        64, phentsize,
                        len(segments) if phnum is None else phnum, 64, 0, 0)
    return (head + ph).ljust(size, b"\x90")


def dynamic(interp, needed, path):
    strings = b"\0" + needed + b"\0" + path + b"\0libc.so.6\0"
    tags = [(5, 0x400400), (1, 1), (15, len(needed) + 2),
            (29, len(needed) + 2), (1, len(strings) - 10), (0, 0)]
    dyn = b"".join(struct.pack("<QQ", *t) for t in tags)
    head = elf([(3, 4, 0x300, 0x400300, len(interp) + 1, len(interp) + 1),
                (1, 5, 0, 0x400000, 0x600, 0x600),
                (2, 4, 0x340, 0x400340, len(dyn), len(dyn))], size=0x300)
    return (head + (interp + b"\0").ljust(64, b"\0") +
            dyn.ljust(0xc0, b"\0") + strings).ljust(0x600, b"\0")


def elves():
    code = (1, 5, 0, 0x400000, 0x400, 0x400)
    data = (1, 6, 0x10, 0x402010, 0x20, 0x3000)
    seed("elf", "two", elf([code, data]))
    seed("elf", "pie", elf([(1, 5, 0, 0, 0x400, 0x400),
                            (1, 6, 0, 0x2000, 0x20, 0x3000)], 3, 0x100))
    seed("elf", "other", elf([code, data, (4, 4, 0, 0, 0, 0),
                              (7, 4, 0, 0, 0, 0), (0x6474e551, 6, 0, 0, 0,
                                                   0)]))
    seed("elf", "far", elf([code] + [(1, 4, 0, 0x10000000 << u, 8, 8)
                                     for u in range(15)]))
    seed("elf", "many", elf([code] + [(1, 4, 0, 0x500000 + 0x1000 * u, 1, 1)
                                      for u in range(31)], size=0x1000))
    seed("elf", "bomb", elf([code, (1, 6, 0, 0x402000, 0, 1 << 46)]))
    seed("elf", "unaligned", elf([(1, 5, 3, 0x400123, 0x200, 0x201),
                                  (1, 6, 5, 0x402fff, 2, 0x1002)],
                                 entry=0x400130))
    seed("elf", "large", elf([(1, 5, 0, 0x400000, 0x2000, 0x2000),
                              (1, 6, 0x2000, 0x402000, 0x3000, 0x3000)],
                             size=0x5000))
    seed("elf", "interp", elf([(3, 4, 64, 0x400000, 8, 8), code]))
    seed("elf", "wx", elf([(1, 7, 0, 0x400000, 0x400, 0x400)]))
    seed("elf", "arm", elf([code], machine=183))
    seed("elf", "object", elf([code], 1))
    seed("elf", "xnum", elf([code], phnum=0xffff))
    seed("elf", "ar", "!<arch>\n" + "a/".ljust(16) + "0".ljust(12) +
         "0".ljust(6) * 2 + "644".ljust(8) + "4".ljust(10) + "`\nabcd")
    for u, line in enumerate((
            "/bin/sh\n", "/ld\n", "/ld -x  y \n", " \t/ld", "ld\n",
            "/the/program\n", "/" + "x" * 300, "/l\x1bd\n")):
        seed("elf", "script%d" % u, "#!" + line)
    for u, (interp, needed, path) in enumerate((
            (b"/ld", b"libself.so", b"/x:$ORIGIN/..:/usr/lib"),
            (b"/not", b"libself.so", b"/x:${ORIGIN}"),
            (b"/the/program", b"libself.so", b"$ORIGIN"),
            (b"/lib/ld-musl-x86_64.so.1", b"libno.so", b""),
            (b"/ld", b"libno\x1b.so", b"::/usr/lib:"),
            (b"/not", b"/usr/lib/libself.so", b":"))):
        seed("elf", "dynamic%d" % u, dynamic(interp, needed, path))


# ---------------------------------------------------------------------
# Text

def words():
    for u, s in enumerate((
            "a b", "'a b' \"c d\"", "a\\ b\\'", "\"\\\"\\\\\"", "'", "\\",
            "A='b c'd\" e\"")):
        for what in "waefp":
            seed("words", "%s%d" % (what, u), what + s)
    seed("words", "env", "eA=b C='d e' F=")
    seed("words", "files", "f/a /b '/c d'")
    seed("words", "limits", "l" + "x\1\0\0\0\0\0\0\0" * 12)
    seed("words", "nan", "l    x" + "\0" * 6 + "\xf8\x7f")
    for u, s in enumerate((
            "smemory=64M", "smax_vms=4", "srequest_timeout=5ms",
            "smemory=1e3kb", "sx=1", "smemory=0x10", "n1", "n100000000",
            "HName: value", "H:", "Ha:", "HHost:   b")):
        seed("run", "%d" % u, s)


def gdb():
    for u, s in enumerate((
            "?\nqSupported:swbreak+\nQStartNoAckMode\nqXfer:features:read:"
            "target.xml:0,ffb\nqXfer:auxv:read::0,1000\nqfThreadInfo\n"
            "qsThreadInfo\nqC\nqAttached\nHg1\ng\nvCont?\nvCont;s:1;c\nD",
            "Hg2\nT2\nHc-1\nT9\np10\nP10=0011223344556677\np99\nP99=0\nP0",
            "G" + "00" * 560 + "\nG00\nm10000,40\nm0,1\nm11ff0,100\nm,\nm1",
            "M10000,4:01020304\nM10000,4:0102\nX10000,3:a}]b\nX10000,0:\n"
            "X10000,ffff:\nM11fff,2:0000\nZ0,10010,1\nz0,10010,1\nZ1,0,0",
            "c\nc10000\ns\nC05;10000\nS0b\nvCont;t\nvCont;C05:1\nk",
            "r$qC#b4+$qC#00$qC$qC#b4\3-\3$m10000,#", "r$" + "m" * 7000)):
        seed("gdb", "%d" % u, s)


def requests():
    headers = ("Host: example.com\nUser-Agent: a\nX-Empty:\n"
               "Connection: close\nAccept:\t  x\n")
    for u, (how, first, rest) in enumerate((
            ("  ", "GET / HTTP/1.1\n", headers),
            ("!\n", "POST /x?y HTTP/1.1\n",
             headers + "Content-Length: 4\n\nbody"),
            (" \1", "PUT /" + "x" * 300 + " HTTP/1.0\n",
             "Transfer-Encoding: chunked\n\n" + "body" * 100),
            ("(\n", "POST / HTTP/1.1\n", headers + "\nbody"),
            ("0\n", "GET / HTTP/1.1\n", headers * 10),
            ("'\n", "GET / HTTP/1.1\n", "#X: filtered\nA: b\nno colon\n"),
            ("!\xff", "POST / HTTP/1.1\n", "\n" + "b" * 9000),
            ("  ", "", ""))):
        seed("request", "%d" % u, how + first + rest)


def responses():
    headers = ("Content-Type: text/plain\nX-Empty:\nX-Varnish: 1\n"
               "Content-Length: 999\nTransfer-Encoding: chunked\n"
               "Proxy-Authenticate: x\nCache-Control: max-age=1\n")
    for u, s in enumerate((
            "GET 200\n" + headers + "\nbody", "GET 404 Gone away\n\nx",
            "HEAD 200\n" + headers, "HEAD 200\nContent-Length: 12\n",
            "HEAD 200\nContent-Length: 1234567890123456789\n",
            "GET 204\n\nbody", "GET 304\nETag: x\n", "GET 999 \1\n\n",
            "GET 199\n", "GET 1000\n", "GET 200\nA\1: b\n\n",
            "GET 200\nA: b\2\n\n", "GET 200\nA b: c\n\n",
            "GET 200\n" + "Name: value\n" * 200 + "\n" + "body" * 2000)):
        seed("response", "%d" % u, "\1\x0b\x09" + s)
        seed("response", "%d_small" % u, "\0\4\0" + s)
        seed("response", "%d_large" % u, "\7\x0d\xff" + s)


# ---------------------------------------------------------------------
# Guests that fetch: see f_fetch.c. A guest begins (10), starts fetches (11),
# waits (13), gives up (14), ends (15); a sub-request runs (0), is listed (1),
# parked (2), woken (3), delivers (4, 5), reads (6), ends (7), is over (8).

def fetches():
    limits = [3, 7, 2]
    guest = [10, 0, 9]
    start = [11, 0, 5, 3, 20, 50, 9]
    run = [0, 5]
    answer = [4, 5, 0, 4, 0, 0, 1, 3, 5, 5, 5, 100, 0, 7, 5, 0]
    over = [8, 5]
    end = [15, 0, 0, 1]
    for name, ops in (
            ("good", guest + start + run + [6, 5, 60] + answer + over +
             [13, 0, 1, 50] + end),
            ("waits", guest + start + [13, 0, 1, 200] + run + answer[:9] +
             over + end),
            ("left", guest + start + run + end + answer + over),
            ("queued", guest + start + [13, 0, 1, 255] + [9, 31] * 4 + end +
             run),
            ("loop", guest + start + run + [1, 5, 2, 5, 1, 13, 0, 1, 9, 3, 5] +
             over + end),
            ("woken", guest + start + run + [1, 5, 3, 5, 2, 5, 0] + answer +
             over + end),
            ("nested", guest + start + run + [10, 1, 0x31, 5, 11, 1, 6, 2, 9,
             9, 9, 0, 6, 1, 6, 2, 6, 1, 13, 1, 1, 3] + over + end),
            ("fails", guest + [11, 0, 5, 1, 1, 1, 1, 11, 0, 5, 1, 1, 1, 2,
             11, 0, 5, 1, 1, 1, 3] + end)):
        seed("fetch", name, bytes(limits + ops))


guests_syscall()
guests_hostcall()
fetches()
requests()
responses()
elves()
words()
gdb()
