/*
** store: what a DataSnap session keeps in a store: its id, and when it expires. The option
** sessionCookiePrefix names the entry, as the vendor's client names its cookie.
*/
#include "protocol/datasnap/datasnap.h"
#include "runtime/options.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define COOKIE "dssessionid"

void datasnap_push_name (lua_State *L, struct session *s) {
  size_t length;
  const char *prefix = options_string(L, 1, "sessionCookiePrefix", NULL);
  (void)s;
  if (!prefix) return;
  if (options_string(L, 1, "name", &length) && length)
    luaL_error(L, "expected either option 'name' or option 'sessionCookiePrefix', not both");
  lua_pop(L, 1);
  lua_pushliteral(L, COOKIE);
  lua_concat(L, 2);
}

static const char *path_of (const struct uri *uri) {
  const char *host = strstr(uri_text(uri), "://") + 3;
  return host + strcspn(host, "/");
}

/* Rounds to whole seconds: responses within one second cause one write. */
void datasnap_save (lua_State *L, struct session *s) {
  const struct datasnap *w = s->data;
  if (!w->id) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 5);
  lua_pushstring(L, w->id);
  lua_setfield(L, -2, "id");
  lua_pushstring(L, uri_origin(s->service));
  lua_setfield(L, -2, "origin");
  lua_pushstring(L, path_of(w->rest));
  lua_setfield(L, -2, "path");
  if (s->expires_at <= 0) return;
  lua_pushinteger(L, (lua_Integer)floor(s->expires_at) * 1000);
  lua_setfield(L, -2, "expires");
  lua_pushinteger(L, (lua_Integer)ceil(w->lifetime * 1000));
  lua_setfield(L, -2, "timeout");
}

/* The string of that name in the table at `index`, which keeps it. */
static const char *text_of (lua_State *L, int index, const char *name, size_t *length) {
  const char *text;
  lua_getfield(L, index, name);
  text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, length) : NULL;
  lua_pop(L, 1);
  return text;
}

static double number_of (lua_State *L, int index, const char *name) {
  double value;
  lua_getfield(L, index, name);
  value = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
  lua_pop(L, 1);
  return value;
}

/* False for the id of another origin or path: it is another server's. */
bool datasnap_restore (lua_State *L, struct session *s) {
  struct datasnap *w = s->data;
  int kept = lua_gettop(L);
  struct timespec now;
  size_t length = 0, n;
  const char *id = text_of(L, kept, "id", &length), *origin = text_of(L, kept, "origin", &n),
             *path = text_of(L, kept, "path", &n);
  double expires = number_of(L, kept, "expires") / 1000;
  if (!id || !length || !origin || !path) return false;
  if (strcmp(origin, uri_origin(s->service)) || strcmp(path, path_of(w->rest))) return false;
  if (!datasnap_hold(s, id, length)) luaL_error(L, "not enough memory");
  if (expires <= 0) return true;
  clock_gettime(CLOCK_REALTIME, &now);
  s->expires_at = expires;
  s->expires = clock_now() + expires - ((double)now.tv_sec + (double)now.tv_nsec / 1e9);
  w->lifetime = number_of(L, kept, "timeout") / 1000;
  return true;
}

/* initSessionData */

/* Arguments: options, the session. */
static int open_store (lua_State *L) {
  session_hooks(L)->store.open(L, lua_touserdata(L, 2));
  return 0;
}

/*
** Opens the entry under the prefix at 3 in the store at 4, the session being at 1. False: pushes an error.
** pingInterval stays as it is.
*/
static bool resume (lua_State *L, const struct session *s) {
  lua_pushcfunction(L, open_store);
  lua_createtable(L, 0, 3);
  lua_pushvalue(L, 3);
  lua_setfield(L, -2, "sessionCookiePrefix");
  lua_pushvalue(L, 4);
  lua_setfield(L, -2, "store");
  lua_pushnumber(L, autoping_interval(s));
  lua_setfield(L, -2, "pingInterval");
  lua_pushvalue(L, 1);
  return lua_pcall(L, 2, 0, 0) == LUA_OK;
}

/* True if the entry is that of another user than the one whose name is at 5. */
static bool is_of_another (lua_State *L, const struct session *s) {
  const struct datasnap *w = s->data;
  bool other = false;
  if (!w->next || !s->who) return false;
  session_getvalue(L, 1, SESSION_USER);
  other = !lua_rawequal(L, -1, 5);
  lua_pop(L, 1);
  return other;
}

/* Gives the session its user and credentials back. */
static void restore_user (lua_State *L, struct session *s) {
  struct datasnap *w = s->data;
  if (is_of_another(L, s)) session_decide(L, 1, VERDICT_LEFT, NULL);
  if (!w->next) return;
  if (s->who) {
    s->who->credentials = w->next->credentials;
    w->next->credentials = NULL;
    identity_release(w->next);
  } else
    s->who = w->next;
  w->next = NULL;
  lua_pushvalue(L, 5);
  session_setvalue(L, 1, SESSION_USER);
}

/* The store of a session that has one, at 4 in place of nil. */
static void take_store (lua_State *L, const struct session *s) {
  if (!lua_isnil(L, 4) || !s->named) return;
  session_getvalue(L, 1, SESSION_STORAGE);
  lua_replace(L, 4);
}

static void check_arguments (lua_State *L, const struct session *s) {
  luaL_argcheck(L, lua_isnoneornil(L, 2) || lua_isboolean(L, 2), 2, "expected a boolean or nil");
  if (!lua_isnoneornil(L, 3)) luaL_checktype(L, 3, LUA_TSTRING);
  lua_settop(L, 4);
  if (s->phase == PHASE_INVALID) luaL_error(L, "initSessionData: the session was invalidated");
  if (!lua_isnil(L, 3)) return;
  lua_pushliteral(L, "");
  lua_replace(L, 3);
}

/*
** initSessionData([useSessionCookie [, prefix [, store]]]): forgets the id, without a request, then stores
** the session under the prefix, or no longer; nil: as before. The entry of a former prefix stays, and so do
** the credentials.
*/
int datasnap_init_session_data (lua_State *L) {
  struct session *s = session_check(L, 1);
  bool kept, ok;
  check_arguments(L, s);
  take_store(L, s);
  kept = lua_isnil(L, 2) ? s->named : lua_toboolean(L, 2);
  session_getvalue(L, 1, SESSION_USER); /* at 5 */
  datasnap_prepare_next(L, s);
  session_hooks(L)->store.release(L, 1);
  session_leave(L, 1);
  ok = !kept || resume(L, s);
  restore_user(L, s);
  return ok ? 0 : lua_error(L);
}
