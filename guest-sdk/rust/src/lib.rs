// Copyright (c) 2026 The vmod_sandbox authors
// SPDX-License-Identifier: BSD-2-Clause

//! Answer the requests of vmod_sandbox, a module for Varnish Cache that runs
//! programs in virtual machines of their own.
//!
//! A program sets up what it needs, and calls [`serve`] with a handler. From
//! then on it is frozen: each request is answered by a copy of it as it was at
//! that moment, and what a request changes is gone with it.
//!
//! ```no_run
//! fn main() {
//!     let greeting = String::from("Hello");
//!     let e = sandbox::serve(|rq| {
//!         sandbox::Response::new(200)
//!             .header("Content-Type", "text/plain")
//!             .body(format!("{greeting}, you asked for {}\n", rq.url()))
//!     });
//!     eprintln!("{e}");
//! }
//! ```
//!
//! It needs nothing but Rust's library. Bytes are `&[u8]` where a client may
//! send what is not UTF-8; methods and URLs are given as `&str` in addition.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("guests are x86-64 Linux programs");

use std::arch::asm;
use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

// The contract with the host: guest-sdk/include/sandbox_abi.h.
const ABI_VERSION: u64 = 1;
const CALL_NEXT: u64 = 0x5b001;
const CALL_LOG: u64 = 0x5b002;
const FLAG_WARMUP: u32 = 1;
const ENOSYS: i64 = 38;

#[repr(C)]
#[derive(Clone, Copy)]
struct AbiStr {
    ptr: *const u8,
    len: u32,
    reserved: u32,
}

#[repr(C)]
struct AbiHeader {
    name: AbiStr,
    value: AbiStr,
}

#[repr(C)]
struct AbiRequest {
    version: u32,
    size: u32,
    flags: u32,
    n_headers: u32,
    headers: *const AbiHeader,
    body: *const u8,
    body_len: u64,
    max_response_body: u64,
    xid: u64,
    wall_ns: i64,
    mono_ns: i64,
    timeout_ns: i64,
    random: [u8; 32],
    method: AbiStr,
    url: AbiStr,
    proto: AbiStr,
    arg: AbiStr,
    client_ip: AbiStr,
    client_port: u32,
    reserved: u32,
}

#[repr(C)]
struct AbiResponse {
    size: u32,
    status: u32,
    reason: AbiStr,
    headers: *const AbiHeader,
    n_headers: u32,
    reserved: u32,
    body: *const u8,
    body_len: u64,
}

impl AbiStr {
    fn of(b: &[u8]) -> AbiStr {
        AbiStr {
            ptr: b.as_ptr(),
            len: b.len() as u32,
            reserved: 0,
        }
    }

    /// # Safety
    /// It is the host's, of a request, or empty.
    unsafe fn get<'a>(&self) -> &'a [u8] {
        if self.len == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(self.ptr, self.len as usize)
        }
    }
}

/// # Safety
/// The arguments are what call `nr` takes.
unsafe fn call(nr: u64, a: u64, b: u64, c: u64) -> i64 {
    let r: i64;
    asm!("syscall", inlateout("rax") nr as i64 => r,
        in("rdi") a, in("rsi") b, in("rdx") c,
        lateout("rcx") _, lateout("r11") _, options(nostack));
    r
}

/// A request, in memory that the host has written.
pub struct Request {
    rq: &'static AbiRequest,
}

impl Request {
    fn text(s: &AbiStr) -> &str {
        // Varnish lets through what is no UTF-8: then there is nothing
        std::str::from_utf8(unsafe { s.get() }).unwrap_or("")
    }

    /// "GET"
    pub fn method(&self) -> &str {
        Self::text(&self.rq.method)
    }

    /// "/path?query"; empty if it is not UTF-8.
    pub fn url(&self) -> &str {
        Self::text(&self.rq.url)
    }

    /// "/path?query", as it came.
    pub fn url_bytes(&self) -> &[u8] {
        unsafe { self.rq.url.get() }
    }

    /// What is before the first "?".
    pub fn path(&self) -> &str {
        self.url().split('?').next().unwrap_or("")
    }

    /// What is behind the first "?", or nothing.
    pub fn query(&self) -> &str {
        self.url().split_once('?').map_or("", |(_, q)| q)
    }

    /// The first parameter of this name in the query, percent-decoded; "+" is
    /// a blank.
    pub fn param(&self, name: &str) -> Option<Vec<u8>> {
        self.query()
            .split('&')
            .map(|p| p.split_once('=').unwrap_or((p, "")))
            .find(|(n, _)| decode(n) == name.as_bytes())
            .map(|(_, v)| decode(v))
    }

    /// "HTTP/1.1"
    pub fn proto(&self) -> &str {
        Self::text(&self.rq.proto)
    }

    /// The argument of `.backend()` in VCL, or "".
    pub fn arg(&self) -> &str {
        Self::text(&self.rq.arg)
    }

    /// "192.0.2.1", "2001:db8::1"
    pub fn client_ip(&self) -> &str {
        Self::text(&self.rq.client_ip)
    }

    /// 0 when unknown.
    pub fn client_port(&self) -> u32 {
        self.rq.client_port
    }

    /// Names and values, in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let n = self.rq.n_headers as usize;
        let hs: &[AbiHeader] = if n == 0 {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(self.rq.headers, n) }
        };
        hs.iter()
            .map(|h| (Self::text(&h.name), unsafe { h.value.get() }))
    }

    /// The first header of this name, which may be spelt in any case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }

    /// All of it, or nothing.
    pub fn body(&self) -> &[u8] {
        if self.rq.body_len == 0 {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(self.rq.body, self.rq.body_len as usize) }
        }
    }

    /// Bytes of a body that the host will accept.
    pub fn max_response_body(&self) -> u64 {
        self.rq.max_response_body
    }

    /// Of the backend transaction.
    pub fn xid(&self) -> u64 {
        self.rq.xid
    }

    /// Until the request is given up, from when it began.
    pub fn timeout(&self) -> Duration {
        Duration::from_nanos(self.rq.timeout_ns.max(0) as u64)
    }

    /// Never the same twice. What was seeded before the first request, like
    /// `HashMap`, is the same in each request.
    pub fn random(&self) -> &[u8; 32] {
        &self.rq.random
    }

    /// True if nobody asked: the host is touching a new VM's memory for the
    /// first time, and throws the answer away.
    pub fn is_warmup(&self) -> bool {
        self.rq.flags & FLAG_WARMUP != 0
    }
}

fn decode(s: &str) -> Vec<u8> {
    let b = s.as_bytes();
    let hex = |c: u8| (c as char).to_digit(16).map(|d| d as u8);
    let mut out = Vec::with_capacity(b.len());
    let mut i = 0;
    while i < b.len() {
        if b[i] == b'%' && i + 2 < b.len() {
            if let (Some(h), Some(l)) = (hex(b[i + 1]), hex(b[i + 2])) {
                out.push(h << 4 | l);
                i += 3;
                continue;
            }
        }
        out.push(if b[i] == b'+' { b' ' } else { b[i] });
        i += 1;
    }
    out
}

/// An answer. The host checks it: what breaks a rule ends the VM, and the
/// client gets a 503.
pub struct Response {
    status: u32,
    reason: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Response {
    /// 200 to 999.
    pub fn new(status: u32) -> Response {
        Response {
            status,
            reason: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Instead of the usual one.
    pub fn reason(mut self, reason: impl Into<String>) -> Response {
        self.reason = reason.into();
        self
    }

    /// One more header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Response {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// All of it.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Response {
        self.body = body.into();
        self
    }
}

/// Why there is nothing to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The program was not started by vmod_sandbox or sandbox-run.
    NoSandbox,
    /// The host refused, with this Linux error number.
    Refused(i32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoSandbox => write!(f, "sandbox: there is no host that would serve us"),
            Error::Refused(e) => write!(
                f,
                "sandbox: the host refuses to serve us: {}",
                std::io::Error::from_raw_os_error(*e)
            ),
        }
    }
}

impl std::error::Error for Error {}

fn next(rsp: *const AbiResponse) -> Result<Request, Error> {
    let r = unsafe { call(CALL_NEXT, ABI_VERSION, rsp as u64, 0) };
    match r {
        -4095..=-1 if -r == ENOSYS => Err(Error::NoSandbox),
        -4095..=-1 => Err(Error::Refused(-r as i32)),
        _ => Ok(Request {
            rq: unsafe { &*(r as *const AbiRequest) },
        }),
    }
}

/// Say that the program is ready, and answer requests with `handler`. Returns
/// if there is no sandbox, and never otherwise.
///
/// A handler that panics is answered for with status 500, and its message is
/// on standard error, which is Varnish's log. (With `panic = "abort"` it ends
/// the VM.)
pub fn serve<F>(mut handler: F) -> Error
where
    F: FnMut(&Request) -> Response,
{
    let rq = match next(std::ptr::null()) {
        Ok(rq) => rq,
        Err(e) => return e,
    };
    let rsp = catch_unwind(AssertUnwindSafe(|| handler(&rq)))
        .unwrap_or_else(|_| Response::new(500).body("The handler panicked.\n"));
    answer(&rsp)
}

/// Answer from any thread: the request that is running has this response.
/// Returns only if the host refuses.
pub fn answer(rsp: &Response) -> Error {
    let headers: Vec<AbiHeader> = rsp
        .headers
        .iter()
        .map(|(n, v)| AbiHeader {
            name: AbiStr::of(n.as_bytes()),
            value: AbiStr::of(v),
        })
        .collect();
    let abi = AbiResponse {
        size: std::mem::size_of::<AbiResponse>() as u32,
        status: rsp.status,
        reason: AbiStr::of(rsp.reason.as_bytes()),
        headers: headers.as_ptr(),
        n_headers: headers.len() as u32,
        reserved: 0,
        body: rsp.body.as_ptr(),
        body_len: rsp.body.len() as u64,
    };
    match next(&abi) {
        Ok(_) => Error::Refused(0),
        Err(e) => e,
    }
}

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info = 0,
    Error = 1,
}

/// Write a line to Varnish's log. It may be cut, and each request can have some
/// lines only: false says that this was one too many.
pub fn log(level: Level, text: &str) -> bool {
    unsafe { call(CALL_LOG, level as u64, text.as_ptr() as u64, text.len() as u64) == 0 }
}
