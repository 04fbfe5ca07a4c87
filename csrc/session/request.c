/* request: any request of the user's, sent as the session. */
#include "session/request.h"

#include "net/ascii.h"
#include "runtime/duration.h"
#include "runtime/error.h"
#include "runtime/options.h"
#include "runtime/response.h"
#include "session/active_session.h"
#include "session/exchange.h"
#include "session/flow.h"
#include "session/on_open_request.h"
#include "session/operation.h"
#include "session/protocol.h"
#include "session/reconnect.h"
#include "session/request_body.h"
#include "session/request_headers.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/verbs.h"
#include "session/verdict.h"

#include <stdint.h>
#include <string.h>

static const char *const known_options[] = {
    "method",  "path",         "uri",        "headers",         "body",  "json", "form", "query",
    "timeout", "stallTimeout", "idempotent", "maxResponseSize", "retry", NULL};

/* The options of requests whose bodies flow, or that report their progress. */
static const char *const flow_options[] = {"bodyFile", "bodyLength", "multipart",  "rewind", "saveTo",
                                           "resume",   "stream",     "onProgress", NULL};

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", NULL};

static const char *check_method (lua_State *L, int index, const struct request_body *body) {
  const char *name = options_string(L, index, "method", NULL);
  const char *const *known = methods;
  if (!name) name = body->kind == BODY_NONE ? "GET" : "POST";
  while (*known && !ascii_same(*known, name))
    known++;
  if (!*known)
    luaL_error(L,
               "request: option 'method': expected GET, HEAD, POST, PUT, DELETE, PATCH or OPTIONS, got '%s'",
               name);
  lua_pop(L, 1);
  return *known;
}

/* RFC 9110, 9.2.1: safe methods change nothing on the server. */
static bool is_safe (const char *method) {
  return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "OPTIONS");
}

/* Pushes a field of the defaults that the session at 1 has. */
static void push_default (lua_State *L, const char *name) {
  session_getvalue(L, 1, SESSION_DEFAULTS);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

/*
** The target with the parameters of option `query`, and, unless `s` is NULL, those of the session; they stay
** on the stack. Raises.
*/
static const char *add_query (lua_State *L, int index, const struct session *s, const char *target,
                              size_t *length) {
  bool none = lua_getfield(L, index, "query") == LUA_TNIL;
  if (none && !s) return target;
  loop_hook(L, "appendQuery");
  lua_pushlstring(L, target, *length);
  lua_pushvalue(L, -3);
  if (s)
    push_default(L, "query");
  else
    lua_pushnil(L);
  lua_call(L, 3, 1);
  return lua_tolstring(L, -1, length);
}

static struct uri *check_path (lua_State *L, int index, const struct session *s, const char *path,
                               size_t length) {
  struct uri *target;
  if (strlen(path) != length) luaL_error(L, "request: option 'path' holds a NUL byte");
  path = add_query(L, index, s->has_defaults ? s : NULL, path, &length);
  if (*path != '/') path = lua_pushfstring(L, "/%s", path);
  target = uri_append(s->service, path);
  if (!target) luaL_error(L, "request: option 'path': cannot be appended to serviceURI");
  return target;
}

/* Relative to serviceURI. Raises for a malformed one. */
static struct uri *resolve (lua_State *L, const struct session *s, const char *text, size_t length) {
  const char *why = uri_no_memory;
  struct uri *base = uri_append(s->service, "/");
  struct uri *target = base ? uri_resolve_kept(base, text, length, &why) : NULL;
  uri_release(base);
  if (!target) luaL_error(L, "request: option 'uri': the URI%s %s", options_push_uri(L, text, length), why);
  return target;
}

/* The session's defaults are for its own origin alone. */
static struct uri *check_uri (lua_State *L, int index, const struct session *s, const char *text,
                              size_t length) {
  bool defaults = false;
  if (s->has_defaults) {
    struct uri *target = resolve(L, s, text, length);
    defaults = uri_same_origin(s->service, target);
    uri_release(target);
  }
  text = add_query(L, index, defaults ? s : NULL, text, &length);
  return resolve(L, s, text, length);
}

/*
** The target: a path below serviceURI, with or without its first slash; or a uri, absolute or relative to
** serviceURI.
*/
static struct uri *check_target (lua_State *L, int index, const struct session *s) {
  size_t path_length, uri_length;
  const char *path = options_string(L, index, "path", &path_length);
  const char *text = options_string(L, index, "uri", &uri_length);
  if (!path == !text) luaL_error(L, "request: expected either option 'path' or option 'uri'");
  return path ? check_path(L, index, s, path, path_length) : check_uri(L, index, s, text, uri_length);
}

/* The options are at 2. */
static bool is_set (lua_State *L, const char *name) {
  bool set = lua_getfield(L, 2, name) != LUA_TNIL;
  lua_pop(L, 1);
  return set;
}

static void push_answer (lua_State *L, struct operation *op, const struct exchange *x,
                         const struct finding *found) {
  (void)op;
  verdict_push_info(L, x, found);
  lua_getfield(L, -1, "xhr");
  lua_insert(L, -2);
  error_push_result(L, RESULT_SUCCESS);
  lua_insert(L, -2);
}

static void answered (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_REQUEST, &found);
  if (op->inner) found.apart = true;
  verdict_conclude_with(L, op, x, &found, push_answer);
}

static struct uri *target_of (lua_State *L, struct session *s) {
  struct uri *uri = check_target(L, 2, s);
  return s->protocol->stamp && uri_same_origin(s->service, uri) ? s->protocol->stamp(s, uri) : uri;
}

/* 0: the session's limit. */
static size_t check_most (lua_State *L, int index) {
  double most = options_number(L, index, "maxResponseSize", 1, 0);
  return most < (double)(SIZE_MAX / 2) ? (size_t)most : SIZE_MAX / 2;
}

/* Pushes the headers that the options give, and those of the session's options; nil for what is not given. */
static void push_headers (lua_State *L, const struct session *s) {
  lua_getfield(L, 2, "headers");
  if (s->has_defaults)
    push_default(L, "headers");
  else
    lua_pushnil(L);
}

/*
** Adds the program's header lines, which push_headers has pushed at `given`. False: an error is on the stack.
*/
static bool set_headers (lua_State *L, const struct session *s, struct exchange *x, const char *type,
                         int given) {
  bool defaults = s->has_defaults && uri_same_origin(s->service, x->request.uri);
  if (!type && lua_isnil(L, given) && !defaults) return true;
  if (!defaults) {
    lua_pushnil(L);
    lua_replace(L, given + 1);
  }
  return request_headers_set(L, x, given + 1, type, given);
}

/* Nothing between the making of the exchange and the end may raise while nothing owns it. */
static struct exchange *describe (lua_State *L, struct session *s, bool flows) {
  struct request_body body;
  double timeout = duration_option(L, 2, "timeout", 0, 0),
         stall = duration_option(L, 2, "stallTimeout", 0, 0);
  request_body_read(L, 2, flows, &body);
  const char *method = check_method(L, 2, &body), *type = request_body_type(&body);
  bool twice = options_boolean(L, 2, "idempotent", is_safe(method));
  size_t most = check_most(L, 2);
  int given = lua_gettop(L) + 1;
  const char *wrong;
  struct exchange *x;
  push_headers(L, s);
  x = session_exchange(L, s, method, target_of(L, s));
  if (!x) {
    luaL_error(L, "not enough memory");
    return NULL; /* GCOVR_EXCL_LINE: luaL_error does not return */
  }
  x->request.timeout = timeout;
  x->request.stall_timeout = stall;
  x->request.once = !twice;
  x->request.most = most;
  wrong = request_body_set(L, &body, x);
  if (wrong || !set_headers(L, s, x, type, given)) {
    exchange_free(x);
    if (wrong && *wrong) luaL_error(L, "%s", wrong);
    options_raise(L);
  }
  if (s->protocol->carry && uri_same_origin(s->service, x->request.uri) && !s->protocol->carry(s, x)) {
    /* GCOVR_EXCL_START: out of memory; seldom in a short run */
    exchange_free(x);
    luaL_error(L, "not enough memory");
    /* GCOVR_EXCL_STOP */
  }
  return x;
}

/* Arguments: the session, the options. */
static int describe_protected (lua_State *L) {
  lua_pushlightuserdata(L, describe(L, lua_touserdata(L, 1), true));
  return 1;
}

/* The step of the operation's request, whose exchange is prepared for it. */
static operation_step prepare (const struct operation *op, struct exchange *x) {
  if (!op->flow) return answered;
  x->request.telling = op->session->protocol->telling;
  x->request.telling_type = op->session->protocol->telling_type;
  return flow_prepare(op->flow, x, answered);
}

/* Describes the request again, from the arguments that the operation keeps. */
static bool describe_again (lua_State *L, struct operation *op) {
  struct exchange *x;
  int top = lua_gettop(L);
  lua_pushcfunction(L, describe_protected);
  operation_push_session(L, op);
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_ARGUMENTS);
  lua_remove(L, -2);
  lua_call(L, 2, 1);
  x = lua_touserdata(L, -1);
  lua_settop(L, top);
  return operation_send(L, op, x, prepare(op, x));
}

/* Pushes a copy: the user may change the table meanwhile. */
static void push_arguments (lua_State *L, int options) {
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, options)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
}

/* Arguments as those of `start`. Pushes the flow of the request, or nil. */
static void push_flow (lua_State *L, const struct exchange *x) {
  const struct upload *u = x->request.upload;
  if (lua_toboolean(L, 7) || lua_isfunction(L, 5) || (u && u->kind == UPLOAD_PIECES))
    flow_new(L, 2, 5);
  else
    lua_pushnil(L);
}

/*
** Runs protected: the exchange has no owner while the operation is made. Arguments: session, options,
** exchange, inner, the function that takes the body or nil, the retry policy or NULL, and whether the options
** have one of flow_options.
*/
static int start (lua_State *L) {
  struct exchange **x = lua_touserdata(L, 3), *given;
  struct operation *op;
  const struct retry_policy *retry = lua_touserdata(L, 6);
  push_flow(L, *x);
  if (retry || reconnect_keeps_arguments(lua_touserdata(L, 1)))
    push_arguments(L, 2);
  else
    lua_pushnil(L);
  op = operation_new(L, 1, "request");
  op->inner = lua_toboolean(L, 4) ? L : NULL;
  if (op->session->phase == PHASE_INVALID) { /* the protocol's `sign` has ended it */
    session_refuses(L, op);
    return 1;
  }
  if (retry) operation_must(L, op, retry_attach(op, retry, (*x)->request.timeout, (*x)->request.transport));
  op->repeatable = !(*x)->request.once;
  lua_pushvalue(L, 9);
  compat_setslot(L, 10, OPERATION_ARGUMENTS);
  if (!lua_isnil(L, 8)) flow_join(L, 8, op);
  given = *x;
  *x = NULL;
  reconnect_begin_with(L, op, given, prepare(op, given), describe_again);
  lua_settop(L, 10);
  return 1;
}

static void check_progress (lua_State *L) {
  int type = lua_getfield(L, 2, "onProgress");
  if (type != LUA_TNIL && type != LUA_TFUNCTION)
    luaL_error(L, "request: option 'onProgress': expected a function, got %s", luaL_typename(L, -1));
  lua_pop(L, 1);
}

/* True if the Lua layer makes the request, and takes the body as it comes. */
static bool is_for_lua (lua_State *L, int sink) {
  return !lua_isfunction(L, sink) && (is_set(L, "saveTo") || is_set(L, "stream") || is_set(L, "resume"));
}

static int request_by_lua (lua_State *L, bool inner) {
  if (inner)
    luaL_error(L, "request: a request of a protocol takes no option 'saveTo' and no option 'stream'");
  loop_hook(L, "requestBody");
  lua_insert(L, 1);
  lua_settop(L, 3);
  lua_call(L, 2, 1);
  return 1;
}

/* Arguments: the session, the options, and the function that takes the body or nil. */
static int request (lua_State *L, struct session *s, bool inner) {
  struct exchange *x;
  struct retry_policy own;
  const struct retry_policy *retry;
  bool flows;
  lua_settop(L, 3);
  flows = options_check_more(L, 2, "request", known_options, flow_options, 0);
  if (flows && is_for_lua(L, 3)) return request_by_lua(L, inner);
  if (flows) check_progress(L);
  session_lapse(L, 1);
  if (s->phase == PHASE_INVALID || (s->closing && !inner)) {
    session_refuses(L, operation_new(L, 1, "request"));
    lua_settop(L, 4);
    return 1;
  }
  retry = retry_of_request(L, 2, inner ? NULL : s->retry, &own);
  x = describe(L, s, flows);
  lua_settop(L, 3);
  lua_pushcfunction(L, start);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushlightuserdata(L, &x);
  lua_pushboolean(L, inner);
  lua_pushvalue(L, 3);
  lua_pushlightuserdata(L, (void *)retry);
  lua_pushboolean(L, flows);
  if (lua_pcall(L, 7, 1, 0) != LUA_OK) {
    exchange_free(x);
    return lua_error(L);
  }
  exchange_free(x);
  return 1;
}

int session_request (lua_State *L) {
  struct session *s = session_check(L, 1);
  session_touch(s);
  lua_settop(L, 2);
  return request(L, s, false);
}

int session_request_flow (lua_State *L) {
  luaL_checktype(L, 3, LUA_TFUNCTION);
  return request(L, session_check(L, 1), false);
}

int session_request_within (lua_State *L) {
  lua_settop(L, 2);
  return request(L, session_check(L, 1), true);
}
