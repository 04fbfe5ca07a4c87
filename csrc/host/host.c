/* host: datasession as part of a program in C. Not in datasession.core, which is a file that Lua loads. */
#include "host/datasession.h"

#include "host/lua_modules.h"
#include "runtime/compat.h"

#include <lauxlib.h>
#include <stdbool.h>

int luaopen_datasession_core (lua_State *L);

/* The registry's key of the table of datasession.core. */
static const char core_key = 0;

static int open_core (lua_State *L) {
  luaopen_datasession_core(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &core_key);
  return 1;
}

/* The loader of the module in its upvalue; its arguments are those of the module. */
static int load (lua_State *L) {
  const struct lua_module *module = lua_touserdata(L, lua_upvalueindex(1));
  const char *text = (const char *)module->text;
  if (luaL_loadbufferx(L, text, module->size, module->chunk, "t") != LUA_OK) return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static void push_loader (lua_State *L, const struct lua_module *module) {
  lua_pushlightuserdata(L, (void *)module);
  lua_pushcclosure(L, load, 1);
}

int luaopen_datasession (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  for (const struct lua_module *module = lua_modules; module->name; module++) {
    push_loader(L, module);
    lua_setfield(L, -2, module->name);
  }
  lua_pushcfunction(L, open_core);
  lua_setfield(L, -2, "datasession.core");
  push_loader(L, lua_modules);
  lua_pushstring(L, lua_modules->name);
  lua_call(L, 1, 1);
  return 1;
}

/* A call of a function of datasession.core. */
struct core_call {
  const char *name;
  double wait, budget; /* the arguments of `step`; the others ignore them */
  double result;       /* left alone if there is no result, or no module yet */
};

static int call_core (lua_State *L) {
  struct core_call *call = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &core_key);
  if (lua_isnil(L, -1)) return 0;
  lua_getfield(L, -1, call->name);
  lua_pushnumber(L, call->wait);
  lua_pushnumber(L, call->budget);
  lua_call(L, 2, 1);
  if (lua_isboolean(L, -1)) call->result = lua_toboolean(L, -1);
  if (lua_isnumber(L, -1)) call->result = lua_tonumber(L, -1);
  return 0;
}

/* False: there was an error, which is on top of the stack. */
static bool call_protected (lua_State *L, struct core_call *call) {
  lua_pushcfunction(L, call_core);
  lua_pushlightuserdata(L, call);
  return lua_pcall(L, 1, 0, 0) == LUA_OK;
}

int datasession_step (lua_State *L, double wait, double budget) {
  struct core_call call = {"step", wait, budget, 0};
  return call_protected(L, &call) ? (int)call.result : -1;
}

int datasession_pollfd (lua_State *L) {
  struct core_call call = {"pollfd", 0, 0, -1};
  if (call_protected(L, &call)) return (int)call.result;
  lua_pop(L, 1);
  return -1;
}

/* After a failure the host is to call datasession_step, which says what is wrong. */
double datasession_timeout (lua_State *L) {
  struct core_call call = {"timeout", 0, 0, -1};
  if (call_protected(L, &call)) return call.result;
  lua_pop(L, 1);
  return 0;
}
