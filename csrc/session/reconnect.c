#include "session/reconnect.h"

#include "runtime/error.h"
#include "runtime/loop.h"
#include "runtime/options.h"
#include "session/backoff.h"
#include "session/events.h"
#include "session/flow.h"
#include "session/log.h"
#include "session/operation.h"
#include "session/protocol.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/verdict.h"

#include <math.h>
#include <string.h>

struct reconnect {
  struct backoff backoff; /* attempts 0: none */
  struct operation *op;   /* borrowed; the running reconnect, or NULL */
  unsigned attempt;       /* the current attempt, from 1 */
  double wait;            /* seconds before it */
  const char *reason;     /* static */
};

/* The defaults of PROIV's Rich Client Channel, for all protocols. */
static const struct backoff usual = {.attempts = 3, .delay = 1, .factor = 1, .most = 60, .part = 0};

static const char verb_reconnect[] = "reconnect";

/* The option */

static struct reconnect *new_reconnect (struct session *s) {
  struct reconnect *r = memory_new(&s->loop->memory, sizeof *r);
  if (!r) return NULL;
  r->backoff = usual;
  s->reconnect = r;
  return r;
}

/* The table is on top. */
static void read_options (lua_State *L, struct reconnect *r) {
  static const char *const known[] = {BACKOFF_OPTIONS, NULL};
  options_check(L, lua_gettop(L), "option 'reconnect'", known);
  backoff_read(L, lua_gettop(L), &r->backoff, 0);
}

void reconnect_options (lua_State *L, struct session *s) {
  int type = lua_getfield(L, 1, "reconnect");
  bool wanted = type == LUA_TNIL ? s->protocol->reconnects == RECONNECT_ALWAYS : lua_toboolean(L, -1);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TTABLE)
    luaL_error(L, "option 'reconnect': expected a table or a boolean, got %s", lua_typename(L, type));
  if (wanted && s->protocol->reconnects == RECONNECT_NEVER)
    luaL_error(L, "option 'reconnect': %s sessions cannot be re-established; create a new one",
               s->protocol->name);
  if (wanted && !new_reconnect(s)) luaL_error(L, "not enough memory");
  if (type == LUA_TTABLE) read_options(L, s->reconnect);
  lua_pop(L, 1);
}

void reconnect_free (struct session *s) {
  memory_free(&s->loop->memory, s->reconnect, sizeof *s->reconnect);
  s->reconnect = NULL;
}

void reconnect_push_options (lua_State *L, const struct session *s) {
  if (!s->reconnect) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 5);
  backoff_set_fields(L, &s->reconnect->backoff);
}

bool reconnect_is_wanted (const struct session *s) {
  return s->reconnect && s->reconnect->backoff.attempts;
}

bool reconnect_keeps_arguments (const struct session *s) {
  return s->reconnect != NULL;
}

/* Operations that wait for the reconnect */

/* The operation's own time limit has passed. */
static void waited_too_long (lua_State *L, struct operation *op, struct exchange *x) {
  struct fault fault = {.kind = "timeout", .result = RESULT_GENERAL_FAILURE, .retryable = true};
  (void)x;
  lua_pushfstring(L, "%s: the session was not re-established within the call's time limit", op->verb);
  fault.message = lua_tostring(L, -1);
  fault.uri = op->session->service;
  error_push(L, &fault);
  operation_reject(L, op);
}

static double time_left (const struct operation *op) {
  double left = op->deadline > 0 ? op->deadline - clock_now() : HUGE_VAL;
  return left > 0 ? left : 0;
}

static void suspend (lua_State *L, struct operation *op) {
  op->waits_for_reconnect = true;
  operation_wait(L, op, time_left(op), waited_too_long);
}

static double limit_of (const struct operation *op) {
  return op->limit > 0 ? op->limit : op->session->transport->timeout;
}

static void set_deadline (struct operation *op) {
  double limit = limit_of(op);
  if (op->deadline <= 0 && op->session->reconnect && limit > 0) op->deadline = clock_now() + limit;
}

static bool is_under_way (const struct session *s) {
  return s->reconnect && s->reconnect->op;
}

static bool is_lapsed (const struct session *s);
static void start (lua_State *L, struct session *s, int index);

bool reconnect_is_due (const struct session *s) {
  return is_under_way(s) || is_lapsed(s);
}

/* True if `op` must wait. A session past its deadline is lost without a request that shows it. */
static bool must_wait (lua_State *L, const struct operation *op) {
  struct session *s = op->session;
  if (op->inner) return false;
  if (is_lapsed(s)) {
    s->reconnect->reason = REASON_EXPIRED;
    operation_push_session(L, op);
    start(L, s, lua_gettop(L));
    lua_pop(L, 2);
  }
  return is_under_way(s);
}

static void begin (lua_State *L, struct operation *op) {
  op->tries++;
  op->raised = false;
  op->epoch = op->session->epoch;
  if (op->tries > 1 && op->deadline > 0 && (op->limit <= 0 || time_left(op) < op->limit))
    op->limit = time_left(op) > 0.001 ? time_left(op) : 0.001;
  operation_must(L, op, op->begin(L, op));
}

/* Argument: an operation, light userdata. It waits until its session has reconnected, or begins at once. */
static int await_reconnect (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  if (must_wait(L, op))
    suspend(L, op);
  else {
    /* GCOVR_EXCL_START: only a finaliser that runs at this moment reconnects it */
    operation_must(L, op, op->begin(L, op));
    op->tries = 1;
    /* GCOVR_EXCL_STOP */
  }
  return 0;
}

void reconnect_begin (lua_State *L, struct operation *op, bool (*first)(lua_State *, struct operation *)) {
  const struct session *s = op->session;
  op->begin = first;
  if (s->retry) operation_must(L, op, retry_attach(op, s->retry, op->limit, s->transport));
  set_deadline(op);
  if (reconnect_is_due(s) && !op->inner)
    operation_prepare(L, op, await_reconnect);
  else {
    operation_start(L, op, first, NULL);
    op->tries = 1;
  }
}

void reconnect_begin_with (lua_State *L, struct operation *op, struct exchange *x, operation_step step,
                           bool (*first)(lua_State *, struct operation *)) {
  op->begin = first;
  if (x && x->request.timeout > 0) op->limit = x->request.timeout;
  set_deadline(op);
  if (reconnect_is_due(op->session) && !op->inner) {
    exchange_free(x);
    operation_prepare(L, op, await_reconnect);
  } else {
    operation_must(L, op, operation_send(L, op, x, step));
    op->tries = 1;
  }
}

static void begin_again (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  op->waits_for_reconnect = false;
  if (is_under_way(op->session)) /* lost again in the meantime */
    suspend(L, op);              /* GCOVR_EXCL_LINE: the session is lost again within one step */
  else
    begin(L, op);
}

void reconnect_repeat (lua_State *L, struct operation *op) {
  set_deadline(op);
  if (must_wait(L, op))
    suspend(L, op);
  else
    begin(L, op);
}

/* Each begins in a turn of its own, since it may end others. */
static void resume_waiting (lua_State *L, const struct session *s) {
  struct operation *op;
  for (op = s->operations; op; op = op->older)
    if (op->waits_for_reconnect && !op->abort_kind) operation_defer(L, op, begin_again);
}

static void abort_waiting (const struct session *s, const char *kind, const char *message) {
  struct operation *op;
  for (op = s->operations; op; op = op->older)
    if (op->waits_for_reconnect) operation_abort(op, kind, message);
}

void reconnect_abandon (struct session *s, const char *kind, const char *message) {
  if (!is_under_way(s)) return;
  operation_abort(s->reconnect->op, kind, message);
  s->reconnect->op = NULL;
  abort_waiting(s, kind, message);
}

void reconnect_left (lua_State *L, struct session *s, const struct operation *op) {
  if (!is_under_way(s) || s->reconnect->op != op) return;
  s->reconnect->op = NULL;
  session_decide_safely(L, s, VERDICT_RECONNECT_FAILED);
  abort_waiting(s, "offline", "the session was lost and could not be re-established");
}

/* Attempts */

static void try_again (lua_State *L, struct operation *op, struct exchange *x);

static void report_attempt (lua_State *L, struct operation *op) {
  const struct reconnect *r = op->session->reconnect;
  operation_push_session(L, op);
  log_attempt(L, lua_gettop(L), "reconnecting", r->attempt, r->reason, r->wait);
  lua_pushinteger(L, r->attempt);
  lua_pushstring(L, r->reason);
  lua_pushnumber(L, r->wait);
  events_fire(L, -4, "reconnecting", 3);
  lua_pop(L, 1);
}

static void next_attempt (lua_State *L, struct operation *op) {
  struct reconnect *r = op->session->reconnect;
  r->attempt++;
  r->wait = r->attempt > 1 ? backoff_wait(&r->backoff, r->attempt, op->loop) : 0;
  report_attempt(L, op);
  if (r->wait > 0)
    operation_wait(L, op, r->wait, try_again);
  else
    operation_defer(L, op, try_again);
}

static void try_again (lua_State *L, struct operation *op, struct exchange *x) {
  struct session *s = op->session;
  (void)x;
  op->epoch = s->epoch;
  op->stage = 0;
  operation_must(L, op, s->protocol->reestablish(L, op, s->reconnect->attempt));
}

static void fire_outcome (lua_State *L, struct operation *op, const char *event) {
  operation_push_session(L, op);
  lua_insert(L, -2);
  lua_pushinteger(L, op->session->reconnect->attempt);
  lua_insert(L, -2);
  events_fire(L, -3, event, 2);
  lua_pop(L, 1);
}

/* Argument: the operation, light userdata. */
static int report_success (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  const struct reconnect *r = op->session->reconnect;
  operation_push_session(L, op);
  log_attempt(L, 2, "reconnected", r->attempt, r->reason, -1);
  lua_pushnil(L);
  fire_outcome(L, op, "reconnected");
  return 0;
}

/*
** Notifies handlers before the waiting operations begin. Out of memory for the handlers does not stop those.
*/
static void succeed (lua_State *L, struct operation *op, const struct finding *found) {
  struct session *s = op->session;
  verdict_apply(L, op, found);
  s->reconnect->op = NULL;
  lua_pushcfunction(L, report_success);
  lua_pushlightuserdata(L, op);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) loop_report(L);
  resume_waiting(L, s);
  conclude_at_once(L, op, NULL);
}

/* Arguments, light userdata: the operation, what was found. */
static int decide_failure (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  const struct reconnect *r = op->session->reconnect;
  operation_push_session(L, op);
  log_gave_up(L, 3, r->attempt, r->reason, lua_touserdata(L, 2));
  session_decide(L, 3, VERDICT_RECONNECT_FAILED, REASON_EXPIRED);
  return 0;
}

/* Ends the reconnect and rejects the waiting operations with the reason. */
static void give_up (lua_State *L, struct operation *op, const struct exchange *x,
                     const struct finding *found) {
  struct session *s = op->session;
  s->reconnect->op = NULL;
  lua_pushcfunction(L, decide_failure);
  lua_pushlightuserdata(L, op);
  lua_pushlightuserdata(L, (void *)found);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    /* GCOVR_EXCL_START: out of memory; seldom in a short run */
    loop_report(L);
    session_decide_safely(L, s, VERDICT_RECONNECT_FAILED);
    /* GCOVR_EXCL_STOP */
  }
  abort_waiting(s, "offline", "the session was lost and could not be re-established");
  verdict_push_error(L, x, found);
  lua_pushvalue(L, -1);
  fire_outcome(L, op, "reconnectFailed");
  operation_reject(L, op);
}

bool reconnect_attempted (lua_State *L, struct operation *op, const struct exchange *x,
                          struct finding *found) {
  struct session *s = op->session;
  if (!s || !is_under_way(s) || s->reconnect->op != op) return false;
  if (found->verdict == VERDICT_ALIVE)
    succeed(L, op, found);
  else if (found->verdict == VERDICT_REFUSED || s->reconnect->attempt >= s->reconnect->backoff.attempts ||
           (found->verdict == VERDICT_EXPIRED && !s->protocol->can_renew(s)))
    give_up(L, op, x, found);
  else
    next_attempt(L, op);
  return true;
}

/* Losing a session */

static bool is_loss (const struct finding *found) {
  switch (found->verdict) {
  case VERDICT_EXPIRED:
  case VERDICT_UNREACHABLE:
  case VERDICT_ABSENT:
  case VERDICT_DOWN: return true;
  default: return false;
  }
}

/* Arguments: the session, the operation. */
static int start_protected (lua_State *L) {
  const struct session *s = lua_touserdata(L, 1);
  session_decide(L, 1, VERDICT_RECONNECT_BEGUN, s->reconnect->reason);
  next_attempt(L, lua_touserdata(L, 2));
  return 0;
}

/* The user never sees the promise of a reconnect. */
static void start (lua_State *L, struct session *s, int index) {
  struct operation *op = operation_new(L, index, verb_reconnect);
  op->promise.looked_at = true;
  op->tries = 1;
  s->reconnect->op = op;
  s->reconnect->attempt = 0;
  lua_pushcfunction(L, start_protected);
  lua_pushvalue(L, index);
  lua_pushlightuserdata(L, op);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return;
  /* GCOVR_EXCL_START: out of memory; seldom in a short run */
  operation_discard(L, op); /* which ends the reconnect, by reconnect_left */
  lua_error(L);
  /* GCOVR_EXCL_STOP */
}

static const char *reason_of (const struct finding *found) {
  if (found->reason) return found->reason;
  return found->verdict == VERDICT_EXPIRED ? REASON_EXPIRED : REASON_SERVER;
}

static bool can_start (const struct session *s, enum verdict verdict) {
  if (!s->reconnect || !s->reconnect->backoff.attempts || s->reconnect->op || !s->established || s->closing)
    return false;
  if (s->phase != PHASE_AUTHORIZED && s->phase != PHASE_EXPIRED) return false;
  return verdict != VERDICT_EXPIRED || s->protocol->can_renew(s);
}

static bool is_lapsed (const struct session *s) {
  return s->phase == PHASE_EXPIRED && can_start(s, VERDICT_EXPIRED);
}

bool reconnect_was_run (const struct operation *op, const struct exchange *x, const struct finding *found) {
  if (found->verdict == VERDICT_EXPIRED) return !op->session->protocol->not_run;
  return !x || x->response.failure == FAILURE_NONE || x->response.may_have_arrived;
}

static bool may_repeat (const struct operation *op, const struct exchange *x, const struct finding *found) {
  enum { MOST_TRIES = 16 };
  if (!op->begin || time_left(op) <= 0 || op->tries >= MOST_TRIES) return false;
  if (found->purpose != PURPOSE_REQUEST && !op->repeatable) return false;
  if (found->verdict == VERDICT_EXPIRED && op->expired) return false;
  if (op->flow && flow_is_spent(op->flow)) return false;
  return op->repeatable || !reconnect_was_run(op, x, found);
}

static void warn_of_repeat (struct finding *found) {
  found->fault.hint =
      "the session is being re-established; the server may have processed the request, so it is not sent "
      "again: pass idempotent = true to allow that";
}

static void warn_of_spent (struct finding *found) {
  found->fault.hint = "the session is being re-established; the body comes from a function, so the request "
                      "cannot be sent again: give it a function rewind";
}

bool reconnect_takes (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found) {
  struct session *s = op->session;
  bool stale;
  if (!s || !s->reconnect || found->apart || op->inner || op->logins != s->logins || !is_loss(found))
    return false;
  if (op == s->leaving || op == s->login || s->phase == PHASE_INVALID) return false;
  stale = op->epoch != s->epoch && !is_under_way(s) && s->phase == PHASE_AUTHORIZED;
  if (!stale && can_start(s, found->verdict)) {
    s->reconnect->reason = reason_of(found);
    operation_push_session(L, op);
    start(L, s, lua_gettop(L));
    lua_pop(L, 2);
  }
  if (!stale && !is_under_way(s)) return false;
  if (!may_repeat(op, x, found)) {
    if (op->flow && flow_is_spent(op->flow))
      warn_of_spent(found);
    else if (found->purpose == PURPOSE_REQUEST && reconnect_was_run(op, x, found))
      warn_of_repeat(found);
    return false;
  }
  op->expired = op->expired || found->verdict == VERDICT_EXPIRED;
  if (stale)
    operation_defer(L, op, begin_again);
  else
    suspend(L, op);
  return true;
}
