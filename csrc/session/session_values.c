/* session_values: the Lua values that hang from a session. A user value costs every session 16 bytes. */
#include "session/session.h"

int session_getvalue (lua_State *L, int index, enum session_value which) {
  int type;
  if (which < SESSION_OTHERS) return compat_getslot(L, index, which);
  type = compat_getslot(L, index, SESSION_OTHERS);
  if (type != LUA_TTABLE) return type;
  type = lua_rawgeti(L, -1, which);
  lua_remove(L, -2);
  return type;
}

/* Pushes the table of the others, made if need be. */
static void push_others (lua_State *L, int index) {
  if (compat_getslot(L, index, SESSION_OTHERS) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -1);
  compat_setslot(L, index, SESSION_OTHERS);
}

/* Is `which`, which most sessions never have, not there already? */
static bool is_missing (lua_State *L, int index, enum session_value which) {
  bool is = session_getvalue(L, index, which) == LUA_TNIL;
  lua_pop(L, 1);
  return is;
}

void session_setvalue (lua_State *L, int index, enum session_value which) {
  index = lua_absindex(L, index);
  if (which < SESSION_OTHERS)
    compat_setslot(L, index, which);
  else if (lua_isnil(L, -1) && is_missing(L, index, which))
    lua_pop(L, 1);
  else {
    push_others(L, index);
    lua_insert(L, -2);
    lua_rawseti(L, -2, which);
    lua_pop(L, 1);
  }
}
