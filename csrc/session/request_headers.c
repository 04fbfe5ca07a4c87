#include "session/request_headers.h"

#include "net/engine.h"
#include "runtime/numbers.h"
#include "runtime/options.h"
#include "session/on_open_request.h"

#include <string.h>

static void check (lua_State *L, enum header_result result, const char *name, const char *call) {
  if (result == HEADER_BAD_NAME)
    luaL_error(L, "%soption 'headers': '%s' is not a header name", call, options_push_name(L, name));
  if (result == HEADER_BAD_VALUE)
    luaL_error(L, "%soption 'headers': the value of '%s' holds a line break or NUL", call, name);
  if (result == HEADER_NO_MEMORY) luaL_error(L, "not enough memory");
}

/* A name and its value are on top. Pops the value. */
static void add (lua_State *L, struct header_list *lines, const char *call) {
  size_t name_length, length;
  const char *name, *value;
  if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
    luaL_error(L, "%soption 'headers': expected names and values that are strings", call);
  if (!numbers_to_text(L, -1))
    luaL_error(L, "%soption 'headers': '%s': NaN and infinity cannot be sent", call, lua_tostring(L, -2));
  name = lua_tolstring(L, -2, &name_length);
  value = lua_tolstring(L, -1, &length);
  if (session_framing(name))
    luaL_error(L, "%soption 'headers': '%s' is computed from the body, leave it out", call,
               session_framing(name));
  check(L, header_list_set(lines, name, name_length, value, length), name, call);
  lua_pop(L, 1);
}

void request_headers_add (lua_State *L, int index, struct header_list *lines, const char *call) {
  if (lua_isnil(L, index)) return;
  if (!lua_istable(L, index))
    luaL_error(L, "%soption 'headers': expected a table, got %s", call, luaL_typename(L, index));
  lua_pushnil(L);
  while (lua_next(L, index))
    add(L, lines, call);
}

/*
** Arguments: the list, a Content-Type or NULL (both light userdata), the defaults, the option. Called by
** pcall, so that an error does not leak the list.
*/
static int add_all (lua_State *L) {
  struct header_list *lines = lua_touserdata(L, 1);
  const char *type = lua_touserdata(L, 2);
  request_headers_add(L, 3, lines, "");
  if (type) check(L, header_list_set(lines, "Content-Type", 12, type, strlen(type)), "Content-Type", "");
  request_headers_add(L, 4, lines, "request: ");
  return 0;
}

bool request_headers_set (lua_State *L, struct exchange *x, int defaults, const char *type, int given) {
  struct header_list *lines =
      x->request.headers ? header_list_copy(x->request.headers) : header_list_new(engine_memory(x->engine));
  if (!lines) {
    lua_pushliteral(L, "not enough memory");
    return false;
  }
  header_list_release(x->request.headers);
  x->request.headers = lines;
  lua_pushcfunction(L, add_all);
  lua_pushlightuserdata(L, lines);
  lua_pushlightuserdata(L, (void *)type);
  lua_pushvalue(L, defaults);
  lua_pushvalue(L, given);
  return lua_pcall(L, 4, 0, 0) == LUA_OK;
}
