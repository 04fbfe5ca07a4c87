#include "protocol/jsdo/context.h"

#include "runtime/copy.h"
#include "runtime/json.h"
#include "runtime/loop.h"
#include "session/protocol.h"

#include <string.h>

/*
** One table holds both. The text is false until it is made of the properties, nil where there are none. For
** a response's properties there is the address of the header line too.
*/
enum { PROPERTIES = 1, TEXT, ORIGIN };

static void push_part (lua_State *L, int session, int part) {
  if (session_getvalue(L, session, SESSION_CONTEXT) != LUA_TTABLE) return;
  lua_rawgeti(L, -1, part);
  lua_remove(L, -2);
}

void context_push (lua_State *L, int session) {
  push_part(L, session, PROPERTIES);
}

/* Pushes the text of the properties; nil: none. Raises for what JSON cannot say. */
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

/* Argument: the table of both. Returns the text. */
static int make_text (lua_State *L) {
  lua_rawgeti(L, 1, PROPERTIES);
  push_new_text(L, 2);
  lua_pushvalue(L, -1);
  lua_rawseti(L, 1, TEXT);
  return 1;
}

bool context_push_text (lua_State *L, int session) {
  push_part(L, session, TEXT);
  if (!lua_isboolean(L, -1)) return true;
  lua_pop(L, 1);
  lua_pushcfunction(L, make_text);
  session_getvalue(L, session < 0 ? session - 1 : session, SESSION_CONTEXT);
  return lua_pcall(L, 1, 1, 0) == LUA_OK;
}

/* Has the session make its header lines again, and its store save it. */
static void changed (lua_State *L, int session) {
  struct session *s = lua_touserdata(L, session);
  header_list_release(s->headers);
  s->headers = NULL;
  session_note(L, session);
}

void context_replace (lua_State *L, int session, int properties) {
  session = lua_absindex(L, session);
  properties = lua_absindex(L, properties);
  lua_createtable(L, TEXT, 0);
  lua_pushvalue(L, properties);
  lua_rawseti(L, -2, PROPERTIES);
  push_new_text(L, properties);
  lua_rawseti(L, -2, TEXT);
  session_setvalue(L, session, SESSION_CONTEXT);
  changed(L, session);
}

/* Replaces the value on top by a deep copy. */
static void copy (lua_State *L) {
  lua_pushcfunction(L, copy_tree);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
}

/* Copies the properties that can be sent from the table at 2 into the one at 3. */
static int collect (lua_State *L) {
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
  return 0;
}

int context_set (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
  lua_newtable(L);
  if (lua_istable(L, 2)) collect(L);
  push_new_text(L, 3); /* first, since copy raises for what JSON cannot say */
  lua_settop(L, 3);
  copy(L);
  context_replace(L, 1, 3);
  return 0;
}

/* Raises for a property that JSON cannot say. */
static void check_property (lua_State *L, int name, int value) {
  int top = lua_gettop(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, name);
  lua_pushvalue(L, value);
  lua_rawset(L, top + 1);
  push_new_text(L, top + 1);
  lua_settop(L, top);
}

/* Pushes the session's table of both, made if there is none. */
static void push_both (lua_State *L, int session) {
  if (session_getvalue(L, session, SESSION_CONTEXT) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, TEXT, 0);
  lua_newtable(L);
  lua_rawseti(L, -2, PROPERTIES);
  lua_pushvalue(L, -1);
  session_setvalue(L, session, SESSION_CONTEXT);
}

static int context_set_property (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 3);
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_typeerror(L, 2, "a property's name");
  check_property(L, 2, 3);
  copy(L);
  push_both(L, 1);
  lua_pushboolean(L, false);
  lua_rawseti(L, 4, TEXT);
  lua_rawgeti(L, 4, PROPERTIES);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, 5);
  changed(L, 1);
  return 0;
}

static int context_get (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 1);
  context_push(L, 1);
  if (lua_isnil(L, -1))
    lua_newtable(L);
  else
    copy(L);
  return 1;
}

static int context_get_property (lua_State *L) {
  session_check(L, 1);
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_typeerror(L, 2, "a property's name");
  context_push(L, 1);
  if (lua_isnil(L, -1)) return 1;
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  copy(L);
  return 1;
}

/* Pushes the text of the properties on top, nil: none. False, and nothing pushed: they cannot be sent. */
static bool push_sendable (lua_State *L) {
  int properties = lua_gettop(L);
  lua_pushnil(L);
  if (!lua_next(L, properties)) {
    lua_pushnil(L);
    return true;
  }
  lua_pop(L, 2);
  loop_hook(L, "encodeHeader");
  lua_pushvalue(L, properties);
  lua_call(L, 1, 1);
  if (!lua_isnil(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

/* Pushes the properties and their text. False: they are no JSON object, or cannot be sent. */
static bool parse (lua_State *L, const char *text, size_t length) {
  if (!length || (length == 4 && !memcmp(text, "null", 4))) {
    lua_newtable(L);
    return push_sendable(L);
  }
  lua_pushlstring(L, text, length);
  return *text == '{' && json_decode(L) && push_sendable(L);
}

/* The same as one table. False, and nothing pushed. */
static bool push_parsed (lua_State *L, const char *text, size_t length) {
  int top = lua_gettop(L);
  if (!parse(L, text, length)) {
    lua_settop(L, top);
    return false;
  }
  lua_createtable(L, ORIGIN, 0);
  lua_insert(L, top + 1);
  lua_rawseti(L, top + 1, TEXT);
  lua_rawseti(L, top + 1, PROPERTIES);
  lua_pushlightuserdata(L, (void *)text);
  lua_rawseti(L, top + 1, ORIGIN);
  return true;
}

void context_hear (lua_State *L, const struct session *s, const char *text, size_t length) {
  session_push(L, s);
  if (!push_parsed(L, text, length)) lua_pushnil(L);
  session_setvalue(L, -2, SESSION_DATA);
  lua_pop(L, 1);
}

/* Pushes what was heard last. True if it is of that header line. */
static bool push_heard (lua_State *L, int session, const char *text) {
  bool same;
  if (session_getvalue(L, session, SESSION_DATA) != LUA_TTABLE) return false;
  lua_rawgeti(L, -1, ORIGIN);
  same = lua_touserdata(L, -1) == (const void *)text;
  lua_pop(L, 1);
  return same;
}

bool context_is_good (lua_State *L, const struct session *s, const char *text) {
  int top = lua_gettop(L);
  bool good;
  session_push(L, s);
  good = push_heard(L, top + 1, text);
  lua_settop(L, top);
  return good;
}

void context_accept (lua_State *L, int session, const char *text, size_t length) {
  int top = lua_gettop(L);
  session = lua_absindex(L, session);
  if (push_heard(L, session, text) || push_parsed(L, text, length)) {
    session_setvalue(L, session, SESSION_CONTEXT);
    lua_pushnil(L);
    session_setvalue(L, session, SESSION_DATA);
    changed(L, session);
  }
  lua_settop(L, top);
}

void context_register (lua_State *L) {
  static const luaL_Reg methods[] = {{"setContext", context_set},
                                     {"setContextProperty", context_set_property},
                                     {"getContext", context_get},
                                     {"getContextProperty", context_get_property},
                                     {NULL, NULL}};
  lua_getfield(L, -1, "methods");
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
}
