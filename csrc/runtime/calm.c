#include "runtime/calm.h"

#include <stdbool.h>

enum { LARGE = 32 * 1024 }; /* bytes of a string */

static const char mode_key; /* in the registry: true if the collector was incremental when it was asked */

void calm_call (lua_State *L, enum calm calm, int arguments, int results) {
  int speed = compat_gc_speed(L, calm), status;
  status = lua_pcall(L, arguments, results, 0);
  compat_gc_speed(L, speed);
  if (status != LUA_OK) lua_error(L);
}

/* Only a change of the mode tells which it is, so that this is done once for each Lua state. */
static bool ask_mode (lua_State *L) {
  bool incremental = compat_gc_incremental(L);
  if (!incremental) compat_gc_generational(L);
  lua_pushboolean(L, incremental);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &mode_key);
  return incremental;
}

static bool is_incremental (lua_State *L) {
  bool known = lua_rawgetp(L, LUA_REGISTRYINDEX, &mode_key) != LUA_TNIL;
  bool incremental = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return known ? incremental : ask_mode(L);
}

/*
** As calm_call, while the collector is stopped. Restarting it forgets the memory that was allocated
** meanwhile; in generational mode it would begin a collection.
*/
static void call_uncollected (lua_State *L, int arguments, int results) {
  bool stops = compat_gc(L, LUA_GCISRUNNING) && is_incremental(L);
  int status;
  if (stops) compat_gc(L, LUA_GCSTOP);
  status = lua_pcall(L, arguments, results, 0);
  if (stops) compat_gc(L, LUA_GCRESTART);
  if (status != LUA_OK) lua_error(L);
}

struct text {
  const char *at;
  size_t length;
};

static int push (lua_State *L) {
  const struct text *text = lua_touserdata(L, 1);
  lua_pushlstring(L, text->at, text->length);
  return 1;
}

void calm_push (lua_State *L, const char *at, size_t length) {
  struct text text = {at, length};
  if (length < LARGE) {
    lua_pushlstring(L, at, length);
    return;
  }
  lua_pushcfunction(L, push);
  lua_pushlightuserdata(L, &text);
  call_uncollected(L, 1, 1);
}

static int l_calmly (lua_State *L) {
  calm_call(L, CALM_SLICE, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int l_uncollected (lua_State *L) {
  call_uncollected(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

void calm_register (lua_State *L) {
  lua_pushcfunction(L, l_calmly);
  lua_setfield(L, -2, "calmly");
  lua_pushcfunction(L, l_uncollected);
  lua_setfield(L, -2, "uncollected");
}
