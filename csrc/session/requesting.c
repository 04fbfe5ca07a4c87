/* request: any request of the user's, sent as the session. */
#include "json.h"
#include "options.h"
#include "protocol.h"
#include "response.h"

#include <string.h>

static const char *const known_options[] = {"method", "path",    "uri",          "headers", "body",
                                            "json",   "timeout", "stallTimeout", NULL};

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", NULL};

static const char *check_method (lua_State *L, int index) {
  const char *name = options_string(L, index, "method", NULL);
  const char *const *known = methods;
  if (!name) {
    lua_getfield(L, index, "body");
    lua_getfield(L, index, "json");
    name = lua_isnil(L, -1) && lua_isnil(L, -2) ? "GET" : "POST";
    lua_pop(L, 2);
  }
  while (*known && !curl_strequal(*known, name))
    known++;
  if (!*known)
    luaL_error(L,
               "request: option 'method': expected GET, HEAD, POST, PUT, DELETE, PATCH or OPTIONS, got '%s'",
               name);
  lua_pop(L, 1);
  return *known;
}

/* A path is below serviceURI, with or without its first slash; a uri may be absolute, or relative to serviceURI. */
static struct uri *check_target (lua_State *L, int index, const struct session *s) {
  size_t path_length, uri_length;
  const char *path = options_string(L, index, "path", &path_length), *why = "";
  const char *text = options_string(L, index, "uri", &uri_length);
  struct uri *base, *target;
  if (!path == !text) luaL_error(L, "request: expected either option 'path' or option 'uri'");
  if (path && strlen(path) != path_length) luaL_error(L, "request: option 'path' holds a NUL byte");
  if (path) {
    if (*path != '/') path = lua_pushfstring(L, "/%s", path);
    target = uri_append(s->service, path);
    if (!target) luaL_error(L, "request: option 'path': not a path that can be put behind serviceURI");
    return target;
  }
  base = uri_append(s->service, "/");
  target = base ? uri_resolve(base, text, uri_length, &why) : NULL;
  uri_release(base);
  if (!target) luaL_error(L, "request: option 'uri': the URI %s", why);
  return target;
}

/* Leaves the body on the stack, or nil. */
static const char *check_body (lua_State *L, int index, size_t *length) {
  const char *body = options_string(L, index, "body", length);
  if (lua_getfield(L, index, "json") == LUA_TNIL) {
    lua_pop(L, 1);
    return body;
  }
  if (body) luaL_error(L, "request: expected option 'body' or option 'json', not both");
  if (!json_encode(L)) luaL_error(L, "request: option 'json': %s", lua_tostring(L, -1));
  lua_remove(L, -2);
  return lua_tolstring(L, -1, length);
}

static void check_header (lua_State *L, enum header_result result, const char *name) {
  if (result == HEADER_BAD_NAME) luaL_error(L, "request: option 'headers': '%s' is not a header name", name);
  if (result == HEADER_BAD_VALUE)
    luaL_error(L, "request: option 'headers': the value of '%s' holds a line break or NUL", name);
  if (result == HEADER_NO_MEMORY) luaL_error(L, "not enough memory");
}

/* A different word of the user's would let one request be read as two. */
const char *session_framing (const char *name) {
  static const char *const names[] = {"Content-Length", "Transfer-Encoding"};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (curl_strequal(names[i], name)) return names[i];
  return NULL;
}

/* A name and its value are on top, the latter popped. */
static void add_header (lua_State *L, struct header_list *lines) {
  size_t name_length, length;
  const char *name, *value;
  if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
    luaL_error(L, "request: option 'headers': expected names and values that are strings");
  name = lua_tolstring(L, -2, &name_length);
  value = lua_tolstring(L, -1, &length);
  if (session_framing(name))
    luaL_error(L, "request: option 'headers': '%s' follows from the body", session_framing(name));
  check_header(L, header_list_set(lines, name, name_length, value, length), name);
  lua_pop(L, 1);
}

/* Arguments: the list (light userdata), the options. Under pcall, since a list must not be lost to an error. */
static int add_headers (lua_State *L) {
  struct header_list *lines = lua_touserdata(L, 1);
  if (lua_getfield(L, 2, "json") != LUA_TNIL)
    check_header(L, header_list_set(lines, "Content-Type", 12, "application/json; charset=utf-8", 31),
                 "Content-Type");
  if (lua_getfield(L, 2, "headers") == LUA_TNIL) return 0;
  if (!lua_istable(L, -1))
    return luaL_error(L, "request: option 'headers': expected a table, got %s", luaL_typename(L, -1));
  lua_pushnil(L);
  while (lua_next(L, -2))
    add_header(L, lines);
  return 0;
}

/* The exchange's header list, with the user's lines; false, and the error on the stack. */
static bool set_headers (lua_State *L, const struct session *s, struct exchange *x) {
  struct header_list *lines =
      x->request.headers ? header_list_copy(x->request.headers) : header_list_new(&s->loop->memory);
  if (!lines) {
    lua_pushliteral(L, "not enough memory");
    return false;
  }
  header_list_release(x->request.headers);
  x->request.headers = lines;
  lua_pushcfunction(L, add_headers);
  lua_pushlightuserdata(L, lines);
  lua_pushvalue(L, 2);
  return lua_pcall(L, 2, 0, 0) == LUA_OK;
}

static bool is_set (lua_State *L, const char *name) {
  bool set = lua_getfield(L, 2, name) != LUA_TNIL;
  lua_pop(L, 1);
  return set;
}

static void answered (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  finding_judge(L, op, x, PURPOSE_REQUEST, &found);
  finding_apply(L, op, &found);
  if (found.verdict == VERDICT_ALIVE) {
    finding_push_info(L, x, &found);
    lua_getfield(L, -1, "xhr");
    lua_insert(L, -2);
    error_push_result(L, RESULT_SUCCESS);
    lua_insert(L, -2);
    operation_resolve(L, op);
    return;
  }
  finding_push_error(L, x, &found);
  lua_getfield(L, -1, "info");
  lua_getfield(L, -1, "xhr");
  lua_setfield(L, -3, "response");
  lua_pop(L, 1);
  operation_reject(L, op);
}

/* Only the session's own server gets a _ts. */
static struct uri *target_of (lua_State *L, struct session *s) {
  struct uri *uri = check_target(L, 2, s);
  return uri_same_origin(s->service, uri) ? session_stamp(s, uri) : uri;
}

static struct exchange *describe (lua_State *L, struct session *s) {
  double timeout = options_number(L, 2, "timeout", 0, 0), stall = options_number(L, 2, "stallTimeout", 0, 0);
  const char *method = check_method(L, 2);
  bool lines = is_set(L, "headers") || is_set(L, "json");
  size_t length;
  const char *body = check_body(L, 2, &length);
  struct exchange *x = session_exchange(L, s, method, target_of(L, s));
  if (!x) {
    luaL_error(L, "not enough memory");
    return NULL;
  }
  x->request.timeout = timeout;
  x->request.stall_timeout = stall;
  x->request.has_body = body != NULL;
  if (body && buffer_add(&x->request.body, body, length) != BUFFER_OK) {
    exchange_free(x);
    luaL_error(L, "request: option 'body' is too large for the memory at hand");
  }
  if (lines && !set_headers(L, s, x)) {
    exchange_free(x);
    lua_error(L);
  }
  return x;
}

/* Sent by hand-over: the exchange belongs to nobody while the operation is made. */
static int start (lua_State *L) {
  struct exchange **x = lua_touserdata(L, 2);
  struct operation *op = operation_new(L, 1, "request");
  struct exchange *given = *x;
  *x = NULL;
  operation_must(L, op, operation_send(L, op, given, answered));
  return 1;
}

int session_request (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct exchange *x;
  lua_settop(L, 2);
  options_check(L, 2, "request", known_options, NULL);
  if (s->phase == PHASE_INVALID) {
    operation_refuse(L, operation_new(L, 1, "request"), "closed", RESULT_GENERAL_FAILURE,
                     "the session was invalidated: make a new one");
    lua_settop(L, 3);
    return 1;
  }
  x = describe(L, s);
  lua_settop(L, 1);
  lua_pushcfunction(L, start);
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, &x);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    exchange_free(x);
    return lua_error(L);
  }
  return 1;
}
