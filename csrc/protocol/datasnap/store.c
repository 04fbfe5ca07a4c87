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
