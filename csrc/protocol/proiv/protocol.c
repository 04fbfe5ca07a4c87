/*
** The life cycle of a session with a PROIV virtual machine, behind a connection servlet.
**
** login    connects: GET {URI}?SESSION_NAME={service}, as the vendor documents; with connectionData a POST of
**          a form. The servlet tells sessions apart by cookie.
** ping     asks for the session's state: POST {URI}, ACTION=POLL.
** stop     asks PROIV to end the session, which it may refuse: ACTION=STOP, then POLL until it has ended,
**          PROIV refuses, or the time is up.
** logout   ends the session whatever the server answers: ACTION=END.
**
** A session is a running program: a lost or ended one cannot be re-established. A function of the option
** `transport` may replace each request. All requests but the connect follow a convention of this library.
*/
#include "session/protocol.h"
#include "protocol/proiv/proiv.h"
#include "runtime/error.h"
#include "runtime/promise.h"

#include <string.h>

/*
** Calls the transport's function of that name with the session and its limit in seconds. False: there is
** none.
*/
static bool call_transport (lua_State *L, struct operation *op, const char *name, double seconds,
                            operation_step step) {
  int top = lua_gettop(L);
  if (proiv_push(L, op->session, "transport") != LUA_TTABLE || lua_getfield(L, -1, name) != LUA_TFUNCTION) {
    lua_settop(L, top);
    return false;
  }
  session_push(L, op->session);
  if (seconds > 0)
    lua_pushnumber(L, seconds);
  else
    lua_pushnil(L);
  operation_call(L, op, 2, step);
  if (seconds > 0 && op->timer.place) /* moves values only: cannot fail */
    engine_set_timer(op->loop->engine, &op->timer, clock_now() + seconds);
  lua_settop(L, top);
  return true;
}

/* Reading the session's state */

/* Judges the response to the connect. */
static void blame_connect (struct finding *found, enum proiv_answer answer) {
  long status = found->fault.status;
  if (status == 401 || status == 403) {
    found->fault.result = RESULT_AUTHENTICATION_FAILURE;
    verdict_blame(found, VERDICT_REFUSED, "auth", NULL, "the server refused the credentials",
                  "check username and password of connectionData");
  } else if (status == 404 || status == 410)
    verdict_blame(found, VERDICT_ABSENT, "offline", REASON_APPLICATION,
                  "no such service answers there, or it is disabled", "check URI and connectionData.service");
  else if (answer == PROIV_SAYS_LATER) {
    verdict_blame(found, VERDICT_DOWN, "offline", REASON_APPSERVER, "the server cannot open a session now",
                  NULL);
    found->fault.retryable = true;
  } else if (answer == PROIV_SAYS_REFUSED)
    verdict_blame(found, VERDICT_BROKEN, "refused", NULL, "the server refuses to open a session", NULL);
  else
    verdict_blame(found, VERDICT_BROKEN, status < 300 ? "protocol" : "http", NULL, "no session was opened",
                  NULL);
}

static const char hint_lost[] = "create a new session";

/* Judges the response to a POLL. */
static void blame_poll (struct finding *found, enum proiv_answer answer) {
  if (answer == PROIV_SAYS_ENDED)
    verdict_blame(found, VERDICT_EXPIRED, "expired", REASON_EXPIRED, "the session's program has ended", NULL);
  else if (answer == PROIV_SAYS_LOST)
    verdict_blame(found, VERDICT_EXPIRED, "expired", REASON_EXPIRED, "the server has lost the session",
                  hint_lost);
  else if (answer == PROIV_SAYS_LATER) {
    verdict_blame(found, VERDICT_DOWN, "offline", REASON_APPSERVER,
                  "the server cannot tell the state of the session now", NULL);
    found->fault.retryable = true;
  } else
    verdict_blame(found, VERDICT_BROKEN, found->fault.status < 300 ? "protocol" : "http",
                  found->purpose == PURPOSE_PING ? REASON_APPLICATION : NULL,
                  "the answer does not tell the state of the session", "check URI");
}

static bool is_well (enum proiv_answer answer, enum purpose purpose) {
  if (purpose == PURPOSE_LOGIN) return answer == PROIV_SAYS_RUNNING;
  return answer == PROIV_SAYS_RUNNING || answer == PROIV_SAYS_STOPPING || answer == PROIV_SAYS_REFUSED;
}

static void say (struct finding *found, enum proiv_answer answer) {
  if (is_well(answer, found->purpose) || found->purpose == PURPOSE_LOGOUT)
    found->verdict = VERDICT_ALIVE;
  else if (found->purpose == PURPOSE_LOGIN)
    blame_connect(found, answer);
  else
    blame_poll(found, answer);
}

/* A user's request may go anywhere: its response says nothing of the session; POLL does. */
static void judge_request (struct finding *found) {
  long status = found->fault.status;
  if (status < 400) {
    found->verdict = VERDICT_ALIVE;
    return;
  }
  verdict_blame(found, VERDICT_NEUTRAL, "http", NULL, verdict_refusal(found->fault.status), NULL);
  found->fault.retryable = status == 429 || status == 502 || status == 503 || status == 504;
}

static void judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                   struct finding *found) {
  verdict_begin(found, x, purpose);
  if (purpose == PURPOSE_REQUEST || purpose == PURPOSE_CATALOG)
    judge_request(found);
  else
    say(found, proiv_classify(L, s, x)); /* GCOVR_EXCL_LINE: only the fuzzer asks */
}

/* A broken connection loses the session. */
static enum proiv_answer hear_failure (struct finding *found, const struct exchange *x,
                                       enum purpose purpose) {
  verdict_failure(found, x, purpose);
  if (found->verdict != VERDICT_UNREACHABLE) return PROIV_SAYS_NOTHING;
  if (purpose == PURPOSE_LOGIN) return PROIV_SAYS_LOST;
  found->verdict = VERDICT_EXPIRED;
  found->fault.hint = hint_lost;
  found->fault.retryable = false;
  return PROIV_SAYS_LOST;
}

static bool is_of_the_line (const char *kind) {
  static const char *const kinds[] = {"offline", "dns", "connect", "timeout", "stall", "tls", "proxy", NULL};
  int i;
  for (i = 0; kind && kinds[i]; i++)
    if (!strcmp(kinds[i], kind)) return true;
  return false;
}

/* The error object or text of a transport's function is on top and stays there: `found` borrows its kind. */
static enum proiv_answer hear_error (lua_State *L, struct finding *found) {
  const char *kind = NULL, *message = NULL;
  bool lost;
  int error = lua_gettop(L);
  if (lua_istable(L, error)) {
    lua_getfield(L, error, "kind");
    kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_getfield(L, error, "httpStatus");
    found->fault.status = (long)lua_tointeger(L, -1);
    lua_getfield(L, error, "message");
    message = lua_tostring(L, -1);
  } else
    message = lua_tostring(L, error);
  lost = is_of_the_line(kind);
  found->fault.kind = kind ? kind : "error";
  found->verdict = lost ? VERDICT_EXPIRED : VERDICT_NEUTRAL;
  if (found->purpose == PURPOSE_LOGIN) found->verdict = lost ? VERDICT_UNREACHABLE : VERDICT_BROKEN;
  if (kind && !strcmp(kind, "auth") && found->purpose == PURPOSE_LOGIN) {
    found->verdict = VERDICT_REFUSED;
    found->fault.result = RESULT_AUTHENTICATION_FAILURE;
  }
  found->reason = lost ? REASON_SERVER : NULL;
  verdict_say(found, "%s", message ? message : "the transport's function refused");
  return lost ? PROIV_SAYS_LOST : PROIV_SAYS_NOTHING;
}

/* True if the function timed out and its coroutine was closed. */
static bool was_left (lua_State *L, const struct operation *op) {
  bool left;
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_CALL);
  left = promise_test(L, -1) && promise_test(L, -1)->state == PROMISE_PENDING;
  lua_pop(L, 2);
  return left;
}

static enum proiv_answer hear_late (struct finding *found) {
  found->fault.kind = "timeout";
  found->verdict = found->purpose == PURPOSE_LOGIN ? VERDICT_UNREACHABLE : VERDICT_EXPIRED;
  found->reason = REASON_SERVER;
  verdict_say(found, "the transport's function took too long");
  return PROIV_SAYS_LOST;
}

/*
** Judges what the transport's function returned: true, a state, or nil and an error. The values stay on the
** stack as long as `found` is used.
*/
static enum proiv_answer hear_function (lua_State *L, struct operation *op, enum purpose purpose,
                                        struct finding *found) {
  enum proiv_answer answer = PROIV_SAYS_RUNNING;
  memset(found, 0, sizeof *found);
  found->purpose = purpose;
  found->fault.uri = ((const struct proiv *)op->session->data)->address;
  found->fault.result = RESULT_GENERAL_FAILURE;
  found->verdict = VERDICT_ALIVE;
  if (was_left(L, op)) return hear_late(found);
  operation_push_returned(L, op);
  lua_pushvalue(L, -2);
  if (!lua_toboolean(L, -4)) return hear_error(L, found);
  if (lua_isboolean(L, -4)) return answer;
  if (lua_type(L, -4) != LUA_TSTRING || !proiv_answer_of(lua_tostring(L, -4), &answer)) {
    lua_pushfstring(L, "the transport's function returned %s, which is no state",
                    luaL_tolstring(L, -4, NULL));
    return hear_error(L, found);
  }
  found->fault.kind = "expired";
  found->verdict = is_well(answer, purpose) ? VERDICT_ALIVE : VERDICT_EXPIRED;
  if (found->verdict == VERDICT_ALIVE) return answer;
  if (purpose == PURPOSE_LOGIN) found->verdict = VERDICT_BROKEN;
  if (purpose == PURPOSE_LOGIN) found->fault.kind = "protocol";
  found->reason = purpose == PURPOSE_LOGIN ? NULL : REASON_EXPIRED;
  verdict_say(found, "the transport says that the session %s",
              answer == PROIV_SAYS_ENDED ? "has ended" : "is lost");
  return answer;
}

/* Leaves values on the stack that `found` borrows from. */
static enum proiv_answer hear (lua_State *L, struct operation *op, const struct exchange *x,
                               enum purpose purpose, struct finding *found) {
  struct session *s = op->session;
  enum proiv_answer answer;
  if (!x) return hear_function(L, op, purpose, found);
  if (x->response.failure != FAILURE_NONE) return hear_failure(found, x, purpose);
  answer = proiv_classify(L, s, x);
  verdict_begin(found, x, purpose);
  say(found, answer);
  if (found->verdict != VERDICT_ALIVE) verdict_quote(L, x, found);
  return answer;
}

/* Connecting */

/* Keeps the key that the server gave. False: out of memory. */
static bool learn_key (lua_State *L, struct operation *op, const struct exchange *x) {
  size_t length = 0;
  const char *key;
  if (x) return proiv_take_key(L, op->session, x);
  operation_push_returned(L, op);
  key = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
  return !key || proiv_set_key(op->session, key, length);
}

static void connected (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  int top = lua_gettop(L);
  hear(L, op, x, PURPOSE_LOGIN, &found);
  if (found.verdict == VERDICT_ALIVE && x && proiv_is_key_too_long(L, x))
    verdict_blame(&found, VERDICT_BROKEN, "protocol", NULL, "the sessionKey is longer than 64 KiB", NULL);
  if (found.verdict == VERDICT_ALIVE && op->epoch == op->session->epoch)
    operation_must(L, op, learn_key(L, op, x));
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
  lua_settop(L, top);
}

/* connectionData gives the user name unless login gives another. A service has its own. */
static void check_login (lua_State *L, struct session *s) {
  const struct proiv *p = s->data;
  int i;
  for (i = 2; i <= 3; i++)
    if (!lua_isnoneornil(L, i) && lua_type(L, i) != LUA_TSTRING)
      luaL_typeerror(L, i, i == 2 ? "a user name" : "a password");
  luaL_argcheck(L, !p->wiped || !lua_isnoneornil(L, 3), 3,
                "the password of connectionData was wiped when the session began: give it again");
  lua_settop(L, p->is_explicit ? 4 : 1);
  if (!p->is_explicit || !lua_isnil(L, 2)) {
    lua_settop(L, 4);
    return;
  }
  proiv_push(L, s, "data");
  lua_getfield(L, -1, "username");
  lua_replace(L, 2);
  lua_settop(L, 4);
}

/* Each connection has a key of its own. */
static void begin (lua_State *L, struct session *s) {
  struct proiv *p = s->data;
  if (p->state != PROIV_NEW) {
    session_push(L, s);
    active_session_drop_key(L, -1);
    lua_pop(L, 1);
  }
  proiv_forget_key(s);
  p->finished = false;
  p->state = PROIV_STARTING;
}

static bool log_in (lua_State *L, struct operation *op, const struct credentials *as) {
  begin(L, op->session);
  if (call_transport(L, op, "connect", op->limit, connected)) return true;
  return operation_send(L, op, proiv_connect(L, op->session, as), connected);
}

/* Polling */

static void polled (lua_State *L, struct operation *op, const struct exchange *x, enum purpose purpose,
                    enum result success) {
  struct session *s = op->session;
  struct proiv *p = s->data;
  struct finding found;
  int top = lua_gettop(L);
  enum proiv_answer answer = hear(L, op, x, purpose, &found);
  if (answer == PROIV_SAYS_ENDED && op->epoch == s->epoch) p->finished = true;
  if (s->leaving) found.verdict = VERDICT_NEUTRAL; /* the pending stop decides */
  if (is_well(answer, purpose)) found.verdict = VERDICT_ALIVE;
  verdict_conclude(L, op, x, &found, success);
  lua_settop(L, top);
}

static void pinged (lua_State *L, struct operation *op, struct exchange *x) {
  polled(L, op, x, PURPOSE_PING, RESULT_TRUE);
}

static void checked (lua_State *L, struct operation *op, struct exchange *x) {
  polled(L, op, x, PURPOSE_CHECK, RESULT_SUCCESS);
}

static bool poll (lua_State *L, struct operation *op, double seconds, operation_step step) {
  return call_transport(L, op, "poll", seconds, step) ||
         operation_send(L, op, proiv_act(L, op->session, "POLL"), step);
}

/* An ended session sends nothing. */
static bool ask (lua_State *L, struct operation *op, int refused, operation_step step) {
  if (op->session->phase == PHASE_AUTHORIZED) return poll(L, op, op->limit, step);
  operation_refuse(L, op, "expired", refused, "the session has ended: create a new one");
  return true;
}

static bool ping (lua_State *L, struct operation *op) {
  return ask(L, op, RESULT_FALSE, pinged);
}

static bool check (lua_State *L, struct operation *op) {
  return ask(L, op, RESULT_AUTHENTICATION_FAILURE, checked);
}

/* Stopping */

enum {
  STAGE_DELIVERED = 1,
  STAGE_LAST = 2
}; /* bits of op->stage: PROIV has got the STOP; no time is left for another POLL */

static const double most_wait = 1, wait_growth = 1.5;

static void stop_heard (lua_State *L, struct operation *op, struct exchange *x);

static double time_left (const struct operation *op) {
  double left = op->deadline - clock_now();
  return left > 0 ? left : 0;
}

/* Limits one exchange by the time left, and by the transport's own limit if that is shorter. */
static void set_limit (struct operation *op) {
  double left = time_left(op), most = op->session->transport->timeout;
  op->limit = most > 0 && most < left ? most : left;
}

static bool ask_to_stop (lua_State *L, struct operation *op) {
  set_limit(op);
  if (op->stage & STAGE_DELIVERED) return poll(L, op, op->limit, stop_heard);
  return call_transport(L, op, "requestStop", op->limit, stop_heard) ||
         operation_send(L, op, proiv_act(L, op->session, "STOP"), stop_heard);
}

/* Rejects the stop with the error of `found`; the session then stays. */
static void reject_stop (lua_State *L, struct operation *op, const struct exchange *x,
                         struct finding *found) {
  verdict_rename(found, op->verb);
  verdict_push_error(L, x, found);
  operation_reject(L, op);
}

static void time_is_up (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  (void)x;
  memset(&found, 0, sizeof found);
  found.purpose = PURPOSE_PING;
  found.fault.kind = "timeout";
  found.fault.result = RESULT_GENERAL_FAILURE;
  found.fault.retryable = true;
  verdict_say(&found, "the session did not end in time and still runs");
  reject_stop(L, op, NULL, &found);
}

static void stop_refused (lua_State *L, struct operation *op, const struct exchange *x,
                          struct finding *found) {
  static const char what[] = "PROIV does not allow the session to stop; it still runs";
  if (x)
    verdict_blame(found, VERDICT_NEUTRAL, "refused", NULL, what, NULL);
  else
    verdict_say(found, "%s", what);
  found->fault.kind = "refused";
  reject_stop(L, op, x, found);
}

static void ask_again (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  if (time_left(op) > 0)
    operation_must(L, op, ask_to_stop(L, op));
  else
    time_is_up(L, op, NULL);
}

static void resolve_stop (lua_State *L, struct operation *op, const struct exchange *x,
                          const struct finding *found, const char *note) {
  operation_push_owner(L, op);
  error_push_result(L, RESULT_SUCCESS);
  verdict_push_info(L, x, found);
  if (note) {
    lua_pushstring(L, note);
    lua_setfield(L, -2, "note");
  }
  operation_resolve(L, op);
}

/* The session is over. */
static void stop_lost (lua_State *L, struct operation *op, const struct exchange *x,
                       const struct finding *found) {
  const struct proiv *p = op->session->data;
  if (p->finished) {
    resolve_stop(L, op, x, found, NULL);
    return;
  }
  verdict_apply(L, op, found);
  resolve_stop(L, op, x, found, "lost");
}

/* The session still runs: polls again. A POLL that would come too late is sent early. */
static void stop_waits (lua_State *L, struct operation *op) {
  struct proiv *p = op->session->data;
  double left = time_left(op), wait = p->wait;
  if (left <= 0)
    time_is_up(L, op, NULL);
  else if (op->stage & STAGE_LAST)
    operation_wait(L, op, left, time_is_up);
  else {
    if (wait >= left) {
      wait = left * 0.75;
      op->stage |= STAGE_LAST;
    }
    p->wait *= wait_growth;
    if (p->wait > most_wait) p->wait = p->poll_interval > most_wait ? p->poll_interval : most_wait;
    operation_wait(L, op, wait, ask_again);
  }
}

/* True if the stop's own limit, not the network, has ended the exchange or the call. */
static bool is_cut_short (const struct operation *op, const struct finding *found) {
  return time_left(op) <= 0 && found->fault.kind && !strcmp(found->fault.kind, "timeout");
}

static void stop_heard (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  int top = lua_gettop(L);
  enum proiv_answer answer = hear(L, op, x, PURPOSE_PING, &found);
  bool late = is_cut_short(op, &found);
  if (answer == PROIV_SAYS_ENDED)
    resolve_stop(L, op, x, &found, NULL);
  else if (late)
    time_is_up(L, op, NULL);
  else if (answer == PROIV_SAYS_LOST)
    stop_lost(L, op, x, &found);
  else if (answer == PROIV_SAYS_REFUSED)
    stop_refused(L, op, x, &found);
  else if (answer == PROIV_SAYS_NOTHING)
    reject_stop(L, op, x, &found);
  else {
    if (answer != PROIV_SAYS_LATER) op->stage |= STAGE_DELIVERED;
    stop_waits(L, op);
  }
  lua_settop(L, top);
}

static bool stop (lua_State *L, struct operation *op) {
  struct proiv *p = op->session->data;
  if (p->state != PROIV_RUNNING) return conclude_later(L, op);
  p->wait = p->poll_interval;
  return ask_to_stop(L, op);
}

/* Ending: every outcome counts as done. */

static bool log_out (lua_State *L, struct operation *op) {
  const struct proiv *p = op->session->data;
  if (p->state != PROIV_RUNNING) return conclude_later(L, op);
  op->limit = p->end_limit;
  return call_transport(L, op, "endNow", op->limit, conclude_at_once) ||
         operation_send(L, op, proiv_act(L, op->session, "END"), conclude_at_once);
}

/* State */

static bool learn (lua_State *L, int index, struct session *s, const struct finding *found) {
  struct proiv *p = s->data;
  (void)L, (void)index, (void)found;
  if (s->phase != PHASE_AUTHORIZED || p->state != PROIV_STARTING) return false;
  p->state = PROIV_RUNNING;
  p->wiped = p->secret != NULL;
  proiv_forget_secret(s);
  return false;
}

static void forget (lua_State *L, int index, struct session *s) {
  struct proiv *p = s->data;
  (void)L, (void)index;
  if (p->state == PROIV_RUNNING)
    p->state = s->phase == PHASE_EXPIRED && !p->finished ? PROIV_LOST : PROIV_ENDED;
  if (s->phase == PHASE_INVALID) proiv_forget_secret(s);
}

static const char *status (const struct session *s) {
  static const char starting[] = "starting", running[] = "running", stopping[] = "stopping",
                    ended[] = "ended", lost[] = "lost", failed[] = "failed";
  const struct proiv *p = s->data;
  switch (p ? p->state : PROIV_NEW) {
  case PROIV_NEW: break;
  case PROIV_STARTING: return s->login && s->phase != PHASE_INVALID ? starting : failed;
  case PROIV_RUNNING: return s->closing ? stopping : running;
  case PROIV_ENDED: return ended;
  case PROIV_LOST: return lost;
  }
  return NULL;
}

static bool dress (struct session *s, struct header_list *lines) {
  (void)s;
  return header_list_set(lines, "Accept", 6, "application/json, */*;q=0.5", 27) == HEADER_OK &&
         header_list_set(lines, "Cache-Control", 13, "no-cache", 8) == HEADER_OK;
}

static bool sign (lua_State *L, struct session *s, struct header_list *lines) {
  (void)L, (void)s, (void)lines;
  return true;
}

/* Methods of its own */

static struct session *check_own (lua_State *L) {
  struct session *s = session_check(L, 1);
  luaL_argcheck(L, s->protocol == &protocol_proiv && s->data, 1, "expected a session of protocol proiv");
  lua_settop(L, 1);
  return s;
}

/*
** connectionData(): a copy of the details, with the password until the session runs: a transport may need it.
*/
static int m_connection_data (lua_State *L) {
  const struct session *s = check_own(L);
  const struct proiv *p = s->data;
  lua_newtable(L);
  if (proiv_push(L, s, "data") != LUA_TTABLE) return 0;
  lua_pushnil(L);
  while (lua_next(L, 3)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 2);
  }
  lua_settop(L, 2);
  if (p->secret) {
    lua_pushlstring(L, p->secret->password, p->secret->password_length);
    lua_setfield(L, 2, "password");
  }
  return 1;
}

static int m_session_node_id (lua_State *L) {
  proiv_push(L, check_own(L), "node");
  return 1;
}

static int m_transport_request (lua_State *L) {
  luaL_argcheck(L, session_check(L, 1)->protocol == &protocol_proiv, 1,
                "expected a session of protocol proiv");
  return session_request_within(L);
}

static const luaL_Reg methods[] = {{"connectionData", m_connection_data},
                                   {"sessionNodeID", m_session_node_id},
                                   {"transportRequest", m_transport_request},
                                   {NULL, NULL}};

const struct protocol protocol_proiv = {
    .name = "proiv",
    .raises = true,
    .options = proiv_options,
    .methods = methods,
    .configure = proiv_configure,
    .release = proiv_release,
    .reconnects = RECONNECT_NEVER,
    .check_login = check_login,
    .login = log_in,
    .check = check,
    .ping = ping,
    .logout = log_out,
    .stop = stop,
    .dress = dress,
    .sign = sign,
    .judge = judge,
    .telling = USUAL_TELLING,
    .learn = learn,
    .forget = forget,
    .status = status,
};
