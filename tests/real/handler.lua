#!/usr/bin/lua5.4
--
-- Copyright (c) 2026 The vmod_sandbox authors
-- SPDX-License-Identifier: BSD-2-Clause
--
-- A template, string functions, closures, coroutines, errors and files.

local sandbox = require("luasandbox")

local page = [[
<h1>$title</h1>
$(rows)
]]

local function expand(text, env)
	return (text:gsub("%$%(?(%w+)%)?", function (k)
		return tostring(env[k])
	end))
end

local function primes(n)
	return coroutine.wrap(function ()
		for i = 2, n do
			local p = true
			for j = 2, math.floor(i ^ 0.5) do
				if i % j == 0 then p = false break end
			end
			if p then coroutine.yield(i) end
		end
	end)
end

local count = 0

sandbox.serve(function (method, url, body)
	count = count + 1
	local rows = {}
	for p in primes(50) do
		rows[#rows + 1] = string.format("<li>%d %5.3f", p, math.sqrt(p))
	end
	local ok, err = pcall(function () error({ code = 7 }) end)
	rows[#rows + 1] = tostring(ok) .. " " .. err.code
	local f = assert(io.open("/tmp/sandbox-lua", "w"))
	f:write(method, " ", url, " ", body:upper(), "\n")
	f:close()
	for line in io.lines("/tmp/sandbox-lua") do
		rows[#rows + 1] = line
	end
	table.sort(rows)
	return 200, "text/html", expand(page, { title = "Lua " .. count,
	    rows = table.concat(rows, "\n") })
end)
