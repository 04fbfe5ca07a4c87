#include "session/operation.h"

#include "runtime/await.h"
#include "runtime/error.h"
#include "runtime/loop.h"
#include "runtime/promise.h"
#include "session/flow.h"
#include "session/identity.h"
#include "session/log.h"
#include "session/observer.h"
#include "session/protocol.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/verbs.h"

#include <stddef.h>

/* Seconds until the timer of an operation that waits for something else fires: in practice never. */
static const double longest = 1e9;

static int take_turn (lua_State *L);

static void enlist (struct loop *loop, struct operation *op) {
  op->loop = loop;
  op->later = loop->operations;
  if (op->later) op->later->earlier = op;
  loop->operations = op;
}

static void delist (struct operation *op) {
  if (op->earlier)
    op->earlier->later = op->later;
  else
    op->loop->operations = op->later;
  if (op->later) op->later->earlier = op->earlier;
}

static void join (struct session *s, struct operation *op) {
  op->older = s->operations;
  if (op->older) op->older->newer = op;
  s->operations = op;
}

static void part (struct session *s, struct operation *op) {
  if (op->newer)
    op->newer->older = op->older;
  else
    s->operations = op->older;
  if (op->older) op->older->newer = op->newer;
}

/* Notes in the operation on top where the program made the call; its text is made when somebody wants it. */
static void note_caller (lua_State *L, struct operation *op) {
  lua_Debug caller;
  if (!lua_getstack(L, 1, &caller) || !lua_getinfo(L, "lf", &caller)) return;
  op->promise.line = caller.currentline;
  compat_setslot(L, -2, PROMISE_CALLER);
}

struct operation *operation_new_of (lua_State *L, int index, const char *verb, struct loop *loop,
                                    const struct operation_owner *owner) {
  struct operation *op;
  loop_check(L, loop);
  index = lua_absindex(L, index);
  op = (struct operation *)promise_new(L, sizeof *op);
  op->promise.is_operation = true;
  op->promise.entry.tell = take_turn;
  op->owner = owner;
  op->object = lua_touserdata(L, index);
  op->verb = verb;
  lua_pushvalue(L, index);
  compat_setslot(L, -2, PROMISE_OWNER);
  note_caller(L, op);
  loop_table_of(L, loop, LOOP_PENDING);
  lua_pushvalue(L, -2);
  op->anchor = luaL_ref(L, -2);
  lua_pop(L, 1);
  enlist(loop, op);
  return op;
}

struct operation *operation_new (lua_State *L, int index, const char *verb) {
  struct session *s = session_check(L, index);
  struct operation *op = operation_new_of(L, index, verb, s->loop, &session_owner);
  op->session = s;
  op->object = NULL;
  op->epoch = s->epoch;
  op->logins = s->logins;
  join(s, op);
  return op;
}

void operation_push (lua_State *L, const struct operation *op) {
  if (op->over) luaL_error(L, "%s: the operation has ended", op->verb);
  if (lua_touserdata(L, 1) == op &&
      lua_type(L, 1) == LUA_TUSERDATA) { /* the operation is in a step of its own */
    lua_pushvalue(L, 1);
    return;
  }
  loop_table_of(L, op->loop, LOOP_PENDING);
  lua_rawgeti(L, -1, op->anchor);
  lua_remove(L, -2);
}

void operation_push_owner (lua_State *L, const struct operation *op) {
  operation_push(L, op);
  compat_getslot(L, -1, PROMISE_OWNER);
  lua_replace(L, -2);
}

void operation_push_session (lua_State *L, const struct operation *op) {
  operation_push_owner(L, op);
}

static void free_exchanges (struct operation *op) {
  while (op->exchanges) {
    struct exchange *x = op->exchanges;
    op->exchanges = x->next;
    exchange_free(x);
  }
}

struct identity *operation_signer (const struct operation *op) {
  if (op->apart) return op->apart;
  return op->session ? op->session->who : NULL;
}

static void drop_apart (struct operation *op) {
  identity_release(op->apart);
  op->apart = NULL;
}

static void drop_parts (struct operation *op) {
  hop_free_all(&op->loop->memory, &op->hops);
  if (op->retry) retry_detach(op);
}

/* Pushes the flow of an operation that may have ended. Raises nothing. */
static void push_flow (lua_State *L, const struct operation *op) {
  loop_table_of(L, op->loop, LOOP_PENDING);
  lua_rawgeti(L, -1, op->anchor);
  compat_getslot(L, -1, OPERATION_DETAILS);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* The operation has ended: from here on only the user's references keep its promise. */
static void finish (lua_State *L, struct operation *op) {
  free_exchanges(op);
  drop_parts(op);
  if (op->loop->engine) engine_clear_timer(op->loop->engine, &op->timer);
  op->over = true;
  if (op->flow) {
    push_flow(L, op);
    flow_end(L);
  }
  delist(op);
  loop_table_of(L, op->loop, LOOP_PENDING);
  luaL_unref(L, -1, op->anchor);
  lua_pop(L, 1);
  if (op->session) part(op->session, op);
  op->owner->left(L, op);
  drop_apart(op);
}

void operation_discard (lua_State *L, struct operation *op) {
  if (!op->over) finish(L, op);
}

static void remove_exchange (struct operation *op, const struct exchange *x) {
  struct exchange **link = &op->exchanges;
  while (*link && *link != x)
    link = &(*link)->next;
  if (*link) *link = x->next;
}

/* A failure without a response has the info { errorObject }. */
static void set_info (lua_State *L) {
  if (lua_getfield(L, -1, "info") == LUA_TNIL) {
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "errorObject");
    lua_setfield(L, -3, "info");
  }
  lua_pop(L, 1);
}

/* Adds the owner to the error on top, and the attempts. The promise of the operation is at `index`. */
static void complete_error (lua_State *L, const struct operation *op, int index) {
  if (op->retry) retry_explain(L, op);
  if (op->retry || op->tries > 1) {
    lua_pushinteger(L, op->tries);
    lua_setfield(L, -2, "attempts");
  }
  compat_getslot(L, index, PROMISE_OWNER);
  lua_setfield(L, -2, op->owner->field);
  set_info(L);
}

static void reject_aborted (lua_State *L, struct operation *op) {
  struct fault fault = {
      .kind = op->abort_kind, .result = (enum result)op->abort_result, .hint = op->abort_hint};
  lua_pushfstring(L, "%s: %s", op->verb, op->abort_message);
  fault.message = lua_tostring(L, -1);
  error_push(L, &fault);
  operation_reject(L, op);
  lua_pop(L, 1);
}

/* Shows `x` to observers, unless it was not sent, or was shown before it was held. */
static void observe (lua_State *L, struct operation *op, struct exchange *x) {
  if (x->held || !x->response.uri) return;
  if (op->loop->observers & OBSERVER_LOG && !op->over) log_exchange(L, op, x);
  if (!op->over) observer_response(L, op, x, false);
}

/* The outcome of a step. */
struct advancing {
  bool begun; /* it has begun */
  bool kept;  /* the operation holds the exchange again */
};

static bool is_held (const struct operation *op, const struct exchange *x) {
  const struct exchange *known = op->exchanges;
  while (known && known != x)
    known = known->next;
  return known != NULL;
}

/* Arguments: the promise, the exchange or nil, a struct advancing. */
static int advance (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  struct exchange *x = lua_touserdata(L, 2);
  struct advancing *progress = lua_touserdata(L, 3);
  progress->begun = true;
  if (x && op->loop->observers) observe(L, op, x);
  if (op->over) return 0;
  if (!op->abort_kind && x && op->owner->on_answer && op->owner->on_answer(L, op, x)) {
    progress->kept = is_held(op, x);
    return 0;
  }
  if (!op->abort_kind)
    op->step(L, op, x);
  else if (!op->exchanges)
    reject_aborted(L, op);
  return 0;
}

/*
** Arguments: the promise, the error that stopped its operation. A discarded operation (operation_must) ends
** without settling.
*/
static int broken (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  if (op->promise.state != PROMISE_PENDING) {
    /* GCOVR_EXCL_START: out of memory after it was settled; the short torture seldom gets here */
    loop_report(L);
    return 0;
    /* GCOVR_EXCL_STOP */
  }
  error_wrap(L);
  complete_error(L, op, 1);
  if (!op->over) finish(L, op);
  promise_reject_error(L, 1);
  return 0;
}

/*
** The promise and an error are on top. The last resort when there is not even memory for a call. Raises
** nothing.
*/
static void give_up (lua_State *L, struct operation *op) {
  int promise = lua_gettop(L) - 1;
  loop_push_note(L);
  lua_pushcfunction(L, broken);
  lua_pushvalue(L, promise);
  lua_pushvalue(L, promise + 1);
  if (loop_pcall(L, 2, 0) != LUA_OK && op->promise.state == PROMISE_PENDING) {
    if (!op->over) finish(L, op);
    error_push_memory(L);
    promise_reject_error(L, promise);
  }
  lua_settop(L, promise);
}

/* The promise is on top and stays. On failure an error is above it. */
static int call_advance (lua_State *L, struct exchange *x, struct advancing *progress) {
  loop_push_note(L);
  lua_pushcfunction(L, advance);
  lua_pushvalue(L, -3);
  lua_pushlightuserdata(L, x);
  lua_pushlightuserdata(L, progress);
  return loop_pcall(L, 3, 0);
}

/* The response of `x` shows all hops of the call. */
static void give_hops (struct operation *op, struct exchange *x) {
  if (!op->hops) return;
  hop_join(&x->response.hops, op->hops);
  op->hops = NULL;
}

static void take_hops (struct operation *op, struct exchange *x) {
  struct kept_hop *hops;
  if (op->over) return;
  hops = exchange_take_hops(x);
  hop_join(&hops, op->hops);
  op->hops = hops;
}

/* The promise is on top, popped. True if the operation holds `x` again. */
static bool run_advance (lua_State *L, struct operation *op, struct exchange *x) {
  struct loop *loop = op->loop;
  struct advancing progress = {false, false};
  int status;
  if (!op->tries) op->tries = 1;
  if (x) give_hops(op, x);
  loop->busy++;
  status = call_advance(L, x, &progress);
  if (status != LUA_OK && !progress.begun &&
      loop->interrupted) { /* a debug hook interrupted the step; the operation is not at fault */
    /* GCOVR_EXCL_START: the specs' debug hooks count instructions, of which C has none */
    lua_pop(L, 1);
    status = call_advance(L, x, &progress);
    /* GCOVR_EXCL_STOP */
  }
  if (status != LUA_OK) give_up(L, op);
  if (x && !progress.kept) take_hops(op, x);
  lua_pop(L, 1);
  loop->busy--;
  return progress.kept;
}

static void leave_call (lua_State *L, struct operation *op);

static void exchange_finished (struct exchange *x, void *context) { /* loop_step has made room on the stack */
  lua_State *L = context;
  struct operation *op = x->owner;
  remove_exchange(op, x);
  if (op->calls) leave_call(L, op); /* it takes bytes that nothing wants any more */
  if (op->flow) {
    push_flow(L, op);
    flow_stop(L);
  }
  operation_push(L, op);
  if (!run_advance(L, op, x)) exchange_free(x);
}

/* Called by the engine: raises nothing. */
static void exchange_arrived (struct exchange *x, void *context) {
  lua_State *L = context;
  struct operation *op = x->owner;
  operation_push(L, op);
  loop_ready(L, op->loop);
}

void operation_let_flow (struct exchange *x, size_t window) {
  x->request.window = window;
  x->arrived = exchange_arrived;
}

/* The turn of an operation that was deferred, or whose coroutine has ended. */
static int take_turn (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  if (op->timer.place && op->loop->engine) engine_clear_timer(op->loop->engine, &op->timer);
  op->calls = false;
  run_advance(L, op, NULL);
  return 0;
}

/* Aborts the operations that the coroutine of `op` has started. */
static void abort_inner (const struct operation *op, const lua_State *coroutine) {
  struct operation *one;
  if (!coroutine || !op->session) return;
  for (one = op->session->operations; one; one = one->older) {
    if (one->inner != coroutine) continue;
    one->promise.looked_at = true;
    operation_abort(one, "cancelled", "the call that started it has ended");
  }
}

/* Stops waiting for the coroutine of `op`. Raises nothing. */
static void leave_call (lua_State *L, struct operation *op) {
  op->calls = false;
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_CALL);
  if (!op->promise.entry.queued) {
    lua_pushvalue(L, -2);
    ready_queue_remove(L, -2, PROMISE_HANDLERS);
  }
  compat_getslot(L, -1, PROMISE_OWNER);
  abort_inner(op, lua_tothread(L, -1)); /* first: its <close> variables may start others */
  lua_pop(L, 1);
  await_cancel(L, -1);
  lua_pop(L, 2);
}

/* Called by the engine: raises nothing. */
static void time_came (struct timer *timer, void *context) {
  lua_State *L = context;
  struct operation *op = (struct operation *)((char *)timer - offsetof(struct operation, timer));
  if (op->over) return;
  if (op->calls) leave_call(L, op); /* aborted or timed out */
  operation_push(L, op);
  loop_ready(L, op->loop);
}

/* Sets the timer, which also delivers an abort. Raises. */
static void set_timer (lua_State *L, struct operation *op, double seconds) {
  op->timer.fired = time_came;
  if (!engine_set_timer(loop_engine(L, op->loop), &op->timer, clock_now() + seconds))
    luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; the heap grows by doubling */
}

void operation_wait (lua_State *L, struct operation *op, double seconds, operation_step step) {
  set_timer(L, op, seconds < longest ? seconds : longest);
  op->step = step;
}

void operation_call (lua_State *L, struct operation *op, int nargs, operation_step step) {
  int call = lua_gettop(L) - nargs;
  set_timer(L, op, longest);
  lua_pushcfunction(L, await_spawn);
  lua_insert(L, call);
  lua_call(L, nargs + 1, 1);
  promise_mark_looked_at(L, call);
  operation_push(L, op);
  lua_pushvalue(L, call);
  compat_setslot(L, -2, OPERATION_CALL);
  op->calls = true;
  op->step = step;
  promise_hang(L, call);
  lua_pop(L, 1);
}

void operation_bound (struct operation *op, double seconds) {
  engine_set_timer(op->loop->engine, &op->timer, clock_now() + seconds); /* a move: it cannot fail */
}

void operation_push_returned (lua_State *L, const struct operation *op) {
  int top = lua_gettop(L);
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_CALL);
  promise_push_awaited(L, top + 2);
  lua_remove(L, top + 1);
  lua_remove(L, top + 1);
  lua_settop(L, top + 3);
}

void operation_hold (struct operation *op, struct exchange *x, operation_step step) {
  x->owner = op;
  x->finished = exchange_finished;
  op->step = step;
  x->next = op->exchanges;
  op->exchanges = x;
}

void operation_replace (struct operation *op, struct exchange *x, struct exchange *copy) {
  remove_exchange(op, x);
  take_hops(op, x);
  exchange_free(x);
  operation_hold(op, copy, op->step);
}

static bool is_fresh (const struct operation *op, const struct exchange *x) {
  return is_held(op, x) && x->phase == EXCHANGE_FRESH;
}

/* False: out of memory. */
static bool submit (lua_State *L, struct operation *op, struct exchange *x) {
  if (op->loop->observers && !op->abort_kind) {
    observer_request(L, op, x);
    if (!is_fresh(op, x)) return true; /* it was aborted, or freed */
  }
  return engine_submit(op->loop->engine, x);
}

bool operation_send (lua_State *L, struct operation *op, struct exchange *x, operation_step step) {
  if (!x) return false;
  if (op->limit > 0) x->request.timeout = op->limit;
  if (op->retry) retry_limit(op, x);
  x->attempt = op->tries;
  if (op->owner->describe) op->owner->describe(L, op, x);
  if (op->over || !op->loop->engine || loop_is_inherited(op->loop)) {
    exchange_free(x);
    loop_check(L, op->loop); /* onOpenRequest may have forked */
    return false;            /* GCOVR_EXCL_LINE: ended in onOpenRequest: only a finaliser does that */
  }
  operation_hold(op, x, step);
  if (!op->abort_kind && op->owner->before_send && op->owner->before_send(L, op, x)) return true;
  if (!is_fresh(op, x)) return true; /* a finaliser that ran meanwhile has aborted it */
  if (!submit(L, op, x)) {
    remove_exchange(op, x);
    exchange_free(x);
    return false;
  }
  if (op->abort_kind && !op->over) engine_cancel(op->loop->engine, x); /* aborted between two exchanges */
  return true;
}

/* Fails `x`, which was held, at the next step of the loop. */
static void fail_held (lua_State *L, struct operation *op, struct exchange *x) {
  remove_exchange(op, x);
  exchange_free(x);
  if (!op->abort_kind) operation_abort(op, "memory", "not enough memory");
  if (op->exchanges) return;
  operation_push(L, op);
  loop_ready(L, op->loop);
}

void operation_resume (lua_State *L, struct operation *op) {
  struct exchange *x = op->exchanges, *next;
  op->awaits = NULL;
  for (; x; x = next) {
    next = x->next;
    if (x->phase != EXCHANGE_FRESH) continue;
    if (op->abort_kind || !op->owner->sign(op, x) || !submit(L, op, x)) fail_held(L, op, x);
    if (op->over) return; /* GCOVR_EXCL_LINE: a finaliser has ended it meanwhile */
  }
}

void operation_defer (lua_State *L, struct operation *op, operation_step step) {
  op->step = step;
  operation_push(L, op);
  loop_ready(L, op->loop);
}

void operation_refuse (lua_State *L, struct operation *op, const char *kind, int result,
                       const char *message) {
  op->abort_kind = kind;
  op->abort_message = message;
  op->abort_result = result;
  operation_defer(L, op, NULL);
}

void operation_must (lua_State *L, struct operation *op, bool ok) {
  if (ok) return;
  if (!op->tries) operation_discard(L, op);
  luaL_error(L, "not enough memory");
}

void operation_prepare (lua_State *L, struct operation *op, lua_CFunction f) {
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, op);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
  /* GCOVR_EXCL_START: out of memory; seldom in a short run */
  operation_discard(L, op);
  lua_error(L);
  /* GCOVR_EXCL_STOP */
}

struct start {
  struct operation *op;
  bool (*verb)(lua_State *, struct operation *);
  const struct credentials *as;
};

static bool call_verb (lua_State *L, const struct start *s) {
  return s->as ? s->op->session->protocol->login(L, s->op, s->as) : s->verb(L, s->op);
}

/* Argument: what to start, light userdata. */
static int start_protected (lua_State *L) {
  lua_pushboolean(L, call_verb(L, lua_touserdata(L, 1)));
  return 1;
}

void operation_start (lua_State *L, struct operation *op, bool (*verb)(lua_State *, struct operation *),
                      const struct credentials *as) {
  struct start start = {op, verb, as};
  bool ok;
  if (!op->session->protocol->raises) {
    operation_must(L, op, call_verb(L, &start));
    return;
  }
  lua_pushcfunction(L, start_protected);
  lua_pushlightuserdata(L, &start);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    operation_discard(L, op);
    lua_error(L);
  }
  ok = lua_toboolean(L, -1);
  lua_pop(L, 1);
  operation_must(L, op, ok);
}

void operation_resolve (lua_State *L, struct operation *op) {
  if (op->raised) {
    lua_pop(L, 3);
    lua_pushnil(L);
    operation_reject(L, op);
    return;
  }
  operation_push(L, op);
  lua_insert(L, -4);
  op->resolved = true;
  if (op->retry) retry_succeeded(op);
  finish(L, op);
  promise_resolve(L, -4);
  lua_pop(L, 1);
}

void operation_reject (lua_State *L, struct operation *op) {
  if (op->raised) {
    lua_pop(L, 1);
    observer_push_error(L, op);
  }
  operation_push(L, op);
  lua_insert(L, -2);
  complete_error(L, op, lua_gettop(L) - 1);
  finish(L, op);
  promise_reject_error(L, -2);
  lua_pop(L, 1);
}

void operation_abort (struct operation *op, const char *kind, const char *message) {
  struct exchange *x;
  if (op->over || op->abort_kind) return;
  op->abort_kind = kind;
  op->abort_message = message;
  op->abort_result = RESULT_GENERAL_FAILURE;
  for (x = op->exchanges; x; x = x->next) {
    if (x->phase == EXCHANGE_FRESH || x->phase == EXCHANGE_REPORTED) /* held: its end is reported too */
      engine_report(op->loop->engine, x);
    engine_cancel(op->loop->engine, x);
  }
  if (op->timer.place) engine_set_timer(op->loop->engine, &op->timer, 0); /* a move: it cannot fail */
}

static void cancel (struct operation *op) {
  op->abort_kind = NULL;
  operation_abort(op, "cancelled", "cancelled");
}

static size_t count (const struct loop *loop, const char **verb) {
  const struct operation *op;
  size_t n = 0;
  for (op = loop->operations; op; op = op->later, n++)
    *verb = op->verb; /* the list begins with the latest */
  return n;
}

static void drop_all (struct loop *loop) {
  struct operation *op;
  for (op = loop->operations; op; op = op->later) {
    free_exchanges(op);
    drop_parts(op);
    drop_apart(op);
  }
}

static const char *verb_of (const struct operation *op) {
  return op->verb;
}

static void label_of (const struct exchange *x, struct record_label *label) {
  const struct operation *op = x->owner;
  label->session = op->session ? op->session->number : 0;
  label->verb = op->verb;
}

const struct operation_calls operation_calls = {cancel, drop_all, count, verb_of, label_of};
