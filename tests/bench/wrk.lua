-- Copyright (c) 2026 The vmod_sandbox authors
-- SPDX-License-Identifier: BSD-2-Clause
--
-- For wrk: a method and the file that is the body come as arguments; in the
-- end one line that a program can read, times in microseconds.

function init(args)
	wrk.method = args[1]
	if args[2] then
		local f = assert(io.open(args[2], "rb"))
		wrk.body = f:read("*a")
		f:close()
	end
end

function done(summary, latency)
	local e = summary.errors

	io.write(string.format(
	    "bench: %d requests %d us %d p50 %d p99 %d failed %d wrong\n",
	    summary.requests, summary.duration, latency:percentile(50),
	    latency:percentile(99), e.connect + e.read + e.write + e.timeout,
	    e.status))
end
