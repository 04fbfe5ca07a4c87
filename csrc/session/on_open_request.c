#include "session/on_open_request.h"

#include "net/ascii.h"
#include "runtime/loop.h"
#include "runtime/numbers.h"
#include "runtime/options.h"
#include "session/session.h"

#include <string.h>

/* A second framing header would let a server read one request as two. */
const char *session_framing (const char *name) {
  static const char *const names[] = {"Content-Length", "Transfer-Encoding"};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (ascii_same(names[i], name)) return names[i];
  return NULL;
}

/* params.xhr.setRequestHeader([self,] name, value), as in the reference: the upvalue is params.headers. */
static int set_request_header (lua_State *L) {
  if (lua_istable(L, 1)) lua_remove(L, 1);
  luaL_checkstring(L, 1);
  luaL_checkstring(L, 2);
  lua_settop(L, 2);
  lua_rawset(L, lua_upvalueindex(1));
  return 0;
}

static void push_params (lua_State *L, int session, const struct exchange *x) {
  lua_createtable(L, 0, 7);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, set_request_header, 1);
  lua_setfield(L, -2, "setRequestHeader");
  lua_setfield(L, -3, "xhr");
  lua_setfield(L, -2, "headers");
  lua_pushstring(L, x->request.method);
  lua_setfield(L, -2, "verb");
  lua_pushstring(L, uri_text(x->request.uri));
  lua_setfield(L, -2, "uri");
  lua_pushboolean(L, true);
  lua_setfield(L, -2, "async");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "formPreTest");
  lua_pushvalue(L, session);
  lua_setfield(L, -2, "session");
}

/* The lines of the table on top. */
static int set_lines (lua_State *L, struct header_list *lines) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    size_t name_length, length;
    const char *name, *value;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      return luaL_error(L,
                        "onOpenRequest: expected params.headers to hold names and values that are strings");
    name = lua_tolstring(L, -2, &name_length);
    if (!numbers_to_text(L, -1))
      return luaL_error(L, "onOpenRequest: '%s': NaN and infinity cannot be sent", name);
    if (session_framing(name))
      return luaL_error(L, "onOpenRequest: '%s' is computed from the body, leave it out", name);
    lua_pushvalue(L, -1);
    value = lua_tolstring(L, -1, &length);
    switch (header_list_set(lines, name, name_length, value, length)) {
    case HEADER_OK: break;
    case HEADER_BAD_NAME:
      return luaL_error(L, "onOpenRequest: '%s' is not a header name", options_push_name(L, name));
    case HEADER_BAD_VALUE:
      return luaL_error(L, "onOpenRequest: the value of '%s' holds a line break or NUL", name);
    case HEADER_NO_MEMORY: return luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory */
    }
    lua_pop(L, 2);
  }
  return 0;
}

/* Arguments: the session, the exchange. */
static int call_on_open (lua_State *L) {
  struct exchange *x = lua_touserdata(L, 2);
  struct header_list *lines;
  session_getvalue(L, 1, SESSION_ON_OPEN);
  push_params(L, 1, x);
  lua_pushvalue(L, -1);
  lua_insert(L, 3);
  lua_call(L, 1, 0);
  if (lua_getfield(L, 3, "headers") != LUA_TTABLE) return 0;
  lua_pushnil(L);
  if (!lua_next(L, -2)) return 0;
  lua_pop(L, 2);
  lines =
      x->request.headers ? header_list_copy(x->request.headers) : header_list_new(engine_memory(x->engine));
  if (!lines) return luaL_error(L, "not enough memory");
  header_list_release(x->request.headers);
  x->request.headers = lines;
  return set_lines(L, lines);
}

void session_open_request (lua_State *L, struct session *s, struct exchange *x) {
  if (!s->has_on_open || !lua_checkstack(L, LUA_MINSTACK)) return;
  lua_pushcfunction(L, call_on_open);
  session_push(L, s);
  lua_pushlightuserdata(L, x);
  if (lua_isnil(L, -2))
    lua_pop(L, 3); /* GCOVR_EXCL_LINE: a pending operation keeps its session */
  else if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    loop_report(L);
}
