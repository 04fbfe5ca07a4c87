#include "session/events.h"

#include "net/ascii.h"
#include "runtime/fields.h"
#include "runtime/loop.h"
#include "session/session.h"
#include "session/subscriptions.h"

#include <string.h>

/* A queued event for one handler. The arguments of the event are user values from EVENT_VALUES on. */
struct event {
  struct entry entry;
  int count; /* how many arguments */
};
enum { EVENT_SUBSCRIPTION = READY_QUEUE_SLOTS + 1, EVENT_SESSION, EVENT_VALUES };

static const char *const event_names[] = {"online",        "offline",      "expired",     "renewed",
                                          "lost",          "reconnecting", "reconnected", "reconnectFailed",
                                          "statusChanged", "retry",        NULL};

/* Pushes the nearest name; nil: none is near. */
static const char *nearest (lua_State *L, const char *name) {
  loop_hook(L, "suggest");
  lua_pushstring(L, name);
  lua_newtable(L);
  fields_add(L, event_names);
  lua_call(L, 2, 1);
  return lua_tostring(L, -1);
}

static void unknown (lua_State *L, int index, const char *name) {
  const char *const *known;
  const char *close = nearest(L, name);
  if (close)
    luaL_argerror(L, index, lua_pushfstring(L, "unknown event '%s': did you mean '%s'?", name, close));
  lua_pushfstring(L, "unknown event '%s': expected one of", name);
  for (known = event_names; *known; known++) {
    lua_pushfstring(L, "%s %s", known == event_names ? "" : ",", *known);
    lua_concat(L, 2);
  }
  luaL_argerror(L, index, lua_tostring(L, -1));
}

/* The case of an event's name does not matter, as in the reference. */
static const char *check_event (lua_State *L, int index) {
  size_t length;
  const char *name, *const *known;
  if (lua_type(L, index) != LUA_TSTRING) luaL_typeerror(L, index, "an event's name");
  name = lua_tolstring(L, index, &length);
  for (known = event_names; *known; known++)
    if (strlen(*known) == length && ascii_same(*known, name)) return *known;
  unknown(L, index, name);
  return NULL; /* GCOVR_EXCL_LINE: luaL_error does not return */
}

static void check_scope (lua_State *L, int index) {
  int type = lua_type(L, index);
  luaL_argexpected(L, type <= LUA_TNIL || type == LUA_TTABLE || type == LUA_TUSERDATA, index,
                   "a table or userdata");
  if (type <= LUA_TNIL) {
    lua_settop(L, index - 1);
    lua_pushboolean(L, false);
  }
}

/* Pushes the session's list for the event, which is made if `make` says so; or nil. */
static void push_list (lua_State *L, int index, const char *event, bool make) {
  if (session_getvalue(L, index, SESSION_HANDLERS) == LUA_TNIL) {
    if (!make) return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, -1);
    session_setvalue(L, index, SESSION_HANDLERS);
  }
  if (lua_getfield(L, -1, event) == LUA_TNIL && make) {
    lua_pop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, event);
  }
  lua_remove(L, -2);
}

/* The same; first drops the removed places when there are many. */
static void push_tidy_list (lua_State *L, int index, const char *event, bool make) {
  push_list(L, index, event, make);
  if (!lua_istable(L, -1) || !subscriptions_tidy(L)) return;
  session_getvalue(L, index, SESSION_HANDLERS);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, event);
  lua_pop(L, 1);
}

static const char *check_arguments (lua_State *L) {
  const char *event;
  session_check(L, 1);
  event = check_event(L, 2);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 4);
  check_scope(L, 4);
  return event;
}

int events_subscribe (lua_State *L) {
  const char *event = check_arguments(L);
  push_tidy_list(L, 1, event, true);
  subscriptions_add(L, 3, 4);
  lua_settop(L, 1);
  return 1;
}

int events_unsubscribe (lua_State *L) {
  const char *event = check_arguments(L);
  push_list(L, 1, event, false);
  if (lua_istable(L, -1)) subscriptions_remove(L, 3, 4);
  lua_settop(L, 1);
  return 1;
}

/* The table of handlers is at 2. */
static void unsubscribe_event (lua_State *L, const char *event) {
  if (lua_getfield(L, 2, event) == LUA_TTABLE) subscriptions_silence(L);
  lua_pushnil(L);
  lua_setfield(L, 2, event);
  lua_pop(L, 1);
}

int events_unsubscribe_all (lua_State *L) {
  const char *event = NULL;
  session_check(L, 1);
  if (!lua_isnoneornil(L, 2)) event = check_event(L, 2);
  lua_settop(L, 1);
  if (session_getvalue(L, 1, SESSION_HANDLERS) == LUA_TTABLE) {
    const char *const *known;
    for (known = event_names; *known; known++)
      if (!event || event == *known) unsubscribe_event(L, *known);
  }
  lua_settop(L, 1);
  return 1;
}

/* The handler may have been unsubscribed since the event was queued. */
static int tell (lua_State *L) {
  const struct event *event = lua_touserdata(L, 1);
  const struct subscription *subscription;
  int i;
  compat_getslot(L, 1, EVENT_SUBSCRIPTION);
  subscription = lua_touserdata(L, 2);
  if (!subscription->live) return 0;
  luaL_checkstack(L, event->count + 3, NULL);
  compat_getslot(L, 2, SUBSCRIPTION_HANDLER); /* handler, [scope,] session, values */
  compat_getslot(L, 2, SUBSCRIPTION_SCOPE);
  if (!lua_toboolean(L, 4)) lua_pop(L, 1);
  compat_getslot(L, 1, EVENT_SESSION);
  for (i = 0; i < event->count; i++)
    compat_getslot(L, 1, EVENT_VALUES + i);
  loop_call(L, lua_gettop(L) - 3);
  return 0;
}

/*
** Pushes the queue entry for the subscription on top. The session is at `index`, the arguments start at
** `first`.
*/
static void push_event (lua_State *L, int index, int first, int count) {
  struct event *event = compat_newuserdata(L, sizeof *event, EVENT_VALUES - 1 + count);
  int i;
  memset(event, 0, sizeof *event);
  event->entry.tell = tell;
  event->count = count;
  lua_pushvalue(L, -2);
  compat_setslot(L, -2, EVENT_SUBSCRIPTION);
  lua_pushvalue(L, index);
  compat_setslot(L, -2, EVENT_SESSION);
  for (i = 0; i < count; i++) {
    lua_pushvalue(L, first + i);
    compat_setslot(L, -2, EVENT_VALUES + i);
  }
}

void events_fire (lua_State *L, int index, const char *event, int nargs) {
  struct loop *loop = loop_get(L);
  int first = lua_gettop(L) - nargs + 1, list;
  lua_Integer i, n;
  index = lua_absindex(L, index);
  push_tidy_list(L, index, event, false);
  list = lua_gettop(L);
  n = lua_istable(L, list) ? (lua_Integer)lua_rawlen(L, list) : 0;
  for (i = 1; i <= n; i++) {
    if (lua_rawgeti(L, list, i) == LUA_TUSERDATA) { /* false: it was unsubscribed */
      push_event(L, index, first, nargs);
      loop_ready(L, loop);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, first - 1);
}
