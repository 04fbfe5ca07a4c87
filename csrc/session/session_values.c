/*
** session_values: the userdata of a session, and its Lua values. A user value costs every session 16 bytes.
*/
#include "runtime/loop.h"
#include "session/protocol.h"
#include "session/session.h"

struct session *session_test (lua_State *L, int index) {
  return userdata_test(L, index, TYPE_SESSION);
}

struct session *session_check (lua_State *L, int index) {
  return userdata_check(L, index, TYPE_SESSION);
}

void session_push (lua_State *L, const struct session *s) {
  loop_table_of(L, s->loop, LOOP_SESSIONS);
  lua_rawgetp(L, -1, s);
  lua_remove(L, -2);
}

int session_getvalue (lua_State *L, int index, enum session_value which) {
  int type;
  if (which < SESSION_OTHERS) return compat_getslot(L, index, which);
  type = compat_getslot(L, index, SESSION_OTHERS);
  if (type != LUA_TTABLE) return type;
  type = lua_rawgeti(L, -1, which);
  lua_remove(L, -2);
  return type;
}

/* Pushes the table SESSION_OTHERS, which the first call makes. */
static void push_others (lua_State *L, int index) {
  if (compat_getslot(L, index, SESSION_OTHERS) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -1);
  compat_setslot(L, index, SESSION_OTHERS);
}

/* True if `which` is a rare value whose table does not exist yet. */
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

void session_push_protocol_name (lua_State *L, const struct session *s) {
  lua_pushstring(L, s->protocol->name);
  session_push(L, s);
  if (!lua_isnil(L, -1) && session_getvalue(L, -1, SESSION_DATA) == LUA_TTABLE &&
      lua_getfield(L, -1, "protocol") == LUA_TTABLE && lua_getfield(L, -1, "name") == LUA_TSTRING)
    lua_replace(L, -5);
  while (!lua_isstring(L, -1))
    lua_pop(L, 1);
}
