#include "session/request_body.h"

#include "net/form.h"
#include "runtime/json.h"
#include "runtime/loop.h"
#include "runtime/options.h"

#include <string.h>

static const struct {
  const char *option;
  int kind;
} kinds[] = {
    {"body", BODY_TEXT},     {"json", BODY_JSON},       {"form", BODY_FORM},
    {"bodyFile", BODY_FILE}, {"multipart", BODY_PARTS},
};

enum { PLAIN_KINDS = 3, KINDS = sizeof kinds / sizeof *kinds };

/* Pushes the value of the option that the table has; nil: of none. Raises if it has several. */
static int push_value (lua_State *L, int index, int count) {
  int kind = BODY_NONE;
  lua_pushnil(L);
  for (int i = 0; i < count; i++) {
    if (lua_getfield(L, index, kinds[i].option) == LUA_TNIL) {
      lua_pop(L, 1);
      continue;
    }
    if (kind != BODY_NONE)
      luaL_error(L,
                 "request: expected one of the options 'body', 'bodyFile', 'form', 'json' and 'multipart'");
    kind = kinds[i].kind;
    lua_replace(L, -2);
  }
  return kind;
}

/* Replaces the value on top by what a function of the Lua layer makes of it. Raises. */
static void convert (lua_State *L, const char *hook, const char *argument) {
  loop_hook(L, hook);
  lua_insert(L, -2);
  if (argument) {
    lua_pushstring(L, argument);
    lua_insert(L, -2);
  }
  lua_call(L, argument ? 2 : 1, 1);
}

/* Replaces the value on top by the body that it stands for. Raises. */
static void prepare (lua_State *L, struct request_body *body) {
  switch (body->kind) {
  case BODY_JSON:
    if (!json_encode(L)) luaL_error(L, "request: option 'json': %s", lua_tostring(L, -1));
    break;
  case BODY_FORM: convert(L, "encodeParameters", "request: option 'form'"); break;
  case BODY_PARTS: convert(L, "multipartParts", NULL); break;
  case BODY_FILE:
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "request: option 'bodyFile': expected a path, got %s", luaL_typename(L, -1));
    if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
      luaL_error(L, "request: option 'bodyFile': the path holds a NUL byte");
    break;
  case BODY_TEXT:
    if (lua_isfunction(L, -1))
      body->kind = BODY_FUNCTION;
    else if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "request: option 'body': expected a string or a function, got %s", luaL_typename(L, -1));
    break;
  default: break;
  }
}

/* The options that go with a function. */
static void read_function (lua_State *L, int index, struct request_body *body) {
  int type = lua_getfield(L, index, "rewind");
  if (type != LUA_TNIL && type != LUA_TFUNCTION)
    luaL_error(L, "request: option 'rewind': expected a function, got %s", luaL_typename(L, -1));
  body->rewinds = type == LUA_TFUNCTION;
  type = lua_getfield(L, index, "bodyLength");
  if (type != LUA_TNIL && (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0))
    luaL_error(L, "request: option 'bodyLength': expected a number of bytes, an integer of 0 or more");
  body->length = type == LUA_TNIL ? -1 : (double)lua_tointeger(L, -1);
  if (body->kind != BODY_FUNCTION && (body->rewinds || body->length >= 0))
    luaL_error(L, "request: option '%s' needs a function in option 'body'",
               body->rewinds ? "rewind" : "bodyLength");
  lua_pop(L, 2);
}

void request_body_read (lua_State *L, int index, bool flows, struct request_body *body) {
  memset(body, 0, sizeof *body);
  body->kind = push_value(L, index, flows ? KINDS : PLAIN_KINDS);
  body->length = -1;
  prepare(L, body);
  body->index = lua_gettop(L);
  if (flows) read_function(L, index, body);
}

const char *request_body_type (const struct request_body *body) {
  if (body->kind == BODY_JSON) return "application/json; charset=utf-8";
  return body->kind == BODY_FORM ? FORM_TYPE : NULL;
}

/* The field of the part on top, which keeps it. NULL: it has none. */
static const char *field (lua_State *L, const char *name, size_t *length) {
  const char *text;
  lua_getfield(L, -1, name);
  text = lua_tolstring(L, -1, length);
  lua_pop(L, 1);
  return text;
}

/* Arguments: the upload (light userdata), the array of parts. Called by pcall: field names are allocated. */
static int add_parts (lua_State *L) {
  struct upload *u = lua_touserdata(L, 1);
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, 2);
  for (i = 1; i <= n; i++) {
    struct upload_part part = {.name = NULL};
    lua_rawgeti(L, 2, i);
    part.name = field(L, "name", NULL);
    part.path = field(L, "path", NULL);
    part.filename = field(L, "filename", NULL);
    part.type = field(L, "contentType", NULL);
    part.data = field(L, "data", &part.data_length);
    if (!upload_add(u, &part)) return luaL_error(L, "not enough memory");
    lua_pop(L, 1);
  }
  return 0;
}

static bool set_parts (lua_State *L, int index, struct upload *u) {
  lua_pushcfunction(L, add_parts);
  lua_pushlightuserdata(L, u);
  lua_pushvalue(L, index);
  return lua_pcall(L, 2, 0, 0) == LUA_OK;
}

static const char *set_upload (lua_State *L, const struct request_body *body, struct exchange *x) {
  enum upload_kind kind = body->kind == BODY_FILE    ? UPLOAD_FILE
                          : body->kind == BODY_PARTS ? UPLOAD_FORM
                                                     : UPLOAD_PIECES;
  struct upload_part part = {.name = NULL};
  struct upload *u = upload_new(x->request.body.memory, kind, (long long)body->length);
  x->request.upload = u;
  if (!u) return "not enough memory"; /* GCOVR_EXCL_LINE: seldom in a short run */
  u->repeatable = body->rewinds;
  if (kind == UPLOAD_FORM) return set_parts(L, body->index, u) ? NULL : "";
  part.path = lua_tostring(L, body->index);
  return kind == UPLOAD_PIECES || upload_add(u, &part) ? NULL : "not enough memory";
}

const char *request_body_set (lua_State *L, const struct request_body *body, struct exchange *x) {
  size_t length;
  const char *text;
  x->request.has_body = body->kind != BODY_NONE;
  if (body->kind >= BODY_FILE) return set_upload(L, body, x);
  text = lua_tolstring(L, body->index, &length);
  if (!text || buffer_add(&x->request.body, text, length) == BUFFER_OK) return NULL;
  return "request: option 'body' is too large for the memory at hand";
}
