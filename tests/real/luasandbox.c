/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A module for Lua: require("luasandbox").serve(function (method, url, body)
 * ... return status, type, text end)
 */

#include <lauxlib.h>
#include <lua.h>

#include <sandbox.h>

static void
handler(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	lua_State *L = priv;
	const char *s;
	size_t l;

	lua_pushvalue(L, 1);
	lua_pushlstring(L, rq->method.ptr, rq->method.len);
	lua_pushlstring(L, rq->url.ptr, rq->url.len);
	lua_pushlstring(L, rq->body, rq->body_len);
	if (lua_pcall(L, 3, 3, 0)) {
		sandbox_fail(rp, 500, lua_tostring(L, -1));
		return;
	}
	sandbox_set_status(rp, (unsigned)lua_tointeger(L, -3), NULL);
	sandbox_add_header(rp, "Content-Type", lua_tostring(L, -2));
	s = lua_tolstring(L, -1, &l);
	sandbox_write(rp, s, l);
	lua_pop(L, 3);
}

static int
serve(lua_State *L)
{

	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	return (luaL_error(L, "sandbox_serve: %d", sandbox_serve(handler, L)));
}

int luaopen_luasandbox(lua_State *L);

int
luaopen_luasandbox(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "serve", serve },
		{ NULL, NULL }
	};

	luaL_newlib(L, functions);
	return (1);
}
