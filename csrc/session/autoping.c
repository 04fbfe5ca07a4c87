#include "session/autoping.h"

#include "runtime/loop.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/verbs.h"

#include <stddef.h>

struct autoping {
  struct timer timer;
  struct session *session; /* borrowed: the session that owns this */
  struct operation *op;    /* borrowed; the pending ping, or NULL */
  double interval;         /* milliseconds; 0: no automatic pings */
};

/*
** Seconds to the next automatic ping: pingInterval, and up to eight times as long while the server does not
** answer. The time varies, so that a thousand sessions that lost one server do not all ping it at once.
*/
static double next_ping (struct session *s) {
  double delay = s->autoping->interval / 1000;
  return s->failures ? delay * (1 << s->failures) * loop_jitter(s->loop, 0.25) : delay;
}

bool session_can_arm (const struct session *s) {
  if (autoping_interval(s) <= 0 || s->autoping->timer.place || !s->loop->engine) return true;
  return engine_reserve_timer(s->loop->engine);
}

bool session_arm (struct session *s) {
  if (!s->autoping || !s->loop->engine) return true;
  if (s->phase == PHASE_AUTHORIZED && s->autoping->interval > 0 && !s->device_offline && !s->reconnecting)
    return engine_set_timer(s->loop->engine, &s->autoping->timer, clock_now() + next_ping(s));
  engine_clear_timer(s->loop->engine, &s->autoping->timer);
  return true;
}

/* Sets the timer first: a ping that cannot start does not end the automatic pings. */
static int ping_by_timer (lua_State *L) {
  struct session *s = lua_touserdata(L, 1);
  session_push(L, s);
  if (lua_isnil(L, -1)) return 0;
  if (!session_arm(s)) return luaL_error(L, "not enough memory for the next automatic ping");
  if (s->phase != PHASE_AUTHORIZED || s->autoping->op) return 0;
  s->autoping->op = session_start_ping(L, 2, s);
  retry_detach(s->autoping->op); /* the next ping comes soon enough */
  s->autoping->op->promise.looked_at = true;
  return 0;
}

static void fired (struct timer *timer, void *context) {
  lua_State *L = context;
  const struct autoping *a = (struct autoping *)((char *)timer - offsetof(struct autoping, timer));
  if (!lua_checkstack(L, LUA_MINSTACK)) return;
  lua_pushcfunction(L, ping_by_timer);
  lua_pushlightuserdata(L, a->session);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) loop_report(L);
}

double autoping_interval (const struct session *s) {
  return s->autoping ? s->autoping->interval : 0;
}

bool autoping_set_interval (struct session *s, double milliseconds) {
  if (!s->autoping && milliseconds > 0 && !s->closed) {
    s->autoping = memory_new(&s->loop->memory, sizeof *s->autoping);
    if (!s->autoping) return false;
    s->autoping->session = s;
    s->autoping->timer.fired = fired;
  }
  if (s->autoping) s->autoping->interval = milliseconds;
  return true;
}

void autoping_left (const struct session *s, const struct operation *op) {
  if (s->autoping && (!op || s->autoping->op == op)) s->autoping->op = NULL;
}

void autoping_free (struct session *s) {
  if (s->autoping && s->loop->engine) engine_clear_timer(s->loop->engine, &s->autoping->timer);
  memory_free(&s->loop->memory, s->autoping, sizeof *s->autoping);
  s->autoping = NULL;
}
