#include "session/observer.h"

#include "net/ascii.h"
#include "net/system.h"
#include "runtime/loop.h"
#include "runtime/numbers.h"
#include "runtime/options.h"
#include "runtime/response.h"
#include "session/on_open_request.h"
#include "session/session.h"

#include <string.h>

static const char on_request[] = "onRequest", on_response[] = "onResponse";

/* A value that is not shown. */
static const char masked[] = "***";

/* The functions */

static enum session_value value_of (const char *name) {
  return strcmp(name, on_request) == 0 ? SESSION_ON_REQUEST : SESSION_ON_RESPONSE;
}

/* Pushes the function of that name for all sessions, or nil. */
static void push_common (lua_State *L, const char *name) {
  loop_table(L, LOOP_HOOKS);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

/*
** Pushes the function of that name for all sessions and that of the operation's session. False: both are nil.
*/
static bool push_functions (lua_State *L, const struct operation *op, const char *name) {
  push_common(L, name);
  if (op->session && op->session->has_observer) {
    operation_push_session(L, op);
    session_getvalue(L, -1, value_of(name));
    lua_remove(L, -2);
  } else
    lua_pushnil(L);
  return !lua_isnil(L, -1) || !lua_isnil(L, -2);
}

/* The table that describes a request */

/*
** False for the steps of a login and others that the session takes by itself: their bodies and queries may
** hold passwords, tokens and ids.
*/
static bool shows_bodies (const struct operation *op) {
  static const char *const verbs[] = {"request", "invoke", "addCatalog", "cache", "batch", "late reply"};
  size_t i = 0, count = sizeof verbs / sizeof *verbs;
  while (i < count && strcmp(verbs[i], op->verb) != 0)
    i++;
  return i < count && !op->inner;
}

static bool is_secret (const char *name, size_t length, const char *value, size_t value_length) {
  static const char *const names[] = {"authorization", "proxy-authorization", "cookie"};
  static const char session[] = "dssession=";
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (strlen(names[i]) == length && ascii_same_start(names[i], name, length)) return true;
  return length == 6 && ascii_same_start(name, "pragma", 6) &&
         memmem(value, value_length, session, sizeof session - 1);
}

/* Pushes the name in lower case. */
static void push_name (lua_State *L, const char *name, size_t length) {
  luaL_Buffer b;
  size_t i;
  luaL_buffinit(L, &b);
  for (i = 0; i < length; i++)
    luaL_addchar(&b, ascii_lower(name[i]));
  luaL_pushresult(&b);
}

/* The line is "Name: value"; of an empty value "Name:" or, for libcurl, "Name;". */
static void set_line (lua_State *L, const char *line, size_t size) {
  size_t length = strcspn(line, ":;"), at = length + 1;
  if (at < size) at++;
  push_name(L, line, length);
  if (is_secret(line, length, line + at, size - at))
    lua_pushstring(L, masked);
  else
    lua_pushlstring(L, line + at, size - at);
  lua_rawset(L, -3);
}

/* The list joins lines into texts with line breaks. */
static void set_lines (lua_State *L, const char *lines) {
  while (*lines) {
    size_t size = strcspn(lines, "\r");
    set_line(L, lines, size);
    lines += size;
    lines += strspn(lines, "\r\n");
  }
}

static void push_headers (lua_State *L, const struct exchange *x) {
  struct curl_slist *line = NULL;
  lua_newtable(L);
  if (x->request.headers && !header_list_lines(x->request.headers, &line)) luaL_error(L, "not enough memory");
  for (; line; line = line->next)
    set_lines(L, line->data);
  if (!x->request.credentials) return;
  lua_pushstring(L, masked);
  lua_setfield(L, -2, "authorization");
}

static void set_text (lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static void set_integer (lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* A body that is not in memory has no size yet, unless the program gave one. */
static void set_body (lua_State *L, const struct request *request, bool shows) {
  const struct upload *upload = request->upload;
  if (!upload)
    set_integer(L, "bodySize", (lua_Integer)request->body.length);
  else if (upload->kind == UPLOAD_PIECES && upload->size >= 0)
    set_integer(L, "bodySize", (lua_Integer)upload->size);
  if (upload || !shows || !request->has_body) return;
  lua_pushlstring(L, request->body.length ? request->body.data : "", request->body.length);
  lua_setfield(L, -2, "body");
}

static void push_request (lua_State *L, const struct operation *op, const struct exchange *x) {
  bool shows = shows_bodies(op);
  lua_createtable(L, 0, 10);
  set_text(L, "verb", op->verb);
  set_text(L, "method", x->request.method);
  set_text(L, "uri", shows ? uri_text(x->request.uri) : uri_public_text(x->request.uri));
  set_text(L, "publicURI", uri_public_text(x->request.uri));
  set_integer(L, "attempt", op->tries > 1 ? op->tries : 1);
  set_body(L, &x->request, shows);
  operation_push_owner(L, op);
  lua_setfield(L, -2, op->owner->field);
  push_headers(L, x);
  lua_setfield(L, -2, "headers");
}

/* Changes of header lines */

/* Raises for a name or a value that cannot be sent. */
static void check_line (lua_State *L, const char *function, enum header_result result, const char *name) {
  if (result == HEADER_BAD_NAME)
    luaL_error(L, "%s: '%s' is not a header name", function, options_push_name(L, name));
  if (result == HEADER_BAD_VALUE)
    luaL_error(L, "%s: the value of '%s' holds a line break or NUL", function, name);
  if (result == HEADER_NO_MEMORY) luaL_error(L, "not enough memory");
}

/* libcurl's own line would come back in place of the one that was taken away. */
static void drop_credentials (struct exchange *x, const char *name) {
  if (!ascii_same(name, "Authorization")) return;
  basic_auth_release(x->request.credentials);
  x->request.credentials = NULL;
}

/* A header line to be; value NULL: the line is to go. */
struct change {
  const char *name, *value;
  size_t name_length, value_length;
};

static void change_request (lua_State *L, struct exchange *x, const struct change *c) {
  struct header_list *lines = x->request.headers;
  if (session_framing(c->name))
    luaL_error(L, "onRequest: '%s' is computed from the body, leave it out", c->name);
  drop_credentials(x, c->name);
  if (c->value)
    check_line(L, on_request, header_list_set(lines, c->name, c->name_length, c->value, c->value_length),
               c->name);
  else
    header_list_remove(lines, c->name, c->name_length);
}

static void change_response (lua_State *L, struct exchange *x, const struct change *c) {
  check_line(L, on_response, exchange_change_header(x, c->name, c->name_length, c->value, c->value_length),
             c->name);
}

/* Applies the list { name, value or false, ... } on top. */
static void apply (lua_State *L, struct exchange *x,
                   void (*change)(lua_State *, struct exchange *, const struct change *)) {
  lua_Integer i, count = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i < count; i += 2) {
    struct change c = {0};
    lua_rawgeti(L, -1, i);
    lua_rawgeti(L, -2, i + 1);
    c.name = lua_tolstring(L, -2, &c.name_length);
    if (lua_toboolean(L, -1)) c.value = lua_tolstring(L, -1, &c.value_length);
    change(L, x, &c);
    lua_pop(L, 2);
  }
}

/* A pooled handle may share the list: a copy is changed. */
static void apply_to_request (lua_State *L, struct exchange *x) {
  struct header_list *lines;
  if (!lua_rawlen(L, -1)) return;
  lines =
      x->request.headers ? header_list_copy(x->request.headers) : header_list_new(engine_memory(x->engine));
  if (!lines) luaL_error(L, "not enough memory");
  header_list_release(x->request.headers);
  x->request.headers = lines;
  apply(L, x, change_request);
}

/* The calls */

/* Arguments: the promise, the exchange. */
static int call_request (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  struct exchange *x = lua_touserdata(L, 2);
  if (!push_functions(L, op, on_request)) return 0;
  loop_hook(L, "observeRequest");
  lua_insert(L, -3);
  push_request(L, op, x);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 5, 1);
  if (!op->over) apply_to_request(L, x);
  return 0;
}

/* Pushes the table that onRequest got for this exchange, or one like it. */
static void push_known_request (lua_State *L, const struct operation *op, const struct exchange *x) {
  loop_hook(L, "observedRequest");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  push_request(L, op, x);
}

/* Arguments: the promise, the exchange, true if the body is not to be shown. */
static int call_response (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  struct exchange *x = lua_touserdata(L, 2);
  if (!push_functions(L, op, on_response)) return 0;
  loop_hook(L, "observeResponse");
  lua_insert(L, -3);
  push_known_request(L, op, x);
  if (lua_toboolean(L, 3)) {
    lua_pushliteral(L, "");
    response_push_with(L, x);
    lua_remove(L, -2);
  } else
    response_push(L, x);
  lua_call(L, 4, 1);
  if (!op->over) apply(L, x, change_response);
  return 0;
}

static int wrap_error (lua_State *L) {
  if (!loop_note_interrupt(L)) promise_wrap_raised(L, L, 1);
  return 1;
}

/* Calls `f` with the promise of `op`, `x` and `flag`. False: the operation must reject with its error. */
static bool call (lua_State *L, struct operation *op, struct exchange *x, lua_CFunction f, bool flag) {
  int base = lua_gettop(L);
  bool ok;
  if (!lua_checkstack(L, LUA_MINSTACK)) return true; /* GCOVR_EXCL_LINE: out of memory */
  operation_push(L, op);
  lua_pushcfunction(L, wrap_error);
  lua_pushcfunction(L, f);
  lua_pushvalue(L, base + 1);
  lua_pushlightuserdata(L, x);
  lua_pushboolean(L, flag);
  op->loop->observing++;
  ok = lua_pcall(L, 3, 0, base + 2) == LUA_OK;
  op->loop->observing--;
  if (!ok && !op->over && !op->raised) {
    compat_setslot(L, base + 1, PROMISE_ERROR);
    op->raised = true;
  }
  lua_settop(L, base);
  return ok;
}

bool observer_is_set (const struct operation *op) {
  return op->loop->observers & OBSERVER_OF_ALL || (op->session && op->session->has_observer);
}

void observer_request (lua_State *L, struct operation *op, struct exchange *x) {
  if (observer_is_set(op) && !call(L, op, x, call_request, false))
    operation_abort(op, "error", "onRequest raised an error");
}

void observer_response (lua_State *L, struct operation *op, struct exchange *x, bool flows) {
  if (x->told || !observer_is_set(op) || op->abort_kind || x->response.failure != FAILURE_NONE) return;
  x->told = true;
  if (!call(L, op, x, call_response, flows || !shows_bodies(op)) && flows)
    operation_abort(op, "error", "onResponse raised an error");
}

void observer_push_error (lua_State *L, const struct operation *op) {
  operation_push(L, op);
  compat_getslot(L, -1, PROMISE_ERROR);
  lua_remove(L, -2);
}

/* Setting the functions */

/* Loads what the calls of the functions need. */
static void prepare (lua_State *L) {
  loop_hook(L, "observeRequest");
  lua_pop(L, 1);
}

/* Pops the function, or nil, and stores it in the session at `index`. */
static void store (lua_State *L, int index, struct session *s, const char *name) {
  session_setvalue(L, index, value_of(name));
  session_getvalue(L, index, SESSION_ON_REQUEST);
  session_getvalue(L, index, SESSION_ON_RESPONSE);
  s->has_observer = !lua_isnil(L, -1) || !lua_isnil(L, -2);
  lua_pop(L, 2);
  if (!s->has_observer) return;
  s->loop->observers |= OBSERVER_OF_ONE;
  prepare(L);
}

static void read_option (lua_State *L, struct session *s, const char *name) {
  int top = lua_gettop(L);
  if (lua_getfield(L, 1, name) != LUA_TNIL) {
    if (!lua_isfunction(L, -1))
      luaL_error(L, "option '%s': expected a function, got %s", name, luaL_typename(L, -1));
    store(L, 2, s, name);
  }
  lua_settop(L, top);
}

void observer_options (lua_State *L, struct session *s) {
  read_option(L, s, on_request);
  read_option(L, s, on_response);
}

void observer_set (lua_State *L, struct session *s, const char *name) {
  lua_settop(L, 3);
  if (!lua_isfunction(L, 3) && !lua_isnil(L, 3))
    luaL_error(L, "session.%s: expected a function or nil, got %s", name, luaL_typename(L, 3));
  store(L, 1, s, name);
}

void observer_get (lua_State *L, const char *name) {
  session_getvalue(L, 1, value_of(name));
}

/* Upvalue: the name. Returns the function that was set before. */
static int l_set (lua_State *L) {
  struct loop *loop = loop_get(L);
  const char *name = lua_tostring(L, lua_upvalueindex(1));
  if (!lua_isnoneornil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  prepare(L);
  push_common(L, name);
  loop_table(L, LOOP_HOOKS);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, name);
  loop->observers &= ~(unsigned)OBSERVER_OF_ALL;
  push_common(L, on_request);
  push_common(L, on_response);
  if (!lua_isnil(L, -1) || !lua_isnil(L, -2)) loop->observers |= OBSERVER_OF_ALL;
  lua_settop(L, 2);
  return 1;
}

void observer_register (lua_State *L) {
  static const char *const names[] = {on_request, on_response};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++) {
    lua_pushstring(L, names[i]);
    lua_pushcclosure(L, l_set, 1);
    lua_setfield(L, -2, names[i]);
  }
}
