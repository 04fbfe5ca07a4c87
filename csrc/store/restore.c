/* Restores a new session from the data that an earlier one stored. */
#include "session/autoping.h"
#include "session/hooks.h"
#include "session/identity.h"
#include "session/session.h"
#include "store/parts.h"

#include <string.h>
#include <time.h>

static void restore_slot (lua_State *L, const char *name, enum session_value slot) {
  lua_getfield(L, STORE_KEPT, name);
  session_setvalue(L, STORE_SESSION, slot);
}

/* Takes the cookies of the array on top that belong to the host. Raises only when out of memory. */
static void take_cookies (lua_State *L, struct identity *who, const struct uri *uri) {
  lua_Integer i, n = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;
  char *host = n ? store_host(uri) : NULL;
  for (i = 1; host && i <= n; i++) {
    lua_rawgeti(L, -1, i);
    if (lua_type(L, -1) == LUA_TSTRING && identity_jar(who))
      cookie_jar_import(who->jar, host, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  curl_free(host);
}

/* The table of tokens on top. */
static bool take_tokens (lua_State *L, struct identity *who) {
  size_t length, refresh_length = 0;
  const char *token, *refresh;
  double refresh_at;
  bool ok;
  lua_getfield(L, -1, "access");
  token = lua_tolstring(L, -1, &length);
  lua_getfield(L, -2, "refresh");
  refresh = lua_tolstring(L, -1, &refresh_length);
  lua_getfield(L, -3, "refreshAt");
  refresh_at = lua_tonumber(L, -1);
  ok = identity_set_token(who, token, length) &&
       identity_set_refresh_token(who, refresh ? refresh : "", refresh_length);
  if (refresh_at > 0) identity_ripen(who, clock_now() + refresh_at - (double)time(NULL));
  lua_pop(L, 3);
  return ok;
}

/*
** Makes the identity of the provider that the table on top describes, or of the session at serviceURI. NULL:
** out of memory.
*/
static struct identity *new_identity (lua_State *L, struct session *s) {
  enum model model = s->model;
  struct identity *who;
  struct uri *uri = uri_keep(s->service);
  if (lua_istable(L, -1)) {
    const char *text, *why;
    size_t length;
    lua_getfield(L, -1, "authenticationModel");
    model_of(lua_tostring(L, -1), &model);
    lua_getfield(L, -2, "uri");
    text = lua_tolstring(L, -1, &length);
    uri_release(uri);
    uri = uri_parse(&s->loop->memory, text, length, &why);
    lua_pop(L, 2);
  }
  who = uri ? identity_new(s->loop, model, uri, s->transport) : NULL;
  uri_release(uri);
  return who;
}

/* For sso: a token refresh finds the provider in this user value. */
static void restore_provider (lua_State *L, struct session *s) {
  lua_getfield(L, -1, "cookies");
  take_cookies(L, s->who, s->who->uri);
  lua_pop(L, 1);
  lua_getfield(L, -1, "uri");
  session_hooks(L)->provider.push(L, s->who, -1);
  session_setvalue(L, STORE_SESSION, SESSION_PROVIDER);
  lua_pop(L, 1);
}

/* False: the provider's URI is invalid, or out of memory. */
static bool restore_identity (lua_State *L, struct session *s) {
  lua_getfield(L, STORE_KEPT, "provider");
  s->who = new_identity(L, s);
  if (!s->who) return false;
  if (lua_istable(L, -1)) restore_provider(L, s);
  lua_getfield(L, STORE_KEPT, "cookies");
  take_cookies(L, s->who, s->service);
  if (lua_getfield(L, STORE_KEPT, "tokens") == LUA_TTABLE && !take_tokens(L, s->who)) return false;
  s->who->logged_in = true;
  lua_settop(L, STORE_KEPT);
  return true;
}

/* online stays false: the session counts as connected once the server has answered. */
static void restore_state (lua_State *L, struct session *s) {
  restore_slot(L, "userName", SESSION_USER);
  restore_slot(L, "providerUserName", SESSION_PROVIDER_USER);
  restore_slot(L, "clientContextId", SESSION_CONTEXT_ID);
  lua_getfield(L, STORE_KEPT, "loginHttpStatus");
  session_begin_authorized(s, (long)lua_tointeger(L, -1));
  s->restored = true;
  lua_settop(L, STORE_KEPT);
}

static void restore_ping_interval (lua_State *L, struct session *s) {
  if (lua_getfield(L, STORE_OPTIONS, "pingInterval") == LUA_TNIL) {
    lua_getfield(L, STORE_KEPT, "pingInterval");
    if (!autoping_set_interval(s, lua_tonumber(L, -1))) luaL_error(L, "not enough memory");
  }
  lua_settop(L, STORE_KEPT);
}

/* The option context takes precedence. */
static void restore_context (lua_State *L) {
  if (lua_getfield(L, STORE_OPTIONS, "context") == LUA_TNIL &&
      lua_getfield(L, STORE_KEPT, "context") == LUA_TTABLE)
    session_hooks(L)->context.replace(L, STORE_SESSION, -1);
  lua_settop(L, STORE_KEPT);
}

/* reloadCatalogs loads them. Until then they are in `wanted`. */
static void restore_catalogs (lua_State *L) {
  lua_Integer i, n;
  if (lua_getfield(L, STORE_KEPT, "catalogs") == LUA_TTABLE) {
    n = (lua_Integer)lua_rawlen(L, -1);
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, (int)n);
    lua_createtable(L, (int)n, 0);
    for (i = 1; i <= n; i++) {
      lua_rawgeti(L, STORE_KEPT + 1, i);
      lua_getfield(L, -1, "uri");
      lua_pushvalue(L, -1);
      lua_rawseti(L, -4, i);
      lua_insert(L, -2);
      lua_rawset(L, -4); /* an entry holds its validators */
    }
    lua_setfield(L, STORE_KEPT + 2, "wanted");
    lua_setfield(L, -2, "validators");
    session_setvalue(L, STORE_SESSION, SESSION_CATALOGS);
  }
  lua_settop(L, STORE_KEPT);
}

/* Restores the protocol's data, which alone identifies a session of such a protocol. */
static bool restore_data (lua_State *L, struct session *s) {
  bool ok = true;
  lua_getfield(L, STORE_KEPT, "wire");
  if (s->protocol->restore) ok = lua_istable(L, -1) && s->protocol->restore(L, s);
  lua_settop(L, STORE_KEPT);
  return ok;
}

static void ignore (lua_State *L, struct session *s, const char *why) {
  compat_warn(L, why);
  identity_release(s->who);
  s->who = NULL;
  lua_pushnil(L);
  session_setvalue(L, STORE_SESSION, SESSION_PROVIDER);
}

void store_restore (lua_State *L, struct session *s) {
  if (!restore_identity(L, s)) {
    ignore(L, s, "datasession: a stored session is ignored: its AuthenticationProvider cannot be created");
    return;
  }
  if (!restore_data(L, s)) {
    ignore(L, s, "datasession: a stored session is ignored: it belongs to another address");
    return;
  }
  restore_state(L, s);
  restore_ping_interval(L, s);
  if (s->protocol->restore_fields) s->protocol->restore_fields(L, STORE_SESSION, s);
  restore_context(L);
  restore_catalogs(L);
  if (!session_arm(s)) luaL_error(L, "not enough memory");
}
