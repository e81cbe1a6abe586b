# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause

"""Answer the requests of vmod_sandbox, a module for Varnish Cache that runs
programs in virtual machines of their own, with a WSGI application:

    import sandbox

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"Hello from %s\\n" % environ["PATH_INFO"].encode()]

    sandbox.serve(app)

What is imported and computed before serve() is done once. Then the program is
frozen: each request is answered by a copy of it as it was, and what a request
changes is gone with it.
"""

import ctypes
import errno
import io
import os
import sys
import urllib.parse

__all__ = ["serve", "log", "NoSandbox"]

# The contract with the host: guest-sdk/include/sandbox_abi.h.
_ABI_VERSION = 1
_CALL_NEXT = 0x5B001
_CALL_LOG = 0x5B002
_FLAG_WARMUP = 1

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


class _Str(ctypes.Structure):
    _fields_ = [
        ("ptr", ctypes.c_void_p),
        ("len", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    ]

    def bytes(self):
        return ctypes.string_at(self.ptr, self.len) if self.len else b""

    def text(self):
        # as WSGI wants it: a character for each byte
        return self.bytes().decode("latin-1")


class _Header(ctypes.Structure):
    _fields_ = [("name", _Str), ("value", _Str)]


class _Request(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("n_headers", ctypes.c_uint32),
        ("headers", ctypes.POINTER(_Header)),
        ("body", ctypes.c_void_p),
        ("body_len", ctypes.c_uint64),
        ("max_response_body", ctypes.c_uint64),
        ("xid", ctypes.c_uint64),
        ("wall_ns", ctypes.c_int64),
        ("mono_ns", ctypes.c_int64),
        ("timeout_ns", ctypes.c_int64),
        ("random", ctypes.c_uint8 * 32),
        ("method", _Str),
        ("url", _Str),
        ("proto", _Str),
        ("arg", _Str),
        ("client_ip", _Str),
        ("client_port", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    ]


class _Response(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("reason", _Str),
        ("headers", ctypes.POINTER(_Header)),
        ("n_headers", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("body", ctypes.c_void_p),
        ("body_len", ctypes.c_uint64),
    ]


class NoSandbox(OSError):
    """The program was not started by vmod_sandbox or sandbox-run."""


class _Errors(io.TextIOBase):
    """wsgi.errors: lines for Varnish's log."""

    def writable(self):
        return True

    def write(self, text):
        for line in text.splitlines():
            log(line, error=True)
        return len(text)


def _next(rsp):
    r = _syscall(
        ctypes.c_long(_CALL_NEXT),
        ctypes.c_long(_ABI_VERSION),
        ctypes.byref(rsp) if rsp is not None else None,
    )
    if r == -1:
        e = ctypes.get_errno()
        if e == errno.ENOSYS:
            raise NoSandbox(e, "there is no host that would serve us")
        raise OSError(e, "the host refuses to serve us: " + os.strerror(e))
    return ctypes.cast(r, ctypes.POINTER(_Request)).contents


def log(text, error=False):
    """Write a line to Varnish's log. It may be cut, and each request can have
    some lines only: False says that this was one too many."""
    b = text.encode("utf-8", "replace")
    return (
        _syscall(
            ctypes.c_long(_CALL_LOG),
            ctypes.c_long(1 if error else 0),
            ctypes.c_char_p(b),
            ctypes.c_long(len(b)),
        )
        == 0
    )


def _environ(rq):
    url = rq.url.text()
    path, _, query = url.partition("?")
    body = ctypes.string_at(rq.body, rq.body_len) if rq.body_len else b""
    env = {
        "REQUEST_METHOD": rq.method.text(),
        "SCRIPT_NAME": "",
        "PATH_INFO": urllib.parse.unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": url,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": rq.proto.text(),
        "REMOTE_ADDR": rq.client_ip.text(),
        "REMOTE_PORT": str(rq.client_port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": _Errors(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": True,
        "sandbox.arg": rq.arg.text(),
        "sandbox.xid": rq.xid,
        "sandbox.timeout": rq.timeout_ns / 1e9,
        "sandbox.random": bytes(rq.random),
        "sandbox.warmup": bool(rq.flags & _FLAG_WARMUP),
    }
    for h in rq.headers[: rq.n_headers]:
        name = h.name.text().upper().replace("-", "_")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = "HTTP_" + name
        value = h.value.text()
        env[name] = env[name] + ", " + value if name in env else value
    if body:
        env["CONTENT_LENGTH"] = str(len(body))
    env["SERVER_NAME"] = env.get("HTTP_HOST", "localhost").partition(":")[0]
    return env


def _run(app, env):
    """Call (app): status line, headers, body."""
    answer = []
    written = []

    def start_response(status, headers, exc_info=None):
        if answer and exc_info is None:
            raise AssertionError("start_response() was called before")
        answer[:] = [status, list(headers)]
        return written.append

    chunks = app(env, start_response)
    try:
        written.extend(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    if not answer:
        raise AssertionError("start_response() was not called")
    return answer[0], answer[1], b"".join(written)


def _response(status, headers, body):
    """The structure, and what has to be kept as long as it is."""
    keep = []

    def s(b):
        buf = ctypes.create_string_buffer(b, len(b))
        keep.append(buf)
        return _Str(ctypes.addressof(buf), len(b), 0)

    code, _, reason = status.partition(" ")
    hs = (_Header * max(len(headers), 1))()
    for i, (name, value) in enumerate(headers):
        hs[i] = _Header(s(name.encode("latin-1")), s(value.encode("latin-1")))
    rsp = _Response(
        ctypes.sizeof(_Response),
        int(code),
        s(reason.encode("latin-1")),
        hs,
        len(headers),
        0,
        ctypes.cast(ctypes.c_char_p(body), ctypes.c_void_p),
        len(body),
    )
    keep += [hs, body]
    return rsp, keep


def serve(app):
    """Say that the program is ready, and answer requests with (app). Raises
    NoSandbox where there is none, and does not return otherwise.

    What (app) raises is answered for with status 500, and is in the log."""
    rq = _next(None)
    try:
        answer = _run(app, _environ(rq))
    except Exception:
        import traceback

        traceback.print_exc(file=_Errors())
        answer = (
            "500 Internal Server Error",
            [("Content-Type", "text/plain")],
            b"The application failed.\n",
        )
    sys.stdout.flush()
    rsp, keep = _response(*answer)
    _next(rsp)
    del keep
