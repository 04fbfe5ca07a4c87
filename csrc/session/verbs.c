#include "session/verbs.h"

#include "runtime/loop.h"
#include "runtime/options.h"
#include "session/active_session.h"
#include "session/autoping.h"
#include "session/exchange.h"
#include "session/hooks.h"
#include "session/identity.h"
#include "session/on_open_request.h"
#include "session/operation.h"
#include "session/protocol.h"
#include "session/reconnect.h"
#include "session/retry.h"
#include "session/session.h"

#include <string.h>

static const char refused_invalid[] = "the session was invalidated: make a new one";

bool session_refuses (lua_State *L, struct operation *op) {
  const struct session *s = op->session;
  const char *own = s->protocol->refuses ? s->protocol->refuses(s, false) : NULL;
  if (s->phase == PHASE_INVALID)
    operation_refuse(L, op, "closed", RESULT_GENERAL_FAILURE, refused_invalid);
  else if (s->closing)
    operation_refuse(L, op, "closed", RESULT_GENERAL_FAILURE, own ? own : "the session is being closed");
  else
    return false;
  return true;
}

static void check_text (lua_State *L, int index, const char *what) {
  size_t length;
  if (lua_type(L, index) != LUA_TSTRING) luaL_typeerror(L, index, what);
  lua_tolstring(L, index, &length);
  if (!length) luaL_argerror(L, index, lua_pushfstring(L, "%s must not be empty", what));
}

enum { MOST_TOKEN = 1000000 }; /* libcurl takes no header line of several megabytes */

static void check_no_nul (lua_State *L, int index, const char *what) {
  if (strlen(lua_tostring(L, index)) < lua_rawlen(L, index))
    luaL_argerror(L, index, lua_pushfstring(L, "a %s with a NUL byte cannot be sent by HTTP Basic", what));
}

void session_check_credentials (lua_State *L, int user, enum model model) {
  int password = user + 1;
  if (model == MODEL_ANONYMOUS || model == MODEL_SSO) return;
  if (model == MODEL_BEARER) {
    check_text(L, user, "token");
    if (strpbrk(lua_tostring(L, user), "\r\n") || strlen(lua_tostring(L, user)) < lua_rawlen(L, user))
      luaL_argerror(L, user, "a token holds no line breaks or NUL bytes");
    luaL_argcheck(L, lua_rawlen(L, user) <= MOST_TOKEN, user, "a token has at most 1,000,000 bytes");
    return;
  }
  check_text(L, user, "user name");
  check_text(L, password, "password");
  if (model != MODEL_BASIC) return;
  check_no_nul(L, user, "user name");
  check_no_nul(L, password, "password");
  if (strchr(lua_tostring(L, user), ':'))
    luaL_argerror(L, user, "a user name with ':' cannot be sent by HTTP Basic");
}

bool session_hold_credentials (struct identity *who, const struct credentials *as) {
  if (who->model == MODEL_BEARER) return identity_set_token(who, as->user, as->user_length);
  if (who->model != MODEL_BASIC || !as->user) return true;
  return identity_set_credentials(who, as->user, as->user_length, as->password, as->password_length);
}

bool session_become (lua_State *L, int index, const struct credentials *as) {
  struct session *s = lua_touserdata(L, index);
  index = lua_absindex(L, index);
  session_forget_identity(L, index, s);
  s->who = identity_new(s->loop, s->model, s->service, s->transport);
  return s->who && session_hold_credentials(s->who, as);
}

/* Reads the options of login. iOSBasicAuthTimeout, in milliseconds, limits each request of the login. */
static double check_login_options (lua_State *L, int index) {
  static const char *const known[] = {"iOSBasicAuthTimeout", NULL};
  if (lua_isnoneornil(L, index)) return 0;
  options_check(L, index, "login", known);
  return options_number(L, index, "iOSBasicAuthTimeout", 0, 0) / 1000;
}

static bool keep_login (struct session *s, const struct credentials *as) {
  if (!s->keep_credentials || !as->user) return true;
  s->kept = credentials_copy(&s->loop->memory, as);
  return s->kept != NULL;
}

/* Argument: the operation, light userdata. */
static int decide_entering (lua_State *L) {
  operation_push_session(L, lua_touserdata(L, 1));
  session_decide(L, 2, VERDICT_ENTERING, NULL);
  return 0;
}

/* Another attempt, after one that has left nothing behind. */
static bool log_in_again (lua_State *L, struct operation *op) {
  struct session *s = op->session;
  const struct credentials *as = retry_credentials(op);
  int index;
  operation_push_session(L, op);
  index = lua_gettop(L);
  session_decide(L, index, VERDICT_ENTERING, NULL);
  op->epoch = s->epoch;
  op->stage = 0;
  if (!keep_login(s, as) || !session_become(L, index, as) || !s->protocol->login(L, op, as)) return false;
  session_decide(L, index, VERDICT_TOLD, NULL);
  lua_settop(L, index - 1);
  return true;
}

static bool prepare_retry (const struct session *s, struct operation *op, const struct credentials *as) {
  if (!s->retry) return true;
  op->begin = log_in_again;
  return retry_attach(op, s->retry, op->limit, s->transport) && retry_keep_credentials(op, as);
}

static void begin_login (lua_State *L, struct session *s, struct operation *op) {
  struct credentials as = credentials_read(L);
  operation_must(L, op, prepare_retry(s, op, &as));
  operation_prepare(L, op, decide_entering);
  op->epoch = s->epoch;
  if (s->model == MODEL_BEARER)
    lua_pushnil(L);
  else
    lua_pushvalue(L, 2);
  session_setvalue(L, 1, SESSION_USER);
  s->login = op;
  operation_must(L, op, keep_login(s, &as) && session_become(L, 1, &as));
  operation_start(L, op, NULL, &as);
  session_decide_safely(L, s, VERDICT_TOLD); /* the login is pending: its promise must be returned */
}

/* The reason why a login is not possible now; NULL: it is. */
static const char *why_no_login (const struct session *s) {
  const char *own = s->protocol->refuses ? s->protocol->refuses(s, true) : NULL;
  if (own) return own;
  if (s->model == MODEL_SSO) return "an sso session is logged in through its AuthenticationProvider";
  if (s->reconnecting) return "the session is being re-established: wait until it is, or call logout first";
  if (s->phase == PHASE_AUTHORIZED && !s->protocol->implicit)
    return "the session is logged in already: call logout first";
  return s->login ? "another login of this session is pending" : NULL;
}

int session_login (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  const char *refused;
  double limit;
  if (s->protocol->check_login)
    s->protocol->check_login(L, s);
  else if (!s->asks_tokens || !lua_isnoneornil(L, 2))
    session_check_credentials(L, 2, s->model);
  limit = check_login_options(L, s->model == MODEL_BEARER ? 3 : 4);
  if (s->model == MODEL_ANONYMOUS && !s->protocol->check_login)
    lua_settop(L, 1); /* an anonymous login takes no arguments */
  lua_settop(L, 3);
  session_touch(s);
  session_lapse(L, 1);
  op = operation_new(L, 1, "login");
  op->limit = limit;
  if (session_refuses(L, op)) return 1;
  refused = why_no_login(s);
  if (refused)
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE, refused);
  else
    begin_login(L, s, op);
  lua_settop(L, 4);
  return 1;
}

/* True if the session is logged in, or was until it expired. */
static bool has_login (const struct session *s) {
  return s->phase == PHASE_AUTHORIZED || s->phase == PHASE_EXPIRED;
}

static const char verb_logout[] = "logout", verb_invalidate[] = "invalidate", verb_stop[] = "stop";

/* Ends the session on the server. `limit`: seconds for each request; 0: the session's own timeout. */
static struct operation *take_leave (lua_State *L, struct session *s, const char *verb, double limit) {
  struct operation *op = operation_new(L, 1, verb);
  op->limit = limit;
  if (s->admitted && s->model != MODEL_SSO)
    operation_start(L, op, s->protocol->logout, NULL);
  else
    operation_defer(L, op, conclude_at_once);
  return op;
}

/*
** Except for sso, a logout also logs out the provider, so that the other sessions which use it expire. `who`
** is only compared after its release. The walk over all sessions is saved when no other holds it.
*/
static void end_login (lua_State *L, int index, struct session *s, enum verdict verdict) {
  struct identity *who = s->model == MODEL_SSO ? NULL : s->who;
  bool shared = who && who->references > 1;
  if (who) {
    s->who = NULL;
    identity_reset(who);
    identity_release(who);
  }
  session_decide(L, index, verdict, NULL);
  if (shared) session_hooks(L)->provider.expire_sessions(L, who, -1);
}

/* Rejects the calls that wait for the session. */
static void stop_waiting (struct session *s, const char *message) {
  if (s->login) operation_abort(s->login, "cancelled", message);
  if (s->leaving && s->leaving->verb == verb_stop) operation_abort(s->leaving, "closed", message);
  reconnect_abandon(s, "cancelled", message);
  retry_abandon(s, "cancelled", message);
}

/* Argument: the operation, light userdata. */
static int decide_closing (lua_State *L) {
  operation_push_session(L, lua_touserdata(L, 1));
  session_decide(L, 2, VERDICT_CLOSING, NULL);
  return 0;
}

/* Asks the server to end the session. The session stays logged in until the server has answered `op`. */
static void ask_to_leave (lua_State *L, struct session *s, struct operation *op,
                          bool (*ask)(lua_State *, struct operation *)) {
  operation_prepare(L, op, decide_closing);
  s->leaving = op;
  operation_start(L, op, ask, NULL);
}

/* Arguments: the session; true if it has ended, false if it stays. */
static int leave (lua_State *L) {
  struct session *s = lua_touserdata(L, 1);
  if (lua_toboolean(L, 2))
    end_login(L, 1, s, VERDICT_LEFT);
  else
    session_decide(L, 1, VERDICT_STAYING, NULL);
  return 0;
}

void session_leaving_over (lua_State *L, struct session *s, const struct operation *op) {
  s->leaving = NULL;
  if (s->phase == PHASE_INVALID) return;
  lua_pushcfunction(L, leave);
  session_push(L, s);
  lua_pushboolean(L, op->resolved || op->verb == verb_logout);
  if (lua_isnil(L, -2))
    lua_pop(L, 3); /* GCOVR_EXCL_LINE: a pending operation keeps its session */
  else if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    loop_report(L); /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
}

/* The session is at 1, alone. `limit`: seconds for each request; 0: the session's own timeout. */
static int log_out (lua_State *L, struct session *s, double limit, const char *ended) {
  if (s->model == MODEL_SSO && s->phase != PHASE_INVALID) {
    operation_refuse(
        L, operation_new(L, 1, verb_logout), "auth", RESULT_GENERAL_FAILURE,
        "an sso session is logged out through its AuthenticationProvider; disconnect leaves it alone");
    return 1;
  }
  if (s->protocol->slow_logout && s->admitted && !s->leaving && s->phase != PHASE_INVALID) {
    struct operation *op = operation_new(L, 1, verb_logout);
    op->limit = limit;
    stop_waiting(s, ended);
    ask_to_leave(L, s, op, s->protocol->logout);
    lua_settop(L, 2);
    return 1;
  }
  take_leave(L, s, verb_logout, limit);
  stop_waiting(s, ended);
  end_login(L, 1, s, VERDICT_LEFT);
  lua_settop(L, 2);
  return 1;
}

int session_logout (lua_State *L) {
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  return log_out(L, s, 0, "the session was logged out");
}

int session_stop (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  double limit = luaL_optnumber(L, 2, 0);
  luaL_argcheck(L, limit >= 0 && limit < 1e9, 2, "expected a number of seconds, 0 or more");
  lua_settop(L, 1);
  session_touch(s);
  if (s->login) /* there is no session to keep yet if the server refused */
    return log_out(L, s, limit, "the session was stopped");
  op = operation_new(L, 1, verb_stop);
  op->limit = limit;
  op->deadline = clock_now() + limit;
  if (session_refuses(L, op)) return 1;
  if (s->reconnecting)
    operation_refuse(L, op, "offline", RESULT_GENERAL_FAILURE,
                     "the session is being re-established, so the server cannot be asked to end it");
  else if (s->admitted && s->model != MODEL_SSO)
    ask_to_leave(L, s, op, s->protocol->stop ? s->protocol->stop : s->protocol->logout);
  else
    ask_to_leave(L, s, op, conclude_later);
  lua_settop(L, 2);
  return 1;
}

void session_leave (lua_State *L, int index) {
  struct session *s = lua_touserdata(L, index);
  stop_waiting(s, "the session was disconnected");
  if (s->phase != PHASE_INVALID) session_decide(L, index, VERDICT_LEFT, NULL);
}

int session_disconnect (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 1);
  operation_defer(L, operation_new(L, 1, "disconnect"), conclude_at_once);
  session_leave(L, 1);
  return 1;
}

/* Aborts all but the operations that end the session on the server. */
static void abort_operations (struct session *s) {
  struct operation *op;
  reconnect_abandon(s, "closed", "the session was invalidated");
  for (op = s->operations; op; op = op->older)
    if ((op->verb != verb_logout || s->leaving == op) && op->verb != verb_invalidate)
      operation_abort(op, "closed", "the session was invalidated");
}

static void invalidate (lua_State *L, struct session *s, double limit) {
  abort_operations(s); /* first: a protocol's logout in Lua may start requests */
  take_leave(L, s, verb_invalidate, limit);
  end_login(L, 1, s, VERDICT_INVALIDATED);
  lua_settop(L, 2);
}

int session_invalidate (lua_State *L) {
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  invalidate(L, s, 0);
  return 1;
}

int session_end (lua_State *L) {
  enum { LONGEST_FAREWELL = 2 };
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  if (s->phase == PHASE_INVALID) return 0;
  invalidate(L, s, LONGEST_FAREWELL);
  ((struct promise *)lua_touserdata(L, 2))->looked_at = true;
  return 0;
}

struct operation *session_start_ping (lua_State *L, int index, struct session *s) {
  struct operation *op;
  session_lapse(L, index);
  op = operation_new(L, index, "ping");
  if (session_refuses(L, op)) return op;
  if (has_login(s) || s->protocol->implicit || s->reconnecting)
    reconnect_begin(L, op, s->protocol->ping);
  else
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE,
                     s->model == MODEL_SSO
                         ? "the session was disconnected: make another with an AuthenticationProvider"
                         : "the session is not logged in: call login first");
  return op;
}

int session_ping (lua_State *L) {
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  session_touch(s);
  session_start_ping(L, 1, s);
  return 1;
}

int session_is_authorized (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  lua_settop(L, 1);
  session_touch(s);
  session_lapse(L, 1);
  op = operation_new(L, 1, "isAuthorized");
  if (session_refuses(L, op)) return 1;
  if (has_login(s) || s->reconnecting)
    reconnect_begin(L, op, s->protocol->check);
  else
    operation_refuse(L, op, "auth", RESULT_AUTHENTICATION_REQUIRED, "the session is not logged in");
  return 1;
}

int session_invoke (lua_State *L) {
  struct session *s = session_check(L, 1);
  /* GCOVR_EXCL_START: run, but gcov does not count a call that does not return */
  if (!s->protocol->invoke)
    return luaL_error(L, "session:invoke: protocol %s has no methods to call: use session:request",
                      s->protocol->name);
  /* GCOVR_EXCL_STOP */
  session_touch(s);
  session_lapse(L, 1);
  return s->protocol->invoke(L);
}

void session_farewell (lua_State *L, int index) {
  const struct session *s = lua_touserdata(L, index);
  struct operation *op = operation_new(L, index, verb_logout);
  op->promise.looked_at = true;
  operation_start(L, op, s->protocol->logout, NULL);
  lua_pop(L, 1);
}

/* Argument: the session, whose login was aborted after the server had admitted it. */
static int leave_unfinished (lua_State *L) {
  session_farewell(L, 1);
  return 0;
}

static void leave_safely (lua_State *L, const struct session *s) {
  lua_pushcfunction(L, leave_unfinished);
  session_push(L, s);
  if (lua_isnil(L, -1))
    lua_pop(L, 2); /* GCOVR_EXCL_LINE: a pending operation keeps its session */
  else if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    loop_report(L); /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
}

void session_login_over (lua_State *L, struct session *s) {
  s->login = NULL;
  if (s->protocol->status) session_decide_safely(L, s, VERDICT_TOLD);
  if (s->phase == PHASE_AUTHORIZED || s->phase == PHASE_INVALID) return;
  if (s->admitted && !s->leaving) leave_safely(L, s);
  session_decide_safely(L, s, VERDICT_UNDONE);
}

int session_gc (lua_State *L) {
  struct session *s = session_check(L, 1);
  if (s->closed) return 0;
  s->closed = true;
  s->phase = PHASE_INVALID;
  session_untouch(s);
  s->admitted = false;
  autoping_free(s);
  if (s->protocol->release) s->protocol->release(s);
  reconnect_free(s);
  retry_free(&s->loop->memory, s->retry);
  session_forget_kept(s);
  identity_release(s->who);
  header_list_release(s->headers);
  uri_release(s->service);
  transport_release(s->transport);
  s->retry = NULL;
  s->who = NULL;
  s->headers = NULL;
  s->service = NULL;
  s->transport = NULL;
  return 0;
}

static int closed (lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* In a coroutine of spawn, waiting suspends the coroutine, like any other await. */
int session_close (lua_State *L) {
  struct session *s = session_check(L, 1);
  double limit = s->transport ? s->transport->timeout : 0;
  lua_settop(L, 1);
  if (s->closed || s->loop->closed || s->phase == PHASE_INVALID || loop_is_inherited(s->loop)) return 0;
  session_invalidate(L);
  lua_getfield(L, -1, "await");
  lua_insert(L, -2);
  lua_pushnumber(L, limit > 0 ? limit : 30);
  return compat_call(L, 2, 0, closed);
}

/* The owner of the operations of sessions */

static void describe (lua_State *L, struct operation *op, struct exchange *x) {
  session_open_request(L, op->session, x);
}

static bool holds (lua_State *L, struct operation *op, struct exchange *x) {
  return op->loop->hooks->provider.holds(L, op, x);
}

static bool retries (lua_State *L, struct operation *op, struct exchange *x) {
  return op->loop->hooks->provider.retries(L, op, x);
}

static bool sign (const struct operation *op, struct exchange *x) {
  return session_sign_again(operation_signer(op), x);
}

static void left (lua_State *L, struct operation *op) {
  struct session *s = op->session;
  if (op->awaits) op->loop->hooks->provider.left(op);
  if (s->login == op) session_login_over(L, s);
  autoping_left(s, op);
  if (s->leaving == op) session_leaving_over(L, s, op);
  reconnect_left(L, s, op);
}

const struct operation_owner session_owner = {"session", describe, holds, retries, sign, left};
