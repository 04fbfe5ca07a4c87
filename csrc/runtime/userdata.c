#include "runtime/userdata.h"

#include <stdbool.h>
#include <string.h>

/* Field 1 of a metatable holds the type's number. */
enum { TAG = 1 };

static const char tags[TYPES];

void userdata_new (lua_State *L, enum type type, const char *name) {
  luaL_newmetatable(L, name);
  lua_pushlightuserdata(L, (void *)&tags[type]);
  lua_rawseti(L, -2, TAG);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &tags[type]);
}

void userdata_set (lua_State *L, enum type type) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &tags[type]);
  lua_setmetatable(L, -2);
}

void *userdata_test (lua_State *L, int index, enum type type) {
  void *data = lua_touserdata(L, index);
  const void *tag;
  if (!data || !lua_getmetatable(L, index)) return NULL;
  lua_rawgeti(L, -1, TAG);
  tag = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return tag == &tags[type] ? data : NULL;
}

/* True if a method was called without its object. Never for a metamethod. */
static bool lacks_self (lua_State *L, int index) {
  lua_Debug call;
  return index == 1 && lua_getstack(L, 0, &call) && lua_getinfo(L, "n", &call) &&
         strcmp(call.namewhat, "metamethod") != 0;
}

void *userdata_check (lua_State *L, int index, enum type type) {
  void *data = userdata_test(L, index, type);
  const char *name, *got;
  if (data) return data;
  got = luaL_typename(L, index); /* first: what is pushed next would stand for an absent argument */
  lua_rawgetp(L, LUA_REGISTRYINDEX, &tags[type]);
  lua_getfield(L, -1, "__name");
  name = lua_tostring(L, -1);
  if (!lacks_self(L, index)) luaL_typeerror(L, index, name);
  lua_pushfstring(L, "%s expected, got %s: call it with ':' instead of '.'", name, got);
  luaL_argerror(L, index, lua_tostring(L, -1));
  return NULL; /* GCOVR_EXCL_LINE: luaL_typeerror does not return */
}
