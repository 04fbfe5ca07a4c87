#include "runtime/promise.h"

#include "runtime/await.h"
#include "runtime/error.h"
#include "runtime/fields.h"
#include "runtime/loop.h"

#include <string.h>

/* A call of done, fail, always or next, or the link by which one promise settles as another. */
struct handler {
  struct entry entry;
  int when; /* of done, fail and always */
};
enum { HANDLER_DONE = 1, HANDLER_FAIL = 2, HANDLER_ALWAYS = HANDLER_DONE | HANDLER_FAIL };

/* User values of every handler; only `next` has the last two. */
enum {
  HANDLER_PROMISE = READY_QUEUE_SLOTS + 1,
  HANDLER_FUNCTION,
  HANDLER_CHILD = HANDLER_FUNCTION, /* for `next` and for links: the promise that it settles */
  HANDLER_SLOTS = HANDLER_FUNCTION,
  HANDLER_ON_DONE,
  HANDLER_ON_FAIL,
  HANDLER_NEXT_SLOTS = HANDLER_ON_FAIL
};

/* A userdata that a rejected, unhandled promise holds: it warns when it is collected with the promise. */
#define UNSEEN_TYPE "datasession.unseen"
enum { PROMISE_UNSEEN = PROMISE_OWNER };
enum { UNSEEN_ERROR = 1, UNSEEN_PLACE, UNSEEN_SLOTS = UNSEEN_PLACE };

/*
** User value of a pending promise that follows another one through several links: that promise, valid while
** it is pending.
*/
enum { PROMISE_ROOT = PROMISE_RESULT };

struct promise *promise_new (lua_State *L, size_t size) {
  struct promise *p = compat_newuserdata(L, size, PROMISE_SLOTS);
  memset(p, 0, size);
  userdata_set(L, TYPE_PROMISE);
  return p;
}

struct promise *promise_test (lua_State *L, int index) {
  return userdata_test(L, index, TYPE_PROMISE);
}

struct promise *promise_check (lua_State *L, int index) {
  return userdata_check(L, index, TYPE_PROMISE);
}

/* Errors */

void promise_make_error (lua_State *L, lua_CFunction make, int nargs) {
  loop_push_note(L);
  lua_pushcfunction(L, make);
  lua_rotate(L, -2 - nargs, 2);
  if (loop_pcall(L, nargs, 1) == LUA_OK) return;
  lua_pop(L, 1);
  error_push_memory(L);
}

/* Arguments: an error object, the coroutine (light userdata), the level. Notes where it was first raised. */
static int note_trace (lua_State *L) {
  error_push_memory(L);
  if (lua_rawequal(L, -1, 1)) return 0;
  loop_table(L, LOOP_TRACES);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, -2) != LUA_TNIL) return 0;
  lua_pushvalue(L, 1);
  luaL_traceback(L, lua_touserdata(L, 2), NULL, (int)lua_tointeger(L, 3));
  lua_rawset(L, -4);
  return 0;
}

/* Arguments: the raised value, which is no object, the coroutine (light userdata), the level. */
static int wrap (lua_State *L) {
  struct fault fault = {.kind = "error", .result = RESULT_GENERAL_FAILURE};
  fault.message = luaL_tolstring(L, 1, NULL);
  if (!strcmp(fault.message, "not enough memory")) {
    error_push_memory(L);
    return 1;
  }
  error_push(L, &fault);
  luaL_traceback(L, lua_touserdata(L, 2), NULL, (int)lua_tointeger(L, 3));
  lua_setfield(L, -2, "traceback");
  return 1;
}

void promise_wrap_raised (lua_State *L, lua_State *co, int level) {
  int type = lua_type(L, -1), error = lua_gettop(L);
  bool object = type == LUA_TTABLE || type == LUA_TUSERDATA;
  if (object) {
    lua_pushcfunction(L, note_trace);
    lua_pushvalue(L, error);
  }
  lua_pushlightuserdata(L, co);
  lua_pushinteger(L, level + (co == L)); /* the function that is called is a level */
  if (!object)
    promise_make_error(L, wrap, 3);
  else if (lua_pcall(L, 3, 0, 0) != LUA_OK)
    lua_pop(L, 1); /* GCOVR_EXCL_LINE: out of memory for a traceback */
}

/* A message handler. */
static int raised (lua_State *L) {
  if (loop_note_interrupt(L)) return 1;
  promise_wrap_raised(L, L, 1);
  return 1;
}

static int cancelled (lua_State *L) {
  struct fault fault = {.kind = "cancelled", .result = RESULT_GENERAL_FAILURE, .message = "cancelled"};
  error_push(L, &fault);
  return 1;
}

static int waits_for_itself (lua_State *L) {
  struct fault fault = {.kind = "error", .result = RESULT_GENERAL_FAILURE};
  fault.message = "a promise would wait for itself";
  error_push(L, &fault);
  return 1;
}

/* Settling */

static void push_outcome (lua_State *L, int index) {
  compat_getslot(L, index, PROMISE_VALUE);
  compat_getslot(L, index, PROMISE_RESULT);
  compat_getslot(L, index, PROMISE_INFO);
}

/* Pushes a traceback of the call whose promise is at 1, its one line; or nil. */
static void push_place (lua_State *L) {
  const struct promise *p = lua_touserdata(L, 1);
  lua_Debug caller;
  if (compat_getslot(L, 1, PROMISE_CALLER) != LUA_TFUNCTION || p->line <= 0) {
    lua_pop(L, 1);
    lua_pushnil(L);
    return;
  }
  lua_getinfo(L, ">S", &caller);
  lua_pushfstring(L, "%s\n\t%s:%d", "stack traceback:", caller.short_src, p->line);
}

/* Argument: a rejected promise. */
static int note_unseen (lua_State *L) {
  bool *unseen = compat_newuserdata(L, sizeof *unseen, UNSEEN_SLOTS);
  *unseen = true;
  luaL_setmetatable(L, UNSEEN_TYPE);
  compat_getslot(L, 1, PROMISE_ERROR);
  compat_setslot(L, -2, UNSEEN_ERROR);
  push_place(L);
  compat_setslot(L, -2, UNSEEN_PLACE);
  compat_setslot(L, 1, PROMISE_UNSEEN);
  return 0;
}

void promise_mark_looked_at (lua_State *L, int index) {
  struct promise *p = lua_touserdata(L, index);
  if (p->looked_at) return;
  p->looked_at = true;
  if (p->state == PROMISE_REJECTED) {
    bool *unseen;
    compat_getslot(L, index, PROMISE_UNSEEN);
    unseen = lua_touserdata(L, -1);
    if (unseen) *unseen = false;
    lua_pop(L, 1);
  }
}

/* Settles the promise, whose outcome is already stored. */
static void settle (lua_State *L, int index, enum promise_state state) {
  struct promise *p = lua_touserdata(L, index);
  p->state = state;
  if (p->settled) p->settled(L, p);
  lua_pushnil(L);
  compat_setslot(L, index, PROMISE_OWNER);
  while (ready_queue_take(L, index, PROMISE_HANDLERS))
    loop_ready(L, loop_get(L));
  if (state == PROMISE_RESOLVED || p->looked_at) return;
  lua_pushcfunction(L, note_unseen);
  lua_pushvalue(L, index);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* out of memory for a warning */
}

static bool is_pending (lua_State *L, int index) {
  return ((const struct promise *)lua_touserdata(L, index))->state == PROMISE_PENDING;
}

bool promise_resolve (lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (!is_pending(L, index)) {
    lua_pop(L, 3);
    return false;
  }
  compat_setslot(L, index, PROMISE_INFO);
  compat_setslot(L, index, PROMISE_RESULT);
  compat_setslot(L, index, PROMISE_VALUE);
  settle(L, index, PROMISE_RESOLVED);
  return true;
}

bool promise_reject (lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (!is_pending(L, index)) {
    /* GCOVR_EXCL_START: callers have seen that the promise is pending */
    lua_pop(L, 4);
    return false;
    /* GCOVR_EXCL_STOP */
  }
  compat_setslot(L, index, PROMISE_ERROR);
  compat_setslot(L, index, PROMISE_INFO);
  compat_setslot(L, index, PROMISE_RESULT);
  compat_setslot(L, index, PROMISE_VALUE);
  settle(L, index, PROMISE_REJECTED);
  return true;
}

static void push_field (lua_State *L, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, 1);
}

/* Pushes the owner of the call that failed with the error at 1, or nil. */
static void push_owner (lua_State *L) {
  static const char *const owners[] = {"jsdo", "session", "provider", NULL};
  const char *const *name = owners;
  push_field(L, *name);
  while (lua_isnil(L, -1) && *++name) {
    lua_pop(L, 1);
    push_field(L, *name);
  }
}

/*
** Argument: the error. Returns its value, result and info; info has one shape for every failure without a
** response.
*/
static int outcome_of_error (lua_State *L) {
  if (lua_istable(L, 1)) {
    push_owner(L);
    push_field(L, "result");
    push_field(L, "info");
  } else {
    lua_pushnil(L);
    lua_pushinteger(L, RESULT_GENERAL_FAILURE);
    lua_pushnil(L);
  }
  if (lua_isnil(L, -1)) {
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "errorObject");
    lua_replace(L, -2);
  }
  return 3;
}

bool promise_reject_error (lua_State *L, int index) {
  int error = lua_gettop(L);
  index = lua_absindex(L, index);
  lua_pushcfunction(L, outcome_of_error);
  lua_pushvalue(L, error);
  if (lua_pcall(L, 1, 3, 0) != LUA_OK) {
    lua_settop(L, error);
    lua_pushnil(L);
    lua_pushinteger(L, RESULT_GENERAL_FAILURE);
    lua_pushnil(L);
  }
  lua_rotate(L, error, -1);
  return promise_reject(L, index);
}

void promise_reject_raised (lua_State *L, int index) {
  const struct promise *p = lua_touserdata(L, index);
  index = lua_absindex(L, index);
  promise_wrap_raised(L, L, 1); /* does nothing if a message handler has wrapped it */
  if (p->state == PROMISE_PENDING && !p->adopting)
    promise_reject_error(L, index);
  else
    loop_report(L);
}

/* Copies the outcome of the settled promise at `from` to the one at `to`. */
static void pass_on (lua_State *L, int from, int to) {
  const struct promise *p = lua_touserdata(L, from);
  push_outcome(L, from);
  if (p->state == PROMISE_RESOLVED)
    promise_resolve(L, to);
  else {
    compat_getslot(L, from, PROMISE_ERROR);
    promise_reject(L, to);
  }
}

int promise_push_awaited (lua_State *L, int index) {
  struct promise *p = lua_touserdata(L, index);
  index = lua_absindex(L, index);
  promise_mark_looked_at(L, index);
  if (p->state == PROMISE_RESOLVED) {
    push_outcome(L, index);
    return 3;
  }
  lua_pushnil(L);
  compat_getslot(L, index, PROMISE_ERROR);
  return 2;
}

/* Handlers */

void promise_hang (lua_State *L, int index) {
  if (is_pending(L, index))
    ready_queue_add(L, index, PROMISE_HANDLERS);
  else
    loop_ready(L, loop_get(L));
}

/* Pushes a handler of the promise at `index`. */
static struct handler *new_handler (lua_State *L, int index, lua_CFunction tell, int slots) {
  struct handler *h = compat_newuserdata(L, sizeof *h, slots);
  memset(h, 0, sizeof *h);
  h->entry.tell = tell;
  lua_pushvalue(L, index);
  compat_setslot(L, -2, HANDLER_PROMISE);
  return h;
}

static int tell_plain (lua_State *L) {
  const struct handler *h = lua_touserdata(L, 1);
  const struct promise *p;
  compat_getslot(L, 1, HANDLER_PROMISE);
  p = lua_touserdata(L, 2);
  if (!(h->when & (p->state == PROMISE_RESOLVED ? HANDLER_DONE : HANDLER_FAIL))) return 0;
  compat_getslot(L, 1, HANDLER_FUNCTION);
  push_outcome(L, 2);
  loop_call(L, 3);
  return 0;
}

static int tell_adopted (lua_State *L) {
  compat_getslot(L, 1, HANDLER_PROMISE);
  compat_getslot(L, 1, HANDLER_CHILD);
  pass_on(L, 2, 3);
  return 0;
}

/* Calls the function at 4 for the promise at 2; its outcome settles the promise at 3. */
static void call_next (lua_State *L) {
  const struct promise *p = lua_touserdata(L, 2);
  int nargs = 1;
  lua_pushcfunction(L, raised);
  lua_insert(L, 4);
  if (p->state == PROMISE_RESOLVED) {
    push_outcome(L, 2);
    nargs = 3;
  } else
    compat_getslot(L, 2, PROMISE_ERROR);
  if (lua_pcall(L, nargs, 3, 4) == LUA_OK)
    promise_settle_returned(L, 3);
  else {
    if (loop_get(L)->interrupted)
      ((struct promise *)lua_touserdata(L, 3))->looked_at = true; /* the step raises the error */
    promise_reject_raised(L, 3);
  }
}

static int tell_next (lua_State *L) {
  const struct promise *p, *child;
  compat_getslot(L, 1, HANDLER_PROMISE);
  compat_getslot(L, 1, HANDLER_CHILD);
  p = lua_touserdata(L, 2);
  child = lua_touserdata(L, 3);
  if (child->state != PROMISE_PENDING) return 0; /* it was cancelled */
  if (compat_getslot(L, 1, p->state == PROMISE_RESOLVED ? HANDLER_ON_DONE : HANDLER_ON_FAIL) == LUA_TNIL)
    pass_on(L, 2, 3);
  else
    call_next(L);
  return 0;
}

/* Arguments: a promise, and the one whose outcome it takes. */
static int adopt (lua_State *L) {
  struct promise *p = lua_touserdata(L, 1);
  new_handler(L, 2, tell_adopted, HANDLER_SLOTS);
  lua_pushvalue(L, 1);
  compat_setslot(L, 3, HANDLER_CHILD);
  promise_mark_looked_at(L, 2);
  lua_pushvalue(L, 2);
  compat_setslot(L, 1, PROMISE_OWNER);
  p->adopting = true;
  promise_hang(L, 2);
  return 0;
}

static bool is_pending_promise (lua_State *L, int index) {
  const struct promise *p = promise_test(L, index);
  return p && p->state == PROMISE_PENDING;
}

/* Replaces the pending promise on top by the one that it follows. False: it follows none that is pending. */
static bool climb (lua_State *L) {
  compat_getslot(L, -1, PROMISE_OWNER);
  if (!is_pending_promise(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  compat_getslot(L, -2, PROMISE_ROOT);
  if (is_pending_promise(L, -1))
    lua_replace(L, -2);
  else
    lua_pop(L, 1);
  lua_replace(L, -2);
  return true;
}

/*
** Replaces the pending promise on top by the last one that it follows through any number of links. Those
** between remember it, so that the next call skips them. Their links do not change while it is pending.
*/
static void climb_to_root (lua_State *L) {
  int root = lua_gettop(L) + 1;
  lua_pushvalue(L, -1);
  while (climb(L))
    continue;
  while (!lua_rawequal(L, root - 1, root)) {
    lua_pushvalue(L, root - 1);
    climb(L);
    lua_pushvalue(L, root);
    compat_setslot(L, root - 1, PROMISE_ROOT);
    lua_replace(L, root - 1);
  }
  lua_pop(L, 1);
}

/* True if the promise on top is the one at `index` or follows it. */
static bool hangs_from (lua_State *L, int index) {
  const void *end = lua_touserdata(L, index);
  bool does;
  if (!is_pending_promise(L, -1)) return lua_touserdata(L, -1) == end;
  lua_pushvalue(L, -1);
  climb_to_root(L); /* `end` follows none: it is about to be settled */
  does = lua_touserdata(L, -1) == end;
  lua_pop(L, 1);
  return does;
}

void promise_settle_returned (lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (!promise_test(L, -3) || !is_pending(L, index)) {
    promise_resolve(L, index);
    return;
  }
  lua_pop(L, 2);
  if (hangs_from(L, index)) {
    lua_pop(L, 1);
    promise_make_error(L, waits_for_itself, 0);
    promise_reject_error(L, index);
    return;
  }
  lua_pushcfunction(L, adopt);
  lua_pushvalue(L, index);
  lua_rotate(L, -3, -1);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) promise_reject_raised(L, index);
}

/* Methods */

static int add_plain (lua_State *L, int when) {
  promise_check(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  new_handler(L, 1, tell_plain, HANDLER_SLOTS)->when = when;
  lua_pushvalue(L, 2);
  compat_setslot(L, 3, HANDLER_FUNCTION);
  if (when & HANDLER_FAIL) promise_mark_looked_at(L, 1);
  promise_hang(L, 1);
  lua_settop(L, 1);
  return 1;
}

static int m_done (lua_State *L) {
  return add_plain(L, HANDLER_DONE);
}

static int m_fail (lua_State *L) {
  return add_plain(L, HANDLER_FAIL);
}

static int m_always (lua_State *L) {
  return add_plain(L, HANDLER_ALWAYS);
}

static void check_optional (lua_State *L, int index) {
  if (!lua_isnil(L, index)) luaL_checktype(L, index, LUA_TFUNCTION);
}

static int m_next (lua_State *L) {
  promise_check(L, 1);
  lua_settop(L, 3);
  check_optional(L, 2);
  check_optional(L, 3);
  promise_new(L, sizeof(struct promise));
  lua_pushvalue(L, 1);
  compat_setslot(L, 4, PROMISE_OWNER);
  new_handler(L, 1, tell_next, HANDLER_NEXT_SLOTS);
  lua_pushvalue(L, 4);
  compat_setslot(L, 5, HANDLER_CHILD);
  lua_pushvalue(L, 2);
  compat_setslot(L, 5, HANDLER_ON_DONE);
  lua_pushvalue(L, 3);
  compat_setslot(L, 5, HANDLER_ON_FAIL);
  promise_mark_looked_at(L, 1); /* an error passes to the new promise */
  promise_hang(L, 1);
  return 1;
}

static int m_await (lua_State *L) {
  struct promise *p = promise_check(L, 1);
  double limit = await_limit(L, 2);
  lua_settop(L, 1);
  if (p->state != PROMISE_PENDING) return promise_push_awaited(L, 1);
  p->looked_at = true;
  return await_promise(L, p, limit);
}

/* Aborts the operation that the promise at 1 follows; raises nothing. False: it follows none. */
static bool abort_operation (lua_State *L) {
  struct promise *p;
  lua_pushvalue(L, 1);
  climb_to_root(L);
  p = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (p->is_operation) loop_get(L)->above->cancel((struct operation *)p);
  return p->is_operation;
}

static int m_cancel (lua_State *L) {
  struct promise *p = promise_check(L, 1);
  bool done = true;
  lua_settop(L, 1);
  promise_mark_looked_at(L, 1);
  if (p->state != PROMISE_PENDING) {
    lua_pushboolean(L, false);
    return 1;
  }
  if (abort_operation(L)) {
    lua_pushboolean(L, true);
    return 1;
  }
  cancelled(L); /* all that can raise is called now */
  lua_pushvalue(L, 1);
  climb_to_root(L);
  lua_replace(L, 1);
  if (compat_getslot(L, 1, PROMISE_OWNER) == LUA_TTHREAD) done = await_cancel(L, 1);
  lua_settop(L, 2);
  if (done) promise_reject_error(L, 1);
  lua_pushboolean(L, done);
  return 1;
}

static int m_state (lua_State *L) {
  static const char *const names[] = {"pending", "resolved", "rejected"};
  lua_pushstring(L, names[promise_check(L, 1)->state]);
  return 1;
}

static int m_tostring (lua_State *L) {
  struct promise *p = promise_check(L, 1);
  m_state(L);
  if (p->is_operation)
    lua_pushfstring(L, PROMISE_TYPE ": %s, %s", loop_get(L)->above->verb((struct operation *)p),
                    lua_tostring(L, -1));
  else
    lua_pushfstring(L, PROMISE_TYPE ": %s", lua_tostring(L, -1));
  return 1;
}

/* Pushes the traceback of the error on top, or nil. */
static void push_trace (lua_State *L) {
  int error = lua_gettop(L);
  if (lua_istable(L, error)) {
    lua_pushliteral(L, "traceback");
    if (lua_rawget(L, error) == LUA_TSTRING) return;
    lua_pop(L, 1);
  }
  loop_table(L, LOOP_TRACES);
  lua_pushvalue(L, error);
  lua_rawget(L, -2);
  lua_remove(L, -2);
}

/* Arguments: the error of a promise, and a traceback of its call or nil. The text that onError gets. */
static int unseen_text (lua_State *L) {
  const char *text = loop_push_text(L, 1), *trace;
  lua_pushvalue(L, 1);
  push_trace(L);
  if (lua_isnil(L, -1)) lua_pushvalue(L, 2);
  trace = lua_tostring(L, -1);
  lua_pushfstring(L, "a promise was rejected and not handled: %s%s%s", text, trace ? "\n" : "",
                  trace ? trace : "");
  return 1;
}

static int unseen_gc (lua_State *L) {
  bool *unseen = luaL_checkudata(L, 1, UNSEEN_TYPE);
  if (!*unseen) return 0;
  *unseen = false;
  lua_pushcfunction(L, unseen_text);
  compat_getslot(L, 1, UNSEEN_ERROR);
  compat_getslot(L, 1, UNSEEN_PLACE);
  (void)lua_pcall(L, 2, 1, 0); /* the text, or the error that prevented it */
  loop_report(L);
  return 0;
}

/*
** promise(f): calls f(resolve, reject) at once; either function settles the promise, and the first call
** counts.
*/
static int settle_by (lua_State *L, bool resolve) {
  const struct promise *p;
  lua_settop(L, resolve ? 3 : 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  p = lua_touserdata(L, 1);
  if (p->state != PROMISE_PENDING || p->adopting) {
    lua_pushboolean(L, false);
    return 1;
  }
  if (resolve)
    promise_settle_returned(L, 1);
  else {
    if (lua_isnil(L, 2)) {
      lua_pushliteral(L, "rejected without a reason");
      lua_replace(L, 2);
    }
    promise_reject_raised(L, 1);
  }
  lua_pushboolean(L, true);
  return 1;
}

static int l_resolve (lua_State *L) {
  return settle_by(L, true);
}

static int l_reject (lua_State *L) {
  return settle_by(L, false);
}

static int l_promise (lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  promise_new(L, sizeof(struct promise));
  lua_insert(L, 1);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, l_resolve, 1);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, l_reject, 1);
  lua_pushcfunction(L, raised);
  lua_insert(L, 2);
  if (lua_pcall(L, 2, 0, 2) != LUA_OK) promise_reject_raised(L, 1);
  lua_settop(L, 1);
  return 1;
}

/* isPromise(value) */
static int l_is_promise (lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, promise_test(L, 1) != NULL);
  return 1;
}

static const luaL_Reg methods[] = {{"done", m_done},   {"fail", m_fail},   {"always", m_always},
                                   {"next", m_next},   {"await", m_await}, {"cancel", m_cancel},
                                   {"state", m_state}, {NULL, NULL}};

void promise_register (lua_State *L) {
  loop_get(L)->close_waiters = await_close;
  userdata_new(L, TYPE_PROMISE, PROMISE_TYPE);
  lua_pushcfunction(L, m_tostring);
  lua_setfield(L, -2, "__tostring");
  luaL_newlib(L, methods);
  compat_make_waiting(L, "await");
  fields_guard(L, "a promise", "did you forget :await()?");
  lua_setfield(L, -2, "__index");
  luaL_newmetatable(L, UNSEEN_TYPE);
  lua_pushcfunction(L, unseen_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 2);
  lua_pushcfunction(L, await_spawn);
  lua_setfield(L, -2, "spawn");
  lua_pushcfunction(L, l_promise);
  lua_setfield(L, -2, "promise");
  lua_pushcfunction(L, await_set_hook);
  lua_setfield(L, -2, "setAwait");
  lua_pushcfunction(L, l_is_promise);
  lua_setfield(L, -2, "isPromise");
}
