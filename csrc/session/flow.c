#include "session/flow.h"

#include "net/engine.h"
#include "runtime/await.h"
#include "runtime/error.h"
#include "runtime/response.h"
#include "session/observer.h"

#include <stdint.h>
#include <string.h>

enum { WINDOW = 256 * 1024 }; /* bytes that wait for the function that takes a body */

static const double TURN = 0.0005; /* seconds: then the function that gives is not called again in one turn */

struct flow {
  struct entry entry;      /* its turn in the ready queue */
  struct operation *op;    /* borrowed; NULL: it has ended */
  operation_step answered; /* the operation's next step */
  struct progress told;    /* what `onProgress` was told last */
  long long size;          /* of the request's body: bodyLength; -1: not known */
  long long given;         /* bytes */
  bool takes, gives, rewinds, tells;
  bool begun;  /* the function that gives was called */
  bool held;   /* FLOW_NEXT is the last piece, if the function says so */
  bool failed; /* FLOW_ERROR rejects the operation when its exchange has finished */
  enum { CALL_NONE, CALL_GIVE, CALL_REWIND } call; /* FLOW_CALL is the promise of that function's coroutine */
};

/* User values. */
enum {
  FLOW_TAKE = READY_QUEUE_SLOTS + 1,
  FLOW_GIVE,
  FLOW_REWIND,
  FLOW_TELL,
  FLOW_CALL,
  FLOW_PIECES, /* a table: kept for libcurl */
  FLOW_NEXT,
  FLOW_ERROR,
  FLOW_SLOTS = FLOW_ERROR
};

/* Pushes the flow of the operation. */
static struct flow *push (lua_State *L, const struct operation *op) {
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_DETAILS);
  lua_remove(L, -2);
  return lua_touserdata(L, -1);
}

/* The response's body */

static void flowed (lua_State *L, struct operation *op, struct exchange *x);

/* The function that took bytes of the body has ended. */
static void took (lua_State *L, struct operation *op, struct exchange *x) {
  if (x) { /* it was cancelled */
    flowed(L, op, x);
    return;
  }
  operation_push_returned(L, op);
  lua_pop(L, 1);
  if (lua_isnil(L, -2) && !lua_isnil(L, -1)) {
    promise_wrap_raised(L, L, 0);
    operation_reject(L, op);
    return;
  }
  lua_pop(L, 2);
  op->step = flowed;
  if (op->exchanges) engine_go_on(op->loop->engine, op->exchanges);
}

static void take (lua_State *L, struct operation *op) {
  struct exchange *x = op->exchanges;
  struct buffer *body;
  if (!x) return;
  if (op->loop->observers) observer_response(L, op, x, true);
  if (op->abort_kind || op->over) return;
  body = &x->response.body;
  op->repeatable = false; /* the program has a part of the response */
  push(L, op);
  compat_getslot(L, -1, FLOW_TAKE);
  lua_remove(L, -2);
  lua_pushlstring(L, body->data, body->length);
  lua_pushliteral(L, "");
  response_push_with(L, x);
  lua_remove(L, -2);
  buffer_clear(body);
  operation_call(L, op, 2, took);
}

/* The progress */

static void push_count (lua_State *L, long long count) {
  if (count < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, (lua_Integer)count);
}

/* The flow is on top, popped. */
static void tell (lua_State *L, struct flow *f, const struct progress *now) {
  f->told = *now;
  compat_getslot(L, -1, FLOW_TELL);
  lua_replace(L, -2);
  push_count(L, now->sent);
  push_count(L, now->to_send);
  push_count(L, now->received);
  push_count(L, now->to_receive);
  loop_call(L, 4);
}

/* Called by the engine: raises nothing. */
static void progressed (struct exchange *x, void *context) {
  lua_State *L = context;
  struct flow *f = push(L, x->owner);
  tell(L, f, &x->progress);
}

/* The exchange has finished, or bytes of its response's body have come. */
static void flowed (lua_State *L, struct operation *op, struct exchange *x) {
  struct flow *f = op->flow;
  if (!x) {
    take(L, op);
    return;
  }
  if (f->failed) {
    push(L, op);
    compat_getslot(L, -1, FLOW_ERROR);
    lua_remove(L, -2);
    operation_reject(L, op);
    return;
  }
  if (f->tells && x->response.failure == FAILURE_NONE &&
      memcmp(&f->told, &x->progress, sizeof f->told) != 0) {
    push(L, op);
    tell(L, f, &x->progress);
  }
  f->answered(L, op, x);
}

/* The request's body */

/* Pops the error on top: the operation fails with it when its exchange has ended. The flow is at 1. */
static void fail (lua_State *L, struct flow *f) {
  promise_wrap_raised(L, L, 0);
  compat_setslot(L, 1, FLOW_ERROR);
  f->failed = true;
  if (f->op->exchanges) engine_cancel(f->op->loop->engine, f->op->exchanges);
}

static void fail_for_size (lua_State *L, struct flow *f, const char *format) {
  struct fault fault = {.kind = "error", .result = RESULT_GENERAL_FAILURE};
  fault.message = lua_pushfstring(L, format, (LUAI_UACINT)f->size, (LUAI_UACINT)f->given);
  error_push(L, &fault);
  fail(L, f);
}

/*
** Calls a function of the flow at 1 in a coroutine of its own. True if it has ended; else its end is the
** flow's next turn, and so it is after `until`, by clock_now.
*/
static bool call (lua_State *L, struct flow *f, int which, double until) {
  const struct promise *promise;
  lua_pushcfunction(L, await_spawn);
  compat_getslot(L, 1, which);
  lua_call(L, 1, 1);
  promise_mark_looked_at(L, lua_gettop(L));
  promise = lua_touserdata(L, -1);
  lua_pushvalue(L, -1);
  compat_setslot(L, 1, FLOW_CALL);
  f->call = which == FLOW_GIVE ? CALL_GIVE : CALL_REWIND;
  if (f->op && promise->state != PROMISE_PENDING && clock_now() < until) return true;
  lua_pushvalue(L, 1);
  promise_hang(L, -2);
  return false;
}

/* Gives libcurl the piece on top, perhaps popped. True if it wants another one. */
static bool feed (lua_State *L, const struct flow *f, bool last) {
  struct exchange *x = f->op->exchanges;
  size_t length;
  const char *piece = lua_tolstring(L, -1, &length);
  if (!x) return false;
  compat_getslot(L, 1, FLOW_PIECES);
  lua_insert(L, -2);
  lua_rawseti(L, -2, (lua_Integer)upload_next_place(x->request.upload) + 1);
  lua_pop(L, 1);
  return engine_feed(f->op->loop->engine, x, piece, length, last);
}

static void ended (lua_State *L, struct flow *f) {
  if (f->size >= 0 && f->given < f->size) {
    fail_for_size(L, f, "request: option 'bodyLength' is %I, but the function gave %I bytes");
    return;
  }
  if (f->held)
    compat_getslot(L, 1, FLOW_NEXT);
  else
    lua_pushliteral(L, "");
  f->held = false;
  feed(L, f, true);
}

/* The piece that the function returned is on top. Returns the function to call next; 0: none. */
static int gave (lua_State *L, struct flow *f) {
  size_t length = (size_t)lua_rawlen(L, -1);
  f->given += (long long)length;
  if (f->size >= 0 && f->given > f->size) {
    fail_for_size(L, f, "request: option 'bodyLength' is %I, but the function gave %I bytes or more");
    return 0;
  }
  if (!length) return FLOW_GIVE;
  if (f->given != f->size) return feed(L, f, false) ? FLOW_GIVE : 0;
  compat_setslot(L, 1, FLOW_NEXT); /* the function must say that this is the last before libcurl gets it */
  f->held = true;
  return FLOW_GIVE;
}

/* The function that was called has ended. Returns the function to call next; 0: none. */
static int returned (lua_State *L, struct flow *f) {
  bool gives = f->call == CALL_GIVE;
  f->call = CALL_NONE;
  lua_settop(L, 1);
  compat_getslot(L, 1, FLOW_CALL);
  lua_settop(L, 2 + promise_push_awaited(L, 2));
  lua_settop(L, 4); /* the flow, the promise, value, result: or nil and the error */
  lua_pushnil(L);
  compat_setslot(L, 2, PROMISE_VALUE); /* the promise may be garbage for long, the piece is large */
  if (lua_isnil(L, 3) && !lua_isnil(L, 4))
    fail(L, f);
  else if (!gives)
    return FLOW_GIVE;
  else if (lua_isnil(L, 3))
    ended(L, f);
  else if (lua_type(L, 3) == LUA_TSTRING) {
    lua_settop(L, 3);
    return gave(L, f);
  } else {
    lua_pushfstring(L, "request: option 'body': expected the function to return a string or nil, got %s",
                    luaL_typename(L, 3));
    fail(L, f);
  }
  return 0;
}

/* libcurl wants a piece. Returns the function to call; 0: none. */
static int begin (struct flow *f) {
  struct upload *u = f->op->exchanges ? f->op->exchanges->request.upload : NULL;
  if (!u) return 0;
  f->begun = true;
  if (!u->restart) return FLOW_GIVE;
  u->restart = false;
  f->given = 0;
  f->held = false;
  return FLOW_REWIND;
}

/* Argument: the flow. */
static int advance (lua_State *L) {
  struct flow *f = lua_touserdata(L, 1);
  double until = clock_now() + TURN;
  int next = f->call == CALL_NONE ? begin(f) : returned(L, f);
  while (next && call(L, f, next, until))
    next = returned(L, f);
  if (f->op && f->op->exchanges) engine_send_on(f->op->loop->engine, f->op->exchanges);
  return 0;
}

/* The entry's turn. Argument: the flow. */
static int take_turn (lua_State *L) {
  struct flow *f = lua_touserdata(L, 1);
  struct loop *loop;
  if (!f->op || f->failed) return 0;
  loop = f->op->loop;
  loop->busy++;
  loop_push_note(L);
  lua_pushcfunction(L, advance);
  lua_pushvalue(L, 1);
  if (loop_pcall(L, 1, 0) != LUA_OK && f->op) fail(L, f);
  loop->busy--;
  return 0;
}

/* Called by the engine: raises nothing. */
static void wanted (struct exchange *x, void *context) {
  lua_State *L = context;
  const struct operation *op = x->owner;
  push(L, op);
  loop_ready(L, op->loop);
}

/* The flow */

static bool set_function (lua_State *L, int flow, int options, const char *name, int slot) {
  bool is = lua_getfield(L, options, name) == LUA_TFUNCTION;
  if (is)
    compat_setslot(L, flow, slot);
  else
    lua_pop(L, 1);
  return is;
}

struct flow *flow_new (lua_State *L, int options, int taker) {
  struct flow *f = compat_newuserdata(L, sizeof *f, FLOW_SLOTS);
  int index = lua_gettop(L);
  memset(f, 0, sizeof *f);
  f->entry.tell = take_turn;
  f->told.sent = -1;
  f->takes = lua_isfunction(L, taker);
  lua_pushvalue(L, taker);
  compat_setslot(L, index, FLOW_TAKE);
  f->gives = set_function(L, index, options, "body", FLOW_GIVE);
  if (f->gives) {
    lua_createtable(L, UPLOAD_MOST_PIECES, 0);
    compat_setslot(L, index, FLOW_PIECES);
  }
  f->rewinds = set_function(L, index, options, "rewind", FLOW_REWIND);
  f->tells = set_function(L, index, options, "onProgress", FLOW_TELL);
  return f;
}

void flow_join (lua_State *L, int index, struct operation *op) {
  op->flow = lua_touserdata(L, index);
  op->flow->op = op;
  lua_pushvalue(L, index);
  compat_setslot(L, -2, OPERATION_DETAILS);
}

operation_step flow_prepare (struct flow *f, struct exchange *x, operation_step answered) {
  f->answered = answered;
  if (f->takes) operation_let_flow(x, WINDOW);
  if (f->tells) x->progressed = progressed;
  if (f->gives) {
    x->wanted = wanted;
    x->request.upload->asked = f->begun;
    f->size = x->request.upload->size;
  }
  return flowed;
}

bool flow_is_spent (const struct flow *f) {
  return f->begun && !f->rewinds;
}

void flow_end (lua_State *L) {
  ((struct flow *)lua_touserdata(L, -1))->op = NULL;
  flow_stop(L);
}

void flow_stop (lua_State *L) {
  struct flow *f = lua_touserdata(L, -1);
  int flow = lua_gettop(L);
  if (f->call != CALL_NONE) {
    f->call = CALL_NONE;
    compat_getslot(L, flow, FLOW_CALL);
    if (!f->entry.queued) {
      lua_pushvalue(L, flow);
      ready_queue_remove(L, -2, PROMISE_HANDLERS);
    }
    await_cancel(L, -1);
  }
  lua_settop(L, flow - 1);
}
