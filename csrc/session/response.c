#include "response.h"

#include "json.h"
#include "net/headers.h"

#include <string.h>

struct response_data {
  long status;
  struct timing timing;
};

enum { RESPONSE_BODY = 1, RESPONSE_BLOCK, RESPONSE_HEADERS, RESPONSE_URI, RESPONSE_SLOTS = RESPONSE_URI };

void response_push (lua_State *L, const struct exchange *x) {
  struct response_data *r;
  if (!x || x->response.failure != FAILURE_NONE) {
    lua_pushnil(L);
    return;
  }
  r = compat_newuserdata(L, sizeof *r, RESPONSE_SLOTS);
  r->status = x->response.status;
  r->timing = x->response.timing;
  luaL_setmetatable(L, RESPONSE_TYPE);
  lua_pushlstring(L, x->response.body.data ? x->response.body.data : "", x->response.body.length);
  compat_setslot(L, -2, RESPONSE_BODY);
  lua_pushlstring(L, x->response.headers.data ? x->response.headers.data : "", x->response.headers.length);
  compat_setslot(L, -2, RESPONSE_BLOCK);
  lua_pushstring(L, uri_public_text(x->response.uri));
  compat_setslot(L, -2, RESPONSE_URI);
}

/* Lines that prove who one is, which no script needs and no log may show. */
static bool is_secret (const struct header_line *line) {
  static const char *const names[] = {"set-cookie", "set-cookie2"};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (line->name_length == strlen(names[i]) && curl_strnequal(line->name, names[i], line->name_length))
      return true;
  return false;
}

/* Name in lower case -> value; lines of one name are joined as RFC 9110 says. */
static void push_headers (lua_State *L, int index) {
  size_t length, at = 0, i;
  const char *block;
  struct header_line line;
  char name[256];
  if (compat_getslot(L, index, RESPONSE_HEADERS) == LUA_TTABLE) return;
  lua_pop(L, 1);
  compat_getslot(L, index, RESPONSE_BLOCK);
  block = lua_tolstring(L, -1, &length);
  lua_newtable(L);
  while (header_next(block, length, &at, &line)) {
    if (line.name_length >= sizeof name || is_secret(&line)) continue;
    for (i = 0; i < line.name_length; i++)
      name[i] = (char)(line.name[i] >= 'A' && line.name[i] <= 'Z' ? line.name[i] + 32 : line.name[i]);
    lua_pushlstring(L, name, line.name_length);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TSTRING) {
      lua_pushliteral(L, ", ");
      lua_pushlstring(L, line.value, line.value_length);
      lua_concat(L, 3);
    } else {
      lua_pop(L, 1);
      lua_pushlstring(L, line.value, line.value_length);
    }
    lua_rawset(L, -3);
  }
  lua_remove(L, -2);
  lua_pushvalue(L, -1);
  compat_setslot(L, index, RESPONSE_HEADERS);
}

static void set_seconds (lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void push_timing (lua_State *L, const struct timing *t) {
  lua_createtable(L, 0, 5);
  set_seconds(L, "resolve", t->resolve);
  set_seconds(L, "connect", t->connect);
  set_seconds(L, "tls", t->tls);
  set_seconds(L, "firstByte", t->first_byte);
  set_seconds(L, "total", t->total);
}

/* The body's value, or nil and a message; the response is the upvalue, so that both r:json() and r.json() do. */
static int response_json (lua_State *L) {
  compat_getslot(L, lua_upvalueindex(1), RESPONSE_BODY);
  if (json_decode(L)) return 1;
  luaL_pushfail(L);
  lua_insert(L, -2);
  return 2;
}

static int response_index (lua_State *L) {
  struct response_data *r = luaL_checkudata(L, 1, RESPONSE_TYPE);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (!strcmp(key, "status"))
    lua_pushinteger(L, r->status);
  else if (!strcmp(key, "ok"))
    lua_pushboolean(L, r->status >= 200 && r->status < 300);
  else if (!strcmp(key, "body"))
    compat_getslot(L, 1, RESPONSE_BODY);
  else if (!strcmp(key, "headers"))
    push_headers(L, 1);
  else if (!strcmp(key, "uri"))
    compat_getslot(L, 1, RESPONSE_URI);
  else if (!strcmp(key, "timing"))
    push_timing(L, &r->timing);
  else if (!strcmp(key, "json")) {
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, response_json, 1);
  } else
    lua_pushnil(L);
  return 1;
}

static int response_tostring (lua_State *L) {
  struct response_data *r = luaL_checkudata(L, 1, RESPONSE_TYPE);
  compat_getslot(L, 1, RESPONSE_URI);
  compat_getslot(L, 1, RESPONSE_BODY);
  lua_pushfstring(L, RESPONSE_TYPE ": HTTP %d, %I bytes from %s", (int)r->status,
                  (LUAI_UACINT)lua_rawlen(L, -1), lua_tostring(L, -2));
  return 1;
}

static int response_newindex (lua_State *L) {
  return luaL_error(L, "a response is read-only");
}

void response_register (lua_State *L) {
  static const luaL_Reg meta[] = {{"__index", response_index},
                                  {"__newindex", response_newindex},
                                  {"__tostring", response_tostring},
                                  {NULL, NULL}};
  luaL_newmetatable(L, RESPONSE_TYPE);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
}
