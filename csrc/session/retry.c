#include "session/retry.h"

#include "net/retry_after.h"
#include "net/retry_budget.h"
#include "net/upload.h"
#include "runtime/duration.h"
#include "runtime/options.h"
#include "session/credentials.h"
#include "session/events.h"
#include "session/flow.h"
#include "session/log.h"
#include "session/operation.h"
#include "session/protocol.h"
#include "session/reconnect.h"
#include "session/session.h"

#include <stdio.h>
#include <string.h>

struct retry {
  struct retry_policy policy;
  struct credentials *as; /* owned, wiped: of a login; or NULL */
  double limit;           /* seconds for each exchange, as the call says; 0: the transport's */
  double deadline;        /* of clock_now: for all attempts; 0: none */
  double wait;            /* seconds before the next attempt */
  bool waits;             /* for that attempt */
  unsigned decided;       /* the attempt that the fields below are about; 0: none */
  bool due;               /* there is another */
  char why[96];           /* why there is none; or "" */
};

/* Options */

static const struct retry_policy usual = {
    .backoff = {.attempts = 3, .delay = 0.5, .factor = 2, .most = 60, .part = 0.25}};

/* The kinds of errors that a repeated call may not have. */
static const char *const kind_names[] = {"timeout", "stall", "dns",    "connect",  "tls",    "proxy",
                                         "offline", "http",  "server", "protocol", "memory", "error"};
enum { KINDS = sizeof kind_names / sizeof *kind_names };

/* The bit of a kind; 0: it is none of those. */
static unsigned bit_of (const char *kind) {
  unsigned i = 0;
  while (i < KINDS && strcmp(kind_names[i], kind) != 0)
    i++;
  return i < KINDS ? 1u << i : 0;
}

static void add_status (struct retry_policy *p, lua_Integer status) {
  unsigned bit = (unsigned)(status - RETRY_LOWEST);
  p->statuses[bit / 8] |= (unsigned char)(1u << bit % 8);
}

static bool has_status (const struct retry_policy *p, long status) {
  long bit = status - RETRY_LOWEST;
  return bit >= 0 && bit < RETRY_STATUSES && p->statuses[bit / 8] >> bit % 8 & 1;
}

/* The value is on top. */
static void read_status (lua_State *L, struct retry_policy *p) {
  lua_Integer status = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
  if (status < RETRY_LOWEST || status >= RETRY_LOWEST + RETRY_STATUSES || status == 401)
    luaL_error(L, "option 'statuses': expected HTTP statuses from 400 to 599, without 401, got %s",
               luaL_tolstring(L, -1, NULL));
  add_status(p, status);
}

/* Pushes the names, quoted, for messages. */
static const char *push_kind_names (lua_State *L) {
  unsigned i;
  lua_pushliteral(L, "");
  for (i = 0; i < KINDS; i++) {
    lua_pushfstring(L, "%s \"%s\"", i ? "," : "", kind_names[i]);
    lua_concat(L, 2);
  }
  return lua_tostring(L, -1);
}

/* The value is on top. */
static void read_kind (lua_State *L, struct retry_policy *p) {
  unsigned bit = lua_type(L, -1) == LUA_TSTRING ? bit_of(lua_tostring(L, -1)) : 0;
  const char *got;
  if (!bit) {
    got = luaL_tolstring(L, -1, NULL);
    luaL_error(L, "option 'kinds': got %s, expected some of%s", got, push_kind_names(L));
  }
  p->kinds |= bit;
}

/* Reads each value of an array. False: there is none of that name. */
static bool read_list (lua_State *L, int index, const char *name, struct retry_policy *p,
                       void (*read)(lua_State *, struct retry_policy *)) {
  lua_Integer i, n;
  int type = lua_getfield(L, index, name);
  if (type == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  if (type != LUA_TTABLE)
    luaL_error(L, "option '%s': expected an array, got %s", name, lua_typename(L, type));
  n = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, i);
    read(L, p);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return true;
}

static void add_usual_statuses (struct retry_policy *p) {
  static const short statuses[] = {429, 502, 503, 504};
  size_t i;
  for (i = 0; i < sizeof statuses / sizeof *statuses; i++)
    add_status(p, statuses[i]);
}

static void read_total (lua_State *L, int index, struct retry_policy *p) {
  p->within = lua_getfield(L, index, "totalTimeout") == LUA_TBOOLEAN && lua_toboolean(L, -1);
  if (!lua_isboolean(L, -1)) p->total = duration_option(L, index, "totalTimeout", 1e-9, 0);
  lua_pop(L, 1);
}

static void read_table (lua_State *L, int index, struct retry_policy *p) {
  static const char *const known[] = {BACKOFF_OPTIONS, "statuses", "kinds", "totalTimeout", "budget", NULL};
  options_check(L, index, "option 'retry'", known);
  backoff_read(L, index, &p->backoff, 1);
  read_total(L, index, p);
  p->unlimited = !options_boolean(L, index, "budget", true);
  if (!read_list(L, index, "statuses", p, read_status)) add_usual_statuses(p);
  p->by_kind = read_list(L, index, "kinds", p, read_kind);
}

/* The option's value, which is not nil, is on top. False: it is false. */
static bool read_policy (lua_State *L, struct retry_policy *p) {
  int type = lua_type(L, -1);
  *p = usual;
  if (type == LUA_TTABLE) {
    read_table(L, lua_gettop(L), p);
    return true;
  }
  add_usual_statuses(p);
  if (type == LUA_TBOOLEAN) return lua_toboolean(L, -1);
  if (type != LUA_TNUMBER)
    luaL_error(L, "option 'retry': expected a table, a boolean or a number of attempts, got %s",
               lua_typename(L, type));
  if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1 || lua_tointeger(L, -1) > 1000000000)
    luaL_error(L, "option 'retry': expected a whole number of attempts, 1 or more, got %s",
               luaL_tolstring(L, -1, NULL));
  p->backoff.attempts = (unsigned)lua_tointeger(L, -1);
  return true;
}

struct retry_policy *retry_read (lua_State *L, const struct allocator *memory) {
  struct retry_policy policy, *kept = NULL;
  if (lua_getfield(L, 1, "retry") != LUA_TNIL && read_policy(L, &policy)) {
    kept = memory_new(memory, sizeof policy);
    if (kept)
      *kept = policy;
    else
      luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  }
  lua_pop(L, 1);
  return kept;
}

void retry_free (const struct allocator *memory, struct retry_policy *policy) {
  memory_free(memory, policy, sizeof *policy);
}

const struct retry_policy *retry_of_request (lua_State *L, int index, const struct retry_policy *policy,
                                             struct retry_policy *own) {
  if (lua_getfield(L, index, "retry") != LUA_TNIL) policy = read_policy(L, own) ? own : NULL;
  lua_pop(L, 1);
  return policy;
}

static void push_statuses (lua_State *L, const struct retry_policy *p) {
  long status;
  lua_newtable(L);
  for (status = RETRY_LOWEST; status < RETRY_LOWEST + RETRY_STATUSES; status++) {
    if (!has_status(p, status)) continue;
    lua_pushinteger(L, status);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
}

static void push_kinds (lua_State *L, const struct retry_policy *p) {
  unsigned i;
  lua_newtable(L);
  for (i = 0; i < KINDS; i++) {
    if (!(p->kinds >> i & 1)) continue;
    lua_pushstring(L, kind_names[i]);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
}

void retry_push (lua_State *L, const struct retry_policy *p) {
  if (!p) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 9);
  backoff_set_fields(L, &p->backoff);
  push_statuses(L, p);
  lua_setfield(L, -2, "statuses");
  lua_pushboolean(L, !p->unlimited);
  lua_setfield(L, -2, "budget");
  if (p->by_kind) {
    push_kinds(L, p);
    lua_setfield(L, -2, "kinds");
  }
  if (p->within)
    lua_pushboolean(L, true);
  else if (p->total > 0)
    lua_pushnumber(L, p->total);
  else
    return;
  lua_setfield(L, -2, "totalTimeout");
}

/* The operation's retry */

bool retry_attach (struct operation *op, const struct retry_policy *policy, double limit,
                   const struct transport *transport) {
  struct retry *r = memory_new(&op->loop->memory, sizeof *r);
  double total = policy->total;
  if (!r) return false;
  r->policy = *policy;
  r->limit = limit;
  if (policy->within) total = limit > 0 ? limit : transport->timeout;
  if (total > 0) op->deadline = r->deadline = clock_now() + total;
  op->retry = r;
  return true;
}

void retry_detach (struct operation *op) {
  const struct allocator *memory = &op->loop->memory;
  if (!op->retry) return;
  credentials_free(memory, op->retry->as);
  memory_free(memory, op->retry, sizeof *op->retry);
  op->retry = NULL;
}

bool retry_keep_credentials (const struct operation *op, const struct credentials *as) {
  op->retry->as = credentials_copy(&op->loop->memory, as);
  return op->retry->as != NULL;
}

const struct credentials *retry_credentials (const struct operation *op) {
  return op->retry->as;
}

void retry_limit (const struct operation *op, struct exchange *x) {
  static const double least = 0.001;
  double limit = x->request.timeout > 0 ? x->request.timeout : x->request.transport->timeout, left;
  if (op->retry->deadline <= 0) return;
  left = op->retry->deadline - clock_now();
  if (left < least) left = least;
  if (limit <= 0 || limit > left) x->request.timeout = left;
}

/* Deciding */

static bool is_login (const struct operation *op) {
  return op->session ? op->session->login == op : !strcmp(op->verb, "login");
}

/* True if the failure may pass. */
static bool is_passing (const struct retry_policy *p, const struct finding *found) {
  switch (found->verdict) {
  case VERDICT_ALIVE:
  case VERDICT_REFUSED:
  case VERDICT_EXPIRED: return false;
  default: break;
  }
  if (found->fault.status >= RETRY_LOWEST) return has_status(p, found->fault.status);
  return p->by_kind ? (p->kinds & bit_of(found->fault.kind)) != 0 : found->fault.retryable;
}

/* True if the session is as it was when the call was made. */
static bool is_current (const struct operation *op) {
  const struct session *s = op->session;
  if (!s || s->login == op) return true;
  return op->logins == s->logins && s->phase != PHASE_INVALID && !s->closing;
}

/*
** Only a request may do harm when it reaches the server twice; and a login, which may begin a second session,
** where the protocol's sessions cannot be replaced.
*/
static bool may_repeat (const struct operation *op, const struct exchange *x, struct finding *found) {
  if (found->purpose == PURPOSE_LOGIN)
    return !op->session || op->session->protocol->reconnects != RECONNECT_NEVER ||
           (x && !x->response.may_have_arrived);
  if (found->purpose != PURPOSE_REQUEST) return true;
  if (op->flow && flow_is_spent(op->flow)) {
    found->fault.hint = upload_spent_hint;
    return false;
  }
  if (op->repeatable || !reconnect_was_run(op, x, found)) return true;
  if (x && !found->fault.hint)
    found->fault.hint = "the server may have processed the request, so it is not sent again: pass idempotent "
                        "= true to allow that";
  return false;
}

static struct uri *uri_of (const struct operation *op, const struct exchange *x) {
  return x ? x->request.uri : op->session->service;
}

/* Seconds to wait, at least what the response asks for. Others that it asks may not come at the same time. */
static double wait_of (const struct operation *op, const struct retry_policy *p, double asked) {
  double wait = backoff_wait(&p->backoff, op->tries + 1, op->loop);
  if (asked <= wait) return wait;
  return asked + p->backoff.delay * (loop_jitter(op->loop, p->backoff.part) - (1 - p->backoff.part));
}

/* Sets r->wait; or the reason why there is no next attempt, in r->why. */
static bool decide (struct operation *op, const struct exchange *x, struct retry *r) {
  const struct retry_policy *p = &r->policy;
  double asked = x ? retry_after(x) : -1, wait = wait_of(op, p, asked);
  if (op->tries >= p->backoff.attempts) {
    if (op->tries > 1) snprintf(r->why, sizeof r->why, "gave up after %u attempts", op->tries);
  } else if (asked > p->backoff.most)
    snprintf(r->why, sizeof r->why, "not sent again: Retry-After is above maxDelay (%g s)", p->backoff.most);
  else if (r->deadline > 0 && clock_now() + wait >= r->deadline)
    snprintf(r->why, sizeof r->why, "not sent again: totalTimeout leaves no time for another attempt");
  else if (!r->due && !p->unlimited &&
           !retry_budget_take(&op->loop->budgets, &op->loop->memory, uri_of(op, x)))
    snprintf(r->why, sizeof r->why, "not sent again: the retry budget of this server is used up");
  else {
    if (!r->due || wait > r->wait) r->wait = wait;
    return true;
  }
  return false;
}

bool retry_decide (struct operation *op, const struct exchange *x, struct finding *found) {
  struct retry *r = op->retry;
  if (r->decided != op->tries) {
    r->decided = op->tries;
    r->due = false;
    *r->why = 0;
  }
  if (*r->why || !is_passing(&r->policy, found) || !is_current(op) || !may_repeat(op, x, found)) return false;
  r->due = decide(op, x, r);
  return r->due;
}

bool retry_is_due (const struct operation *op) {
  return op->retry->due && op->retry->decided == op->tries;
}

/* Attempts */

static void begin_again (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  op->retry->waits = false;
  op->limit = op->retry->limit;
  op->deadline = op->retry->deadline;
  if (op->session)
    reconnect_repeat(L, op);
  else {
    op->tries++;
    op->raised = false;
    operation_must(L, op, op->begin(L, op));
  }
}

/* The error is at `index`. */
static void report (lua_State *L, const struct operation *op, int index) {
  operation_push_session(L, op);
  lua_pushvalue(L, -1);
  lua_setfield(L, index, op->owner->field);
  log_retry(L, index + 1, op->tries + 1, op->retry->wait, index);
  lua_pushinteger(L, op->tries + 1);
  lua_pushnumber(L, op->retry->wait);
  lua_pushvalue(L, index);
  events_fire(L, index + 1, "retry", 3);
  lua_pop(L, 1);
}

void retry_wait (lua_State *L, struct operation *op) {
  struct retry *r = op->retry;
  int top = lua_gettop(L);
  r->waits = true;
  lua_pushinteger(L, op->tries);
  lua_setfield(L, top, "attempts");
  if (op->session) report(L, op, top);
  operation_wait(L, op, r->wait, begin_again);
  lua_settop(L, top - 1);
}

bool retry_takes (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found) {
  if (!retry_decide(op, x, found)) return false;
  verdict_push_error(L, x, found);
  retry_wait(L, op);
  return true;
}

bool retry_takes_login (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found) {
  return is_login(op) && retry_takes(L, op, x, found);
}

void retry_succeeded (const struct operation *op) {
  struct loop *loop = op->loop;
  if (loop->budgets && op->session)
    retry_budget_give(&loop->budgets, &loop->memory, op->session->service, op->tries > 1);
}

void retry_explain (lua_State *L, const struct operation *op) {
  if (!*op->retry->why || op->retry->decided != op->tries) return;
  lua_getfield(L, -1, "message");
  lua_pushfstring(L, "%s; %s", lua_tostring(L, -1), op->retry->why);
  lua_setfield(L, -3, "message");
  lua_pop(L, 1);
}

void retry_abandon (const struct session *s, const char *kind, const char *message) {
  struct operation *op;
  for (op = s->operations; op; op = op->older)
    if (op->retry && op->retry->waits) operation_abort(op, kind, message);
}
