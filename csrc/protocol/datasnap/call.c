/*
** call: calls of a DataSnap server's methods, single or in batches, and access to its cache of results. Each
** is one exchange. It is described when the user calls, and kept as text for a second attempt.
*/
#include "net/ascii.h"
#include "protocol/datasnap/datasnap.h"
#include "runtime/duration.h"
#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/options.h"
#include "session/protocol.h"

#include <string.h>

static const char *const verbs[] = {"GET", "PUT", "POST", "DELETE", NULL};

/* The fields of an operation in the table OPERATION_ARGUMENTS. */
enum {
  KEPT_URL = 1,
  KEPT_BODY, /* a text; for a body that a flow gives a table */
  KEPT_ACCEPT,
  KEPT_VERB,
  KEPT_VALUE,
  KEPT_LENGTH, /* of that body; nil: not known */
  KEPT_REWINDS /* true: it can begin again */
};

/* How an operation reads the body of its response. */
enum {
  STAGE_RESULT,    /* as the value */
  STAGE_HANGING,   /* the same; the server responds when it likes */
  STAGE_NO_RESULT, /* not at all */
  STAGE_BYTES      /* as a stream: a string */
};

/* Options. Each function reads the table at `options`, which may be nil. */

static enum datasnap_verb verb_option (lua_State *L, int options, const char *what) {
  const char *name;
  int i = 0;
  if (lua_isnoneornil(L, options)) return DATASNAP_GET;
  name = options_string(L, options, "verb", NULL);
  if (!name) name = "GET";
  while (verbs[i] && !ascii_same(verbs[i], name))
    i++;
  if (!verbs[i]) luaL_error(L, "%s: option 'verb': expected GET, PUT, POST or DELETE, got '%s'", what, name);
  lua_pop(L, 1);
  return (enum datasnap_verb)i;
}

/* Leaves the filters, or nil. */
static int push_filters (lua_State *L, int options, const char *what) {
  if (lua_isnoneornil(L, options))
    lua_pushnil(L);
  else if (lua_getfield(L, options, "filters") != LUA_TNIL && !lua_istable(L, -1))
    luaL_error(L, "%s: option 'filters': expected a table, got %s", what, luaL_typename(L, -1));
  return lua_gettop(L);
}

/* Leaves the header's value or nil. */
static void push_accept (lua_State *L, int options, const char *what) {
  size_t length;
  const char *text;
  if (lua_isnoneornil(L, options)) {
    lua_pushnil(L);
    return;
  }
  text = options_string(L, options, "accept", &length);
  if (text && (!length || !header_is_value(text, length)))
    luaL_error(L, "%s: option 'accept': expected the value of a header", what);
}

static void check_arguments (lua_State *L) {
  luaL_checktype(L, 2, LUA_TSTRING);
  luaL_checktype(L, 3, LUA_TSTRING);
  if (!lua_isnoneornil(L, 5)) luaL_checktype(L, 5, LUA_TTABLE);
  lua_settop(L, 5);
}

/* Sending */

/* Pushes what `op` keeps under `which`, and keeps it there. NULL: nothing. */
static const char *push_kept (lua_State *L, struct operation *op, int which, size_t *length) {
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_ARGUMENTS);
  lua_rawgeti(L, -1, which);
  lua_replace(L, -3);
  lua_pop(L, 1);
  *length = 0;
  return lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, length) : NULL;
}

static bool set_accept (struct exchange *x, const char *value, size_t length) {
  struct header_list *lines = header_list_copy(x->request.headers);
  if (!lines) return false;
  header_list_release(x->request.headers);
  x->request.headers = lines;
  return header_list_set(lines, "Accept", 6, value, length) == HEADER_OK;
}

/* The flow of `op` gives the body. */
static bool set_stream (lua_State *L, struct operation *op, struct exchange *x) {
  size_t length;
  push_kept(L, op, KEPT_REWINDS, &length);
  push_kept(L, op, KEPT_LENGTH, &length);
  x->request.upload = upload_new(x->request.body.memory, UPLOAD_PIECES,
                                 lua_isnil(L, -1) ? -1 : (long long)lua_tointeger(L, -1));
  x->request.has_body = true;
  if (x->request.upload) x->request.upload->repeatable = lua_toboolean(L, -2);
  lua_pop(L, 2);
  return x->request.upload != NULL;
}

static bool fill (lua_State *L, struct operation *op, struct exchange *x) {
  size_t length;
  const char *text = push_kept(L, op, KEPT_BODY, &length);
  bool streams = lua_istable(L, -1);
  bool ok = !text || buffer_add(&x->request.body, text, length) == BUFFER_OK;
  x->request.once = !op->repeatable;
  x->request.hangs = op->stage == STAGE_HANGING;
  x->request.has_body = text != NULL;
  text = push_kept(L, op, KEPT_ACCEPT, &length);
  ok = ok && (!text || set_accept(x, text, length));
  lua_pop(L, 2);
  return ok && (!streams || set_stream(L, op, x));
}

static struct exchange *describe (lua_State *L, struct operation *op) {
  size_t length;
  const char *url = push_kept(L, op, KEPT_URL, &length), *why;
  struct uri *uri = url ? uri_parse(&op->session->loop->memory, url, length, &why) : NULL;
  struct exchange *x;
  push_kept(L, op, KEPT_VERB, &length);
  x = session_exchange(L, op->session, verbs[lua_tointeger(L, -1)], uri);
  if (x && fill(L, op, x)) return x;
  exchange_free(x);
  return NULL;
}

static bool is_empty (lua_State *L, int table) {
  bool empty;
  lua_pushnil(L);
  empty = !lua_next(L, table);
  lua_settop(L, table);
  return empty;
}

/* Replaces the list on top by the string of its bytes. False: it is no list of bytes, and stays. */
static bool to_string (lua_State *L) {
  int list = lua_gettop(L);
  lua_Integer i, n;
  luaL_Buffer b;
  if (!lua_istable(L, list)) return false;
  n = (lua_Integer)lua_rawlen(L, list);
  if (!n && !is_empty(L, list)) return false; /* an object */
  luaL_buffinit(L, &b);
  for (i = 1; i <= n; i++) {
    lua_Integer byte = lua_rawgeti(L, list, i) == LUA_TNUMBER ? lua_tointeger(L, -1) : -1;
    lua_pop(L, 1);
    if (byte < 0 || byte > 255) break;
    luaL_addchar(&b, (char)byte);
  }
  luaL_pushresult(&b);
  if (i <= n) {
    lua_pop(L, 1);
    return false;
  }
  lua_replace(L, list);
  return true;
}

/*
** Pushes the bytes of a stream: the body, or the list in `result` that newer servers send. False: it is
** neither.
*/
static bool push_bytes (lua_State *L, const struct exchange *x) {
  int top = lua_gettop(L);
  if (!datasnap_push_value(L, x)) return false;
  if (lua_type(L, -1) == LUA_TSTRING) return true;
  if (lua_istable(L, -1) && lua_getfield(L, -1, "result") == LUA_TTABLE) {
    if (to_string(L)) return true;
    if (lua_rawlen(L, -1) == 1 && lua_rawgeti(L, -1, 1) == LUA_TTABLE && to_string(L)) return true;
  }
  lua_settop(L, top);
  lua_pushlstring(L, x->response.body.data ? x->response.body.data : "", x->response.body.length);
  return !x->response.body.length || !datasnap_says_json(x);
}

/*
** Pushes the value that the user gets: `result` of an envelope; the envelope's other fields go into the info
** on top.
*/
static void push_result (lua_State *L, struct operation *op) {
  static const char *const names[] = {"cacheId", "cmdIndex"};
  size_t i, length;
  int info = lua_gettop(L);
  push_kept(L, op, KEPT_VALUE, &length);
  if (op->stage > STAGE_HANGING || !lua_istable(L, -1) || lua_getfield(L, -1, "result") == LUA_TNIL) {
    lua_settop(L, info + 1);
    return;
  }
  for (i = 0; i < sizeof names / sizeof *names; i++) {
    lua_getfield(L, info + 1, names[i]);
    lua_setfield(L, info, names[i]);
  }
  lua_replace(L, info + 1);
}

static void push_answer (lua_State *L, struct operation *op, const struct exchange *x,
                         const struct finding *found) {
  verdict_push_info(L, x, found);
  push_result(L, op);
  lua_insert(L, -2);
  error_push_result(L, RESULT_SUCCESS);
  lua_insert(L, -2);
}

/*
** Keeps the value of a good response, so that it is decoded once; blames a body of another type than the call
** expects.
*/
static void read_value (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found) {
  int top = lua_gettop(L);
  bool good = true;
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_ARGUMENTS);
  if (op->stage == STAGE_NO_RESULT)
    lua_pushboolean(L, true);
  else
    good = op->stage == STAGE_BYTES ? push_bytes(L, x) : datasnap_push_value(L, x);
  if (good)
    lua_rawseti(L, top + 2, KEPT_VALUE);
  else
    datasnap_blame_body(found, op->stage == STAGE_BYTES
                                   ? "the body is no stream of bytes"
                                   : "the body is declared as JSON but is not: it may be cut short");
  lua_settop(L, top);
}

static void answered (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  datasnap_judge_call(L, op, x, &found);
  if (op->stage == STAGE_HANGING && x->response.failure != FAILURE_NONE)
    found.apart = true; /* an idle connection was closed on the way: that says nothing of the session */
  if (found.verdict == VERDICT_ALIVE) read_value(L, op, x, &found);
  verdict_conclude_with(L, op, x, &found, push_answer);
}

static bool send_call (lua_State *L, struct operation *op) {
  int top = lua_gettop(L);
  struct exchange *x = describe(L, op);
  lua_settop(L, top);
  return operation_send(L, op, x, x && op->flow ? flow_prepare(op->flow, x, answered) : answered);
}

/* Keeps what a request needs to know of the body in the table on top, if a flow gives it. */
static void keep_stream (lua_State *L, int body) {
  if (!lua_istable(L, body)) return;
  lua_getfield(L, body, "bodyLength");
  lua_rawseti(L, -2, KEPT_LENGTH);
  lua_pushboolean(L, lua_getfield(L, body, "rewind") != LUA_TNIL);
  lua_rawseti(L, -3, KEPT_REWINDS);
  lua_pop(L, 1);
}

/*
** Pushes the promise of an operation on the session at 1. Pops the address, the body or nil, and Accept or
** nil, on top, which the operation keeps. `options` is the index of the call's options, or of nil.
*/
static struct operation *new_call (lua_State *L, const char *verb, enum datasnap_verb method, int options) {
  bool given = !lua_isnil(L, options);
  double limit = given ? duration_option(L, options, "timeout", 0, 0) : 0;
  bool twice = given && options_boolean(L, options, "idempotent", false);
  int base = lua_gettop(L) - 3, i;
  struct operation *op;
  lua_createtable(L, 4, 0);
  for (i = KEPT_URL; i <= KEPT_ACCEPT; i++) {
    lua_pushvalue(L, base + i);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, (lua_Integer)method);
  lua_rawseti(L, -2, KEPT_VERB);
  keep_stream(L, base + KEPT_BODY);
  op = operation_new(L, 1, verb);
  op->limit = limit;
  op->repeatable = twice;
  lua_pushvalue(L, -2);
  compat_setslot(L, -2, OPERATION_ARGUMENTS);
  lua_replace(L, base + 1);
  lua_settop(L, base + 1);
  return op;
}

static int start (lua_State *L, struct operation *op, bool (*first)(lua_State *, struct operation *)) {
  int promise = lua_gettop(L);
  if (!session_refuses(L, op)) reconnect_begin(L, op, first);
  lua_settop(L, promise);
  return 1;
}

/*
** Leaves the flow of a call, or nil: it gives the body on top, if that has streams, and reports the progress.
** The options of a body with streams take its place.
*/
static int push_flow (lua_State *L) {
  int body = lua_gettop(L);
  bool tells = !lua_isnil(L, 5) && lua_getfield(L, 5, "onProgress") != LUA_TNIL;
  if (tells && !lua_isfunction(L, -1))
    luaL_error(L, "invoke: option 'onProgress': expected a function, got %s", luaL_typename(L, -1));
  lua_settop(L, tells ? body + 1 : body);
  if (!tells) lua_pushnil(L);
  if (lua_istable(L, body)) {
    loop_hook(L, "streamBody");
    lua_pushvalue(L, body);
    lua_pushvalue(L, body + 1);
    lua_call(L, 2, 1);
    lua_replace(L, body);
    tells = true;
  }
  lua_pushnil(L);
  if (tells) flow_new(L, lua_istable(L, body) ? body : 5, body + 2);
  lua_replace(L, body + 1);
  lua_settop(L, body + 1);
  lua_insert(L, body - 1);
  return body - 1;
}

/* invoke(class, method, params, options) */
int datasnap_invoke (lua_State *L) {
  static const char *const known[] = {"verb",    "filters",    "accept",     "hasResult", "bytes",
                                      "timeout", "idempotent", "onProgress", NULL};
  const struct session *s = session_check(L, 1);
  enum datasnap_verb verb;
  struct operation *op;
  bool wanted = true, bytes = false;
  int flow;
  check_arguments(L);
  if (!lua_isnil(L, 5)) {
    options_check(L, 5, "invoke", known);
    wanted = options_boolean(L, 5, "hasResult", true);
    bytes = options_boolean(L, 5, "bytes", false);
  }
  verb = verb_option(L, 5, "invoke");
  datasnap_push_call(L, s, "invoke", verb, 2, 4, push_filters(L, 5, "invoke"), true);
  flow = push_flow(L);
  push_accept(L, 5, "invoke");
  op = new_call(L, "invoke", verb, 5);
  op->stage = !wanted ? STAGE_NO_RESULT : bytes ? STAGE_BYTES : STAGE_RESULT;
  if (!lua_isnil(L, flow)) flow_join(L, flow, op);
  return start(L, op, send_call);
}

/*
** hang(session, class, method, params): a POST to which the server responds when it likes. It is no call of
** the user's on the session.
*/
static int hang (lua_State *L) {
  const struct session *s = session_check(L, 1);
  struct operation *op;
  check_arguments(L);
  session_lapse(L, 1);
  lua_pushnil(L);
  datasnap_push_call(L, s, "channel", DATASNAP_POST, 2, 4, 6, false);
  lua_pushnil(L);
  op = new_call(L, "channel", DATASNAP_POST, 5);
  op->stage = STAGE_HANGING;
  return start(L, op, send_call);
}

/* Writes the byte in four characters: a comma or a blank, and the number after blanks. */
static void write_byte (char *to, unsigned byte, char before) {
  to[0] = before;
  to[1] = (char)(byte < 100 ? ' ' : '0' + byte / 100);
  to[2] = (char)(byte < 10 ? ' ' : '0' + byte / 10 % 10);
  to[3] = (char)('0' + byte % 10);
}

/*
** byteList(text, from, to, first): the bytes of a stream as elements of a JSON list, all of the same width.
** `first`: no comma stands before the first of them.
*/
static int byte_list (lua_State *L) {
  enum { WIDTH = 4 };
  lua_Integer from = luaL_checkinteger(L, 2);
  const char *text = luaL_checkstring(L, 1) + from - 1;
  size_t length = (size_t)(luaL_checkinteger(L, 3) - from + 1);
  luaL_Buffer b;
  char *at = luaL_buffinitsize(L, &b, length * WIDTH);
  for (size_t i = 0; i < length; i++)
    write_byte(at + i * WIDTH, (unsigned char)text[i], i || !lua_toboolean(L, 4) ? ',' : ' ');
  luaL_pushresultsize(&b, length * WIDTH);
  return 1;
}

void datasnap_register (lua_State *L) {
  lua_pushcfunction(L, hang);
  lua_setfield(L, -2, "hang");
  lua_pushcfunction(L, byte_list);
  lua_setfield(L, -2, "byteList");
}

int datasnap_channel (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 2);
  loop_hook(L, "channel");
  lua_insert(L, 1);
  lua_call(L, 2, 1);
  return 1;
}

/* getMethodURL(class, method, params, options): the address that invoke would call, and the body or nil. */
int datasnap_get_method_url (lua_State *L) {
  static const char *const known[] = {"verb", "filters", NULL};
  const struct session *s = session_check(L, 1);
  enum datasnap_verb verb;
  check_arguments(L);
  if (!lua_isnil(L, 5)) options_check(L, 5, "getMethodURL", known);
  verb = verb_option(L, 5, "getMethodURL");
  datasnap_push_call(L, s, "getMethodURL", verb, 2, 4, push_filters(L, 5, "getMethodURL"), false);
  return 2;
}

/* getURLPrefix([includeRest]) */
int datasnap_get_url_prefix (lua_State *L) {
  const struct session *s = session_check(L, 1);
  datasnap_push_prefix(L, s, lua_isnoneornil(L, 2) || lua_toboolean(L, 2));
  return 1;
}

/* The cache */

/* True if a session is held. Without an id the server would make an empty session, and not name it. */
static bool is_held (const struct session *s) {
  const struct datasnap *w = s->data;
  return w->id != NULL;
}

/* getCacheURL(suffix, includeSessionId): nil for a list. */
int datasnap_get_cache_url (lua_State *L) {
  const struct session *s = session_check(L, 1);
  if (lua_istable(L, 2)) {
    lua_pushnil(L);
    return 1;
  }
  if (lua_toboolean(L, 3)) session_lapse(L, 1);
  datasnap_push_cache(L, s, 2, lua_toboolean(L, 3));
  return 1;
}

/* Pushes the address of the cached item whose suffix is at 2. */
static void push_address (lua_State *L, const struct session *s) {
  const struct datasnap *w = s->data;
  const char *text, *why;
  struct uri *uri;
  size_t length;
  bool within;
  datasnap_push_cache(L, s, 2, false);
  text = lua_tolstring(L, -1, &length);
  uri = uri_parse(&s->loop->memory, text, length, &why);
  if (!uri) luaL_error(L, "cache: the address %s", why);
  within = uri_within(w->cache, uri);
  uri_release(uri);
  if (!within) luaL_error(L, "cache: the suffix leads out of the cache");
}

/* cache(suffix, options): an item of the server's cache; the verb DELETE removes it. */
int datasnap_cache (lua_State *L) {
  static const char *const known[] = {"verb", "accept", "bytes", "timeout", "idempotent", NULL};
  struct session *s = session_check(L, 1);
  enum datasnap_verb verb;
  struct operation *op;
  bool bytes;
  luaL_optstring(L, 2, NULL);
  if (!lua_isnoneornil(L, 3)) options_check(L, 3, "cache", known);
  lua_settop(L, 3);
  verb = verb_option(L, 3, "cache");
  if (verb != DATASNAP_GET && verb != DATASNAP_DELETE)
    luaL_error(L, "cache: option 'verb': expected GET or DELETE, got '%s'", verbs[verb]);
  session_touch(s);
  session_lapse(L, 1);
  push_address(L, s);
  lua_pushnil(L);
  push_accept(L, 3, "cache");
  bytes = !lua_isnil(L, 3) && options_boolean(L, 3, "bytes", false);
  op = new_call(L, "cache", verb, 3);
  op->stage = verb == DATASNAP_DELETE ? STAGE_NO_RESULT : bytes ? STAGE_BYTES : STAGE_RESULT;
  op->repeatable = op->repeatable || verb == DATASNAP_GET;
  if (s->phase != PHASE_INVALID && !s->closing && !s->reconnecting && !is_held(s)) {
    operation_refuse(L, op, s->phase == PHASE_EXPIRED ? "expired" : "auth", RESULT_GENERAL_FAILURE,
                     "there is no session, so its cache is empty");
    return 1;
  }
  return start(L, op, send_call);
}

/* Batches */

/* Sends the batch: the ping's response has named the session. */
static void begun (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_REQUEST, &found);
  if (found.verdict != VERDICT_ALIVE) {
    verdict_conclude_with(L, op, x, &found, push_answer);
    return;
  }
  verdict_apply(L, op, &found);
  op->epoch = op->session->epoch;
  operation_must(L, op, send_call(L, op));
}

/* A batch's response does not name the session, so a ping begins the session before it. */
static bool send_batch (lua_State *L, struct operation *op) {
  return is_held(op->session) ? send_call(L, op) : datasnap_ask_platform(L, op, begun);
}

/* batch(calls, options): several calls in one request, each with a response of its own. */
int datasnap_batch (lua_State *L) {
  static const char *const known[] = {"timeout", "idempotent", NULL};
  struct session *s = session_check(L, 1);
  const struct datasnap *w = s->data;
  struct operation *op;
  luaL_checktype(L, 2, LUA_TTABLE);
  if (!lua_isnoneornil(L, 3)) options_check(L, 3, "batch", known);
  lua_settop(L, 3);
  session_touch(s);
  session_lapse(L, 1);
  lua_pushfstring(L, "%s/", uri_text(w->batch));
  datasnap_push_batch(L, 2);
  lua_pushnil(L);
  op = new_call(L, "batch", DATASNAP_POST, 3);
  return start(L, op, send_batch);
}

bool datasnap_ask_platform (lua_State *L, struct operation *op, operation_step step) {
  struct session *s = op->session;
  const struct datasnap *w = s->data;
  return operation_send(
      L, op, session_exchange_brief(L, s, "GET", uri_append(w->rest, "/DSAdmin/GetPlatformName/")), step);
}
