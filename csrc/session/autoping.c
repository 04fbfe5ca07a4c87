/* autoping: the timer of pingInterval, which pings a session that is logged in. */
#include "protocol.h"

#include <stddef.h>

/*
** Seconds to the next automatic ping: pingInterval, and up to eight times as long while the server is away; not all alike, so
** that a thousand sessions that lost one server do not come back as one.
*/
static double next_ping (struct session *s) {
  enum { MOST_DOUBLINGS = 3 };
  unsigned doublings = s->failures > MOST_DOUBLINGS ? MOST_DOUBLINGS : s->failures;
  double delay = s->ping_interval / 1000;
  return doublings ? delay * (1 << doublings) * loop_jitter(s->loop, 0.25) : delay;
}

bool session_can_arm (const struct session *s) {
  if (s->ping_interval <= 0 || s->timer.place || !s->loop->engine) return true;
  return engine_reserve_timer(s->loop->engine);
}

bool session_arm (struct session *s) {
  if (!s->loop->engine) return true;
  if (s->phase == PHASE_AUTHORIZED && s->ping_interval > 0 && !s->device_offline && !s->repairing)
    return engine_set_timer(s->loop->engine, &s->timer, clock_now() + next_ping(s));
  engine_clear_timer(s->loop->engine, &s->timer);
  return true;
}

/* Set again before anything else, so that one ping that cannot start is not the last. */
static int ping_by_timer (lua_State *L) {
  struct session *s = lua_touserdata(L, 1);
  session_push(L, s);
  if (lua_isnil(L, -1)) return 0;
  if (!session_arm(s)) return luaL_error(L, "not enough memory for the next automatic ping");
  if (s->phase != PHASE_AUTHORIZED || s->autoping) return 0;
  s->autoping = session_start_ping(L, 2, s);
  s->autoping->promise.looked_at = true;
  return 0;
}

static void fired (struct timer *timer, void *context) {
  lua_State *L = context;
  struct session *s = (struct session *)((char *)timer - offsetof(struct session, timer));
  if (!lua_checkstack(L, LUA_MINSTACK)) return;
  lua_pushcfunction(L, ping_by_timer);
  lua_pushlightuserdata(L, s);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) loop_report(L);
}

void session_autoping_init (struct session *s) {
  s->timer.fired = fired;
}
