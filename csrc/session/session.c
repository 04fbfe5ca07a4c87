/*
** The life of a session: it is made bound to one application; login proves who it is; from then on answers say
** whether it is alive, and session_transition alone turns what they say into state and events; logout
** forgets, invalidate ends for good, and being collected frees without a word to the server.
*/
#include "session/session.h"

#include "session/autoping.h"
#include "session/hooks.h"
#include "runtime/options.h"
#include "session/protocol.h"
#include "session/reconnect.h"
#include "session/state_events.h"

#include <string.h>
#include <time.h>

struct session *session_test (lua_State *L, int index) {
  return type_test(L, index, TYPE_SESSION);
}

struct session *session_check (lua_State *L, int index) {
  return type_check(L, index, TYPE_SESSION);
}

void session_push (lua_State *L, const struct session *s) {
  loop_table_of(L, s->loop, LOOP_SESSIONS);
  lua_rawgetp(L, -1, s);
  lua_remove(L, -2);
}

/* Is its deadline over? Nobody may have noticed yet: an idle session has no timer for that. */
static bool is_past (const struct session *s) {
  return s->expires > 0 && clock_now() >= s->expires;
}

bool session_connected (const struct session *s) {
  return s->phase == PHASE_AUTHORIZED && s->online && !s->device_offline && !s->reconnecting && !is_past(s);
}

void session_begin_authorized (struct session *s, long status) {
  s->phase = PHASE_AUTHORIZED;
  s->login_result = RESULT_SUCCESS;
  s->login_status = (short)status;
  s->admitted = s->unasked = true;
}

/* What every exchange carries */

/* Most sessions send the same lines: then they have one list, and a pooled handle that has it needs no other. */
static struct header_list *share_lines (struct loop *loop, struct header_list *lines) {
  if (loop->lines && header_list_equal(loop->lines, lines)) {
    header_list_release(lines);
    return header_list_keep(loop->lines);
  }
  header_list_release(loop->lines);
  loop->lines = header_list_keep(lines);
  return lines;
}

static struct header_list *new_headers (lua_State *L, struct session *s, bool own) {
  struct header_list *lines = header_list_new(&s->loop->memory);
  if (lines && s->protocol->dress(s, lines) && (!own || s->protocol->sign(L, s, lines)))
    return share_lines(s->loop, lines);
  header_list_release(lines);
  return NULL;
}

/* A protocol's `sign` may send requests of the session, and log it out: then the lines are not those of the next request. */
static struct header_list *own_headers (lua_State *L, struct session *s) {
  const struct identity *who = s->who;
  struct header_list *lines;
  if (s->headers && !s->protocol->fresh_lines && s->signed_for == who->generation)
    return header_list_keep(s->headers);
  lines = new_headers(L, s, true);
  header_list_release(s->headers);
  s->headers = NULL;
  if (!lines || s->who != who) return lines;
  s->headers = header_list_keep(lines);
  s->signed_for = who->generation;
  return lines;
}

/* What only the session's application is to see does not go to others of its origin. False: no memory. */
static bool keep_home (struct session *s, struct request *request) {
  const char *name = s->protocol->own_line;
  struct header_list *copy;
  if (!name || !header_list_has(request->headers, name)) return true;
  if (uri_within(s->service, request->uri)) {
    request->home = uri_keep(s->service);
    request->homely = name;
    return true;
  }
  copy = header_list_copy(request->headers);
  if (!copy) return false;
  header_list_remove(copy, name, strlen(name));
  header_list_release(request->headers);
  request->headers = copy;
  return true;
}

static bool introduce (lua_State *L, struct session *s, struct request *request) {
  struct identity *who;
  if (!s->who) s->who = identity_new(s->loop, s->model, s->service, s->transport);
  if (!s->who || !identity_jar(s->who)) return false;
  who = identity_keep(s->who);
  request->jar = jar_keep(who->jar);
  if (who->credentials) request->credentials = credentials_keep(who->credentials);
  request->headers = own_headers(L, s);
  identity_release(who);
  return request->headers && keep_home(s, request);
}

/* By which token of `who` an exchange is signed; the lowest bit is provider.c's. */
static unsigned mark_of (const struct identity *who) {
  unsigned generation = who->generation;
  return generation << 1;
}

bool session_sign_again (const struct identity *who, struct exchange *x) {
  struct header_list *lines;
  if (!who) return false;
  if (x->mark >> 1 == who->generation) return true;
  lines = x->request.headers ? header_list_copy(x->request.headers) : NULL;
  if (!lines) return false;
  header_list_release(x->request.headers);
  x->request.headers = lines;
  x->mark = (x->mark & 1) | mark_of(who);
  return identity_sign(who, lines);
}

struct exchange *session_exchange_as (struct session *s, struct identity *who, const char *method,
                                      struct uri *uri) {
  struct exchange *x = uri ? exchange_new(s->loop->engine) : NULL;
  if (!x) {
    uri_release(uri);
    return NULL;
  }
  x->request.method = method;
  x->request.uri = uri;
  x->request.transport = transport_keep(s->transport);
  x->mark = mark_of(who);
  if (who->credentials) x->request.credentials = credentials_keep(who->credentials);
  if (identity_jar(who)) x->request.jar = jar_keep(who->jar);
  x->request.headers = header_list_new(&s->loop->memory);
  if (x->request.jar && x->request.headers && s->protocol->dress(s, x->request.headers) &&
      identity_sign(who, x->request.headers))
    return x;
  exchange_free(x);
  return NULL;
}

struct exchange *session_exchange (lua_State *L, struct session *s, const char *method, struct uri *uri) {
  struct exchange *x;
  uri = session_address(L, s, uri);
  x = uri ? exchange_new(s->loop->engine) : NULL;
  if (!x) {
    uri_release(uri);
    return NULL;
  }
  x->request.method = method;
  x->request.uri = uri;
  x->request.transport = transport_keep(s->transport);
  x->mark = s->who ? mark_of(s->who) : 0;
  if (uri_same_origin(s->service, uri) ? introduce(L, s, &x->request)
                                       : (x->request.headers = new_headers(L, s, false)) != NULL)
    return x;
  exchange_free(x);
  return NULL;
}

struct exchange *session_exchange_brief (lua_State *L, struct session *s, const char *method,
                                         struct uri *uri) {
  struct exchange *x = session_exchange(L, s, method, uri);
  if (x) x->request.brief = true;
  return x;
}

/* State */

/* A provider may serve others: it stays as it is. The last reference wipes. */
static void forget_identity (lua_State *L, int index, struct session *s) {
  identity_release(s->who);
  s->who = NULL;
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_PROVIDER);
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_PROVIDER_USER);
}

/* The header lines are made anew by the next exchange. */
static void set_context_id (lua_State *L, int index, struct session *s, const char *id, size_t length) {
  if (id)
    lua_pushlstring(L, id, length);
  else
    lua_pushnil(L);
  session_setvalue(L, index, SESSION_CONTEXT_ID);
  s->has_context_id = id != NULL;
  header_list_release(s->headers);
  s->headers = NULL;
}

/* What the server's session was known by is void. */
static void forget_server_session (lua_State *L, int index, struct session *s) {
  s->expires = s->expires_at = 0;
  if (s->protocol->forget) s->protocol->forget(L, index, s);
  header_list_release(s->headers);
  s->headers = NULL;
}

void session_forget_kept (struct session *s) {
  login_free(&s->loop->memory, s->kept);
  s->kept = NULL;
}

static void forget_login (lua_State *L, int index, struct session *s) {
  s->login_result = RESULT_NONE;
  s->login_status = 0;
  s->online = s->admitted = s->established = s->reconnecting = s->closing = false;
  autoping_left(s, NULL); /* one in flight is not the next login's */
  s->epoch++;
  s->logins++;
  session_untouch(s);
  session_forget_kept(s);
  forget_server_session(L, index, s);
  forget_identity(L, index, s);
  uri_release(s->ping_uri);
  s->ping_uri = NULL;
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_USER);
  set_context_id(L, index, s, NULL, 0);
  loop_table(L, LOOP_HELD);
  lua_pushvalue(L, index);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* The most recent id stands until another comes: an answer without one says nothing. */
static void take_context_id (lua_State *L, int index, struct session *s, const struct finding *found) {
  size_t length;
  const char *known;
  if (!found->context_id || !found->context_id_length) return;
  session_getvalue(L, index, SESSION_CONTEXT_ID);
  known = lua_tolstring(L, -1, &length);
  if (!known || length != found->context_id_length || memcmp(known, found->context_id, length))
    set_context_id(L, index, s, found->context_id, found->context_id_length);
  lua_pop(L, 1);
}

/* The deadline slides with each answer that says one. */
static void take_lifetime (struct session *s, const struct finding *found) {
  struct timespec wall;
  if (!found->has_lifetime) return;
  clock_gettime(CLOCK_REALTIME, &wall);
  s->expires = found->lifetime > 0 ? clock_now() + found->lifetime : 0;
  s->expires_at =
      found->lifetime > 0 ? (double)wall.tv_sec + (double)wall.tv_nsec / 1e9 + found->lifetime : 0;
}

/* What the protocol keeps of an answer may change what the next request carries. */
static void learn (lua_State *L, int index, struct session *s, const struct finding *found) {
  take_lifetime(s, found);
  if (!s->protocol->learn || !s->protocol->learn(L, index, s, found)) return;
  header_list_release(s->headers);
  s->headers = NULL;
}

/* What a former login left is not the new one's. */
static void enter (lua_State *L, int index, struct session *s) {
  s->phase = PHASE_FRESH;
  s->epoch++;
  s->logins++;
  s->online = s->established = s->admitted = false;
  session_forget_kept(s);
  forget_server_session(L, index, s);
  set_context_id(L, index, s, NULL, 0);
}

/* The credentials and cookies go with the identity. Answers to what was sent with them change nothing. */
static void undo_login (lua_State *L, int index, struct session *s) {
  s->epoch++;
  s->admitted = false;
  session_forget_kept(s);
  forget_identity(L, index, s);
  set_context_id(L, index, s, NULL, 0);
}

static void refuse_login (struct session *s, enum result result, long status) {
  s->phase = PHASE_FRESH;
  s->login_result = result;
  s->login_status = (short)status;
  s->online = false;
}

/* What was asked before the server let us in may yet be refused. */
static void turn_authorized (struct session *s) {
  if (s->phase != PHASE_AUTHORIZED || s->reconnecting) s->epoch++;
  s->phase = PHASE_AUTHORIZED;
  s->login_result = RESULT_SUCCESS;
  s->admitted = s->established = true;
  s->reconnecting = false;
  if (s->who) s->who->logged_in = true;
}

static void turn_alive (struct session *s, const struct finding *found) {
  if (found->purpose == PURPOSE_CATALOG)
    return; /* a file, which the server may give out whatever else is wrong */
  if (found->purpose == PURPOSE_LOGIN || found->purpose == PURPOSE_CHECK || s->protocol->implicit)
    turn_authorized(s);
  if (s->phase == PHASE_AUTHORIZED && found->purpose != PURPOSE_REQUEST)
    s->login_status = (short)found->fault.status;
  s->online = true;
  s->failures = 0;
}

static void turn_expired (lua_State *L, int index, struct session *s) {
  s->phase = PHASE_EXPIRED;
  s->login_result = RESULT_AUTHENTICATION_FAILURE;
  forget_server_session(L, index, s);
}

static void count_failure (struct session *s) {
  if (s->failures < AUTOPING_FAILURES) s->failures++;
}

static void turn_bad (lua_State *L, int index, struct session *s, const struct finding *found) {
  bool expired = found->verdict == VERDICT_EXPIRED;
  if (found->purpose == PURPOSE_PING) count_failure(s);
  if (found->purpose == PURPOSE_LOGIN)
    refuse_login(s,
                 found->verdict == VERDICT_REFUSED ? RESULT_AUTHENTICATION_FAILURE : RESULT_GENERAL_FAILURE,
                 found->fault.status);
  else if (expired && (s->phase == PHASE_AUTHORIZED || s->phase == PHASE_EXPIRED)) {
    if (s->phase == PHASE_AUTHORIZED) turn_expired(L, index, s);
    if (found->fault.status > 0) s->login_status = (short)found->fault.status;
  } else if (found->reason && !expired)
    s->online = false;
}

/* While it is being re-established what was sent before says nothing any more. */
static void begin_reconnect (struct session *s) {
  s->reconnecting = true;
  s->online = false;
  s->epoch++;
}

static void end_reconnect (lua_State *L, int index, struct session *s) {
  s->reconnecting = s->established = false;
  turn_expired(L, index, s);
  session_forget_kept(s);
}

static void change_by_answer (lua_State *L, int index, struct session *s, const struct finding *found) {
  if (found->verdict == VERDICT_ALIVE || found->reason) s->unasked = false;
  switch (found->verdict) {
  case VERDICT_ALIVE:
    turn_alive(s, found);
    learn(L, index, s, found);
    take_context_id(L, index, s, found);
    break;
  case VERDICT_ADMITTED:
    s->admitted = true;
    learn(L, index, s, found);
    take_context_id(L, index, s, found); /* where there is no cookie, it is what the server knows us by */
    break;
  case VERDICT_NEUTRAL:
    turn_alive(s, found);
    learn(L, index, s, found);
    break;
  default: turn_bad(L, index, s, found);
  }
}

static void change (lua_State *L, int index, struct session *s, const struct finding *found) {
  switch (found->verdict) {
  case VERDICT_TOLD: break;
  case VERDICT_DEVICE_LOST:
  case VERDICT_DEVICE_BACK:
    s->device_offline = found->verdict == VERDICT_DEVICE_LOST;
    s->failures = 0;
    break;
  case VERDICT_LAPSED: turn_expired(L, index, s); break;
  case VERDICT_ENTERING: enter(L, index, s); break;
  case VERDICT_UNDONE: undo_login(L, index, s); break;
  case VERDICT_CLOSING:
  case VERDICT_STAYING: s->closing = found->verdict == VERDICT_CLOSING; break;
  case VERDICT_RECONNECT_BEGUN: begin_reconnect(s); break;
  case VERDICT_RECONNECT_FAILED: end_reconnect(L, index, s); break;
  case VERDICT_LEFT:
  case VERDICT_INVALIDATED:
    s->phase = found->verdict == VERDICT_LEFT ? PHASE_FRESH : PHASE_INVALID;
    forget_login(L, index, s);
    break;
  default: change_by_answer(L, index, s, found);
  }
}

void session_note (lua_State *L, int index) {
  struct session *s = lua_touserdata(L, index);
  if (s->online || s->phase != PHASE_AUTHORIZED) s->restored = false;
  if (s->named) s->loop->hooks->store.changed(L, index);
}

void session_note_identity (lua_State *L, const struct identity *who) {
  loop_table(L, LOOP_SESSIONS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const struct session *s = session_test(L, -1);
    if (s && s->who == who) session_note(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* May the session be logged in and online by it? */
static bool turns_on (const struct finding *found) {
  return found->verdict == VERDICT_ALIVE || found->verdict == VERDICT_NEUTRAL ||
         found->verdict == VERDICT_DEVICE_BACK;
}

void session_transition (lua_State *L, int index, const struct finding *found) {
  struct session *s = lua_touserdata(L, index);
  struct before was;
  index = lua_absindex(L, index);
  if (s->phase == PHASE_INVALID || (found->verdict == VERDICT_NEUTRAL && !found->stands)) return;
  if (turns_on(found) && !session_can_arm(s)) luaL_error(L, "not enough memory for automatic pings");
  was = state_events_look(L, s);
  change(L, index, s, found);
  if (!session_arm(s)) luaL_error(L, "not enough memory for automatic pings");
  session_note(L, index);
  state_events_of(L, index, found, &was);
}

/* Verbs */

void session_decide (lua_State *L, int index, enum verdict verdict, const char *reason) {
  struct finding found;
  memset(&found, 0, sizeof found);
  found.verdict = verdict;
  found.reason = reason;
  session_transition(L, index, &found);
}

/* Arguments: the session, the verdict. */
static int decide_protected (lua_State *L) {
  session_decide(L, 1, (enum verdict)lua_tointeger(L, 2), NULL);
  return 0;
}

void session_decide_safely (lua_State *L, const struct session *s, enum verdict verdict) {
  lua_pushcfunction(L, decide_protected);
  session_push(L, s);
  lua_pushinteger(L, verdict);
  if (lua_isnil(L, -2))
    lua_pop(L, 3);
  else if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    loop_report(L);
}

void session_lapse (lua_State *L, int index) {
  const struct session *s = lua_touserdata(L, index);
  if (s->phase == PHASE_AUTHORIZED && is_past(s)) session_decide(L, index, VERDICT_LAPSED, REASON_EXPIRED);
}

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

static void check_no_nul (lua_State *L, int index, const char *what) {
  if (strlen(lua_tostring(L, index)) < lua_rawlen(L, index))
    luaL_argerror(L, index, lua_pushfstring(L, "a %s with a NUL byte cannot be sent by HTTP Basic", what));
}

void session_check_credentials (lua_State *L, enum model model) {
  if (model == MODEL_ANONYMOUS || model == MODEL_SSO) return;
  if (model == MODEL_BEARER) {
    check_text(L, 2, "token");
    if (strpbrk(lua_tostring(L, 2), "\r\n") || strlen(lua_tostring(L, 2)) < lua_rawlen(L, 2))
      luaL_argerror(L, 2, "a token holds no line breaks or NUL bytes");
    return;
  }
  check_text(L, 2, "user name");
  check_text(L, 3, "password");
  if (model != MODEL_BASIC) return;
  check_no_nul(L, 2, "user name");
  check_no_nul(L, 3, "password");
  if (strchr(lua_tostring(L, 2), ':'))
    luaL_argerror(L, 2, "a user name with ':' cannot be sent by HTTP Basic");
}

bool session_hold_credentials (struct identity *who, const struct login *as) {
  if (who->model == MODEL_BEARER) return identity_set_token(who, as->user, as->user_length);
  if (who->model != MODEL_BASIC || !as->user) return true;
  return identity_set_credentials(who, as->user, as->user_length, as->password, as->password_length);
}

bool session_become (lua_State *L, int index, const struct login *as) {
  struct session *s = lua_touserdata(L, index);
  index = lua_absindex(L, index);
  forget_identity(L, index, s);
  s->who = identity_new(s->loop, s->model, s->service, s->transport);
  return s->who && session_hold_credentials(s->who, as);
}

/* login's options: iOSBasicAuthTimeout, in milliseconds, bounds each request of it. */
static double check_login_options (lua_State *L, int index) {
  static const char *const known[] = {"iOSBasicAuthTimeout", NULL};
  if (lua_isnoneornil(L, index)) return 0;
  options_check(L, index, "login", known);
  return options_number(L, index, "iOSBasicAuthTimeout", 0, 0) / 1000;
}

static bool keep_login (struct session *s, const struct login *as) {
  if (!s->keep_credentials || !as->user) return true;
  s->kept = login_copy(&s->loop->memory, as);
  return s->kept != NULL;
}

/* Argument: the operation, light userdata. */
static int decide_entering (lua_State *L) {
  operation_push_session(L, lua_touserdata(L, 1));
  session_decide(L, 2, VERDICT_ENTERING, NULL);
  return 0;
}

static void begin_login (lua_State *L, struct session *s, struct operation *op) {
  struct login as = login_read(L);
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
  session_decide(L, 1, VERDICT_TOLD, NULL);
}

/* Why there can be no login now, or NULL. */
static const char *why_no_login (const struct session *s) {
  const char *own = s->protocol->refuses ? s->protocol->refuses(s, true) : NULL;
  if (own) return own;
  if (s->model == MODEL_SSO) return "an sso session is logged in through its AuthenticationProvider";
  if (s->reconnecting) return "the session is being re-established: wait for that, or call logout first";
  if (s->phase == PHASE_AUTHORIZED && !s->protocol->implicit)
    return "the session is logged in already: call logout first";
  return s->login ? "another login of this session is under way" : NULL;
}

int session_login (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  const char *refused;
  double limit;
  if (s->protocol->check_login)
    s->protocol->check_login(L, s);
  else
    session_check_credentials(L, s->model);
  limit = check_login_options(L, s->model == MODEL_BEARER ? 3 : 4);
  if (s->model == MODEL_ANONYMOUS && !s->protocol->check_login) lua_settop(L, 1); /* it takes none */
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

/* Is there a login to speak of? */
static bool has_login (const struct session *s) {
  return s->phase == PHASE_AUTHORIZED || s->phase == PHASE_EXPIRED;
}

static const char verb_logout[] = "logout", verb_invalidate[] = "invalidate", verb_stop[] = "stop";

/* `limit`: seconds for each request; 0: the session's own. */
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
** Logging out logs the provider out too, but for sso: every other session that goes by it has expired. `who` is only
** compared once it is released; all sessions are walked for it only when somebody else holds it.
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

/* What waits for the end of it is told so. */
static void stop_waiting (struct session *s, const char *message) {
  if (s->login) operation_abort(s->login, "cancelled", message);
  if (s->leaving && s->leaving->verb == verb_stop) operation_abort(s->leaving, "closed", message);
  reconnect_abandon(s, "cancelled", message);
}

/* Argument: the operation, light userdata. */
static int decide_closing (lua_State *L) {
  operation_push_session(L, lua_touserdata(L, 1));
  session_decide(L, 2, VERDICT_CLOSING, NULL);
  return 0;
}

/* The server decides: until it has answered, `op` is the session's farewell. */
static void ask_to_leave (lua_State *L, struct session *s, struct operation *op,
                          bool (*ask)(lua_State *, struct operation *)) {
  operation_prepare(L, op, decide_closing);
  s->leaving = op;
  operation_start(L, op, ask, NULL);
}

/* Arguments: the session, whether it has left. */
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
    lua_pop(L, 3);
  else if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    loop_report(L);
}

/* The session is at 1, alone. `limit`: seconds for each request; 0: the session's own. */
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
  if (s->login) /* there is no session yet that could go on if the server refused */
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

int session_disconnect (lua_State *L) {
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  operation_defer(L, operation_new(L, 1, "disconnect"), conclude_at_once);
  stop_waiting(s, "the session was disconnected");
  if (s->phase != PHASE_INVALID) session_decide(L, 1, VERDICT_LEFT, NULL);
  return 1;
}

/* All but what tells the server goodbye. */
static void abort_operations (struct session *s) {
  struct operation *op;
  reconnect_abandon(s, "closed", "the session was invalidated");
  for (op = s->operations; op; op = op->older)
    if ((op->verb != verb_logout || s->leaving == op) && op->verb != verb_invalidate)
      operation_abort(op, "closed", "the session was invalidated");
}

static void invalidate (lua_State *L, struct session *s, double limit) {
  abort_operations(s); /* first: the farewell may be a function that makes requests */
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
    operation_refuse(L, op, "auth", RESULT_AUTHENTICATION_REQUIRED, "nobody is logged in");
  return 1;
}

int session_invoke (lua_State *L) {
  struct session *s = session_check(L, 1);
  if (!s->protocol->invoke)
    return luaL_error(L, "session:invoke: a session of protocol %s has no methods to call: use request",
                      s->protocol->name);
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

/* Argument: the session, whose login was cut off after the server had admitted it. */
static int leave_unfinished (lua_State *L) {
  session_farewell(L, 1);
  return 0;
}

static void leave_safely (lua_State *L, const struct session *s) {
  lua_pushcfunction(L, leave_unfinished);
  session_push(L, s);
  if (lua_isnil(L, -1))
    lua_pop(L, 2);
  else if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    loop_report(L);
}

void session_login_over (lua_State *L, struct session *s) {
  s->login = NULL;
  if (s->protocol->status) session_decide_safely(L, s, VERDICT_TOLD);
  if (s->phase == PHASE_AUTHORIZED || s->phase == PHASE_INVALID) return;
  if (s->admitted && !s->leaving) leave_safely(L, s);
  session_decide_safely(L, s, VERDICT_UNDONE);
}

/* Ends */

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
  session_forget_kept(s);
  identity_release(s->who);
  header_list_release(s->headers);
  uri_release(s->ping_uri);
  uri_release(s->service);
  transport_release(s->transport);
  s->who = NULL;
  s->headers = NULL;
  s->ping_uri = s->service = NULL;
  s->transport = NULL;
  return 0;
}

static int closed (lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* In a coroutine of spawn the wait suspends it, like any other await. */
int session_close (lua_State *L) {
  struct session *s = session_check(L, 1);
  double limit = s->transport ? s->transport->timeout : 0;
  lua_settop(L, 1);
  if (s->closed || s->loop->closed || s->phase == PHASE_INVALID || loop_is_inherited(s->loop)) return 0;
  session_invalidate(L);
  lua_getfield(L, -1, "await");
  lua_insert(L, -2);
  lua_pushnumber(L, limit > 0 ? limit : 30);
  lua_callk(L, 2, 0, 0, closed);
  return 0;
}
