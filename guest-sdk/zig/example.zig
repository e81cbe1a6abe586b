// Copyright (c) 2026 The vmod_sandbox authors
// SPDX-License-Identifier: BSD-2-Clause

//! JSON, threads, hash maps, and a handler that fails.
//!
//!     zig build-exe -O ReleaseSafe -target x86_64-linux \
//!         --dep sandbox -Mroot=example.zig -Msandbox=sandbox.zig
//!     sandbox-run -u '/sum?n=100000' ./example

const std = @import("std");
const sandbox = @import("sandbox");

const Request = sandbox.Request;
const Reply = sandbox.Reply;

/// What is made once, before the first request.
const Tables = struct {
    primes: []const u32,
};

fn sieve(a: std.mem.Allocator, below: u32) ![]const u32 {
    const composite = try a.alloc(bool, below);
    @memset(composite, false);
    var primes: std.ArrayList(u32) = .empty;
    for (2..below) |i| {
        if (composite[i]) continue;
        try primes.append(a, @intCast(i));
        var k = i * i;
        while (k < below) : (k += i) composite[k] = true;
    }
    return primes.items;
}

fn number(rq: *const Request, name: []const u8, default: u64) !u64 {
    const v = try rq.param(name) orelse return default;
    return std.fmt.parseInt(u64, v, 10);
}

/// The sum of the squares in [from, to), in a thread of its own.
fn squares(from: u64, to: u64, sum: *u64) void {
    var s: u64 = 0;
    for (from..to) |k| s +%= k * k;
    sum.* = s;
}

fn sumByThreads(n: u64) !u64 {
    var parts: [4]u64 = undefined;
    var threads: [parts.len]std.Thread = undefined;
    for (&threads, &parts, 0..) |*t, *p, i| {
        t.* = try std.Thread.spawn(.{}, squares, .{
            1 + i * n / parts.len, 1 + (i + 1) * n / parts.len, p,
        });
    }
    var sum: u64 = 0;
    for (threads, &parts) |t, *p| {
        t.join();
        sum +%= p.*;
    }
    return sum;
}

/// The words of the body and how often each is there, as JSON, sorted.
fn words(rq: *const Request, rp: *Reply) !void {
    var counts: std.array_hash_map.String(u32) = .empty;
    var it = std.mem.tokenizeAny(u8, rq.body(), " \n\t");
    while (it.next()) |w| {
        const e = try counts.getOrPutValue(rq.allocator, w, 0);
        e.value_ptr.* += 1;
    }
    const Sort = struct {
        keys: []const []const u8,
        pub fn lessThan(s: @This(), a: usize, b: usize) bool {
            return std.mem.lessThan(u8, s.keys[a], s.keys[b]);
        }
    };
    counts.sort(Sort{ .keys = counts.keys() });
    var json: std.json.Stringify = .{ .writer = rp.writer() };
    try json.beginObject();
    for (counts.keys(), counts.values()) |k, v| {
        try json.objectField(k);
        try json.write(v);
    }
    try json.endObject();
    try rp.write("\n");
}

/// A field of the JSON in the body.
fn field(rq: *const Request, rp: *Reply) !void {
    const In = struct { name: []const u8, list: []const i64 };
    const in = try std.json.parseFromSliceLeaky(In, rq.allocator, rq.body(), .{});
    var sum: i64 = 0;
    for (in.list) |v| sum += v;
    try rp.print("{s}: {d}\n", .{ in.name, sum });
}

fn handle(tables: *const Tables, rq: *const Request, rp: *Reply) !void {
    const p = rq.path();
    try rp.header("Content-Type", "text/plain");
    if (std.mem.eql(u8, p, "/prime")) {
        const n = try number(rq, "n", 1);
        if (n < 1 or n > tables.primes.len) return error.NoSuchPrime;
        try rp.print("{d}\n", .{tables.primes[n - 1]});
    } else if (std.mem.eql(u8, p, "/sum")) {
        try rp.print("{d}\n", .{try sumByThreads(try number(rq, "n", 1000))});
    } else if (std.mem.eql(u8, p, "/words")) {
        try words(rq, rp);
    } else if (std.mem.eql(u8, p, "/json")) {
        try field(rq, rp);
    } else if (std.mem.eql(u8, p, "/echo")) {
        rp.status = 201;
        rp.reason = "As You Said";
        try rp.header("X-Arg", rq.arg());
        try rp.header("X-Agent", rq.header("user-agent") orelse "none");
        try rp.print("{s} {s}\n", .{ rq.method(), try rq.param("v") orelse "nothing" });
    } else if (std.mem.eql(u8, p, "/large")) {
        for (0..try number(rq, "n", 1000)) |_| try rp.write("0123456789abcdef");
    } else if (std.mem.eql(u8, p, "/panic")) {
        const list = try rq.allocator.alloc(u8, try number(rq, "n", 0));
        try rp.print("{d}\n", .{list[7]});
    } else {
        try rp.fail(404, "No such thing.");
    }
}

pub fn main() !void {
    const tables: Tables = .{
        .primes = try sieve(std.heap.page_allocator, 200_000),
    };
    return sandbox.serve(&tables, handle);
}
