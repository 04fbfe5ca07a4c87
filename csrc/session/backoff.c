#include "session/backoff.h"

#include "runtime/duration.h"
#include "runtime/options.h"

#include <math.h>

void backoff_read (lua_State *L, int index, struct backoff *b, unsigned least) {
  double attempts = options_number(L, index, "maxAttempts", least, b->attempts);
  if (attempts > 1e9 || floor(attempts) < attempts)
    luaL_error(L, "option 'maxAttempts': expected a whole number up to 1e9");
  b->attempts = (unsigned)attempts;
  b->delay = duration_option(L, index, "delay", 0, b->delay);
  b->factor = options_number(L, index, "backoff", 0, b->factor);
  b->most = duration_option(L, index, "maxDelay", 0, b->most);
  b->part = options_number(L, index, "jitter", 0, b->part);
  if (b->factor < 1) luaL_error(L, "option 'backoff': expected a factor of 1 or more");
  if (b->part > 1) luaL_error(L, "option 'jitter': expected a part from 0 to 1");
}

static void set_number (lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

void backoff_set_fields (lua_State *L, const struct backoff *b) {
  lua_pushinteger(L, b->attempts);
  lua_setfield(L, -2, "maxAttempts");
  set_number(L, "delay", b->delay);
  set_number(L, "backoff", b->factor);
  set_number(L, "maxDelay", b->most);
  set_number(L, "jitter", b->part);
}

double backoff_wait (const struct backoff *b, unsigned attempt, struct loop *loop) {
  double wait = b->delay;
  unsigned n;
  for (n = 2; n < attempt && b->factor > 1 && wait > 0 && wait < b->most; n++)
    wait *= b->factor;
  return (wait < b->most ? wait : b->most) * loop_jitter(loop, b->part);
}
