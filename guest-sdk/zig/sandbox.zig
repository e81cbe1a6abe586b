// Copyright (c) 2026 The vmod_sandbox authors
// SPDX-License-Identifier: BSD-2-Clause

//! Answer the requests of vmod_sandbox, a module for Varnish Cache that runs
//! programs in virtual machines of their own.
//!
//! A program sets up what it needs, and calls `serve` with a handler. From then
//! on it is frozen: each request is answered by a copy of it as it was at that
//! moment, and what a request changes is gone with it. So a handler needs to
//! free nothing.
//!
//!     const sandbox = @import("sandbox");
//!
//!     fn hello(greeting: []const u8, rq: *const sandbox.Request, rp: *sandbox.Reply) !void {
//!         try rp.header("Content-Type", "text/plain");
//!         try rp.print("{s}, you asked for {s}\n", .{ greeting, rq.url() });
//!     }
//!
//!     pub fn main() !void {
//!         return sandbox.serve("Hello", hello);
//!     }
//!
//! It needs nothing but Zig's library, and no C library.

const std = @import("std");
const builtin = @import("builtin");

comptime {
    if (builtin.os.tag != .linux or builtin.cpu.arch != .x86_64)
        @compileError("guests are x86-64 Linux programs");
}

// The contract with the host: guest-sdk/include/sandbox_abi.h.
const abi_version = 1;
const call_next = 0x5b001;
const call_log = 0x5b002;
const flag_warmup: u32 = 1;
const enosys = 38;

const Str = extern struct {
    ptr: ?[*]const u8 = null,
    len: u32 = 0,
    reserved: u32 = 0,

    fn of(s: []const u8) Str {
        return .{ .ptr = s.ptr, .len = @intCast(s.len) };
    }

    fn get(s: Str) []const u8 {
        return if (s.ptr) |p| p[0..s.len] else "";
    }
};

const AbiHeader = extern struct {
    name: Str,
    value: Str,
};

const AbiRequest = extern struct {
    version: u32,
    size: u32,
    flags: u32,
    n_headers: u32,
    headers: ?[*]const AbiHeader,
    body: ?[*]const u8,
    body_len: u64,
    max_response_body: u64,
    xid: u64,
    wall_ns: i64,
    mono_ns: i64,
    timeout_ns: i64,
    random: [32]u8,
    method: Str,
    url: Str,
    proto: Str,
    arg: Str,
    client_ip: Str,
    client_port: u32,
    reserved: u32,
};

const AbiResponse = extern struct {
    size: u32 = @sizeOf(AbiResponse),
    status: u32,
    reason: Str,
    headers: ?[*]const AbiHeader,
    n_headers: u32,
    reserved: u32 = 0,
    body: ?[*]const u8,
    body_len: u64,
};

comptime {
    std.debug.assert(@sizeOf(AbiHeader) == 32);
    std.debug.assert(@sizeOf(AbiRequest) == 200);
    std.debug.assert(@sizeOf(AbiResponse) == 56);
}

fn call(nr: usize, a: usize, b: usize, c: usize) isize {
    return asm volatile ("syscall"
        : [ret] "={rax}" (-> isize),
        : [nr] "{rax}" (nr),
          [a] "{rdi}" (a),
          [b] "{rsi}" (b),
          [c] "{rdx}" (c),
        : .{ .rcx = true, .r11 = true, .memory = true });
}

/// What a request's memory comes from. What is taken before the program is
/// frozen stays, what a request takes is gone with it.
var arena: std.heap.ArenaAllocator = .init(std.heap.page_allocator);

/// Bytes of it that requests find there, and need no system call for.
const arena_ready = 64 * 1024;

/// A request, in memory that the host has written. Slices are good as long as
/// the handler runs.
pub const Request = struct {
    raw: *const AbiRequest,
    /// For whatever a handler needs; nothing has to be freed.
    allocator: std.mem.Allocator,

    pub const Header = struct { name: []const u8, value: []const u8 };

    /// "GET"
    pub fn method(rq: *const Request) []const u8 {
        return rq.raw.method.get();
    }

    /// "/path?query", as it came.
    pub fn url(rq: *const Request) []const u8 {
        return rq.raw.url.get();
    }

    /// What is before the first "?".
    pub fn path(rq: *const Request) []const u8 {
        const u = rq.url();
        return u[0 .. std.mem.indexOfScalar(u8, u, '?') orelse u.len];
    }

    /// What is behind the first "?", or nothing.
    pub fn query(rq: *const Request) []const u8 {
        const u = rq.url();
        return if (std.mem.indexOfScalar(u8, u, '?')) |i| u[i + 1 ..] else "";
    }

    /// The first parameter of this name in the query, percent-decoded; "+" is a
    /// blank. null if there is none.
    pub fn param(rq: *const Request, name: []const u8) !?[]const u8 {
        var it = std.mem.splitScalar(u8, rq.query(), '&');
        while (it.next()) |p| {
            const eq = std.mem.indexOfScalar(u8, p, '=') orelse p.len;
            if (std.mem.eql(u8, try decode(rq.allocator, p[0..eq]), name))
                return try decode(rq.allocator, p[@min(eq + 1, p.len)..]);
        }
        return null;
    }

    /// "HTTP/1.1"
    pub fn proto(rq: *const Request) []const u8 {
        return rq.raw.proto.get();
    }

    /// The argument of `.backend()` in VCL, or "".
    pub fn arg(rq: *const Request) []const u8 {
        return rq.raw.arg.get();
    }

    /// "192.0.2.1", "2001:db8::1"
    pub fn clientIp(rq: *const Request) []const u8 {
        return rq.raw.client_ip.get();
    }

    /// 0 when unknown.
    pub fn clientPort(rq: *const Request) u32 {
        return rq.raw.client_port;
    }

    pub fn headerCount(rq: *const Request) usize {
        return rq.raw.n_headers;
    }

    /// In the order in which they came; `i` is less than `headerCount()`.
    pub fn headerAt(rq: *const Request, i: usize) Header {
        const h = rq.raw.headers.?[0..rq.raw.n_headers][i];
        return .{ .name = h.name.get(), .value = h.value.get() };
    }

    /// The first header of this name, whatever its case.
    pub fn header(rq: *const Request, name: []const u8) ?[]const u8 {
        for (0..rq.headerCount()) |i| {
            const h = rq.headerAt(i);
            if (std.ascii.eqlIgnoreCase(h.name, name)) return h.value;
        }
        return null;
    }

    pub fn body(rq: *const Request) []const u8 {
        return if (rq.raw.body) |p| p[0..rq.raw.body_len] else "";
    }

    /// Bytes that the response's body may have.
    pub fn maxBody(rq: *const Request) u64 {
        return rq.raw.max_response_body;
    }

    /// Nanoseconds until the request is given up, from when it began.
    pub fn timeout(rq: *const Request) i64 {
        return rq.raw.timeout_ns;
    }

    /// When it began, in nanoseconds since 1970.
    pub fn wallClock(rq: *const Request) i64 {
        return rq.raw.wall_ns;
    }

    /// Bytes that no other request gets.
    pub fn random(rq: *const Request) *const [32]u8 {
        return &rq.raw.random;
    }

    /// To find it in varnishlog.
    pub fn xid(rq: *const Request) u64 {
        return rq.raw.xid;
    }

    /// True if nobody asked, and the answer is thrown away.
    pub fn isWarmup(rq: *const Request) bool {
        return rq.raw.flags & flag_warmup != 0;
    }
};

/// The answer. 200 and nothing else, unless a handler says more. Names and
/// values are not copied.
pub const Reply = struct {
    /// 200 to 999
    status: u32 = 200,
    /// Empty: the usual one.
    reason: []const u8 = "",
    headers: std.ArrayList(AbiHeader) = .empty,
    content: std.Io.Writer.Allocating,
    allocator: std.mem.Allocator,

    fn init(a: std.mem.Allocator) Reply {
        return .{ .content = .init(a), .allocator = a };
    }

    /// One more header. A name has no colon.
    pub fn header(rp: *Reply, name: []const u8, value: []const u8) !void {
        if (name.len > max_text or value.len > max_text)
            return error.HeaderTooLong;
        try rp.headers.append(rp.allocator, .{ .name = .of(name), .value = .of(value) });
    }

    /// Append to the body.
    pub fn write(rp: *Reply, bytes: []const u8) !void {
        try rp.content.writer.writeAll(bytes);
    }

    /// Append text to the body.
    pub fn print(rp: *Reply, comptime format: []const u8, args: anytype) !void {
        try rp.content.writer.print(format, args);
    }

    /// The body as a stream, for what writes to one.
    pub fn writer(rp: *Reply) *std.Io.Writer {
        return &rp.content.writer;
    }

    /// Begin again, with nothing but a status and a line of text.
    pub fn fail(rp: *Reply, status: u32, text: []const u8) !void {
        const a = rp.allocator;
        rp.* = .init(a);
        rp.status = status;
        try rp.header("Content-Type", "text/plain");
        try rp.print("{s}\n", .{text});
    }

    // SANDBOX_MAX_HEADER_BYTES; the host looks at their sum
    const max_text = 65536;
};

/// Why `serve` returned.
pub const Error = error{
    /// This program was not started by vmod_sandbox or sandbox-run.
    NoSandbox,
    /// The host refuses to serve us: it does not speak this version.
    Refused,
    OutOfMemory,
};

fn next(rsp: ?*const AbiResponse) Error!*const AbiRequest {
    const r = call(call_next, abi_version, @intFromPtr(rsp), 0);
    if (r == -enosys) return error.NoSandbox;
    if (r < 0 and r >= -4095) return error.Refused;
    return @ptrFromInt(@as(usize, @bitCast(r)));
}

/// Say that the program is ready, and answer requests with `handler`, a
/// function of `context`, `*const Request` and `*Reply` that returns void or
/// !void. Returns if there is no sandbox, and never otherwise.
///
/// An error of the handler is answered for with status 500, and its name is in
/// Varnish's log. A panic ends the VM, and the client gets a 503.
pub fn serve(context: anytype, comptime handler: anytype) Error!void {
    const a = arena.allocator();
    _ = try a.alloc(u8, arena_ready);
    _ = arena.reset(.retain_capacity);
    const rq: Request = .{ .raw = try next(null), .allocator = a };
    var rp: Reply = .init(a);
    if (@as(anyerror!void, handler(context, &rq, &rp))) |_| {} else |e| {
        _ = log(.err, @errorName(e));
        rp.fail(500, "The handler failed.") catch return error.OutOfMemory;
    }
    return answer(&rp);
}

/// Returns only if the host refuses.
fn answer(rp: *Reply) Error!void {
    const b = rp.content.written();
    const rsp: AbiResponse = .{
        .status = rp.status,
        .reason = .of(rp.reason),
        .headers = rp.headers.items.ptr,
        .n_headers = @intCast(rp.headers.items.len),
        .body = b.ptr,
        .body_len = b.len,
    };
    _ = try next(&rsp);
    return error.Refused;
}

/// How much a line of the log matters.
pub const Level = enum(usize) { info = 0, err = 1 };

/// Write a line to Varnish's log. It may be cut, and each request can have some
/// lines only: false says that this was one too many.
pub fn log(level: Level, text: []const u8) bool {
    return call(call_log, @intFromEnum(level), @intFromPtr(text.ptr), text.len) == 0;
}

fn hex(c: u8) ?u8 {
    return std.fmt.charToDigit(c, 16) catch null;
}

/// "%41" is "A", "+" is a blank; what is no escape stays as it is.
pub fn decode(a: std.mem.Allocator, s: []const u8) ![]const u8 {
    const out = try a.alloc(u8, s.len);
    var n: usize = 0;
    var i: usize = 0;
    while (i < s.len) : (n += 1) {
        out[n] = if (s[i] == '+') ' ' else s[i];
        if (s[i] == '%' and i + 2 < s.len) {
            if (hex(s[i + 1])) |h| if (hex(s[i + 2])) |l| {
                out[n] = h * 16 + l;
                i += 2;
            };
        }
        i += 1;
    }
    return out[0..n];
}

test decode {
    var t: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer t.deinit();
    for ([_][2][]const u8{
        .{ "", "" },
        .{ "a+b", "a b" },
        .{ "%41%7a", "Az" },
        .{ "%4", "%4" },
        .{ "%", "%" },
        .{ "%zz%2", "%zz%2" },
        .{ "%2B%00", "+\x00" },
        .{ "100%+", "100% " },
    }) |c|
        try std.testing.expectEqualStrings(c[1], try decode(t.allocator(), c[0]));
}
