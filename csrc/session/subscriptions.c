#include "session/subscriptions.h"

/*
** Beside its array a list has: the number of removed places; and for each handler the place of its one
** subscription, or a table of places by scope.
*/
static const char removed_key[] = "removed";

/* A list is copied only if it has more removed places. */
enum { FEW_REMOVED = 16 };

static lua_Integer count_removed (lua_State *L, int list) {
  lua_Integer n;
  lua_getfield(L, list, removed_key);
  n = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return n;
}

static bool has_scope (lua_State *L, int list, lua_Integer at, int scope) {
  bool has;
  lua_rawgeti(L, list, at);
  compat_getslot(L, -1, SUBSCRIPTION_SCOPE);
  has = lua_rawequal(L, -1, scope);
  lua_pop(L, 2);
  return has;
}

/* The place of the subscription, or 0. */
static lua_Integer find (lua_State *L, int list, int handler, int scope) {
  lua_Integer at = 0;
  lua_pushvalue(L, handler);
  switch (lua_rawget(L, list)) {
  case LUA_TNUMBER:
    at = lua_tointeger(L, -1);
    if (!has_scope(L, list, at, scope)) at = 0;
    break;
  case LUA_TTABLE:
    lua_pushvalue(L, scope);
    lua_rawget(L, -2);
    at = lua_tointeger(L, -1);
    lua_pop(L, 1);
    break;
  default: break;
  }
  lua_pop(L, 1);
  return at;
}

/*
** Pushes the handler's table of places by scope, a new one if the handler has had one place so far; nil: no
** place.
*/
static void push_places (lua_State *L, int list, int handler) {
  lua_Integer at;
  lua_pushvalue(L, handler);
  if (lua_rawget(L, list) != LUA_TNUMBER) return;
  lua_createtable(L, 0, 2); /* a finaliser may unsubscribe here */
  lua_pushvalue(L, handler);
  lua_rawget(L, list);
  at = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (at) {
    lua_rawgeti(L, list, at);
    compat_getslot(L, -1, SUBSCRIPTION_SCOPE);
    lua_pushinteger(L, at);
    lua_rawset(L, -4);
    lua_pop(L, 1);
  }
  lua_remove(L, -2);
}

/* Sets the place of handler and scope to `at` (0: none). `places`: what push_places pushed. */
static void set_place (lua_State *L, int list, int handler, int scope, int places, lua_Integer at) {
  bool many = lua_istable(L, places);
  lua_pushvalue(L, many ? scope : handler);
  if (at)
    lua_pushinteger(L, at);
  else
    lua_pushnil(L);
  lua_rawset(L, many ? places : list);
}

/* Adds a place at the end, marked as removed. */
static lua_Integer add_place (lua_State *L, int list) {
  lua_Integer at = (lua_Integer)lua_rawlen(L, list) + 1;
  lua_pushboolean(L, false);
  lua_rawseti(L, list, at);
  return at;
}

/* Raises nothing if a place was removed before. */
static void remove_place (lua_State *L, int list, lua_Integer at) {
  lua_pushboolean(L, false);
  lua_rawseti(L, list, at);
  lua_pushinteger(L, count_removed(L, list) + 1);
  lua_setfield(L, list, removed_key);
}

static void push_subscription (lua_State *L, int handler, int scope) {
  struct subscription *s = compat_newuserdata(L, sizeof *s, SUBSCRIPTION_SCOPE);
  s->live = true;
  lua_pushvalue(L, handler);
  compat_setslot(L, -2, SUBSCRIPTION_HANDLER);
  lua_pushvalue(L, scope);
  compat_setslot(L, -2, SUBSCRIPTION_SCOPE);
}

/*
** Moves the subscription on top to the end of `list`. It replaces one of the same handler and scope. No
** finaliser, which may change the list, runs after push_places. An error leaves the list unchanged.
*/
static void put_last (lua_State *L, int list, int handler, int scope) {
  int subscription = lua_gettop(L), places = subscription + 1;
  lua_Integer at, former;
  push_places(L, list, handler);
  former = find(L, list, handler, scope);
  at = add_place(L, list);
  set_place(L, list, handler, scope, places, at);
  if (lua_istable(L, places)) {
    lua_pushvalue(L, handler);
    lua_pushvalue(L, places);
    lua_rawset(L, list);
  }
  if (former)
    lua_rawgeti(L, list, former);
  else
    lua_pushvalue(L, subscription);
  lua_rawseti(L, list, at);
  if (former) remove_place(L, list, former);
  lua_settop(L, subscription);
}

static void need_count (lua_State *L, int list) {
  lua_pushinteger(L, count_removed(L, list));
  lua_setfield(L, list, removed_key);
}

void subscriptions_add (lua_State *L, int handler, int scope) {
  int list = lua_gettop(L);
  need_count(L, list);
  push_subscription(L, handler, scope);
  put_last(L, list, handler, scope);
  lua_settop(L, list);
}

void subscriptions_remove (lua_State *L, int handler, int scope) {
  int list = lua_gettop(L);
  lua_Integer at = find(L, list, handler, scope);
  if (!at) return;
  lua_rawgeti(L, list, at);
  ((struct subscription *)lua_touserdata(L, -1))->live = false;
  lua_pushvalue(L, handler);
  lua_rawget(L, list);
  set_place(L, list, handler, scope, list + 2, 0);
  remove_place(L, list, at);
  lua_settop(L, list);
}

void subscriptions_silence (lua_State *L) {
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    if (lua_rawgeti(L, -1, i) == LUA_TUSERDATA) ((struct subscription *)lua_touserdata(L, -1))->live = false;
    lua_pop(L, 1);
  }
  if (n == 0) return;
  lua_pushinteger(L, n);
  lua_setfield(L, -2, removed_key);
}

/* Pushes a copy of the list at `list`, without removed places. */
static void copy (lua_State *L, int list, lua_Integer n) {
  int into = list + 1, subscription = list + 2;
  lua_Integer i;
  lua_createtable(L, 0, 4);
  need_count(L, into);
  for (i = 1; i <= n; i++) {
    if (lua_rawgeti(L, list, i) == LUA_TUSERDATA) {
      compat_getslot(L, subscription, SUBSCRIPTION_HANDLER);
      compat_getslot(L, subscription, SUBSCRIPTION_SCOPE);
      lua_pushvalue(L, subscription);
      put_last(L, into, subscription + 1, subscription + 2);
    }
    lua_settop(L, into);
  }
}

bool subscriptions_tidy (lua_State *L) {
  int list = lua_gettop(L);
  lua_Integer n = (lua_Integer)lua_rawlen(L, list), removed = count_removed(L, list);
  if (removed <= FEW_REMOVED || 2 * removed < n) return false;
  copy(L, list, n);
  if ((lua_Integer)lua_rawlen(L, list) != n ||
      count_removed(L, list) != removed) { /* a finaliser changed the list */
    /* GCOVR_EXCL_START: only a finaliser that runs at this moment changes the list */
    lua_settop(L, list);
    return false;
    /* GCOVR_EXCL_STOP */
  }
  lua_replace(L, list);
  return true;
}
