#include "runtime/fields.h"

#include "runtime/loop.h"

#include <string.h>

void fields_add (lua_State *L, const char *const names[]) {
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  for (; *names; names++) {
    lua_pushstring(L, *names);
    lua_rawseti(L, -2, ++n);
  }
}

void fields_add_keys (lua_State *L, int index) {
  int list = lua_gettop(L);
  lua_Integer n = (lua_Integer)lua_rawlen(L, list);
  index = lua_absindex(L, index);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, list, ++n);
  }
}

static bool is_name (lua_State *L, int index) {
  return lua_type(L, index) == LUA_TSTRING && strncmp(lua_tostring(L, index), "__", 2) != 0;
}

/* Replaces the array on top by its nearest name, or nil. */
static const char *nearest (lua_State *L) {
  loop_hook(L, "suggest");
  lua_insert(L, -2);
  lua_pushvalue(L, 2);
  lua_insert(L, -2);
  lua_call(L, 2, 1);
  return lua_tostring(L, -1);
}

int fields_missing (lua_State *L, const char *what, const char *hint) {
  const char *name, *close;
  if (!is_name(L, 2)) {
    lua_pushnil(L);
    return 1;
  }
  name = lua_tostring(L, 2);
  close = nearest(L);
  if (close && hint)
    return luaL_error(L, "%s has no field '%s': %s (or did you mean '%s'?)", what, name, hint, close);
  if (close) return luaL_error(L, "%s has no field '%s': did you mean '%s'?", what, name, close);
  return luaL_error(L, "%s has no field '%s'%s%s", what, name, hint ? ": " : "", hint ? hint : "");
}

/* Arguments: the methods, the key. Upvalues: `what`, `hint` or nil. */
static int missing (lua_State *L) {
  lua_newtable(L);
  fields_add_keys(L, 1);
  return fields_missing(L, lua_tostring(L, lua_upvalueindex(1)), lua_tostring(L, lua_upvalueindex(2)));
}

void fields_guard (lua_State *L, const char *what, const char *hint) {
  lua_createtable(L, 0, 1);
  lua_pushstring(L, what);
  lua_pushstring(L, hint);
  lua_pushcclosure(L, missing, 2);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}
