/*
** The life cycle of a session whose protocol is written in Lua. Each verb is a function of the definition and
** runs in a coroutine of its own; its results decide how the operation ends:
**
** login(link, user, password), logout(link), stop(link), ping(link), check(link), refresh(link),
** reconnect(link, attempt)   return a true value: success; nil and an error, or raise one: failure. The kind
**                        of a request's error (err.kind) tells a broken connection from a refusal.
** invoke(link, ...)      returns what session:invoke resolves with
** judge(link, response)  returns nil, or the session's new state: "alive", "expired", "refused" ...
** sign(link)             returns the header lines of each request to the session's own server
** save(link), restore(link, saved)   the state that a named session keeps in its store
**
** `link` is a table of the session's own: link.session, link.options, link:request{...}, link.expiresAt, and
** whatever the functions keep in it.
*/
#include "protocol/lua/protocol.h"

#include "runtime/error.h"
#include "runtime/loop.h"
#include "runtime/numbers.h"
#include "runtime/options.h"
#include "runtime/response.h"
#include "session/protocol.h"

#include <string.h>
#include <time.h>

#define LINK_TYPE "datasession.link"

static const char *const functions[] = {"login",  "logout", "stop", "ping", "check",   "refresh", "reconnect",
                                        "invoke", "judge",  "sign", "save", "restore", NULL};

/* The definition */

static bool is_function (const char *name) {
  int i;
  for (i = 0; functions[i]; i++)
    if (!strcmp(functions[i], name)) return true;
  return false;
}

/* The array at the top of the stack names more options of sessions. */
static void check_names (lua_State *L) {
  lua_Integer i, n;
  if (!lua_istable(L, -1))
    luaL_error(L, "protocol: field 'options': expected an array of names, got %s", luaL_typename(L, -1));
  n = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    if (lua_rawgeti(L, -1, i) != LUA_TSTRING)
      luaL_error(L, "protocol: field 'options': expected an array of names, got a %s in it",
                 luaL_typename(L, -1));
    lua_pop(L, 1);
  }
}

/* Checks a field; its key and value are on top. */
static void check_field (lua_State *L) {
  const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
  if (name && !strcmp(name, "options"))
    check_names(L);
  else if (name && !strcmp(name, "implicit"))
    luaL_checktype(L, -1, LUA_TBOOLEAN);
  else if (!name || !is_function(name))
    luaL_error(L,
               "protocol: unknown field '%s': expected login, logout, stop, ping, check, refresh, reconnect, "
               "invoke, "
               "judge, sign, save, restore, options or implicit",
               luaL_tolstring(L, -2, NULL));
  else if (!lua_isfunction(L, -1))
    luaL_error(L, "protocol: field '%s': expected a function, got %s", name, luaL_typename(L, -1));
}

/* protocol(name, functions): defines it; a new definition applies to later sessions. */
static int l_protocol (lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  luaL_argcheck(L, *name && protocol_name_is_free(L, name), 1,
                "expected another name: the library has a protocol of this one");
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    check_field(L);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 3);
  }
  lua_getfield(L, 3, "login");
  lua_getfield(L, 3, "implicit");
  if (lua_isnil(L, -2) && !lua_toboolean(L, -1))
    return luaL_error(L, "protocol: field 'login': expected a function, got nil");
  lua_pushvalue(L, 1);
  lua_setfield(L, 3, "name");
  loop_table(L, LOOP_PROTOCOLS);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 3);
  lua_rawset(L, -3);
  return 0;
}

const struct protocol *protocol_lua_find (lua_State *L, const char *name) {
  bool implicit;
  loop_table(L, LOOP_PROTOCOLS);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return NULL;
  }
  lua_getfield(L, -1, "implicit");
  implicit = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return implicit ? &protocol_lua_implicit : &protocol_lua;
}

/* Links */

static int link_request (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  lua_getfield(L, 1, "session");
  lua_replace(L, 1);
  return session_request_within(L);
}

/* Pushes a table of the definition's own options, read from the table at 1. */
static void copy_options (lua_State *L) {
  lua_Integer i, n;
  lua_newtable(L);
  session_getvalue(L, 2, SESSION_DATA);
  if (lua_getfield(L, -1, "options") == LUA_TTABLE) {
    n = (lua_Integer)lua_rawlen(L, -1);
    for (i = 1; i <= n; i++) {
      lua_rawgeti(L, -1, i);
      lua_pushvalue(L, -1);
      lua_gettable(L, 1);
      lua_rawset(L, -5);
    }
  }
  lua_pop(L, 2);
}

/* Only save and restore of the definition know what proves a session. */
static void check_name (lua_State *L) {
  int top = lua_gettop(L);
  session_getvalue(L, 2, SESSION_DATA);
  lua_getfield(L, -1, "protocol");
  lua_getfield(L, -1, "name");
  if (lua_getfield(L, 1, "name") != LUA_TNIL &&
      (lua_getfield(L, top + 2, "save") == LUA_TNIL || lua_getfield(L, top + 2, "restore") == LUA_TNIL))
    luaL_error(L, "option 'name': the protocol %s has no functions save and restore",
               lua_tostring(L, top + 3));
  lua_settop(L, top);
}

/*
** `data` points here if the definition's functions can renew the session without a password. Static; no
** owner.
*/
static const char renewing = 0;

/* The definition is on top. True if it can re-establish a session that its server has ended. */
static bool can_refresh (lua_State *L) {
  int top = lua_gettop(L);
  bool can = lua_getfield(L, top, "refresh") != LUA_TNIL || lua_getfield(L, top, "reconnect") != LUA_TNIL;
  lua_settop(L, top);
  return can;
}

static void configure (lua_State *L, struct session *s) {
  lua_createtable(L, 0, 8);
  copy_options(L);
  lua_setfield(L, -2, "options");
  session_getvalue(L, 2, SESSION_DATA);
  s->data = can_refresh(L) ? (void *)&renewing : NULL;
  lua_setfield(L, -2, "protocol");
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "session");
  luaL_setmetatable(L, LINK_TYPE);
  session_setvalue(L, 2, SESSION_DATA);
  check_name(L);
}

/*
** Pushes the function of that name and the link. False, and nothing pushed: the definition has none, or the
** session is collected.
*/
static bool push_function (lua_State *L, const struct session *s, const char *name) {
  int top = lua_gettop(L);
  session_push(L, s);
  if (lua_isnil(L, -1) || session_getvalue(L, -1, SESSION_DATA) != LUA_TTABLE) {
    /* GCOVR_EXCL_START: a pending operation keeps its session */
    lua_settop(L, top);
    return false;
    /* GCOVR_EXCL_STOP */
  }
  lua_getfield(L, -1, "protocol");
  lua_getfield(L, -1, name);
  if (!lua_isfunction(L, -1)) {
    lua_settop(L, top);
    return false;
  }
  lua_replace(L, top + 1);
  lua_pop(L, 1);
  return true;
}

static bool has (lua_State *L, const struct session *s, const char *name) {
  bool is = push_function(L, s, name);
  if (is) lua_pop(L, 2);
  return is;
}

/* Results of functions */

static const char *known_kind (const char *kind) {
  static const char *const kinds[] = {"auth",    "expired",   "offline", "dns",    "connect",
                                      "timeout", "stall",     "tls",     "proxy",  "protocol",
                                      "http",    "cancelled", "closed",  "memory", NULL};
  int i;
  for (i = 0; kind && kinds[i]; i++)
    if (!strcmp(kinds[i], kind)) return kinds[i];
  return "error";
}

static bool is_one_of (const char *kind, const char *list) {
  return strstr(list, kind) != NULL;
}

/* True if the function proves who the session is. */
static bool is_proof (enum purpose purpose) {
  return purpose == PURPOSE_LOGIN || purpose == PURPOSE_REFRESH;
}

static enum verdict verdict_of (const char *kind, enum purpose purpose, bool said) {
  if (is_one_of(kind, "offline dns connect timeout stall tls proxy")) return VERDICT_UNREACHABLE;
  if (is_proof(purpose)) return said ? VERDICT_BROKEN : VERDICT_REFUSED;
  if (is_one_of(kind, "auth expired")) return VERDICT_EXPIRED;
  if (purpose == PURPOSE_CHECK && !said) return VERDICT_EXPIRED;
  return purpose == PURPOSE_PING ? VERDICT_BROKEN : VERDICT_NEUTRAL;
}

/* Reads link.expiresAt; the link is on top. */
static void read_deadline (lua_State *L, struct finding *found) {
  struct timespec wall;
  if (lua_getfield(L, -1, "expiresAt") == LUA_TNUMBER) {
    clock_gettime(CLOCK_REALTIME, &wall);
    found->has_lifetime = true;
    found->lifetime = lua_tonumber(L, -1) - (double)wall.tv_sec - (double)wall.tv_nsec / 1e9;
    if (!(found->lifetime > 1e-3)) found->lifetime = 1e-3;
  }
  lua_pop(L, 1);
}

static bool is_denial (long status) {
  return status == 401 || status == 403;
}

/* The error on top is an object, or the function's own words. */
static void read_error (lua_State *L, struct finding *found) {
  const char *kind = NULL, *text;
  bool said = false;
  int top = lua_gettop(L);
  if (lua_istable(L, -1)) {
    lua_getfield(L, top, "kind");
    kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    said = kind != NULL && strcmp(kind, "auth") != 0;
    lua_getfield(L, top, "httpStatus");
    found->fault.status = (long)lua_tointeger(L, -1);
    lua_getfield(L, top, "message");
  }
  text = lua_tostring(L, -1);
  if (!kind || (is_proof(found->purpose) && is_denial(found->fault.status))) {
    kind = is_proof(found->purpose) || found->purpose == PURPOSE_CHECK ? "auth" : "error";
    said = false;
  }
  found->fault.kind = known_kind(kind);
  found->verdict = verdict_of(found->fault.kind, found->purpose, said);
  if (found->verdict == VERDICT_UNREACHABLE) found->reason = REASON_SERVER;
  if (found->verdict == VERDICT_BROKEN && found->purpose == PURPOSE_PING) found->reason = REASON_APPLICATION;
  if (found->verdict == VERDICT_EXPIRED) found->reason = REASON_EXPIRED;
  found->fault.retryable = found->verdict == VERDICT_UNREACHABLE;
  verdict_say(found, "%s", text ? text : "the protocol's function refused");
  lua_settop(L, top);
}

/* Judges how the coroutine of `op` has ended. Leaves its three values on the stack. */
static void find (lua_State *L, struct operation *op, enum purpose purpose, struct finding *found) {
  memset(found, 0, sizeof *found);
  found->purpose = purpose;
  found->fault.uri = op->session->service;
  found->fault.result =
      is_proof(purpose) || purpose == PURPOSE_CHECK ? RESULT_AUTHENTICATION_FAILURE : RESULT_GENERAL_FAILURE;
  operation_push_returned(L, op);
  if (!lua_toboolean(L, -3)) {
    lua_pushvalue(L, -2);
    read_error(L, found);
    lua_pop(L, 1);
    return;
  }
  found->verdict = VERDICT_ALIVE;
  session_push(L, op->session);
  session_getvalue(L, -1, SESSION_DATA);
  read_deadline(L, found);
  lua_pop(L, 2);
}

/* Verbs */

static void conclude (lua_State *L, struct operation *op, enum purpose purpose, enum result success) {
  struct finding found;
  int top = lua_gettop(L);
  find(L, op, purpose, &found);
  verdict_conclude(L, op, NULL, &found, success);
  lua_settop(L, top);
}

static void logged_in (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  conclude(L, op, PURPOSE_LOGIN, RESULT_SUCCESS);
}

static void checked (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  conclude(L, op, PURPOSE_CHECK, RESULT_SUCCESS);
}

static void pinged (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  conclude(L, op, PURPOSE_PING, RESULT_TRUE);
}

static void logged_out (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  conclude(L, op, PURPOSE_LOGOUT, RESULT_SUCCESS);
}

/* False: the definition has no such function. */
static bool run (lua_State *L, struct operation *op, const char *name, operation_step step) {
  if (!push_function(L, op->session, name)) return false;
  operation_call(L, op, 1, step);
  return true;
}

static bool log_in (lua_State *L, struct operation *op, const struct credentials *as) {
  if (!push_function(L, op->session, "login")) return conclude_later(L, op);
  if (as->user)
    lua_pushlstring(L, as->user, as->user_length);
  else
    lua_pushnil(L);
  if (as->password)
    lua_pushlstring(L, as->password, as->password_length);
  else
    lua_pushnil(L);
  operation_call(L, op, 3, logged_in);
  return true;
}

/* Without the function the last known state stands. */
static bool check (lua_State *L, struct operation *op) {
  if (run(L, op, "check", checked) || run(L, op, "ping", checked)) return true;
  if (op->session->phase == PHASE_AUTHORIZED) return conclude_later(L, op);
  op->abort_hint = verdict_way_back(op->session);
  operation_refuse(L, op, "expired", RESULT_AUTHENTICATION_FAILURE, "the session has expired");
  return true;
}

static bool ping (lua_State *L, struct operation *op) {
  if (run(L, op, "ping", pinged) || run(L, op, "check", pinged)) return true;
  operation_refuse(L, op, "error", RESULT_FALSE, "its protocol has neither ping nor check");
  return true;
}

static bool logout (lua_State *L, struct operation *op) {
  return run(L, op, "logout", logged_out) || conclude_later(L, op);
}

static bool stop (lua_State *L, struct operation *op) {
  return run(L, op, "stop", logged_out) || logout(L, op);
}

/* Re-establishing: calls reconnect; without it check, then refresh, then login with kept credentials. */

static bool can_renew (const struct session *s) {
  return s->data || s->kept;
}

static bool log_in_again (lua_State *L, struct operation *op) {
  const struct credentials no_credentials = {NULL, NULL, 0, 0};
  return log_in(L, op, op->session->kept ? op->session->kept : &no_credentials);
}

/* After a failed refresh, login with the kept credentials may succeed. */
static void refreshed (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  int top = lua_gettop(L);
  (void)x;
  find(L, op, PURPOSE_REFRESH, &found);
  lua_settop(L, top);
  if (found.verdict == VERDICT_ALIVE) found.purpose = PURPOSE_CHECK;
  if (found.verdict == VERDICT_REFUSED && op->session->kept)
    log_in_again(L, op);
  else
    verdict_conclude(L, op, NULL, &found, RESULT_SUCCESS);
}

static bool renew (lua_State *L, struct operation *op) {
  return run(L, op, "refresh", refreshed) || log_in_again(L, op);
}

static void still_there (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  int top = lua_gettop(L);
  (void)x;
  find(L, op, PURPOSE_CHECK, &found);
  lua_settop(L, top);
  if (found.verdict == VERDICT_EXPIRED && can_renew(op->session))
    renew(L, op);
  else
    verdict_conclude(L, op, NULL, &found, RESULT_SUCCESS);
}

static bool reestablish (lua_State *L, struct operation *op, unsigned attempt) {
  if (push_function(L, op->session, "reconnect")) {
    lua_pushinteger(L, attempt);
    operation_call(L, op, 2, checked);
    return true;
  }
  if (op->session->phase == PHASE_EXPIRED) return renew(L, op);
  return run(L, op, "check", still_there) || run(L, op, "ping", still_there) || renew(L, op);
}

/* invoke */

static void push_returned (lua_State *L, struct operation *op, const struct exchange *x,
                           const struct finding *found) {
  (void)x;
  (void)found;
  operation_push_returned(L, op);
  if (!lua_isnil(L, -2)) return;
  error_push_result(L, RESULT_SUCCESS);
  lua_replace(L, -3);
}

/* Resolves with the function's results; nil and an error reject. */
static void invoked (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  int top = lua_gettop(L);
  (void)x;
  find(L, op, PURPOSE_REQUEST, &found);
  if (found.verdict != VERDICT_ALIVE && lua_isnil(L, -2)) {
    memset(&found, 0, sizeof found);
    found.purpose = PURPOSE_REQUEST;
    found.verdict = VERDICT_ALIVE;
  }
  lua_settop(L, top);
  verdict_conclude_with(L, op, NULL, &found, push_returned);
}

static bool call_invoke (lua_State *L, struct operation *op) {
  lua_Integer i, n;
  int arguments;
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_ARGUMENTS);
  arguments = lua_gettop(L);
  lua_getfield(L, arguments, "n");
  n = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (!push_function(L, op->session, "invoke")) return false;
  luaL_checkstack(L, (int)n, "invoke: too many arguments");
  for (i = 1; i <= n; i++)
    lua_rawgeti(L, arguments, i);
  operation_call(L, op, (int)n + 1, invoked);
  return true;
}

static int invoke (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  int i, n = lua_gettop(L) - 1;
  if (!has(L, s, "invoke")) {
    session_push_protocol_name(L, s);
    return luaL_error(L, "session:invoke: the protocol %s has no function invoke", lua_tostring(L, -1));
  }
  lua_createtable(L, n, 1);
  for (i = 1; i <= n; i++) {
    lua_pushvalue(L, i + 1);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
  lua_insert(L, 2);
  lua_settop(L, 2);
  op = operation_new(L, 1, "invoke");
  if (session_refuses(L, op)) return 1;
  lua_pushvalue(L, 2);
  compat_setslot(L, 3, OPERATION_ARGUMENTS);
  reconnect_begin(L, op, call_invoke);
  lua_settop(L, 3);
  return 1;
}

/* Requests */

static bool dress (struct session *s, struct header_list *lines) {
  (void)s;
  return header_list_set(lines, "Accept", 6, "application/json", 16) == HEADER_OK;
}

/* Arguments: the session (light userdata), the lines (light userdata). */
static int add_lines (lua_State *L) {
  struct header_list *lines = lua_touserdata(L, 2);
  if (!push_function(L, lua_touserdata(L, 1), "sign")) return 0;
  lua_call(L, 1, 1);
  if (lua_isnil(L, -1)) return 0;
  if (!lua_istable(L, -1))
    return luaL_error(L, "protocol: sign: expected a table of header lines, got %s", luaL_typename(L, -1));
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    size_t name_length, length;
    const char *name, *value;
    enum header_result result;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      return luaL_error(L, "protocol: sign: expected names and values that are strings");
    name = lua_tolstring(L, -2, &name_length);
    if (!numbers_to_text(L, -1))
      return luaL_error(L, "protocol: sign: '%s': NaN and infinity cannot be sent", name);
    value = lua_tolstring(L, -1, &length);
    result =
        session_framing(name) ? HEADER_BAD_NAME : header_list_set(lines, name, name_length, value, length);
    if (result == HEADER_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (result != HEADER_OK)
      return luaL_error(L, "protocol: sign: '%s' is no header line that can be sent", name);
    lua_pop(L, 1);
  }
  return 0;
}

/* Reports an error of the function; the request then goes unsigned. */
static bool sign (lua_State *L, struct session *s, struct header_list *lines) {
  if (!lua_checkstack(L, LUA_MINSTACK)) return false;
  lua_pushcfunction(L, add_lines);
  lua_pushlightuserdata(L, s);
  lua_pushlightuserdata(L, lines);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) loop_report(L);
  return true;
}

static const struct {
  const char *word;
  enum verdict verdict;
  const char *kind, *reason;
} words[] = {{"alive", VERDICT_ALIVE, NULL, NULL},
             {"neutral", VERDICT_NEUTRAL, "http", NULL},
             {"refused", VERDICT_NEUTRAL, "auth", NULL},
             {"expired", VERDICT_EXPIRED, "expired", REASON_EXPIRED},
             {"absent", VERDICT_ABSENT, "offline", REASON_APPLICATION},
             {"down", VERDICT_DOWN, "offline", REASON_APPSERVER}};

static void take_word (struct finding *found, const char *word, const char *message) {
  size_t i;
  for (i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcmp(words[i].word, word)) continue;
    found->verdict = words[i].verdict;
    if (found->verdict != VERDICT_ALIVE)
      verdict_blame(found, words[i].verdict, words[i].kind, words[i].reason, message, NULL);
    return;
  }
}

static void judge_by_status (struct finding *found) {
  long status = found->fault.status;
  if (status < 400)
    found->verdict = VERDICT_ALIVE;
  else
    verdict_blame(found, VERDICT_NEUTRAL, "http", NULL, verdict_refusal(found->fault.status), NULL);
  found->fault.retryable = status == 429 || status == 502 || status == 503 || status == 504;
}

/* Arguments: session, exchange, finding: light userdata. */
static int ask_judge (lua_State *L) {
  const struct exchange *x = lua_touserdata(L, 2);
  struct finding *found = lua_touserdata(L, 3);
  const char *message;
  if (!push_function(L, lua_touserdata(L, 1), "judge")) return 0;
  lua_pushvalue(L, -1);
  lua_insert(L, -3); /* link, judge, link */
  response_push(L, x);
  lua_call(L, 2, 2);
  message = lua_tostring(L, -1);
  if (lua_type(L, -2) == LUA_TSTRING)
    take_word(found, lua_tostring(L, -2), message ? message : "the protocol does not accept the answer");
  lua_settop(L, 4);
  if (found->verdict == VERDICT_ALIVE) read_deadline(L, found);
  return 0;
}

static void judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                   struct finding *found) {
  verdict_begin(found, x, purpose);
  judge_by_status(found);
  if (!uri_within(s->service, x->request.uri)) return;
  lua_pushcfunction(L, ask_judge);
  lua_pushlightuserdata(L, s);
  lua_pushlightuserdata(L, (void *)x);
  lua_pushlightuserdata(L, found);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) loop_report(L);
}

/* The deadline belonged to the lost session. */
static void forget (lua_State *L, int index, struct session *s) {
  (void)s;
  if (session_getvalue(L, index, SESSION_DATA) == LUA_TTABLE) {
    lua_pushliteral(L, "expiresAt");
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
}

/* Pushes the state for another run of the program, a table, or nil. */
static void save (lua_State *L, struct session *s) {
  if (!push_function(L, s, "save")) {
    /* GCOVR_EXCL_START: sessions of a protocol without save have no name */
    lua_pushnil(L);
    return;
    /* GCOVR_EXCL_STOP */
  }
  lua_call(L, 1, 1);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_pushnil(L);
}

/* Takes such a table, on top. */
static bool restore (lua_State *L, struct session *s) {
  bool taken;
  int saved = lua_gettop(L);
  if (!push_function(L, s, "restore")) return false;
  lua_pushvalue(L, saved);
  lua_call(L, 2, 1);
  taken = lua_toboolean(L, -1);
  lua_settop(L, saved);
  return taken;
}

static void check_login (lua_State *L, struct session *s) {
  int i;
  (void)s;
  for (i = 2; i <= 3; i++)
    if (!lua_isnoneornil(L, i) && lua_type(L, i) != LUA_TSTRING)
      luaL_typeerror(L, i, i == 2 ? "a user name" : "a password");
}

#define PROTOCOL_LUA                                                                                         \
  .name = "lua", .raises = true, .configure = configure, .reconnects = RECONNECT_ASKED, .not_run = true,     \
  .fresh_lines = true, .check_login = check_login, .login = log_in, .check = check, .ping = ping,            \
  .logout = logout, .stop = stop, .reestablish = reestablish, .can_renew = can_renew, .invoke = invoke,      \
  .dress = dress, .sign = sign, .judge = judge, .telling = USUAL_TELLING, .forget = forget, .save = save,    \
  .restore = restore

const struct protocol protocol_lua = {PROTOCOL_LUA};
const struct protocol protocol_lua_implicit = {PROTOCOL_LUA, .implicit = true};

void protocol_lua_register (lua_State *L) {
  static const luaL_Reg methods[] = {{"request", link_request}, {NULL, NULL}};
  lua_pushcfunction(L, l_protocol);
  lua_setfield(L, -2, "protocol");
  luaL_newmetatable(L, LINK_TYPE);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
