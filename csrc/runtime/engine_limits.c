#include "runtime/engine_limits.h"

#include "net/number.h"
#include "runtime/loop.h"
#include "runtime/options.h"

enum { MOST = 1000000 };

static long read_limit (lua_State *L, const char *name, long before) {
  double value = options_number(L, 1, name, 0, (double)before);
  char text[NUMBER_SIZE];
  if (value > MOST || value != (double)(long)value)
    luaL_error(L, "option '%s': expected a whole number up to %d, got %s", name, MOST,
               number_round(text, value, 14));
  return (long)value;
}

static void push_limits (lua_State *L, const struct engine_limits *limits) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, limits->host_connections);
  lua_setfield(L, -2, "hostConnections");
  lua_pushinteger(L, limits->total_connections);
  lua_setfield(L, -2, "totalConnections");
  lua_pushinteger(L, (lua_Integer)limits->idle_handles);
  lua_setfield(L, -2, "idleHandles");
  lua_pushboolean(L, !limits->http1);
  lua_setfield(L, -2, "http2");
}

/* setLimits([options]): changes the given limits and returns all of them in a table. */
static int l_set_limits (lua_State *L) {
  static const char *const names[] = {"hostConnections", "totalConnections", "idleHandles", "http2", NULL};
  struct loop *loop = loop_get(L);
  struct engine_limits limits = loop->limits;
  if (!lua_isnoneornil(L, 1)) {
    options_check(L, 1, "datasession.setLimits", names);
    limits.host_connections = read_limit(L, "hostConnections", limits.host_connections);
    limits.total_connections = read_limit(L, "totalConnections", limits.total_connections);
    limits.idle_handles = (size_t)read_limit(L, "idleHandles", (long)limits.idle_handles);
    limits.http1 = !options_boolean(L, 1, "http2", !limits.http1);
  }
  push_limits(L, &limits);
  loop->limits = limits;
  if (loop->engine && !lua_isnoneornil(L, 1)) engine_set_limits(loop->engine, &limits);
  return 1;
}

void engine_limits_register (lua_State *L) {
  lua_pushcfunction(L, l_set_limits);
  lua_setfield(L, -2, "setLimits");
}
