#include "runtime/response.h"

#include "net/ascii.h"
#include "net/headers.h"
#include "net/system.h"
#include "runtime/calm.h"
#include "runtime/fields.h"
#include "runtime/json.h"
#include "runtime/timings.h"

#include <string.h>

/*
** Consecutive texts: header block, URI, the method with its NUL, the bytes of timings.h, and a small body,
** which becomes a Lua string whenever it is read. A large body is a Lua string in a user value. So are other
** values once they were read.
*/
struct response_data {
  struct hop hop; /* the last one; without `uri` and `method` */
  unsigned attempts;
  struct timing timing;
  size_t block_length, uri_length, method_size, timings_size, body_length;
  char texts[];
};

enum { RESPONSE_BODY = 1, RESPONSE_HEADERS, RESPONSE_SLOTS = RESPONSE_HEADERS };

/* A larger body becomes a Lua string at once, so that it is in memory only once. */
enum { SMALL_BODY = 4096 };

static char *method_of (struct response_data *r) {
  return r->texts + r->block_length + r->uri_length;
}

static char *timings_of (struct response_data *r) {
  return method_of(r) + r->method_size;
}

static char *body_of (struct response_data *r) {
  return timings_of(r) + r->timings_size;
}

static void copy (char *to, const struct buffer *from) {
  if (from->length) memcpy(to, from->data, from->length);
}

/* Allocates a response with room for `inside` bytes of body. */
static struct response_data *new_response (lua_State *L, const struct exchange *x, size_t inside) {
  const struct buffer *block = &x->response.headers;
  const char *uri = uri_public_text(x->response.uri);
  struct hop hop;
  exchange_last_hop(x, &hop);
  size_t uri_length = strlen(uri), method = strlen(hop.method) + 1, timings = timings_size(x->response.hops);
  size_t size = block->length + uri_length + method + timings + inside;
  struct response_data *r = compat_newuserdata(L, sizeof *r + size, RESPONSE_SLOTS);
  r->hop = hop;
  r->attempts = x->attempt;
  r->timing = x->response.timing;
  r->block_length = block->length;
  r->uri_length = uri_length;
  r->method_size = method;
  r->timings_size = timings;
  r->body_length = inside;
  copy(r->texts, block);
  memcpy(r->texts + block->length, uri, uri_length);
  memcpy(method_of(r), hop.method, method);
  timings_write(timings_of(r), x->response.hops);
  userdata_set(L, TYPE_RESPONSE);
  return r;
}

void response_push (lua_State *L, const struct exchange *x) {
  const struct buffer *body;
  if (!x || x->response.failure != FAILURE_NONE) {
    lua_pushnil(L);
    return;
  }
  body = &x->response.body;
  if (body->length <= SMALL_BODY) {
    struct response_data *r = new_response(L, x, body->length);
    copy(body_of(r), body);
    return;
  }
  calm_push(L, body->data, body->length);
  response_push_with(L, x);
  lua_remove(L, -2);
}

void response_push_with (lua_State *L, const struct exchange *x) {
  size_t length = (size_t)lua_rawlen(L, -1);
  new_response(L, x, 0)->body_length = length;
  lua_pushvalue(L, -2);
  compat_setslot(L, -2, RESPONSE_BODY);
}

static void push_body (lua_State *L, int index, struct response_data *r) {
  if (compat_getslot(L, index, RESPONSE_BODY) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_pushlstring(L, body_of(r), r->body_length);
}

static void push_uri (lua_State *L, const struct response_data *r) {
  lua_pushlstring(L, r->texts + r->block_length, r->uri_length);
}

/*
** True for lines that identify the user, which no script needs and no log may show: cookies, and DataSnap's
** session.
*/
static bool is_secret (const struct header_line *line) {
  static const char *const names[] = {"set-cookie", "set-cookie2"}, session[] = "dssession=";
  size_t i;
  if (line->name_length == 6 && ascii_same_start(line->name, "pragma", 6) &&
      memmem(line->value, line->value_length, session, sizeof session - 1))
    return true;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (line->name_length == strlen(names[i]) && ascii_same_start(line->name, names[i], line->name_length))
      return true;
  return false;
}

/* Pushes the line's name in lower case. False: the name is too long; pushes nothing. */
static bool push_name (lua_State *L, const struct header_line *line) {
  char name[256];
  size_t i;
  if (line->name_length >= sizeof name) return false;
  for (i = 0; i < line->name_length; i++)
    name[i] = ascii_lower(line->name[i]);
  lua_pushlstring(L, name, line->name_length);
  return true;
}

/*
** Adds the value on top to the name at `name`, whose first value or list of values is below it. Leaves the
** list.
*/
static void add_value (lua_State *L, int name) {
  if (lua_type(L, -2) == LUA_TSTRING) {
    lua_createtable(L, 4, 0);
    lua_rotate(L, -3, 1);
    lua_insert(L, -2);
    lua_rawseti(L, -3, 1);
    lua_pushvalue(L, name);
    lua_pushvalue(L, -3);
    lua_rawset(L, name - 1);
  }
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* Adds the line's value to those of its name in the table on top. */
static void add_line (lua_State *L, const struct header_line *line) {
  int table = lua_gettop(L);
  if (is_secret(line) || !push_name(L, line)) return;
  lua_pushvalue(L, -1);
  if (lua_rawget(L, table) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushlstring(L, line->value, line->value_length);
    lua_rawset(L, table);
    return;
  }
  lua_pushlstring(L, line->value, line->value_length);
  add_value(L, table + 1);
  lua_settop(L, table);
}

/* Replaces the list of values on top by their text, joined as RFC 9110 says. */
static void join (lua_State *L) {
  int list = lua_gettop(L);
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, list);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (i = 1; i <= n; i++) {
    if (i > 1) luaL_addstring(&b, ", ");
    lua_rawgeti(L, list, i);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
  lua_replace(L, list);
}

/* Pushes a table: name in lower case -> value. */
static void push_headers (lua_State *L, int index, const struct response_data *r) {
  size_t at = 0;
  struct header_line line;
  int table;
  if (compat_getslot(L, index, RESPONSE_HEADERS) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  table = lua_gettop(L);
  while (header_next(r->texts, r->block_length, &at, &line))
    add_line(L, &line);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (lua_istable(L, -1)) {
      join(L);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, table);
    } else
      lua_pop(L, 1);
  }
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

static void push_timings (lua_State *L, struct response_data *r) {
  struct hop last = r->hop;
  last.method = method_of(r);
  timings_push(L, &last, r->texts + r->block_length, r->uri_length, timings_of(r), r->timings_size);
}

/*
** Returns the body's value, or nil and a message. The response is the upvalue, so r:json() and r.json() both
** work.
*/
static int response_json (lua_State *L) {
  push_body(L, lua_upvalueindex(1), lua_touserdata(L, lua_upvalueindex(1)));
  if (json_decode(L)) return 1;
  luaL_pushfail(L);
  lua_insert(L, -2);
  return 2;
}

static bool is_of_streams (const char *key) {
  return !strcmp(key, "chunks") || !strcmp(key, "lines");
}

static int response_index (lua_State *L) {
  struct response_data *r = userdata_check(L, 1, TYPE_RESPONSE);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (!strcmp(key, "status"))
    lua_pushinteger(L, r->hop.status);
  else if (!strcmp(key, "ok"))
    lua_pushboolean(L, r->hop.status >= 200 && r->hop.status < 300);
  else if (!strcmp(key, "body"))
    push_body(L, 1, r);
  else if (!strcmp(key, "headers"))
    push_headers(L, 1, r);
  else if (!strcmp(key, "uri"))
    push_uri(L, r);
  else if (!strcmp(key, "timing"))
    push_timing(L, &r->timing);
  else if (!strcmp(key, "timings"))
    push_timings(L, r);
  else if (!strcmp(key, "attempts"))
    lua_pushinteger(L, r->attempts ? r->attempts : 1);
  else if (!strcmp(key, "json")) {
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, response_json, 1);
  } else {
    static const char *const names[] = {"status", "ok",      "body",     "headers", "uri",
                                        "timing", "timings", "attempts", "json",    NULL};
    lua_newtable(L);
    fields_add(L, names);
    return fields_missing(L, "a response", is_of_streams(key) ? "give the request stream = true" : NULL);
  }
  return 1;
}

static int response_tostring (lua_State *L) {
  struct response_data *r = userdata_check(L, 1, TYPE_RESPONSE);
  push_uri(L, r);
  lua_pushfstring(L, RESPONSE_TYPE ": HTTP %d, %I bytes from %s", (int)r->hop.status,
                  (LUAI_UACINT)r->body_length, lua_tostring(L, -1));
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
  timings_register(L);
  userdata_new(L, TYPE_RESPONSE, RESPONSE_TYPE);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
}
