#include "runtime/await.h"

#include "runtime/error.h"
#include "runtime/loop.h"
#include "runtime/moment.h"
#include "runtime/promise.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* A suspended await. */
struct waiter {
  struct entry entry;
  struct timer timer; /* set if the await has a time limit */
  struct loop *loop;  /* borrowed */
  bool timed;         /* it is in LOOP_THREADS, where its timer finds it */
  bool gave_way;      /* the coroutine yielded, and takes no values */
  bool over;          /* the coroutine continued or was closed */
};

/* User values of a waiter: the awaited promise, the coroutine. */
enum { WAITER_PROMISE = READY_QUEUE_SLOTS + 1, WAITER_THREAD, WAITER_SLOTS = WAITER_THREAD };

/*
** User values of a coroutine's pending promise: the waiter of its await; the guard that closes it when it is
** collected.
*/
enum { SPAWN_WAITER = PROMISE_VALUE, SPAWN_GUARD = PROMISE_RESULT };

/* The guard's user values. */
#define GUARD_TYPE "datasession.guard"
enum { GUARD_PROMISE = 1, GUARD_THREAD, GUARD_SLOTS = GUARD_THREAD };

/* Seconds that a deep step waits before it resumes coroutines that were held back. */
static const double PATIENCE = 0.25;

/* The value that a coroutine of spawn yields when it awaits. */
static const char await_token;

#ifdef COMPAT_ENDS
/* An await is resumed with this when its coroutine is to end. In the registry: the last such error. */
static const char end_mark;
#endif

double await_limit (lua_State *L, int index) {
  double limit = luaL_optnumber(L, index, HUGE_VAL);
  luaL_argcheck(L, limit >= 0, index, "expected a number of seconds, 0 or more");
  return limit;
}

/* Errors */

static int timed_out (lua_State *L) {
  struct fault fault = {.kind = "timeout", .result = RESULT_GENERAL_FAILURE, .retryable = true};
  fault.message = "not settled within the time that await was given; the call goes on";
  error_push(L, &fault);
  return 1;
}

/* The error when an outer wait times out. */
static int cut_short (lua_State *L) {
  struct fault fault = {.kind = "timeout", .result = RESULT_GENERAL_FAILURE, .retryable = true};
  fault.message = "an outer await or run timed out before this await; the call goes on";
  fault.hint = "to wait longer, call await in a function that datasession.spawn calls";
  error_push(L, &fault);
  return 1;
}

static int closed_by_others (lua_State *L) {
  struct fault fault = {.kind = "closed", .result = RESULT_GENERAL_FAILURE};
  fault.message = "the coroutine of datasession.spawn was closed, or the program resumed it";
  error_push(L, &fault);
  return 1;
}

/* Argument: the coroutine (light userdata). */
static int yielded (lua_State *L) {
  lua_pushliteral(L, "a coroutine of datasession.spawn yielded values, which nothing takes: yield without "
                     "values waits for the next step");
  promise_wrap_raised(L, lua_touserdata(L, 1), 0);
  return 1;
}

/* Coroutines */

static void push_promise_of (lua_State *L, int thread) {
  thread = lua_absindex(L, thread);
  loop_table(L, LOOP_THREADS);
  lua_pushvalue(L, thread);
  lua_rawget(L, -2);
  lua_remove(L, -2);
}

static void forget_thread (lua_State *L, int thread) {
  thread = lua_absindex(L, thread);
  loop_table(L, LOOP_THREADS);
  lua_pushvalue(L, thread);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* After the await of the waiter at `index`: removes the waiter from all that could wake it. */
static void forget_waiter (lua_State *L, int index) {
  struct waiter *waiter = lua_touserdata(L, index);
  if (waiter->over) return;
  waiter->over = true;
  if (waiter->timed) {
    if (waiter->loop->engine) engine_clear_timer(waiter->loop->engine, &waiter->timer);
    loop_forget(L, waiter);
  }
  compat_getslot(L, index, WAITER_PROMISE);
  if (waiter->gave_way) moment_drop(L, lua_touserdata(L, -1));
  lua_pushvalue(L, index);
  if (waiter->entry.queued)
    lua_pop(L, 1);
  else
    ready_queue_remove(L, -2, PROMISE_HANDLERS);
  lua_pop(L, 1);
}

/* The same for the coroutine whose promise is at `index`. True if it waits in an await. */
static bool forget_await (lua_State *L, int index) {
  const struct waiter *waiter;
  bool awaits;
  index = lua_absindex(L, index);
  if (compat_getslot(L, index, SPAWN_WAITER) != LUA_TNIL) forget_waiter(L, lua_gettop(L));
  waiter = lua_touserdata(L, -1);
  awaits = waiter && !waiter->gave_way;
  lua_pushnil(L);
  compat_setslot(L, index, SPAWN_WAITER);
  lua_pop(L, 1);
  return awaits;
}

#ifdef COMPAT_ENDS

/* Ends the coroutine by an error in its await; it may have caught others. Returns its status. */
static int end_thread (lua_State *L, lua_State *co) {
  struct loop *loop = loop_get(L);
  lua_State *outer = loop->ending;
  int status, nresults;
  lua_pushlightuserdata(co, (void *)&end_mark);
  loop->ending = co;
  status = compat_resume(co, L, 1, &nresults);
  loop->ending = outer;
  if (status == LUA_OK || status == LUA_YIELD) return LUA_OK;
  lua_rawgetp(co, LUA_REGISTRYINDEX, &end_mark);
  status = lua_rawequal(co, -1, -2) ? LUA_OK : status;
  lua_pop(co, 1);
  return status;
}

/* In the coroutine: raises the error. */
static int ended (lua_State *L) {
  struct fault fault = {.kind = "closed", .result = RESULT_GENERAL_FAILURE};
  fault.message = "the coroutine of datasession.spawn was cancelled";
  error_push(L, &fault);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &end_mark);
  return lua_error(L);
}

#endif

/*
** Closes a coroutine, which `awaits` or not. Reports an error of its <close> variables, unless it is the one
** at `known`.
*/
static void close_thread (lua_State *L, lua_State *co, int known, bool awaits) {
#ifdef COMPAT_ENDS
  if (!awaits || end_thread(L, co) == LUA_OK) return;
#else
  (void)awaits;
  if (compat_closethread(co, L) == LUA_OK) return;
#endif
  lua_xmove(co, L, 1);
  if (known && lua_rawequal(L, -1, known))
    lua_pop(L, 1);
  else
    loop_report(L);
}

/*
** Leaves the error of a coroutine that failed, which is on its stack, or that yielded values (`status` is
** LUA_YIELD).
*/
static void push_failure (lua_State *L, lua_State *co, int status) {
  int error;
  if (status == LUA_YIELD) {
    lua_pushlightuserdata(L, co);
    promise_make_error(L, yielded, 1);
    close_thread(L, co, 0, false);
    return;
  }
  lua_xmove(co, L, 1);
  error = lua_gettop(L);
  lua_pushvalue(L, error);
  promise_wrap_raised(L, co, 0);
  lua_pushvalue(L, error);
  lua_xmove(L, co, 1); /* close_thread expects it there */
  close_thread(L, co, error, false);
  lua_remove(L, error);
}

/* Moves the first three results of a coroutine that has returned. */
static void take_results (lua_State *L, lua_State *co, int n) {
  int i;
  if (n > 3) lua_pop(co, n - 3);
  lua_xmove(co, L, n > 3 ? 3 : n);
  for (i = n; i < 3; i++)
    lua_pushnil(L);
}

/* Called when the promise is settled or the await timed out; does nothing if the other came first. */
static int wake (lua_State *L);

/*
** Pushes the waiter of the coroutine at `thread`, whose promise is at `spawned`, for the promise at
** `promise`.
*/
static struct waiter *new_waiter (lua_State *L, struct loop *loop, int promise, int thread, int spawned) {
  struct waiter *waiter = compat_newuserdata(L, sizeof *waiter, WAITER_SLOTS);
  memset(waiter, 0, sizeof *waiter);
  waiter->entry.tell = wake;
  waiter->loop = loop;
  lua_pushvalue(L, promise);
  compat_setslot(L, -2, WAITER_PROMISE);
  lua_pushvalue(L, thread);
  compat_setslot(L, -2, WAITER_THREAD);
  forget_await(L, spawned); /* the program may have resumed a coroutine that gave way */
  lua_pushvalue(L, -1);
  compat_setslot(L, spawned, SPAWN_WAITER);
  return waiter;
}

/* Arguments: a coroutine that yielded no values, and its promise. The next step resumes the coroutine. */
static int give_way (lua_State *L) {
  struct loop *loop = loop_get(L);
  moment_push(L, loop, 0);
  new_waiter(L, loop, 3, 1, 2)->gave_way = true;
  promise_hang(L, 3);
  return 0;
}

/*
** True if the coroutine, which yielded `nresults` values, awaits or gives way. False: it yielded values, or
** memory ran out; *status is then that of its error, which is on its stack.
*/
static bool waits (lua_State *L, int thread, int promise, int nresults, int *status) {
  lua_State *co = lua_tothread(L, thread);
  bool awaits = nresults == 1 && lua_touserdata(co, -1) == (void *)&await_token;
  lua_pop(co, nresults);
  if (awaits || nresults) return awaits;
  lua_pushcfunction(L, give_way);
  lua_pushvalue(L, thread);
  lua_pushvalue(L, promise);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return true;
  /* GCOVR_EXCL_START: out of memory; seldom in a short run */
  lua_xmove(L, co, 1);
  *status = LUA_ERRRUN;
  return false;
  /* GCOVR_EXCL_STOP */
}

/* Resumes the coroutine at `thread` with the `nargs` values on its stack. Raises nothing. */
static void resume (lua_State *L, int thread, int nargs) {
  lua_State *co = lua_tothread(L, thread);
  int status, promise, nresults = 0;
  push_promise_of(L, thread);
  promise = lua_gettop(L);
  status = compat_resume(co, L, nargs, &nresults);
  loop_get(L)->resumed = NULL; /* the coroutine may not have started */
  if (status == LUA_YIELD && waits(L, thread, promise, nresults, &status)) {
    lua_settop(L, promise - 1);
    return;
  }
  if (status == LUA_OK) {
    forget_thread(L, thread);
    take_results(L, co, nresults);
    promise_settle_returned(L, promise);
  } else {
    push_failure(L, co, status);
    forget_thread(L, thread);
    promise_reject_error(L, promise);
  }
  lua_settop(L, promise - 1);
}

/*
** True if the guard at 1 is finalised because its coroutine is collected. Else the state closes, and
** await_close closes the coroutine later.
*/
static bool is_collected (lua_State *L) {
  bool is;
  loop_table(L, LOOP_GUARDED);
  is = lua_rawgetp(L, -1, lua_touserdata(L, 1)) == LUA_TNIL;
  lua_pop(L, 2);
  return is;
}

static int guard_gc (lua_State *L) {
  lua_State *co;
  bool awaits;
  luaL_checkudata(L, 1, GUARD_TYPE);
  lua_settop(L, 1);
  if (!is_collected(L)) return 0;
  compat_getslot(L, 1, GUARD_PROMISE);
  compat_getslot(L, 1, GUARD_THREAD);
  co = lua_tothread(L, 3);
  if (!co || ((const struct promise *)lua_touserdata(L, 2))->state != PROMISE_PENDING) return 0;
  if (lua_status(co) != LUA_YIELD) return 0;
  awaits = forget_await(L, 2);
  forget_thread(L, 3);
  close_thread(L, co, 0, awaits);
  return 0;
}

/* Creates the guard of the coroutine at `thread` and its promise at `promise`. */
static void set_guard (lua_State *L, int promise, int thread) {
  int guard;
  compat_newuserdata(L, 0, GUARD_SLOTS);
  guard = lua_gettop(L);
  lua_pushvalue(L, promise);
  compat_setslot(L, guard, GUARD_PROMISE);
  lua_pushvalue(L, thread);
  compat_setslot(L, guard, GUARD_THREAD);
  loop_table(L, LOOP_GUARDED);
  lua_pushvalue(L, thread);
  lua_rawsetp(L, -2, lua_touserdata(L, guard));
  lua_pop(L, 1);
  if (luaL_newmetatable(L, GUARD_TYPE)) {
    lua_pushcfunction(L, guard_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, guard);
  compat_setslot(L, promise, SPAWN_GUARD);
}

int await_spawn (lua_State *L) {
  int nargs = lua_gettop(L) - 1;
  lua_State *co;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  if (loop_get(L)->closed) return luaL_error(L, "spawn: this Lua state is closing");
  loop_check(L, loop_get(L));
  co = lua_newthread(L);
  if (!lua_checkstack(co, nargs + 1)) return luaL_error(L, "spawn: too many arguments");
  lua_insert(L, 1);
  promise_new(L, sizeof(struct promise));
  lua_insert(L, 1); /* promise, coroutine, f, arguments */
  lua_pushvalue(L, 2);
  compat_setslot(L, 1, PROMISE_OWNER);
  set_guard(L, 1, 2);
  loop_table(L, LOOP_THREADS);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_xmove(L, co, nargs + 1);
  resume(L, 2, nargs);
  lua_settop(L, 1);
  return 1;
}

/* True if the coroutine neither waits nor runs. */
static bool is_dead (lua_State *L, lua_State *co) {
  lua_Debug frame;
  int status = lua_status(co);
  if (co == L || status == LUA_YIELD) return false;
  return status != LUA_OK || !lua_getstack(co, 0, &frame);
}

bool await_cancel (lua_State *L, int index) {
  lua_State *co;
  int top = lua_gettop(L);
  bool waits;
  index = lua_absindex(L, index);
  compat_getslot(L, index, PROMISE_OWNER);
  co = lua_tothread(L, -1);
  if (!co) { /* the coroutine has ended: its promise is settled or follows another one */
    lua_settop(L, top);
    return true;
  }
  waits = lua_status(co) == LUA_YIELD;
  if (waits || is_dead(L, co)) {
    bool awaits = forget_await(L, index);
    if (waits) close_thread(L, co, 0, awaits);
    forget_thread(L, top + 1);
    waits = true;
  }
  lua_settop(L, top);
  return waits;
}

int await_close (lua_State *L) {
  lua_settop(L, 0);
  loop_table(L, LOOP_THREADS);
  if (!lua_istable(L, 1)) return 0; /* loop_open did not complete */
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_State *co = lua_tothread(L, 2);
    if (co) {
      bool awaits = forget_await(L, 3);
      forget_thread(L, 2);
      if (lua_status(co) == LUA_YIELD) close_thread(L, co, 0, awaits);
    }
    lua_settop(L, 2);
  }
  return 0;
}

/* Waiters */

static int wake (lua_State *L) {
  struct waiter *waiter = lua_touserdata(L, 1);
  const struct promise *p;
  lua_State *co;
  int n = 2;
  if (waiter->over) return 0;
  lua_pushvalue(L, 1);
  if (loop_hold_back(L, waiter->loop)) return 0;
  lua_settop(L, 1);
  compat_getslot(L, 1, WAITER_THREAD);
  co = lua_tothread(L, 2);
  push_promise_of(L, 2);
  forget_await(L, 3);
  if (lua_status(co) != LUA_YIELD) { /* coroutine.close */
    forget_thread(L, 2);
    promise_make_error(L, closed_by_others, 0);
    promise_reject_error(L, 3);
    return 0;
  }
  compat_getslot(L, 1, WAITER_PROMISE);
  p = lua_touserdata(L, 4);
  if (p->state == PROMISE_PENDING) {
    lua_pushnil(L);
    promise_make_error(L, timed_out, 0);
  } else
    n = promise_push_awaited(L, 4);
  if (waiter->gave_way) n = 0;
  lua_xmove(L, co, n); /* it has room: it was suspended in a C function */
  waiter->loop->resumed = co;
  resume(L, 2, n);
  return 0;
}

/*
** Called by the engine, so it must not raise: moves the waiter from its promise's queue to the ready queue.
*/
static void time_over (struct timer *timer, void *context) {
  lua_State *L = context;
  struct waiter *waiter = (struct waiter *)((char *)timer - offsetof(struct waiter, timer));
  loop_table(L, LOOP_THREADS);
  lua_rawgetp(L, -1, waiter);
  if (!waiter->entry.queued) {
    compat_getslot(L, -1, WAITER_PROMISE);
    lua_pushvalue(L, -2);
    ready_queue_remove(L, -2, PROMISE_HANDLERS);
    lua_pop(L, 1);
  }
  loop_ready(L, waiter->loop);
  lua_pop(L, 1);
}

/* Sets the timer of the waiter on top. */
static void set_timer (lua_State *L, struct waiter *waiter, double limit) {
  struct engine *engine = loop_engine(L, waiter->loop);
  lua_pushvalue(L, -1);
  loop_keep(L);
  waiter->timer.fired = time_over;
  waiter->timed = engine_set_timer(engine, &waiter->timer, clock_now() + limit);
  if (!waiter->timed) {
    /* GCOVR_EXCL_START: out of memory for one more timer; the heap grows by doubling */
    loop_forget(L, waiter);
    luaL_error(L, "not enough memory");
    /* GCOVR_EXCL_STOP */
  }
}

/* Continues await after the coroutine was resumed; the values of the resume are above the promise. */
static int awaited (lua_State *L, int status, lua_KContext context) {
  struct loop *loop = loop_get(L);
  (void)status;
  (void)context;
#ifdef COMPAT_ENDS
  if (loop->ending == L && lua_touserdata(L, -1) == (void *)&end_mark) return ended(L);
#endif
  if (loop->resumed == L) {
    loop->resumed = NULL;
    return lua_gettop(L) - 1;
  }
  lua_settop(L, 0);
  lua_pushthread(L);
  push_promise_of(L, 1);
  forget_await(L, 2);
  forget_thread(L, 1);
  promise_make_error(L, closed_by_others, 0);
  promise_reject_error(L, 2);
  return luaL_error(L,
                    "await: the program resumed a coroutine of datasession.spawn, which only await may do");
}

static int await_suspended (lua_State *L, struct loop *loop, double limit) {
  struct waiter *waiter;
  lua_pushthread(L);
  push_promise_of(L, 2);
  waiter = new_waiter(L, loop, 1, 2, 3);
  if (limit < HUGE_VAL) set_timer(L, waiter, limit);
  lua_replace(L, 2);
  lua_settop(L, 2);
  promise_hang(L, 1);
  lua_pushlightuserdata(L, (void *)&await_token);
  return compat_yield(L, 1, awaited);
}

/* Raises if nothing is pending that could settle the promise. */
static void check_hope (lua_State *L, struct loop *loop) {
  if (loop->closed) luaL_error(L, "await: this Lua state is closing");
  if (loop_pending(loop) || loop_let_go(L, loop)) return;
  if (loop->held_back) loop_too_deep(L);
  luaL_error(L, "await would never return: nothing is pending that could settle this promise");
}

static int await_stepping (lua_State *L, struct loop *loop, const struct promise *p, double limit) {
  double start = clock_now(), own = start + limit, until = loop_deadline(loop, limit),
         patient = start + PATIENCE;
  for (;;) {
    double now;
    check_hope(L, loop);
    loop_step_on(L, loop, until);
    if (p->state != PROMISE_PENDING) return promise_push_awaited(L, 1);
    now = clock_now();
    if (now >= until) {
      lua_pushnil(L);
      if (now >= own)
        timed_out(L);
      else
        cut_short(L);
      return 2;
    }
    if (now >= patient && loop_let_go(L, loop))
      patient = now + PATIENCE; /* the promise may need that coroutine */
  }
}

static bool is_spawned (lua_State *L) {
  bool is;
  lua_pushthread(L);
  push_promise_of(L, -1);
  is = !lua_isnil(L, -1);
  lua_pop(L, 2);
  return is;
}

/*
** Continues await after the program's function has returned: at 1 the promise, at 2 the time of clock_now at
** which the await ends. If the function has not waited, await does.
*/
static int hook_waited (lua_State *L, int status, lua_KContext context) {
  const struct promise *p = promise_check(L, 1);
  double left = lua_tonumber(L, 2) - clock_now();
  (void)status;
  (void)context;
  lua_settop(L, 1);
  if (p->state != PROMISE_PENDING) return promise_push_awaited(L, 1);
  return await_stepping(L, loop_get(L), p, left > 0 ? left : 0);
}

/* Pushes the program's function for await; nil: there is none. */
static void push_hook (lua_State *L) {
  loop_table(L, LOOP_HOOKS);
  lua_getfield(L, -1, "await");
  lua_remove(L, -2);
}

static int await_hooked (lua_State *L, double limit) {
  lua_pushnumber(L, clock_now() + limit);
  lua_insert(L, 2);
  lua_pushvalue(L, 1);
  if (limit < HUGE_VAL)
    lua_pushnumber(L, limit);
  else
    lua_pushnil(L);
  return compat_call(L, 2, 0, hook_waited);
}

int await_set_hook (lua_State *L) {
  if (!lua_isnoneornil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  push_hook(L);
  loop_table(L, LOOP_HOOKS);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "await");
  lua_settop(L, 2);
  return 1;
}

int await_promise (lua_State *L, const struct promise *p, double limit) {
  struct loop *loop = loop_get(L);
  loop_check(L, loop);
#ifdef COMPAT_ENDS
  if (loop->ending == L && lua_isyieldable(L)) return lua_yield(L, 0); /* for good */
#endif
  if (lua_isyieldable(L)) {
    if (is_spawned(L)) return await_suspended(L, loop, limit);
    push_hook(L);
    if (lua_isfunction(L, -1)) return await_hooked(L, limit);
    lua_pop(L, 1);
  }
  return await_stepping(L, loop, p, limit);
}
