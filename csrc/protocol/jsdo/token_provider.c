#include "protocol/jsdo/token_provider.h"

#include "net/curl_failure.h"
#include "protocol/jsdo/provider.h"
#include "runtime/duration.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Why tokenProvider is called: its second argument. */
enum reason { REASON_LOGIN, REASON_EXPIRING, REASON_REFUSED };

static const char *const reasons[] = {"login", "expiring", "refused"};

static const char logged_out[] = "the session was logged out while it waited for a token";

/* Options */

static void check_fits (lua_State *L, const struct session *s) {
  if (s->model != MODEL_BEARER)
    luaL_error(L, "option 'tokenProvider': only a session of authenticationModel \"bearer\" has a token");
  if (lua_getfield(L, 1, "authProvider") != LUA_TNIL)
    luaL_error(L,
               "option 'tokenProvider': the session's token is that of its authProvider: pass one of them");
  lua_pop(L, 1);
}

void token_provider_options (lua_State *L, struct session *s) {
  double timeout = duration_option(L, 1, "tokenTimeout", 0, -1);
  int type = lua_getfield(L, 1, "tokenProvider");
  if (type != LUA_TNIL && type != LUA_TFUNCTION)
    luaL_error(L, "option 'tokenProvider': expected a function, got %s", lua_typename(L, type));
  s->asks_tokens = type == LUA_TFUNCTION;
  if (s->asks_tokens) check_fits(L, s);
  session_setvalue(L, 2, SESSION_TOKEN_CALL);
  if (timeout < 0) return;
  lua_pushnumber(L, timeout);
  session_setvalue(L, 2, SESSION_TOKEN_TIMEOUT);
}

/* New tokens */

/* With keepCredentials the session logs in again by the new token. False: out of memory. */
static bool keep_login (struct session *s, const char *token, size_t length) {
  const struct credentials as = {token, NULL, length, 0};
  struct credentials *copy;
  if (!s->kept) return true;
  copy = credentials_copy(&s->loop->memory, &as);
  if (!copy) return false;
  session_forget_kept(s);
  s->kept = copy;
  return true;
}

/* `life`: seconds; NaN: unknown. The part of it after which the next token is asked for is that of sso. */
static void take_token (lua_State *L, struct session *s, struct identity *who, const char *token,
                        size_t length, double life) {
  bool known = life == life;
  if (!identity_set_token(who, token, length) || (s->who == who && !keep_login(s, token, length)))
    luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  identity_ripen(who, known ? clock_now() + (life > 0 ? life * provider_ripe : 0) : 0);
  identity_forget_failure(who);
  if (s->who == who) {
    header_list_release(s->headers);
    s->headers = NULL;
  }
  session_note_identity(L, who);
}

int token_provider_set (lua_State *L) {
  struct session *s = session_check(L, 1);
  double life = luaL_optnumber(L, 3, NAN);
  size_t length;
  const char *token;
  if (s->model != MODEL_BEARER)
    return luaL_error(L, "session:setToken: a session of model %s has no token", model_name(s->model));
  session_check_credentials(L, 2, MODEL_BEARER);
  if (!s->who || (s->phase != PHASE_AUTHORIZED && s->phase != PHASE_EXPIRED && !s->login))
    return luaL_error(L, "session:setToken: the session is not logged in: pass the token to login");
  token = lua_tolstring(L, 2, &length);
  take_token(L, s, s->who, token, length, life);
  if (identity_tokens(s->who)->refreshing)
    operation_abort(s->who->tokens->refreshing, "cancelled", "the session has a token");
  return 0;
}

/* Failures of tokenProvider */

static void copy_line (char *to, size_t size, const char *text) {
  size_t length = strcspn(text, "\n");
  snprintf(to, size, "%.*s", (int)(length < size ? length : size), text);
}

/* Reads the error on top: an error object, a table like one, or a text. Raises. */
static void read_failure (lua_State *L, struct token_failure *failed) {
  const char *hint = NULL;
  int top = lua_gettop(L);
  if (lua_istable(L, top)) {
    lua_getfield(L, top, "retryable");
    failed->passing = lua_toboolean(L, -1);
    lua_getfield(L, top, "hint");
    hint = lua_tostring(L, -1);
    lua_getfield(L, top, "message");
  }
  copy_line(failed->words, sizeof failed->words, luaL_tolstring(L, -1, NULL));
  copy_line(failed->hint, sizeof failed->hint, hint ? hint : "");
  lua_settop(L, top);
}

/* Calling tokenProvider: an operation of the session, whose `apart` is the identity that needs a token. */

/* After the await of the promise that it returned: that, its own expiresIn, and what await returned. */
static int awaited (lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  if (!lua_isnil(L, 4) && !lua_isnil(L, 3)) lua_copy(L, 3, 5);
  return 2;
}

/* It has returned: a token or a promise, and expiresIn or an error. */
static int returned (lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  if (!promise_test(L, 2)) return 2;
  lua_getfield(L, 2, "await");
  lua_pushvalue(L, 2);
  return compat_call(L, 1, 2, awaited);
}

/* In a coroutine: the identity (light userdata), tokenProvider, the session, the reason. */
static int call_provider (lua_State *L) {
  ((struct identity *)lua_touserdata(L, 1))->tokens->asking = L;
  return compat_call(L, 2, 2, returned);
}

/* True if the coroutine had not ended when its time was over. */
static bool is_unsettled (lua_State *L, const struct operation *op) {
  const struct promise *call;
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_CALL);
  call = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return call->state == PROMISE_PENDING;
}

/* Describes the mistake in the values that it returned, at `token` and above. */
static void note_mistake (lua_State *L, struct token_failure *failed, int token) {
  size_t length = 0;
  const char *text = lua_type(L, token) == LUA_TSTRING ? lua_tolstring(L, token, &length) : NULL;
  if (!length)
    snprintf(failed->words, sizeof failed->words, "expected a token, a string that is not empty, got %s",
             text ? "an empty one" : luaL_typename(L, token));
  else if (!header_is_value(text, length))
    copy_line(failed->words, sizeof failed->words, "the token holds a line break or a NUL byte");
  else
    snprintf(failed->words, sizeof failed->words, "expected expiresIn as a number of seconds, got %s",
             luaL_typename(L, token + 1));
}

/*
** The values that it returned, or nil and an error, are at `token` and above. From now on only a 401 asks
** again.
*/
static void note_failure (lua_State *L, const struct operation *op, int token) {
  struct identity *who = op->apart;
  struct token_failure *failed;
  identity_ripen(who, 0);
  identity_forget_failure(who);
  failed = who->tokens->failed = memory_new(&who->loop->memory, sizeof *failed);
  if (!failed) {
    /* GCOVR_EXCL_START: out of memory; seldom in a short run */
    luaL_error(L, "not enough memory");
    return;
    /* GCOVR_EXCL_STOP */
  }
  if (is_unsettled(L, op)) {
    failed->passing = true;
    copy_line(failed->words, sizeof failed->words, "it took longer than tokenTimeout allows");
    copy_line(failed->hint, sizeof failed->hint, "raise the tokenTimeout option if it needs more time");
  } else if (lua_isnil(L, token) && !lua_isnil(L, token + 1)) {
    lua_pushvalue(L, token + 1);
    read_failure(L, failed);
    lua_pop(L, 1);
  } else
    note_mistake(L, failed, token);
}

/* Takes the token that it returned at `token`, with expiresIn above it. False: there is none. */
static bool take_returned (lua_State *L, const struct operation *op, int token) {
  size_t length;
  const char *text = lua_type(L, token) == LUA_TSTRING ? lua_tolstring(L, token, &length) : NULL;
  bool timed = lua_type(L, token + 1) == LUA_TNUMBER;
  if (!text || !length || !header_is_value(text, length) || (!timed && !lua_isnil(L, token + 1)))
    return false;
  take_token(L, op->session, op->apart, text, length, timed ? lua_tonumber(L, token + 1) : NAN);
  return true;
}

static void told (lua_State *L, struct operation *op, struct exchange *x) {
  bool given;
  int top = lua_gettop(L);
  (void)x;
  operation_push_returned(L, op);
  given = take_returned(L, op, top + 1);
  if (!given) note_failure(L, op, top + 1);
  operation_push_session(L, op);
  log_token(L, -1, reasons[op->stage], given ? NULL : op->apart->tokens->failed->words);
  lua_settop(L, top);
  conclude_at_once(L, op, NULL);
}

/* The session is on top. Seconds; 0: no limit. */
static double timeout_of (lua_State *L, const struct session *s) {
  double timeout = s->transport->timeout;
  if (session_getvalue(L, -1, SESSION_TOKEN_TIMEOUT) != LUA_TNIL) timeout = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return timeout;
}

static void ask_now (lua_State *L, struct operation *op, struct exchange *x) {
  double timeout;
  int session;
  (void)x;
  operation_push_session(L, op);
  session = lua_gettop(L);
  timeout = timeout_of(L, op->session);
  compat_pushwaiting(L, call_provider);
  lua_pushlightuserdata(L, op->apart);
  session_getvalue(L, session, SESSION_TOKEN_CALL);
  lua_pushvalue(L, session);
  lua_pushstring(L, reasons[op->stage]);
  operation_call(L, op, 4, told);
  if (timeout > 0 && op->calls) operation_bound(op, timeout);
  lua_settop(L, session - 1);
}

/* Operations that wait for a token */

/* An exchange whose token was refused has its response. */
static bool is_refused (const struct exchange *x) {
  return x->phase == EXCHANGE_REPORTED;
}

/* `who` may be NULL. */
static bool has_token (const struct identity *who) {
  return who && identity_tokens(who)->access;
}

static bool has_newer_token (const struct identity *who, const struct exchange *x) {
  return has_token(who) && x->mark >> 1 != who->generation;
}

static bool can_send_again (const struct exchange *x) {
  return !x->request.upload || upload_can_begin(x->request.upload);
}

/* Readies a held exchange: to be sent, or reported as it is if there is no token for it. */
static void ready (struct operation *op, const struct identity *who, struct exchange *x) {
  struct exchange *copy;
  if (!is_refused(x)) {
    if (has_token(who)) return;
    curl_failure_note(x, FAILURE_CANCELLED, NULL, "there is no token");
    engine_report(op->loop->engine, x);
    return;
  }
  copy = has_newer_token(who, x) && can_send_again(x) ? provider_again(x) : NULL;
  if (copy)
    operation_replace(op, x, copy);
  else
    engine_report(op->loop->engine, x);
}

static void resume (lua_State *L, struct operation *op) {
  const struct identity *who = operation_signer(op); /* NULL: no memory for another */
  struct exchange *x, *next;
  op->awaits = NULL;
  if (op->abort_kind) return; /* which has reported the held exchanges */
  for (x = op->exchanges; x; x = next) {
    next = x->next;
    if (x->phase == EXCHANGE_FRESH || is_refused(x)) ready(op, who, x);
  }
  operation_resume(L, op);
}

/* The first operation that waits for a token of `who`; NULL: there is none. */
static struct operation *find_waiting (const struct loop *loop, const struct identity *who) {
  struct operation *op = loop->operations;
  while (op && op->awaits != who)
    op = op->later;
  return op;
}

/* A request that is sent may call onRequest, which may end operations, or begin one that asks again. */
static void ask_left (lua_State *L, struct operation *ask) {
  const struct identity *who = ask->apart;
  struct operation *op;
  who->tokens->refreshing = NULL;
  who->tokens->asking = NULL;
  while (!who->tokens->refreshing && (op = find_waiting(ask->loop, who)))
    resume(L, op);
}

static const struct operation_owner ask_owner = {"session", NULL, NULL, NULL, NULL, ask_left};

void token_provider_left (struct operation *op) {
  const struct identity *who = op->awaits;
  struct operation *ask = identity_tokens(who)->refreshing;
  op->awaits = NULL;
  if (ask && ask->owner == &ask_owner && !find_waiting(op->loop, who))
    operation_abort(ask, "cancelled", "nothing waits for the token any more");
}

void token_provider_abandon (const struct session *s) {
  struct operation *op;
  if (s->model != MODEL_BEARER) return;
  for (op = s->operations; op; op = op->older)
    if (op->awaits || op->owner == &ask_owner) operation_abort(op, "cancelled", logged_out);
}

/* Arguments: an operation that needs a token, light userdata; an enum reason. */
static int begin_asking (lua_State *L) {
  const struct operation *op = lua_touserdata(L, 1);
  struct identity *who = operation_signer(op);
  struct operation *ask;
  if (!identity_need_tokens(who)) return luaL_error(L, "not enough memory");
  operation_push_session(L, op);
  ask = operation_new(L, -1, "tokenProvider");
  ask->promise.looked_at = true;
  ask->owner = &ask_owner;
  ask->apart = identity_keep(who);
  ask->stage = (unsigned)lua_tointeger(L, 2);
  who->tokens->refreshing = ask;
  operation_defer(L, ask, ask_now); /* a program's function is not called within a call of the program's */
  return 0;
}

/* True if tokenProvider is being asked for the identity of `op`; asks it if not. Raises nothing. */
static bool asking (lua_State *L, struct operation *op, enum reason reason) {
  const struct identity *who = operation_signer(op);
  if (identity_tokens(who)->refreshing) return true;
  if (!op->session->asks_tokens || !lua_checkstack(L, LUA_MINSTACK)) return false;
  lua_pushcfunction(L, begin_asking);
  lua_pushlightuserdata(L, op);
  lua_pushinteger(L, reason);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
  return identity_tokens(who)->refreshing != NULL;
}

/* True if the session is logged in, or `op` logs it in. An operation of an earlier login is not of it. */
static bool is_of_login (const struct operation *op) {
  const struct session *s = op->session;
  if (s->login == op) return true;
  return op->logins == s->logins && (s->phase == PHASE_AUTHORIZED || s->phase == PHASE_EXPIRED);
}

static bool is_due (const struct tokens *t) {
  return t->refresh_at > 0 && clock_now() >= t->refresh_at;
}

bool token_provider_holds (lua_State *L, struct operation *op, struct exchange *x) {
  const struct identity *who = operation_signer(op);
  const struct tokens *t = identity_tokens(who);
  if (!op->session->asks_tokens && !t->refreshing) return false;
  if (t->asking == L) { /* tokenProvider sends it: it must not wait for itself */
    x->mark |= 1;
    return false;
  }
  if (!t->refreshing && (t->access ? !is_due(t) : !is_of_login(op))) return false;
  if (!asking(L, op, t->access ? REASON_EXPIRING : REASON_LOGIN)) return false;
  op->awaits = who;
  return true;
}

bool token_provider_retries (lua_State *L, struct operation *op, struct exchange *x) {
  const struct identity *who = operation_signer(op);
  if (op->apart || x->response.failure != FAILURE_NONE || x->response.status != 401) return false;
  if (!is_of_login(op) || !uri_within(op->session->service, x->request.uri)) return false;
  if (has_newer_token(who, x)) {
    struct exchange *copy;
    if (!can_send_again(x)) return false;
    copy = provider_again(x);
    if (!copy) luaL_error(L, "not enough memory");
    operation_hold(op, copy, op->step);
    operation_resume(L, op);
    return true;
  }
  if (x->mark & 1 || !asking(L, op, REASON_REFUSED)) return false;
  x->mark |= 1;
  x->held = true;
  operation_hold(op, x, op->step);
  op->awaits = who;
  return true;
}

/* Judging */

static const struct token_failure *failure_of (const struct session *s) {
  static const struct token_failure none = {false, "none came", ""};
  const struct tokens *t = identity_tokens(s->who);
  return t->failed ? t->failed : &none;
}

/* A tokenProvider that gives no token for now does not end the login. */
static enum verdict verdict_of (bool login, bool passing) {
  if (login) return passing ? VERDICT_BROKEN : VERDICT_REFUSED;
  return passing ? VERDICT_NEUTRAL : VERDICT_EXPIRED;
}

bool token_provider_judge (const struct session *s, const struct exchange *x, struct finding *found) {
  const struct token_failure *failed;
  bool login = found->purpose == PURPOSE_LOGIN, catalog = found->purpose == PURPOSE_CATALOG, lost;
  char what[sizeof failed->words + 80] = "the server did not accept the token that tokenProvider gave";
  if (s->model == MODEL_BEARER && has_newer_token(s->who, x) && !can_send_again(x)) {
    found->fault.result = RESULT_EXPIRED_TOKEN;
    verdict_blame(found, VERDICT_NEUTRAL, "auth", NULL,
                  "the server did not accept the token; the session has another now", upload_spent_hint);
    return true;
  }
  if (!s->asks_tokens || !s->who || !(x->mark & 1)) return false;
  failed = identity_tokens(s->who)->failed;
  if (failed)
    snprintf(what, sizeof what, "the server did not accept the token, and tokenProvider gave no other: %s",
             failed->words);
  found->fault.retryable = failed && failed->passing;
  lost = !login && !catalog && !found->fault.retryable;
  found->fault.result = login ? RESULT_AUTHENTICATION_FAILURE : RESULT_EXPIRED_TOKEN;
  verdict_blame(found, verdict_of(login, found->fault.retryable), lost ? "expired" : "auth",
                lost ? REASON_EXPIRED : NULL, what,
                failed && failed->hint[0] ? failed->hint
                : lost                    ? verdict_way_back(s)
                                          : NULL);
  return true;
}

/* Only an exchange that was not sent for want of a token is judged as cancelled. */
void token_provider_judge_failure (const struct session *s, const struct exchange *x, struct finding *found) {
  const struct token_failure *failed;
  if (x->response.failure != FAILURE_CANCELLED || s->model != MODEL_BEARER || !s->who) return;
  failed = failure_of(s);
  found->verdict = verdict_of(found->purpose == PURPOSE_LOGIN, failed->passing);
  found->reason = found->verdict == VERDICT_EXPIRED ? REASON_EXPIRED : NULL;
  found->fault.kind = "auth";
  found->fault.result = failed->passing ? RESULT_GENERAL_FAILURE : RESULT_AUTHENTICATION_FAILURE;
  found->fault.retryable = failed->passing;
  found->fault.hint = failed->hint[0] ? failed->hint : NULL;
  verdict_say(found, "tokenProvider gave no token: %s", failed->words);
}
