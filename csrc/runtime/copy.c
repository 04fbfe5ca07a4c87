#include "runtime/copy.h"

enum { DEEPEST_COPY = 1100 };

static int count_members (lua_State *L, int index) {
  int n = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    n++;
  }
  return n;
}

/* Replaces the table on top by a copy, allocated at its full size. */
static void copy_table (lua_State *L, unsigned depth) {
  int from = lua_gettop(L), elements = (int)lua_rawlen(L, from), members = count_members(L, from);
  if (depth > DEEPEST_COPY) luaL_error(L, "the table is nested too deeply to be copied");
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_createtable(L, elements, members - elements);
  lua_pushnil(L);
  while (lua_next(L, from)) {
    if (lua_type(L, -1) == LUA_TTABLE) copy_table(L, depth + 1);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, from + 1);
  }
  if (lua_getmetatable(L, from)) lua_setmetatable(L, from + 1);
  lua_remove(L, from);
}

int copy_tree (lua_State *L) {
  lua_settop(L, 1);
  if (lua_istable(L, 1)) copy_table(L, 1);
  return 1;
}
