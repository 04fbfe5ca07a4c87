/* session_binding: the properties, methods and name of a session, as Lua sees them. */
#include "session/session_binding.h"

#include "runtime/duration.h"
#include "runtime/error.h"
#include "runtime/fields.h"
#include "runtime/loop.h"
#include "session/active_session.h"
#include "session/autoping.h"
#include "session/events.h"
#include "session/hooks.h"
#include "session/observer.h"
#include "session/protocol.h"
#include "session/reconnect.h"
#include "session/request.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/verbs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum property {
  PROPERTY_AUTHENTICATION_MODEL = 1,
  PROPERTY_AUTH_PROVIDER,
  PROPERTY_CATALOGS,
  PROPERTY_CATALOG_URIS,
  PROPERTY_CLIENT_CONTEXT_ID,
  PROPERTY_CONNECTED,
  PROPERTY_EXPIRES_AT,
  PROPERTY_JSDOS,
  PROPERTY_KEY,
  PROPERTY_LOGIN_HTTP_STATUS,
  PROPERTY_LOGIN_RESULT,
  PROPERTY_NAME,
  PROPERTY_ON_OPEN_REQUEST,
  PROPERTY_ON_REQUEST,
  PROPERTY_ON_RESPONSE,
  PROPERTY_PING_INTERVAL,
  PROPERTY_PROTOCOL,
  PROPERTY_RECONNECT,
  PROPERTY_RETRY,
  PROPERTY_SERVICES,
  PROPERTY_SERVICE_STATUS,
  PROPERTY_SERVICE_URI,
  PROPERTY_SESSION_ID,
  PROPERTY_STATE,
  PROPERTY_STATUS,
  PROPERTY_USER_NAME
};

static const char *const property_names[] = {"authenticationModel",
                                             "authProvider",
                                             "catalogs",
                                             "catalogURIs",
                                             "clientContextId",
                                             "connected",
                                             "expiresAt",
                                             "JSDOs",
                                             "key",
                                             "loginHttpStatus",
                                             "loginResult",
                                             "name",
                                             "onOpenRequest",
                                             "onRequest",
                                             "onResponse",
                                             "pingInterval",
                                             "protocol",
                                             "reconnect",
                                             "retry",
                                             "services",
                                             "serviceStatus",
                                             "serviceURI",
                                             "sessionId",
                                             "state",
                                             "status",
                                             "userName",
                                             NULL};

static const char *state_name (const struct session *s) {
  if (s->phase != PHASE_INVALID && s->reconnecting) return "reconnecting";
  if (s->phase != PHASE_INVALID && s->closing) return "closing";
  switch (s->phase) {
  case PHASE_FRESH: return s->login ? "logging in" : "logged out";
  case PHASE_AUTHORIZED:
    if (session_connected(s)) return "connected";
    if (s->restored) return "restored";
    return s->unasked ? "unconfirmed" : "offline";
  case PHASE_EXPIRED: return "expired";
  case PHASE_INVALID: break;
  }
  return "invalid";
}

/* Replaces the table { name, uri } on top by a copy. */
static void copy_service (lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_getfield(L, -2, "name");
  lua_setfield(L, -2, "name");
  lua_getfield(L, -2, "uri");
  lua_setfield(L, -2, "uri");
  lua_remove(L, -2);
}

/* Pushes a copy of one of the arrays of SESSION_CATALOGS: scripts may change it. */
static void push_list (lua_State *L, const char *name, void (*copy)(lua_State *L)) {
  lua_Integer i, n;
  if (session_getvalue(L, 1, SESSION_CATALOGS) == LUA_TNIL || lua_getfield(L, -1, name) == LUA_TNIL) {
    lua_newtable(L);
    return;
  }
  n = (lua_Integer)lua_rawlen(L, -1);
  lua_createtable(L, (int)n, 0);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -2, i);
    if (copy) copy(L);
    lua_rawseti(L, -2, i);
  }
}

static void push_login_status (lua_State *L, const struct session *s) {
  if (s->login_result == RESULT_NONE || s->login_status < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, s->login_status);
}

static void push_interval (lua_State *L, double interval) {
  if (interval < 1e15 && floor(interval) >= interval)
    lua_pushinteger(L, (lua_Integer)interval);
  else
    lua_pushnumber(L, interval);
}

static void push_deadline (lua_State *L, const struct session *s) {
  if (s->expires_at > 0)
    lua_pushnumber(L, s->expires_at);
  else
    lua_pushnil(L);
}

static void push_id (lua_State *L, const struct session *s) {
  if (s->protocol->push_id)
    s->protocol->push_id(L, s);
  else
    lua_pushnil(L);
}

/* The first access makes it. One that was given, or is logged in, stays until logout. */
static void push_provider (lua_State *L, const struct session *s) {
  if (session_getvalue(L, 1, SESSION_PROVIDER) != LUA_TNIL || !s->who || !s->who->logged_in) return;
  lua_pop(L, 1);
  session_getvalue(L, 1, SESSION_URI);
  session_hooks(L)->provider.push(L, s->who, -1);
  lua_pushvalue(L, -1);
  session_setvalue(L, 1, SESSION_PROVIDER);
}

/* Pushes the array of the session's data objects, by the Lua layer's hook jsdos(session). */
static void push_data_objects (lua_State *L) {
  loop_hook(L, "jsdos");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
}

static void push_property (lua_State *L, const struct session *s, enum property which) {
  switch (which) {
  case PROPERTY_AUTHENTICATION_MODEL: lua_pushstring(L, model_name(s->model)); break;
  case PROPERTY_CATALOGS: push_list(L, "catalogs", NULL); break;
  case PROPERTY_CATALOG_URIS: push_list(L, "catalogURIs", NULL); break;
  case PROPERTY_CLIENT_CONTEXT_ID: session_getvalue(L, 1, SESSION_CONTEXT_ID); break;
  case PROPERTY_CONNECTED: lua_pushboolean(L, session_connected(s)); break;
  case PROPERTY_JSDOS: push_data_objects(L); break;
  case PROPERTY_LOGIN_HTTP_STATUS: push_login_status(L, s); break;
  case PROPERTY_LOGIN_RESULT: error_push_result(L, s->login_result); break;
  case PROPERTY_PING_INTERVAL: push_interval(L, autoping_interval(s)); break;
  case PROPERTY_PROTOCOL: session_push_protocol_name(L, s); break;
  case PROPERTY_EXPIRES_AT: push_deadline(L, s); break;
  case PROPERTY_KEY: active_session_push_key(L, 1); break;
  case PROPERTY_RECONNECT: reconnect_push_options(L, s); break;
  case PROPERTY_RETRY: retry_push(L, s->retry); break;
  case PROPERTY_SESSION_ID: push_id(L, s); break;
  case PROPERTY_SERVICE_STATUS:
  case PROPERTY_STATUS: lua_pushstring(L, s->protocol->status ? s->protocol->status(s) : NULL); break;
  case PROPERTY_SERVICES: push_list(L, "services", copy_service); break;
  case PROPERTY_SERVICE_URI: session_getvalue(L, 1, SESSION_URI); break;
  case PROPERTY_STATE: lua_pushstring(L, state_name(s)); break;
  case PROPERTY_USER_NAME: session_getvalue(L, 1, SESSION_USER); break;
  case PROPERTY_ON_OPEN_REQUEST: session_getvalue(L, 1, SESSION_ON_OPEN); break;
  case PROPERTY_ON_REQUEST: observer_get(L, "onRequest"); break;
  case PROPERTY_ON_RESPONSE: observer_get(L, "onResponse"); break;
  case PROPERTY_AUTH_PROVIDER: push_provider(L, s); break;
  case PROPERTY_NAME: session_getvalue(L, 1, SESSION_NAME); break;
  }
}

/*
** Pushes the table of the methods that only the session's protocol has, or nil. The table is made on first
** use.
*/
static void push_own_methods (lua_State *L, const struct session *s) {
  if (!s->protocol->methods) {
    lua_pushnil(L);
    return;
  }
  loop_table(L, LOOP_PROTOCOLS);
  if (lua_rawgetp(L, -1, s->protocol) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_setfuncs(L, s->protocol->methods, 0);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, -3, s->protocol);
  }
}

/*
** The upvalues are those of session_index; what this protocol's sessions have alone is on top, a table or
** nil.
*/
static int no_field (lua_State *L) {
  int own = lua_gettop(L);
  lua_newtable(L);
  fields_add_keys(L, lua_upvalueindex(1));
  fields_add_keys(L, lua_upvalueindex(2));
  if (lua_istable(L, own)) fields_add_keys(L, own);
  return fields_missing(L, "a session", NULL);
}

/* Upvalues: the methods; the numbers of the properties by name. */
static int session_index (lua_State *L) {
  const struct session *s = session_check(L, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL) {
    push_own_methods(L, s);
    if (lua_isnil(L, -1)) return no_field(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return 1;
    lua_pop(L, 1);
    return no_field(L);
  }
  push_property(L, s, (enum property)lua_tointeger(L, -1));
  return 1;
}

/* False: out of memory, and the old interval stays. */
static bool set_ping_interval (struct session *s, double interval) {
  double before = autoping_interval(s);
  if (autoping_set_interval(s, interval) && session_arm(s)) return true;
  /* GCOVR_EXCL_START: out of memory; seldom in a short run */
  autoping_set_interval(s, before); /* cannot fail: its timer exists, or it is 0 */
  return false;
  /* GCOVR_EXCL_STOP */
}

static int set_interval (lua_State *L, struct session *s) {
  if (!set_ping_interval(s, duration_interval(L, 3, "session.pingInterval")))
    luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  session_note(L, 1);
  return 0;
}

static int set_on_open (lua_State *L, struct session *s) {
  if (!lua_isfunction(L, 3) && !lua_isnil(L, 3))
    return luaL_error(L, "session.onOpenRequest: expected a function or nil, got %s", luaL_typename(L, 3));
  lua_pushvalue(L, 3);
  session_setvalue(L, 1, SESSION_ON_OPEN);
  s->has_on_open = lua_isfunction(L, 3);
  return 0;
}

static int set_observer (lua_State *L, struct session *s, const char *name) {
  observer_set(L, s, name);
  return 0;
}

/* The name at 2 is no property's. Upvalues as above. */
static int refuse_field (lua_State *L, const char *name) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return luaL_error(L, "session.%s is read-only", name);
  lua_newtable(L);
  fields_add_keys(L, lua_upvalueindex(2));
  fields_missing(L, "a session", NULL);
  return luaL_error(L, "a session has no field '%s'", name);
}

/* Upvalues as above. */
static int session_newindex (lua_State *L) {
  struct session *s = session_check(L, 1);
  const char *name = luaL_tolstring(L, 2, NULL);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL) return refuse_field(L, name);
  switch ((enum property)lua_tointeger(L, -1)) {
  case PROPERTY_PING_INTERVAL: return set_interval(L, s);
  case PROPERTY_ON_OPEN_REQUEST: return set_on_open(L, s);
  case PROPERTY_ON_REQUEST: return set_observer(L, s, "onRequest");
  case PROPERTY_ON_RESPONSE: return set_observer(L, s, "onResponse");
  default: return luaL_error(L, "session.%s is read-only", name);
  }
}

static int session_tostring (lua_State *L) {
  const struct session *s = session_check(L, 1);
  session_push_protocol_name(L, s);
  lua_pushfstring(L, SESSION_TYPE " %I: %s %s, %s, %s", (LUAI_UACINT)s->number, lua_tostring(L, -1),
                  s->service ? uri_public_text(s->service) : "?", model_name(s->model), state_name(s));
  return 1;
}

static int compare_ages (const void *a, const void *b) {
  lua_Integer x = (*(const struct session *const *)a)->number,
              y = (*(const struct session *const *)b)->number;
  return (x > y) - (x < y);
}

/* Fills the table at 1, and returns the count. */
static lua_Integer collect_sessions (lua_State *L) {
  lua_Integer n = 0;
  loop_table(L, LOOP_SESSIONS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const struct session *s = session_test(L, -1);
    if (s && s->number && s->phase != PHASE_INVALID)
      lua_rawseti(L, 1, ++n);
    else
      lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return n;
}

/* sessions(): every live session of this Lua state, the oldest first. */
static int l_sessions (lua_State *L) {
  const struct session **byage;
  lua_Integer n, i;
  lua_settop(L, 0);
  lua_newtable(L);
  n = collect_sessions(L);
  if (n < 2) return 1;
  byage = compat_newuserdata(L, (size_t)n * sizeof *byage, 0);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, 1, i + 1);
    byage[i] = lua_touserdata(L, -1);
    lua_pop(L, 1);
  }
  qsort(byage, (size_t)n, sizeof *byage, compare_ages);
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) { /* the first table keeps each alive */
    session_push(L, byage[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/*
** setDeviceOnline(online): the host reports whether this machine has a network. It changes every session, and
** the initial state of new ones.
*/
static int l_set_device_online (lua_State *L) {
  struct loop *loop = loop_get(L);
  struct finding found;
  lua_Integer n, i;
  luaL_checktype(L, 1, LUA_TBOOLEAN);
  memset(&found, 0, sizeof found);
  found.verdict = lua_toboolean(L, 1) ? VERDICT_DEVICE_BACK : VERDICT_DEVICE_LOST;
  found.reason = REASON_DEVICE;
  loop->device_offline = !lua_toboolean(L, 1);
  lua_settop(L, 0);
  lua_newtable(L);
  n = collect_sessions(L);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, 1, i);
    session_transition(L, -1, &found);
    lua_pop(L, 1);
  }
  return 0;
}

/*
** hold(session): keeps it alive until it is logged out or invalidated. held(session): true if it is kept so.
*/
static int l_hold (lua_State *L) {
  session_check(L, 1);
  loop_table(L, LOOP_HELD);
  lua_pushvalue(L, 1);
  lua_pushboolean(L, true);
  lua_rawset(L, -3);
  return 0;
}

static int l_held (lua_State *L) {
  session_check(L, 1);
  loop_table(L, LOOP_HELD);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  lua_pushboolean(L, lua_toboolean(L, -1));
  return 1;
}

static const luaL_Reg methods[] = {{"login", session_login},
                                   {"logout", session_logout},
                                   {"invalidate", session_invalidate},
                                   {"ping", session_ping},
                                   {"isAuthorized", session_is_authorized},
                                   {"disconnect", session_disconnect},
                                   {"request", session_request},
                                   {"invoke", session_invoke},
                                   {"stop", session_stop},
                                   {"subscribe", events_subscribe},
                                   {"unsubscribe", events_unsubscribe},
                                   {"unsubscribeAll", events_unsubscribe_all},
                                   {NULL, NULL}};

static void push_properties (lua_State *L) {
  int i;
  lua_newtable(L);
  for (i = 0; property_names[i]; i++) {
    lua_pushinteger(L, i + 1);
    lua_setfield(L, -2, property_names[i]);
  }
}

void session_register (lua_State *L) {
  static const luaL_Reg functions[] = {{"sessions", l_sessions},
                                       {"endSession", session_end},
                                       {"requestFlow", session_request_flow},
                                       {"hold", l_hold},
                                       {"held", l_held},
                                       {"setDeviceOnline", l_set_device_online},
                                       {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__gc", session_gc}, {"__close", session_close}, {"__tostring", session_tostring}, {NULL, NULL}};
  static const luaL_Reg access[] = {
      {"__index", session_index}, {"__newindex", session_newindex}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  userdata_new(L, TYPE_SESSION, SESSION_TYPE);
  luaL_setfuncs(L, meta, 0);
  compat_make_waiting(L, "__close");
  luaL_newlib(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "methods");
  push_properties(L);
  luaL_setfuncs(L, access, 2);
  lua_pushliteral(L, SESSION_TYPE); /* hides the metatable: a script cannot call the finaliser */
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
