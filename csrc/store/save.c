/* Makes the table of a session's data. The session is at 1, the table on top. */
#include "session/autoping.h"
#include "session/hooks.h"
#include "session/identity.h"
#include "session/session.h"
#include "store/parts.h"

#include <math.h>
#include <string.h>
#include <time.h>

char *store_host (const struct uri *uri) {
  char *host = NULL;
  size_t length;
  if (curl_url_get(uri_handle(uri), CURLUPART_HOST, &host, 0)) return NULL;
  length = strlen(host);
  if (*host == '[' && length > 2) {
    /* GCOVR_EXCL_START: not run on a machine without IPv6 */
    memmove(host, host + 1, length - 2);
    host[length - 2] = 0;
    /* GCOVR_EXCL_STOP */
  }
  return host;
}

static void set_slot (lua_State *L, enum session_value slot, const char *name) {
  session_getvalue(L, 1, slot);
  lua_setfield(L, -2, name);
}

/* Arguments: the list of lines (light userdata). */
static int lines_to_table (lua_State *L) {
  const struct curl_slist *line = lua_touserdata(L, 1);
  lua_Integer n = 0;
  lua_newtable(L);
  for (; line; line = line->next) {
    lua_pushstring(L, line->data);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* Raises nothing while the lines have no other owner. */
static void set_cookies (lua_State *L, const struct identity *who, const struct uri *uri, const char *name) {
  struct curl_slist *lines = NULL;
  char *host = store_host(uri);
  int status = LUA_ERRMEM;
  if (host && (!who->jar || cookie_jar_export(who->jar, host, &lines))) {
    lua_pushcfunction(L, lines_to_table);
    lua_pushlightuserdata(L, lines);
    status = lua_pcall(L, 1, 1, 0);
  }
  curl_slist_free_all(lines);
  curl_free(host);
  if (status != LUA_OK) luaL_error(L, "not enough memory");
  if (lua_rawlen(L, -1) > 0)
    lua_setfield(L, -2, name);
  else
    lua_pop(L, 1);
}

static void set_token (lua_State *L, const char *token, size_t size, const char *name) {
  if (!token) return;
  lua_pushlstring(L, token, size - 1);
  lua_setfield(L, -2, name);
}

/*
** Converts a time of clock_now, which another process cannot read, to seconds since 1970. Whole seconds, so
** that an unchanged time gives the same text.
*/
static double since_1970 (double at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return floor(at - clock_now() + (double)now.tv_sec + (double)now.tv_nsec / 1e9 + 0.5);
}

static void set_tokens (lua_State *L, const struct identity *who) {
  const struct tokens *t = identity_tokens(who);
  if (!t->access) return;
  lua_createtable(L, 0, 3);
  set_token(L, t->access, t->access_size, "access");
  set_token(L, t->refresh, t->refresh_size, "refresh");
  if (t->refresh_at > 0) {
    lua_pushnumber(L, since_1970(t->refresh_at));
    lua_setfield(L, -2, "refreshAt");
  }
  lua_setfield(L, -2, "tokens");
}

static bool is_elsewhere (const struct session *s) {
  return s->who->model != s->model || strcmp(uri_text(s->who->uri), uri_text(s->service)) != 0;
}

static void set_provider (lua_State *L, const struct session *s) {
  if (!is_elsewhere(s)) return;
  lua_createtable(L, 0, 3);
  lua_pushstring(L, uri_text(s->who->uri));
  lua_setfield(L, -2, "uri");
  lua_pushstring(L, model_name(s->who->model));
  lua_setfield(L, -2, "authenticationModel");
  set_cookies(L, s->who, s->who->uri, "cookies");
  lua_setfield(L, -2, "provider");
}

/*
** Stores the validators of a catalog. The table of catalogs is at `own`, the URI at `uri`, the entry on top.
*/
static void set_validators (lua_State *L, int own, int uri) {
  static const char *const names[] = {"etag", "lastModified"};
  int entry = lua_gettop(L);
  size_t i;
  if (lua_getfield(L, own, "validators") == LUA_TTABLE) {
    lua_pushvalue(L, uri);
    if (lua_rawget(L, -2) == LUA_TTABLE)
      for (i = 0; i < sizeof names / sizeof *names; i++) {
        lua_getfield(L, -1, names[i]);
        lua_setfield(L, entry, names[i]);
      }
  }
  lua_settop(L, entry);
}

/* Adds { uri, etag, lastModified } for each catalog that is loaded, or still to be loaded after a restore. */
static void add_catalogs (lua_State *L, const char *list, int into, int seen) {
  int own = lua_gettop(L);
  lua_Integer i, n;
  if (lua_getfield(L, -1, list) == LUA_TTABLE) {
    n = (lua_Integer)lua_rawlen(L, -1);
    for (i = 1; i <= n; i++) {
      lua_rawgeti(L, -1, i);
      lua_pushvalue(L, -1);
      if (lua_rawget(L, seen) == LUA_TNIL) {
        lua_pushvalue(L, -2);
        lua_pushboolean(L, true);
        lua_rawset(L, seen);
        lua_createtable(L, 0, 3);
        lua_pushvalue(L, -3);
        lua_setfield(L, -2, "uri");
        set_validators(L, own, lua_gettop(L) - 2);
        lua_rawseti(L, into, (lua_Integer)lua_rawlen(L, into) + 1);
      }
      lua_pop(L, 2);
    }
  }
  lua_pop(L, 1);
}

static void set_catalogs (lua_State *L) {
  int into;
  lua_newtable(L);
  into = lua_gettop(L);
  lua_newtable(L);
  if (session_getvalue(L, 1, SESSION_CATALOGS) == LUA_TTABLE) {
    add_catalogs(L, "catalogURIs", into, into + 1);
    add_catalogs(L, "wanted", into, into + 1);
  }
  lua_settop(L, into);
  if (lua_rawlen(L, into) > 0)
    lua_setfield(L, -2, "catalogs");
  else
    lua_pop(L, 1);
}

static bool is_established (const struct session *s) {
  return s->phase == PHASE_AUTHORIZED && s->login_result == RESULT_SUCCESS && s->who && s->who->logged_in;
}

/*
** True if the session can be restored from what may be stored: passwords never are, tokens only with
** keepTokens.
*/
static bool goes_on_alone (const struct session *s) {
  const struct identity *who = s->who;
  if (who->credentials || who->model == MODEL_BASIC) return false;
  return who->model == MODEL_ANONYMOUS || who->model == MODEL_FORM ||
         (identity_tokens(who)->access && s->keep_tokens);
}

/* Pushes the protocol's data, or nil. False: the session cannot be restored. */
static bool push_data (lua_State *L, struct session *s) {
  lua_pushnil(L);
  if (!is_established(s)) return false;
  if (!s->protocol->save) return goes_on_alone(s);
  s->protocol->save(L, s);
  lua_replace(L, -2);
  return lua_istable(L, -1);
}

static void gather_state (lua_State *L, struct session *s) {
  set_slot(L, SESSION_URI, "serviceURI");
  set_slot(L, SESSION_USER, "userName");
  set_slot(L, SESSION_PROVIDER_USER, "providerUserName");
  set_slot(L, SESSION_CONTEXT_ID, "clientContextId");
  session_hooks(L)->context.push(L, 1);
  lua_setfield(L, -2, "context");
  lua_pushstring(L, model_name(s->model));
  lua_setfield(L, -2, "authenticationModel");
  lua_pushinteger(L, s->login_result);
  lua_setfield(L, -2, "loginResult");
  lua_pushinteger(L, s->login_status > 0 ? s->login_status : 0);
  lua_setfield(L, -2, "loginHttpStatus");
  lua_pushnumber(L, autoping_interval(s));
  lua_setfield(L, -2, "pingInterval");
  if (s->protocol->save_fields) s->protocol->save_fields(L, s);
}

void store_gather (lua_State *L) {
  struct session *s = lua_touserdata(L, 1);
  if (!push_data(L, s)) return;
  lua_createtable(L, 0, 16);
  lua_insert(L, -2);
  lua_setfield(L, -2, "wire");
  session_push_protocol_name(L, s);
  lua_setfield(L, -2, "protocol");
  gather_state(L, s);
  set_cookies(L, s->who, s->service, "cookies");
  set_tokens(L, s->who);
  set_provider(L, s);
  set_catalogs(L);
}
