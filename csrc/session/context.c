#include "context.h"

#include "json.h"
#include "persistence.h"
#include "session.h"

#include <string.h>

/* One table has both, so that they change together. */
enum { PROPERTIES = 1, TEXT };

static void push_part (lua_State *L, int session, int part) {
  if (session_getvalue(L, session, SESSION_CONTEXT) != LUA_TTABLE) return;
  lua_rawgeti(L, -1, part);
  lua_remove(L, -2);
}

void context_push (lua_State *L, int session) {
  push_part(L, session, PROPERTIES);
}

void context_push_text (lua_State *L, int session) {
  push_part(L, session, TEXT);
}

/* Pushes the header's text; nil for no properties. */
static void push_new_text (lua_State *L, int properties) {
  lua_pushnil(L);
  if (!lua_next(L, properties)) {
    lua_pushnil(L);
    return;
  }
  lua_pop(L, 2);
  loop_hook(L, "encodeHeader");
  lua_pushvalue(L, properties);
  lua_call(L, 1, 2);
  if (lua_isnil(L, -2)) luaL_error(L, "context property: %s", luaL_tolstring(L, -1, NULL));
  lua_pop(L, 1);
}

void context_replace (lua_State *L, int session, int properties) {
  struct session *s = lua_touserdata(L, session);
  session = lua_absindex(L, session);
  properties = lua_absindex(L, properties);
  lua_createtable(L, TEXT, 0);
  lua_pushvalue(L, properties);
  lua_rawseti(L, -2, PROPERTIES);
  push_new_text(L, properties);
  lua_rawseti(L, -2, TEXT);
  session_setvalue(L, session, SESSION_CONTEXT);
  header_list_release(s->headers);
  s->headers = NULL;
  persistence_note(L, session);
}

/* Leaves a copy of the session's properties, perhaps empty, on the stack. */
static void push_copy (lua_State *L) {
  lua_newtable(L);
  context_push(L, 1);
  if (!lua_isnil(L, -1)) {
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -5);
    }
  }
  lua_pop(L, 1);
}

int context_set (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
  lua_newtable(L);
  if (lua_istable(L, 2)) {
    lua_pushnil(L);
    while (lua_next(L, 2)) {
      if (lua_type(L, -2) != LUA_TSTRING) return luaL_argerror(L, 2, "expected names that are strings");
      if (lua_isfunction(L, -1)) {
        lua_pop(L, 1);
        continue;
      }
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, 3);
    }
  }
  context_replace(L, 1, 3);
  return 0;
}

int context_set_property (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 3);
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_typeerror(L, 2, "a property's name");
  push_copy(L);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, 4);
  context_replace(L, 1, 4);
  return 0;
}

int context_get (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 1);
  push_copy(L);
  return 1;
}

int context_get_property (lua_State *L) {
  session_check(L, 1);
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_typeerror(L, 2, "a property's name");
  context_push(L, 1);
  if (lua_isnil(L, -1)) return 1;
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

/* Can the properties on top be sent? */
static bool are_sendable (lua_State *L) {
  bool are;
  loop_hook(L, "encodeHeader");
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  are = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return are;
}

bool context_parse (lua_State *L, const char *text, size_t length) {
  if (!length || (length == 4 && !memcmp(text, "null", 4))) {
    lua_newtable(L);
    return true;
  }
  lua_pushlstring(L, text, length);
  if (*text == '{' && json_decode(L) && are_sendable(L)) return true;
  lua_pop(L, 1);
  return false;
}
