/*
** call: session:invoke(operation, data, options): sends an operation in the session's format and reads the
** reply. OPERATION_ARGUMENTS, a table, keeps body, type, headers and requestId, so that the request can be
** sent again after a reconnect.
*/
#include "protocol/btt/btt.h"
#include "runtime/duration.h"
#include "runtime/error.h"
#include "runtime/loop.h"
#include "runtime/numbers.h"
#include "runtime/options.h"
#include "session/protocol.h"

#include <string.h>

/* Options */

static const char *const call_options[] = {"timeout", "idempotent", "replay", "headers", "fields", NULL};

static bool is_token (const char *name, size_t length) {
  static const char plain[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return length && strspn(name, plain) == length;
}

/* Leaves a table of names and values that can be sent. */
static void push_headers (lua_State *L) {
  int from = lua_gettop(L) + 1;
  lua_getfield(L, CALL_OPTIONS, "headers");
  if (!lua_isnil(L, from) && !lua_istable(L, from))
    luaL_error(L, "invoke: option 'headers': expected a table, got %s", luaL_typename(L, from));
  lua_newtable(L);
  if (lua_isnil(L, from)) return;
  lua_pushnil(L);
  while (lua_next(L, from)) {
    size_t name_length, length;
    const char *name, *value;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      luaL_error(L, "invoke: option 'headers': expected names and values that are strings");
    name = lua_tolstring(L, -2, &name_length);
    if (!numbers_to_text(L, -1))
      luaL_error(L, "invoke: option 'headers': '%s': NaN and infinity cannot be sent", name);
    value = lua_tolstring(L, -1, &length);
    if (!is_token(name, name_length) || !header_is_value(value, length) || session_framing(name))
      luaL_error(L, "invoke: option 'headers': '%s' is no header line that can be sent", name);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, from + 1);
  }
}

static void check_arguments (lua_State *L) {
  const int options = CALL_OPTIONS;
  size_t length;
  lua_settop(L, CALL_OPTIONS);
  luaL_checktype(L, CALL_OPERATION, LUA_TSTRING);
  lua_tolstring(L, CALL_OPERATION, &length);
  luaL_argcheck(L, length > 0, CALL_OPERATION, "expected the name of an operation");
  if (lua_isnil(L, CALL_OPTIONS)) {
    lua_newtable(L);
    lua_replace(L, CALL_OPTIONS);
  }
  options_check(L, options, "invoke", call_options);
  if (lua_getfield(L, CALL_OPTIONS, "fields") == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
  }
  if (!lua_istable(L, CALL_FIELDS))
    luaL_error(L, "invoke: option 'fields': expected a table, got %s", luaL_typename(L, CALL_FIELDS));
}

static bool may_repeat (lua_State *L, const struct btt *b) {
  bool replay = options_boolean(L, CALL_OPTIONS, "replay", b->replay);
  return options_boolean(L, CALL_OPTIONS, "idempotent", replay);
}

/* Sending */

/* Sets the lines of the table on top and the content type. */
static bool set_lines (lua_State *L, struct exchange *x, const char *type) {
  struct header_list *lines = header_list_copy(x->request.headers);
  size_t name_length, length;
  const char *name, *value;
  bool ok;
  if (!lines) return false;
  header_list_release(x->request.headers);
  x->request.headers = lines;
  ok = header_list_set(lines, "Content-Type", 12, type, strlen(type)) == HEADER_OK;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    name = lua_tolstring(L, -2, &name_length);
    value = lua_tolstring(L, -1, &length);
    ok = header_list_set(lines, name, name_length, value, length) == HEADER_OK && ok;
    lua_pop(L, 1);
  }
  return ok;
}

/* Describes the request by the arguments of `op`, at `index`. NULL: out of memory. */
static struct exchange *describe (lua_State *L, struct operation *op, int index) {
  struct session *s = op->session;
  struct exchange *x;
  size_t length;
  const char *body, *type;
  bool ok;
  lua_getfield(L, index, "body");
  lua_getfield(L, index, "type");
  lua_getfield(L, index, "headers");
  body = lua_tolstring(L, -3, &length);
  type = lua_tostring(L, -2);
  x = session_exchange(L, s, "POST", uri_append(s->service, btt_of(s)->request_path));
  if (!x) return NULL;
  x->tag = BTT_IS_CALL;
  x->request.has_body = true;
  x->request.once = !op->repeatable;
  ok = buffer_add(&x->request.body, body, length) == BUFFER_OK && set_lines(L, x, type) && btt_carry(s, x);
  lua_pop(L, 3);
  if (ok) return x;
  exchange_free(x);
  return NULL;
}

static void called (lua_State *L, struct operation *op, struct exchange *x);

/* With lateReplies, a timer ends the call at its own limit; the transfer's limit comes later. */
static bool send_call (lua_State *L, struct operation *op) {
  double late = btt_of(op->session)->late,
         limit = op->limit > 0 ? op->limit : op->session->transport->timeout;
  int top = lua_gettop(L);
  struct exchange *x;
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_ARGUMENTS);
  x = describe(L, op, lua_gettop(L));
  lua_settop(L, top);
  if (late > 0 && limit > 0) {
    op->limit = limit + late;
    if (!operation_send(L, op, x, called)) return false;
    operation_wait(L, op, limit, called);
    return true;
  }
  return operation_send(L, op, x, called);
}

/* Ending */

/* Adds the request's id and its reply to the table on top; both hang from the promise of `op`. */
static void set_details (lua_State *L, struct operation *op) {
  int to = lua_gettop(L);
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_ARGUMENTS);
  lua_getfield(L, -1, "requestId");
  lua_setfield(L, to, "requestId");
  lua_getfield(L, -1, BTT_REPLY);
  lua_setfield(L, to, BTT_REPLY);
  lua_settop(L, to);
}

/* Hands the reply that `judge` has read to the operation. */
static void take_reply (lua_State *L, struct operation *op) {
  int top = lua_gettop(L);
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_ARGUMENTS);
  operation_push_session(L, op);
  session_getvalue(L, -1, SESSION_DATA);
  lua_getfield(L, -1, BTT_REPLY);
  lua_setfield(L, top + 2, BTT_REPLY);
  lua_pushnil(L);
  lua_setfield(L, top + 4, BTT_REPLY);
  lua_settop(L, top);
}

/* Pushes the reply's result; without one, the whole reply. */
static void push_result (lua_State *L, int reply) {
  static const char *const names[] = {"result", "dse_resultData", "resultData", "dse_result"};
  size_t i;
  if (!lua_istable(L, reply)) {
    lua_pushboolean(L, true);
    return;
  }
  for (i = 0; i < sizeof names / sizeof *names; i++) {
    lua_pushstring(L, names[i]);
    if (lua_rawget(L, reply) != LUA_TNIL) return;
    lua_pop(L, 1);
  }
  lua_pushvalue(L, reply);
}

static void resolve (lua_State *L, struct operation *op, const struct exchange *x,
                     const struct finding *found) {
  int top = lua_gettop(L);
  verdict_push_info(L, x, found);
  set_details(L, op);
  lua_getfield(L, top + 1, BTT_REPLY);
  push_result(L, top + 2);
  lua_replace(L, top + 2);
  error_push_result(L, RESULT_SUCCESS);
  lua_pushvalue(L, top + 1);
  lua_remove(L, top + 1);
}

/* Adds the call's own fields to the error on top. */
static void add_details (lua_State *L, struct operation *op) {
  int err = lua_gettop(L);
  if (lua_getfield(L, err, "info") != LUA_TTABLE) {
    lua_newtable(L);
    lua_pushvalue(L, err);
    lua_setfield(L, -2, "errorObject");
    lua_replace(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, err, "info");
  }
  set_details(L, op);
  lua_getfield(L, err + 1, "requestId");
  lua_setfield(L, err, "requestId");
  lua_getfield(L, err + 1, "xhr");
  lua_setfield(L, err, "response");
  lua_settop(L, err);
}

/*
** Called with value, result and info of a reply that came after its call had ended. Upvalues: the handler,
** the session.
*/
static int tell_late (lua_State *L) {
  lua_settop(L, 3);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_getfield(L, 3, "requestId");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 3);
  lua_call(L, 4, 0);
  return 0;
}

/* Argument: an operation, light userdata. Has the handler called when the operation's promise is resolved. */
static int await_late (lua_State *L) {
  struct operation *late = lua_touserdata(L, 1);
  operation_push(L, late);
  lua_getfield(L, -1, "done");
  lua_insert(L, -2);
  if (!btt_push_function(L, late->session, "onLateReply")) return 0;
  operation_push_session(L, late);
  lua_pushcclosure(L, tell_late, 2);
  lua_call(L, 2, 0);
  return 0;
}

static void conclude (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found) {
  verdict_name_call(op, found);
  verdict_apply(L, op, found);
  if (found->verdict == VERDICT_ALIVE) {
    resolve(L, op, x, found);
    operation_resolve(L, op);
    return;
  }
  if (reconnect_takes(L, op, x, found)) return;
  if (op->retry && retry_takes(L, op, x, found)) return;
  verdict_push_error(L, x, found);
  add_details(L, op);
  operation_reject(L, op);
}

/* Ends the call; its transfer goes on in an operation that no caller awaits. */
static void let_go (lua_State *L, struct operation *op) {
  struct fault fault = {.kind = "timeout", .result = RESULT_GENERAL_FAILURE, .retryable = true};
  struct operation *late;
  struct exchange *x;
  int top = lua_gettop(L);
  operation_push(L, op);
  operation_push_session(L, op);
  late = operation_new(L, -1, "late reply");
  late->promise.looked_at = true;
  late->epoch = op->epoch;
  late->logins = op->logins;
  late->tries = 1;
  late->step = called;
  compat_getslot(L, top + 1, OPERATION_ARGUMENTS);
  compat_setslot(L, -2, OPERATION_ARGUMENTS);
  operation_prepare(L, late, await_late);
  late->exchanges = op->exchanges;
  op->exchanges = NULL;
  for (x = late->exchanges; x; x = x->next)
    x->owner = late;
  fault.message = "invoke: no reply in time; onLateReply gets a late one";
  fault.uri = op->session->service;
  error_push(L, &fault);
  add_details(L, op);
  operation_reject(L, op);
  lua_settop(L, top);
}

static void called (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  if (!x) {
    let_go(L, op);
    return;
  }
  verdict_judge(L, op, x, PURPOSE_REQUEST, &found);
  take_reply(L, op);
  conclude(L, op, x, &found);
}

/* Says why the session cannot call an operation now; NULL: it can. */
static const char *why_not (const struct session *s) {
  if (!btt_of(s)->in_session || s->phase == PHASE_AUTHORIZED || reconnect_is_due(s)) return NULL;
  return "the session is not established (CSS11): call establishSession first";
}

/* Pushes what an operation keeps; body and type are at `body`. */
static void push_arguments (lua_State *L, struct btt *b, int body, int headers) {
  lua_createtable(L, 0, 5);
  lua_pushvalue(L, body);
  lua_setfield(L, -2, "body");
  lua_pushvalue(L, body + 1);
  lua_setfield(L, -2, "type");
  lua_pushvalue(L, headers);
  lua_setfield(L, -2, "headers");
  lua_pushinteger(L, ++b->requests);
  lua_setfield(L, -2, "requestId");
}

int btt_invoke (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  bool twice;
  double limit;
  int body, headers;
  const char *refused;
  check_arguments(L);
  twice = may_repeat(L, btt_of(s));
  limit = duration_option(L, CALL_OPTIONS, "timeout", 0, 0);
  btt_push_body(L, s);
  body = lua_gettop(L) - 1;
  push_headers(L);
  headers = lua_gettop(L);
  push_arguments(L, btt_of(s), body, headers);
  op = operation_new(L, 1, "invoke");
  op->repeatable = twice;
  op->limit = limit;
  if (session_refuses(L, op)) return 1;
  refused = why_not(s);
  if (refused) {
    operation_refuse(L, op, "auth", RESULT_AUTHENTICATION_REQUIRED, refused);
    return 1;
  }
  lua_pushvalue(L, headers + 1);
  compat_setslot(L, headers + 2, OPERATION_ARGUMENTS);
  reconnect_begin(L, op, send_call);
  lua_settop(L, headers + 2);
  return 1;
}

/* Closing */

/* Argument: the session. Returns the body and its type. */
static int close_body (lua_State *L) {
  const struct session *s = lua_touserdata(L, CALL_SESSION);
  lua_settop(L, CALL_SESSION);
  lua_pushstring(L, btt_of(s)->close_operation);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_newtable(L);
  btt_push_body(L, s);
  return 2;
}

/*
** Describes the close operation as an ordinary request. NULL: out of memory, or the user's function failed.
*/
static struct exchange *describe_close (lua_State *L, struct operation *op) {
  struct exchange *x = NULL;
  int top = lua_gettop(L);
  lua_pushcfunction(L, close_body);
  operation_push_session(L, op);
  if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
    loop_report(L);
    return NULL;
  }
  lua_createtable(L, 0, 3);
  lua_insert(L, -3);
  lua_setfield(L, top + 1, "type");
  lua_setfield(L, top + 1, "body");
  lua_newtable(L);
  lua_setfield(L, top + 1, "headers");
  x = describe(L, op, top + 1);
  lua_settop(L, top);
  return x;
}

bool btt_send_close (lua_State *L, struct operation *op, operation_step step) {
  struct session *s = op->session;
  struct exchange *x;
  if (btt_of(s)->close_operation)
    x = describe_close(L, op);
  else {
    x = session_exchange_brief(L, s, "GET", uri_append(s->service, btt_of(s)->close_path));
    if (x && !btt_carry(s, x)) {
      /* GCOVR_EXCL_START: out of memory for closePath; the torture closes by an operation's name */
      exchange_free(x);
      return false;
      /* GCOVR_EXCL_STOP */
    }
  }
  if (x) x->tag &= ~(size_t)BTT_IS_CALL;
  return operation_send(L, op, x, step);
}
