#include "runtime/loop.h"

#include "net/retry_budget.h"
#include "net/transport.h"
#include "runtime/calm.h"
#include "runtime/recording.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
** The loop's user values: the ready queue; waiters that are held back; a hook's error while it leaves all
** steps.
*/
enum { LOOP_QUEUE = 1, LOOP_HELD_BACK, LOOP_INTERRUPT, LOOP_SLOTS = LOOP_INTERRUPT };

/*
** Rounds of the ready queue in one step: a usual chain of `next` completes within one step, and an endless
** one does not block the host.
*/
enum { ROUNDS = 16 };

/* Steps inside steps: handlers that await while handlers await. Well below Lua's own limit of C calls. */
enum { MAX_DEPTH = 40 };

/*
** In steps this deep, coroutines of spawn are not resumed. One that awaits in a nested coroutine, such as a
** generator, cannot be suspended there, and waits in a step inside this one.
*/
enum { DEEP = 20 };

/* Idle sessions that keep their cookies ready: a kilobyte each. To restore one takes about 20 µs. */
enum { WARM_JARS = 512 };

/* Longest step of a wait loop, in seconds, so that a debug hook which a signal has set runs. */
static const double LONGEST_WAIT = 0.5;

static const char loop_key;
static const char table_keys[LOOP_TABLES];

static struct loop *push_loop (lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loop_key);
  return lua_touserdata(L, -1);
}

struct loop *loop_get (lua_State *L) {
  struct loop *loop = push_loop(L);
  lua_pop(L, 1);
  return loop;
}

void loop_table (lua_State *L, enum loop_table which) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &table_keys[which]);
}

void loop_table_of (lua_State *L, const struct loop *loop, enum loop_table which) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, loop->tables[which]);
}

void loop_keep (lua_State *L) {
  loop_table(L, LOOP_THREADS);
  lua_insert(L, -2);
  lua_rawsetp(L, -2, lua_touserdata(L, -1));
  lua_pop(L, 1);
}

void loop_forget (lua_State *L, const void *userdata) {
  loop_table(L, LOOP_THREADS);
  lua_pushnil(L);
  lua_rawsetp(L, -2, userdata);
  lua_pop(L, 1);
}

static void new_table (lua_State *L, struct loop *loop, enum loop_table which, const char *mode) {
  lua_newtable(L);
  if (mode) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &table_keys[which]);
  loop->tables[which] = luaL_ref(L, LUA_REGISTRYINDEX);
}

bool loop_is_inherited (const struct loop *loop) {
  return loop->engine && engine_is_inherited(loop->engine);
}

void loop_check (lua_State *L, const struct loop *loop) {
  if (loop_is_inherited(loop))
    luaL_error(L, "datasession: this process was forked from the one whose sessions these are: "
                  "use a Lua state of its own here");
}

struct engine *loop_engine (lua_State *L, struct loop *loop) {
  if (loop->closed) luaL_error(L, "datasession: this Lua state is closing");
  loop_check(L, loop);
  if (loop->engine) return loop->engine;
  loop->engine = engine_new(&loop->limits, &loop->memory);
  if (!loop->engine) luaL_error(L, "datasession: not enough memory or file descriptors for the engine");
  if (loop->recording) recording_begin(loop);
  return loop->engine;
}

/* The ready queue */

/* An entry that becomes ready outside a step makes the descriptor readable. */
static void wake_host (const struct loop *loop) {
  if (!loop->depth && loop->engine) engine_wake(loop->engine);
}

void loop_ready (lua_State *L, struct loop *loop) {
  struct entry *entry = lua_touserdata(L, -1);
  if (entry->queued) {
    lua_pop(L, 1);
    return;
  }
  entry->queued = true;
  loop->added++;
  push_loop(L);
  lua_insert(L, -2);
  ready_queue_add(L, -2, LOOP_QUEUE);
  lua_pop(L, 1);
  wake_host(loop);
}

static bool has_ready (const struct loop *loop) {
  return loop->taken != loop->added;
}

/* True if the next step resumes what deeper ones held back. */
static bool has_next (const struct loop *loop) {
  return loop->held_back && loop->depth + 1 < DEEP;
}

bool loop_pending (struct loop *loop) {
  if (loop->closed) return false; /* no handler is called any more */
  return has_ready(loop) || has_next(loop) || (loop->engine && engine_pending(loop->engine));
}

double loop_timeout (struct loop *loop) {
  if (loop->closed) return -1;
  if (has_ready(loop) || has_next(loop)) return 0;
  return loop->engine ? engine_timeout(loop->engine) : -1;
}

static int begin_tell (lua_State *L) {
  struct entry *entry = lua_touserdata(L, 1);
  entry->begun = true;
  return entry->tell(L);
}

/* Interrupts: errors that a hook raises */

/*
** True if a hook raised the error for which the message handler at level 0 was called. The search ends at the
** step, which a hook may have called, and at the depth to which hooks call functions: finding a level takes
** time in proportion to its depth.
*/
static bool is_raised_by_hook (lua_State *L) {
  enum { HOOK_LEVELS = 50 };
  lua_Debug frame;
  int level;
  for (level = 0; level < HOOK_LEVELS && lua_getstack(L, level, &frame); level++) {
    bool end;
    lua_getinfo(L, "nf", &frame);
    end = lua_tocfunction(L, -1) == begin_tell;
    lua_pop(L, 1);
    if (!strcmp(frame.namewhat, "hook")) return true;
    if (end) break;
  }
  return compat_in_hook(L);
}

/* Pops the error on top, which then ends all current steps. */
static void interrupt (lua_State *L, struct loop *loop) {
  push_loop(L);
  lua_insert(L, -2);
  compat_setslot(L, -2, LOOP_INTERRUPT);
  lua_pop(L, 1);
  loop->interrupted = true;
}

/* True if the value at `index` is that error. */
static bool is_interrupt (lua_State *L, const struct loop *loop, int index) {
  bool is;
  if (!loop->interrupted) return false;
  index = lua_absindex(L, index);
  push_loop(L);
  compat_getslot(L, -1, LOOP_INTERRUPT);
  is = lua_rawequal(L, -1, index);
  lua_pop(L, 2);
  return is;
}

/* Raises that error, if there is one. When the outermost step has raised it, it is done. */
static void raise_interrupt (lua_State *L, struct loop *loop) {
  if (!loop->interrupted) return;
  push_loop(L);
  compat_getslot(L, -1, LOOP_INTERRUPT);
  if (!loop->depth) {
    loop->interrupted = false;
    lua_pushnil(L);
    compat_setslot(L, -3, LOOP_INTERRUPT);
  }
  lua_error(L);
}

bool loop_note_interrupt (lua_State *L) {
  struct loop *loop = loop_get(L);
  if (is_interrupt(L, loop, 1)) return true;
  if (!loop->depth || !is_raised_by_hook(L)) return false;
  lua_pushvalue(L, 1);
  interrupt(L, loop);
  return true;
}

/* A message handler. */
static int note (lua_State *L) {
  loop_note_interrupt(L);
  lua_settop(L, 1);
  return 1;
}

void loop_push_note (lua_State *L) {
  lua_pushcfunction(L, note);
}

int loop_pcall (lua_State *L, int nargs, int nresults) {
  int base = lua_gettop(L) - nargs - 1, status;
  status = lua_pcall(L, nargs, nresults, base);
  if (status == LUA_OK && !nresults)
    lua_pop(L, 1);
  else
    lua_remove(L, base);
  return status;
}

/*
** Pops the entry on top and calls it. If it could not be called, because memory ran out or a hook raised an
** error, it is called another time.
*/
static void tell (lua_State *L, struct loop *loop) {
  struct entry *entry = lua_touserdata(L, -1);
  entry->begun = false;
  loop_push_note(L);
  lua_pushcfunction(L, begin_tell);
  lua_pushvalue(L, -3);
  if (loop_pcall(L, 1, 0) == LUA_OK)
    lua_pop(L, 1);
  else if (entry->begun) {
    if (is_interrupt(L, loop, -1))
      lua_pop(L, 1);
    else
      loop_report(L);
    lua_pop(L, 1);
  } else {
    /* GCOVR_EXCL_START: out of memory for the call's own frame, which Lua keeps from call to call */
    lua_pop(L, 1);
    loop_ready(L, loop);
    /* GCOVR_EXCL_STOP */
  }
}

/* Calls the first entry, under pcall, so that its errors affect no other entry. */
static void tell_next (lua_State *L, struct loop *loop) {
  push_loop(L);
  if (!ready_queue_take(L, -1, LOOP_QUEUE)) {
    /* GCOVR_EXCL_START: the count says that there is one; a wrong count would keep step from ending */
    loop->taken = loop->added;
    lua_pop(L, 1);
    return;
    /* GCOVR_EXCL_STOP */
  }
  loop->taken++;
  lua_remove(L, -2);
  ((struct entry *)lua_touserdata(L, -1))->queued = false;
  tell(L, loop);
}

/* True if the time has come. 0 or HUGE_VAL: never. */
static bool is_over (double until) {
  return until > 0 && until < HUGE_VAL && clock_now() >= until;
}

/* False: the time is used up. Entries that are added meanwhile wait for the next round. */
static bool tell_round (lua_State *L, struct loop *loop, double until) {
  size_t end = loop->added;
  while (loop->taken < end && !loop_is_inherited(loop)) {
    tell_next(L, loop);
    if (loop->interrupted || is_over(until)) return false;
  }
  return true;
}

int loop_too_deep (lua_State *L) {
  return luaL_error(
      L,
      "datasession: %d handlers wait inside one another, or generators of coroutines: call await in "
      "functions that datasession.spawn calls, not in what those resume",
      MAX_DEPTH);
}

static void check_step (lua_State *L, const struct loop *loop) {
  if (loop->busy)
    luaL_error(L, "datasession: the engine is at work, so nothing can step it here: use await in a function "
                  "that a request calls, and do not wait in a finaliser");
  if (loop->depth >= MAX_DEPTH) loop_too_deep(L);
  luaL_checkstack(L, LUA_MINSTACK, "datasession.step");
}

/* Coroutines that are not resumed in deep steps */

bool loop_hold_back (lua_State *L, struct loop *loop) {
  if (loop->depth < DEEP) return false;
  if (loop->let_go) {
    loop->let_go--;
    return false;
  }
  push_loop(L);
  lua_insert(L, -2);
  ready_queue_add(L, -2, LOOP_HELD_BACK);
  lua_pop(L, 1);
  loop->held_back++;
  return true;
}

static void let_one_go (lua_State *L, struct loop *loop) {
  push_loop(L);
  if (ready_queue_take(L, -1, LOOP_HELD_BACK)) {
    loop->held_back--;
    loop_ready(L, loop);
  }
  lua_pop(L, 1);
}

bool loop_let_go (lua_State *L, struct loop *loop) {
  if (!loop->held_back || loop->depth + 1 >= MAX_DEPTH) return false;
  let_one_go(L, loop);
  loop->let_go = 1;
  return true;
}

/* For a step that is not deep: resumes all. */
static void let_all_go (lua_State *L, struct loop *loop) {
  loop->let_go = 0;
  while (loop->held_back)
    let_one_go(L, loop);
}

/* Steps the engine, and returns when the budget of the whole step is used up; 0: it has none. */
static double step_engine (lua_State *L, struct loop *loop, double wait, double budget) {
  double until = budget > 0 ? clock_now() + budget : 0;
  if (!loop->engine) return until;
  engine_step(loop->engine, has_ready(loop) ? 0 : wait, budget, L);
  return until > 0 && wait != 0 && loop->depth == 1 ? engine_stop(loop->engine) : until;
}

static void check_wait (lua_State *L, const struct loop *loop) {
  if (loop->observing) luaL_error(L, "datasession: onRequest and onResponse must not wait");
}

/* True if there is something to do. Entries that deeper steps held back become ready. */
static bool begin_step (lua_State *L, struct loop *loop) {
  check_wait(L, loop);
  loop_check(L, loop);
  raise_interrupt(L, loop);
  if (has_next(loop)) let_all_go(L, loop);
  if (loop_pending(loop)) return true;
  if (loop->engine && !loop->closed)
    engine_step(loop->engine, 0, 0, L); /* clears its descriptor, which may be readable */
  return false;
}

/* One step. `deadline` also holds for the steps inside it. */
static void step_within (lua_State *L, struct loop *loop, double wait, double budget, double deadline) {
  double outer_until = loop->until, outer_deadline = loop->deadline;
  int round;
  if (!begin_step(L, loop)) return;
  check_step(L, loop);
  loop->depth++;
  loop->deadline = deadline;
  loop->until = step_engine(L, loop, wait, budget);
  if (loop->recording) recording_deliver(L);
  for (round = 0; round < ROUNDS && has_ready(loop) && !loop->interrupted; round++)
    if (!tell_round(L, loop, loop->until) || is_over(deadline)) break;
  loop->until = outer_until;
  loop->deadline = outer_deadline;
  loop->depth--;
  if (has_ready(loop)) wake_host(loop);
  raise_interrupt(L, loop);
  loop_check(L, loop); /* a handler may have forked */
}

void loop_step (lua_State *L, struct loop *loop, double wait, double budget) {
  step_within(L, loop, wait, budget, loop->deadline);
}

static int nothing (lua_State *L) {
  (void)L;
  return 0;
}

/* Calls a hook of the main thread, even from a coroutine: a signal handler can set a hook there only. */
static void look_at_main (lua_State *L, struct loop *loop) {
  lua_State *main = loop->main;
  if (!main || main == L || !lua_gethook(main) || !lua_checkstack(main, LUA_MINSTACK)) return;
  lua_pushcfunction(main, nothing);
  if (lua_pcall(main, 0, 0, 0) == LUA_OK) return;
  lua_xmove(main, L, 1);
  interrupt(L, loop);
  raise_interrupt(L, loop);
}

double loop_deadline (const struct loop *loop, double limit) {
  double until = limit < HUGE_VAL ? clock_now() + limit : limit;
  return until < loop->deadline ? until : loop->deadline;
}

/* A signal between the look at the clock and the wait does not end the wait, so the wait is limited. */
void loop_step_on (lua_State *L, struct loop *loop, double until) {
  double left = until < HUGE_VAL ? until - clock_now() : until;
  if (left < 0) left = 0;
  step_within(L, loop, left < LONGEST_WAIT ? left : LONGEST_WAIT, left < HUGE_VAL ? left : 0, until);
  if (compat_gethook(L)) {
    lua_pushcfunction(L, nothing);
    lua_call(L, 0, 0);
  }
  look_at_main(L, loop);
}

/* Errors of user code */

/* An error that is not a string, with its traceback, from the message handler to the report. */
#define RAISED_TYPE "datasession.raised"
enum { RAISED_ERROR = 1, RAISED_TRACEBACK, RAISED_SLOTS = RAISED_TRACEBACK };

static int traceback (lua_State *L) {
  if (loop_note_interrupt(L)) return 1;
  if (lua_type(L, 1) == LUA_TSTRING) {
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
  }
  compat_newuserdata(L, 0, RAISED_SLOTS);
  luaL_setmetatable(L, RAISED_TYPE);
  lua_pushvalue(L, 1);
  compat_setslot(L, -2, RAISED_ERROR);
  luaL_traceback(L, L, NULL, 1);
  compat_setslot(L, -2, RAISED_TRACEBACK);
  return 1;
}

bool loop_call (lua_State *L, int nargs) {
  int base = lua_gettop(L) - nargs;
  bool ok;
  lua_pushcfunction(L, traceback);
  lua_insert(L, base);
  ok = lua_pcall(L, nargs, 0, base) == LUA_OK;
  if (!ok && !is_interrupt(L, loop_get(L), -1)) loop_report(L);
  lua_settop(L, base - 1);
  return ok;
}

static int to_text (lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

const char *loop_push_text (lua_State *L, int index) {
  lua_pushvalue(L, index);
  lua_pushcfunction(L, to_text);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return lua_tostring(L, -1);
  if (lua_type(L, -1) != LUA_TSTRING) {
    lua_pushfstring(L, "a %s", luaL_typename(L, -1));
    lua_remove(L, -2);
  }
  lua_pushfstring(L, "an error whose __tostring raised: %s", lua_tostring(L, -1));
  lua_remove(L, -2);
  return lua_tostring(L, -1);
}

/* Arguments: the raised value, its traceback if it is not a string, the error of the handler of onError. */
static int warn_of (lua_State *L) {
  bool twice = lua_gettop(L) > 2;
  const char *text = loop_push_text(L, 1), *trace = lua_tostring(L, 2);
  compat_warn(L, lua_pushfstring(L, "datasession: %s%s%s", text, trace ? "\n" : "", trace ? trace : ""));
  if (twice)
    compat_warn(L,
                lua_pushfstring(L, "datasession: error in the handler of onError: %s", loop_push_text(L, 3)));
  return 0;
}

/* Arguments: the first two of warn_of. */
static int report (lua_State *L) {
  loop_table(L, LOOP_HOOKS);
  if (lua_getfield(L, -1, "onError") != LUA_TFUNCTION) {
    lua_settop(L, 2);
    return warn_of(L);
  }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 0);
  return 0;
}

void loop_report (lua_State *L) {
  int base = lua_gettop(L);
  if (luaL_testudata(L, base, RAISED_TYPE)) {
    compat_getslot(L, base, RAISED_TRACEBACK);
    compat_getslot(L, base, RAISED_ERROR);
    lua_replace(L, base);
  } else
    lua_pushnil(L);
  lua_pushcfunction(L, report);
  lua_pushvalue(L, base);
  lua_pushvalue(L, base + 1);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    lua_pushcfunction(L, warn_of);
    lua_insert(L, base);
    if (lua_pcall(L, 3, 0, 0) != LUA_OK) compat_warn(L, "datasession: an error could not be reported");
  }
  lua_settop(L, base - 1);
}

double loop_jitter (struct loop *loop, double part) {
  loop->noise =
      loop->noise * 6364136223846793005u + (unsigned long long)(clock_now() * 1e9) + 1442695040888963407u;
  return 1 - part + 2 * part * ((double)(loop->noise >> 40) / (double)(1 << 24));
}

/* Replaces the nil on top by what the hook find(name) returns, and stores that in the table below it. */
static void find_hook (lua_State *L, const char *name) {
  lua_pop(L, 1);
  if (lua_getfield(L, -1, "find") == LUA_TFUNCTION) {
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
  }
  if (!lua_isfunction(L, -1))
    luaL_error(L, "datasession.core is used without the module datasession: no function '%s'", name);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, name);
}

void loop_hook (lua_State *L, const char *name) {
  loop_table(L, LOOP_HOOKS);
  if (lua_getfield(L, -1, name) != LUA_TFUNCTION) find_hook(L, name);
  lua_remove(L, -2);
}

void loop_prepare (lua_State *L) {
  loop_table(L, LOOP_HOOKS);
  if (lua_getfield(L, -1, "load") == LUA_TFUNCTION) {
    lua_call(L, 0, 0);
    lua_pushnil(L);
    lua_setfield(L, -2, "load");
  } else
    lua_pop(L, 1);
  lua_pop(L, 1);
}

/*
** The module's functions and the methods of the engine's object. They are the same but for `first`, the index
** of the first argument.
*/

static double seconds (lua_State *L, int index, double fallback) {
  double value = luaL_optnumber(L, index, fallback);
  luaL_argcheck(L, value >= 0, index, "expected a number of seconds, 0 or more");
  return value;
}

struct host_step {
  struct loop *loop;
  double wait, budget;
};

static int step_with_budget (lua_State *L) {
  const struct host_step *step = lua_touserdata(L, 1);
  loop_step(L, step->loop, step->wait, step->budget);
  return 0;
}

/* The collector has its part of the budget: small pieces. */
static void step_calmly (lua_State *L, struct host_step step) {
  lua_pushcfunction(L, step_with_budget);
  lua_pushlightuserdata(L, &step);
  calm_call(L, CALM_STEP, 1, 0);
}

static int step (lua_State *L, struct loop *loop, int first) {
  double wait = seconds(L, first, 0), budget = seconds(L, first + 1, 0);
  struct host_step given = {loop, wait < HUGE_VAL ? wait : -1, budget < HUGE_VAL ? budget : 0};
  if (given.budget > 0)
    step_calmly(L, given);
  else
    loop_step(L, loop, given.wait, 0);
  lua_pushboolean(L, loop_pending(loop));
  return 1;
}

static int run (lua_State *L, struct loop *loop, int first) {
  double until = loop_deadline(loop, seconds(L, first, HUGE_VAL));
  loop_check(L, loop);
  check_wait(L, loop); /* which no step does when nothing is pending */
  while (loop_pending(loop)) {
    loop_step_on(L, loop, until);
    if (until < HUGE_VAL && clock_now() >= until) break;
  }
  lua_pushboolean(L, !loop_pending(loop));
  return 1;
}

static int l_step (lua_State *L) {
  return step(L, lua_touserdata(L, lua_upvalueindex(1)), 1);
}

static int l_run (lua_State *L) {
  return run(L, lua_touserdata(L, lua_upvalueindex(1)), 1);
}

/* True within onRequest and onResponse. */
static int l_observing (lua_State *L) {
  const struct loop *loop = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushboolean(L, loop->observing > 0);
  return 1;
}

static int l_pollfd (lua_State *L) {
  struct loop *loop = lua_touserdata(L, lua_upvalueindex(1));
  int fd = engine_pollfd(loop_engine(L, loop));
  if (has_ready(loop)) wake_host(loop);
  if (fd < 0)
    lua_pushnil(L); /* GCOVR_EXCL_LINE: run where libcurl waits instead of epoll */
  else
    lua_pushinteger(L, fd);
  return 1;
}

static int l_timeout (lua_State *L) {
  double timeout = loop_timeout(lua_touserdata(L, lua_upvalueindex(1)));
  if (timeout < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, timeout);
  return 1;
}

static int l_pending (lua_State *L) {
  lua_pushboolean(L, loop_pending(lua_touserdata(L, lua_upvalueindex(1))));
  return 1;
}

/* hasBudget(): true in a step that has a budget, so that long work is to be cut in slices. */
static int l_has_budget (lua_State *L) {
  const struct loop *loop = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushboolean(L, loop->until > 0);
  return 1;
}

static int l_on_error (lua_State *L) {
  if (!lua_isnoneornil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  loop_table(L, LOOP_HOOKS);
  lua_getfield(L, -1, "onError");
  lua_pushvalue(L, 1);
  lua_setfield(L, -3, "onError");
  return 1;
}

/* hook(name, f): sets the Lua layer's function of that name; false: find it at the first call. */
static int l_hook (lua_State *L) {
  luaL_checkstring(L, 1);
  if (lua_type(L, 2) != LUA_TBOOLEAN) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  loop_table(L, LOOP_HOOKS);
  lua_insert(L, 1);
  lua_rawset(L, 1);
  return 0;
}

static int m_step (lua_State *L) {
  return step(L, luaL_checkudata(L, 1, LOOP_TYPE), 2);
}

static int m_run (lua_State *L) {
  return run(L, luaL_checkudata(L, 1, LOOP_TYPE), 2);
}

static int m_events (lua_State *L) {
  lua_pushliteral(L, "r");
  return 1;
}

static int m_getfd (lua_State *L) {
  l_pollfd(L);
  if (lua_isnil(L, -1)) lua_pushinteger(L, -1);
  return 1;
}

/* socket.select reads this as: do not wait for the descriptor. */
static int m_dirty (lua_State *L) {
  struct loop *loop = lua_touserdata(L, lua_upvalueindex(1));
  double timeout = loop_timeout(loop);
  lua_pushboolean(L, timeout >= 0 && timeout <= 0);
  return 1;
}

static int m_tostring (lua_State *L) {
  const char *verb;
  struct loop *loop = luaL_checkudata(L, 1, LOOP_TYPE);
  size_t pending = loop->above->count(loop, &verb);
  lua_pushfstring(L, "datasession.engine: %I operation(s) pending", (LUAI_UACINT)pending);
  return 1;
}

/* Warns of pending operations: the program ends and loses them. */
static void tell_pending (const struct loop *loop) {
  const char *verb = NULL;
  size_t count = loop_is_inherited(loop) ? 0 : loop->above->count(loop, &verb);
  if (count == 0) return;
  fprintf(stderr,
          "datasession: the program ends with %zu operation%s pending, the first: %s (datasession.run() "
          "waits for all)\n",
          count, count == 1 ? "" : "s", verb);
}

static int m_gc (lua_State *L) {
  struct loop *loop = luaL_checkudata(L, 1, LOOP_TYPE);
  if (loop->closed) return 0;
  loop->closed = true;
  tell_pending(loop);
  if (loop->close_waiters) { /* first: coroutines may still use the engine */
    lua_pushcfunction(L, loop->close_waiters);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) loop_report(L);
  }
  loop->above->drop_all(loop);
  cookie_jars_cleanup(&loop->jars);
  engine_free(loop->engine);
  loop->engine = NULL;
  transport_release(loop->transport);
  transport_release(loop->options);
  header_list_release(loop->lines);
  uri_release(loop->service);
  retry_budget_free(&loop->budgets, &loop->memory);
  loop->transport = loop->options = NULL;
  loop->lines = NULL;
  loop->service = NULL;
  return 0;
}

/* call(f, ...): calls f and reports its error to onError. Returns true if there was none. */
static int l_call (lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushboolean(L, loop_call(L, lua_gettop(L) - 1));
  return 1;
}

static const luaL_Reg functions[] = {{"step", l_step},
                                     {"run", l_run},
                                     {"observing", l_observing},
                                     {"pollfd", l_pollfd},
                                     {"timeout", l_timeout},
                                     {"pending", l_pending},
                                     {"onError", l_on_error},
                                     {"hasBudget", l_has_budget},
                                     {"hook", l_hook},
                                     {"call", l_call},
                                     {NULL, NULL}};

static const luaL_Reg methods[] = {{"step", m_step},       {"run", m_run},       {"pollfd", l_pollfd},
                                   {"timeout", l_timeout}, {"events", m_events}, {"getfd", m_getfd},
                                   {"dirty", m_dirty},     {NULL, NULL}};

void loop_register (lua_State *L, struct loop *loop) {
  int module = lua_gettop(L);
  (void)loop;
  push_loop(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, module, "engine");
  lua_getmetatable(L, -1);
  lua_createtable(L, 0, 8);
  lua_pushvalue(L, -3);
  luaL_setfuncs(L, methods, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushvalue(L, module);
  lua_insert(L, -2);
  luaL_setfuncs(L, functions, 1);
  lua_settop(L, module);
}

/*
** The metatable must exist before the loop, or the loop would have no finaliser. Its __gc is not accessible
** to others.
*/
static void new_types (lua_State *L) {
  static const luaL_Reg meta[] = {{"__gc", m_gc}, {"__tostring", m_tostring}, {NULL, NULL}};
  luaL_newmetatable(L, RAISED_TYPE);
  luaL_newmetatable(L, LOOP_TYPE);
  luaL_setfuncs(L, meta, 0);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
}

/*
** If package.loaded was cleared and the module is loaded again, it continues with the sessions and promises
** of the state.
*/
struct loop *loop_open (lua_State *L, const struct operation_calls *calls) {
  struct loop *loop = push_loop(L);
  if (loop) return loop;
  lua_pop(L, 1);
  new_types(L);
  loop = compat_newuserdata(L, sizeof *loop, LOOP_SLOTS);
  memset(loop, 0, sizeof *loop);
  loop->above = calls;
  loop->main = compat_pushmain(L);
  lua_pop(L, 1);
  loop->limits = engine_default_limits;
  loop->deadline = HUGE_VAL;
  loop->memory.resize = lua_getallocf(L, &loop->memory.ud);
  cookie_jars_init(&loop->jars, &loop->memory, WARM_JARS);
  luaL_setmetatable(L, LOOP_TYPE);
  new_table(L, loop, LOOP_PENDING, NULL);
  new_table(L, loop, LOOP_THREADS, "k");
  new_table(L, loop, LOOP_GUARDED, "v");
  new_table(L, loop, LOOP_SESSIONS, "v");
  new_table(L, loop, LOOP_HELD, NULL);
  new_table(L, loop, LOOP_HOOKS, NULL);
  new_table(L, loop, LOOP_KEYS, "v");
  new_table(L, loop, LOOP_NAMES, "v");
  new_table(L, loop, LOOP_PROTOCOLS, NULL);
  new_table(L, loop, LOOP_TRACES, "k");
  compat_warn_on(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loop_key);
  return loop;
}
