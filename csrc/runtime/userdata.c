#include "runtime/userdata.h"

/* Field 1 of a metatable says whose it is. */
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

void *userdata_check (lua_State *L, int index, enum type type) {
  void *data = userdata_test(L, index, type);
  if (data) return data;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &tags[type]);
  lua_getfield(L, -1, "__name");
  luaL_typeerror(L, index, lua_tostring(L, -1));
  return NULL;
}
