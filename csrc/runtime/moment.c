#include "runtime/moment.h"

#include "runtime/duration.h"

#include <stddef.h>

/* Seconds: some 30 years. */
static const double LONGEST = 1e9;

struct moment {
  struct promise promise; /* first */
  struct timer timer;
  struct loop *loop; /* borrowed */
};

void moment_drop (lua_State *L, struct promise *p) {
  struct moment *m = (struct moment *)p;
  if (m->loop->engine) engine_clear_timer(m->loop->engine, &m->timer);
  loop_forget(L, m);
}

/* Called by the engine, so it must not raise. */
static void fired (struct timer *timer, void *context) {
  lua_State *L = context;
  struct moment *m = (struct moment *)((char *)timer - offsetof(struct moment, timer));
  loop_table(L, LOOP_THREADS);
  if (lua_rawgetp(L, -1, m) == LUA_TUSERDATA) {
    lua_pushboolean(L, true);
    lua_pushnil(L);
    lua_pushnil(L);
    promise_resolve(L, -4);
  }
  lua_pop(L, 2);
}

void moment_push (lua_State *L, struct loop *loop, double seconds) {
  struct engine *engine = loop_engine(L, loop);
  struct moment *m = (struct moment *)promise_new(L, sizeof *m);
  m->loop = loop;
  m->timer.fired = fired;
  lua_pushvalue(L, -1);
  loop_keep(L);
  m->promise.settled = moment_drop;
  if (engine_set_timer(engine, &m->timer, clock_now() + seconds)) return;
  /* GCOVR_EXCL_START: out of memory for one more timer; the heap grows by doubling */
  moment_drop(L, &m->promise);
  luaL_error(L, "not enough memory");
  /* GCOVR_EXCL_STOP */
}

/* A time in seconds at index 1, as a number or as a text such as "500ms". False: another value. */
static bool read_seconds (lua_State *L, double *seconds) {
  bool is = lua_type(L, 1) == LUA_TNUMBER;
  if (is)
    *seconds = lua_tonumber(L, 1);
  else
    is = lua_type(L, 1) == LUA_TSTRING && duration_parse(lua_tostring(L, 1), seconds);
  return is && *seconds >= 0 && *seconds < LONGEST;
}

/* seconds(value): the number of seconds; nil: the value is no time. */
static int l_seconds (lua_State *L) {
  double seconds;
  if (read_seconds(L, &seconds))
    lua_pushnumber(L, seconds);
  else
    lua_pushnil(L);
  return 1;
}

static int l_moment (lua_State *L) {
  double seconds = 0;
  luaL_argcheck(L, read_seconds(L, &seconds), 1, "expected a number of seconds, 0 or more");
  moment_push(L, loop_get(L), seconds);
  return 1;
}

void moment_register (lua_State *L) {
  lua_pushcfunction(L, l_moment);
  lua_setfield(L, -2, "moment");
  lua_pushcfunction(L, l_seconds);
  lua_setfield(L, -2, "seconds");
}
