#include "runtime/options.h"

#include "net/number.h"
#include "runtime/loop.h"

#include <string.h>

static bool is_among (const char *name, const char *const list[]) {
  for (; list && *list; list++)
    if (!strcmp(name, *list)) return true;
  return false;
}

/* Appends the names to the array on top. */
static void push_names (lua_State *L, const char *const names[]) {
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  for (; names && *names; names++) {
    lua_pushstring(L, *names);
    lua_rawseti(L, -2, ++n);
  }
}

/* The Lua layer finds the nearest known name: only an error needs it. */
static int unknown (lua_State *L, const char *what, const char *name, const char *const known[],
                    const char *const more[]) {
  loop_hook(L, "suggest");
  lua_pushstring(L, name);
  lua_newtable(L);
  push_names(L, known);
  push_names(L, more);
  lua_call(L, 2, 1);
  if (lua_isstring(L, -1))
    return luaL_error(L, "%s: unknown option '%s': did you mean '%s'?", what, name, lua_tostring(L, -1));
  return luaL_error(L, "%s: unknown option '%s'", what, name);
}

/* True if the name is in the array `options` of the table at `index`. */
static bool is_listed (lua_State *L, int index, const char *name) {
  bool listed = false;
  lua_Integer i, n;
  if (!index || lua_getfield(L, index, "options") != LUA_TTABLE) {
    if (index) lua_pop(L, 1);
    return false;
  }
  n = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i <= n && !listed; i++) {
    lua_rawgeti(L, -1, i);
    listed = lua_type(L, -1) == LUA_TSTRING && !strcmp(lua_tostring(L, -1), name);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return listed;
}

/* A call with ':' passes the module as the options. */
void options_check_table (lua_State *L, int index, const char *what) {
  luaL_checktype(L, index, LUA_TTABLE);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, "datasession");
  if (lua_rawequal(L, -1, index))
    luaL_error(L, "%s: expected a table of options, got the module: call it with '.' instead of ':'", what);
  lua_pop(L, 2);
}

bool options_check_more (lua_State *L, int index, const char *what, const char *const known[],
                         const char *const more[], int listed) {
  bool found = false;
  index = lua_absindex(L, index);
  options_check_table(L, index, what);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    const char *name;
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "%s: option names are strings, got a %s", what, luaL_typename(L, -2));
    name = lua_tostring(L, -2);
    if (!is_among(name, known)) {
      if (is_among(name, more))
        found = true;
      else if (!is_listed(L, listed, name))
        unknown(L, what, name, known, more);
    }
    lua_pop(L, 1);
  }
  return found;
}

void options_check (lua_State *L, int index, const char *what, const char *const known[]) {
  options_check_more(L, index, what, known, NULL, 0);
}

static int wrong_type (lua_State *L, const char *name, const char *expected) {
  return luaL_error(L, "option '%s': expected %s, got %s", name, expected, luaL_typename(L, -1));
}

const char *options_string (lua_State *L, int index, const char *name, size_t *length) {
  int type = lua_getfield(L, index, name);
  if (type == LUA_TNIL) {
    if (length) *length = 0;
    return NULL;
  }
  if (type != LUA_TSTRING) wrong_type(L, name, "a string");
  return lua_tolstring(L, -1, length);
}

double options_number (lua_State *L, int index, const char *name, double least, double fallback) {
  int type = lua_getfield(L, index, name);
  double value = fallback;
  char text[NUMBER_SIZE];
  if (type == LUA_TNUMBER)
    value = lua_tonumber(L, -1);
  else if (type != LUA_TNIL)
    wrong_type(L, name, "a number");
  if (type == LUA_TNUMBER && !(value >= least && value < 1e15))
    luaL_error(L, "option '%s': expected a number %s, got %s", name, least > 0 ? "above 0" : "of 0 or more",
               number_round(text, value, 14));
  lua_pop(L, 1);
  return value;
}

bool options_boolean (lua_State *L, int index, const char *name, bool fallback) {
  int type = lua_getfield(L, index, name);
  bool value = type == LUA_TNIL ? fallback : lua_toboolean(L, -1);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN) wrong_type(L, name, "a boolean");
  lua_pop(L, 1);
  return value;
}

const char *options_push_uri (lua_State *L, const char *text, size_t length) {
  enum { MOST_SHOWN = 200 };
  size_t shown = 0;
  while (shown < length && shown < MOST_SHOWN && !strchr("?#;", text[shown]))
    if ((unsigned char)text[shown++] < ' ' || text[shown - 1] == 0x7F) return lua_pushliteral(L, "");
  if (!shown || memchr(text, '@', length)) return lua_pushliteral(L, "");
  lua_pushlstring(L, text, shown);
  return lua_pushfstring(L, " '%s%s'", lua_tostring(L, -1), shown < length ? "..." : "");
}

const char *options_push_name (lua_State *L, const char *name) {
  const char *colon = strchr(name, ':');
  if (!colon || colon[1] == '\0') return lua_pushstring(L, name);
  lua_pushlstring(L, name, (size_t)(colon + 1 - name));
  return lua_pushfstring(L, "%s...", lua_tostring(L, -1));
}

int options_raise (lua_State *L) {
  if (lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}
