/*
** A saver is what the ready queue holds of a named session: however often the session changes in a step, it is kept
** once. It keeps its session alive while it is queued; closing the Lua state finalises it before the session, and what
** was not kept by then is kept then.
*/
#include "persistence.h"

#include "context.h"
#include "options.h"
#include "provider.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define SAVER_TYPE "datasession.saver"

struct saver {
  struct entry entry;
  bool settled; /* the session has ended, and the store knows already */
};
enum { SAVER_SESSION = CHAIN_LINK + 1, SAVER_SLOTS = SAVER_SESSION };

/* Gathering: the session is at 1, what is gathered in the table on top. */

static void set_slot (lua_State *L, int slot, const char *name) {
  compat_getslot(L, 1, slot);
  lua_setfield(L, -2, name);
}

/* The host of `uri`, as cookies name it; to be freed with curl_free. NULL: no memory. */
static char *host_of (const struct uri *uri) {
  char *host = NULL;
  size_t length;
  if (curl_url_get(uri_handle(uri), CURLUPART_HOST, &host, 0)) return NULL;
  length = strlen(host);
  if (*host == '[' && length > 2) {
    memmove(host, host + 1, length - 2);
    host[length - 2] = 0;
  }
  return host;
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

/* Nothing is raised while the lines are ours to free. */
static void set_cookies (lua_State *L, const struct identity *who, const struct uri *uri, const char *name) {
  struct curl_slist *lines = NULL;
  char *host = host_of(uri);
  int status = LUA_ERRMEM;
  if (host && (!who->jar || jar_export(who->jar, host, &lines))) {
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

/* The clock of the engine means nothing to another process. In whole seconds, lest each look give another text. */
static double since_1970 (double at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return floor(at - clock_now() + (double)now.tv_sec + (double)now.tv_nsec / 1e9 + 0.5);
}

static void set_tokens (lua_State *L, const struct identity *who) {
  if (!who->token) return;
  lua_createtable(L, 0, 3);
  set_token(L, who->token, who->token_size, "access");
  set_token(L, who->refresh_token, who->refresh_size, "refresh");
  if (who->refresh_at > 0) {
    lua_pushnumber(L, since_1970(who->refresh_at));
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

/* What the server said the catalog can be known again by; the table of catalogs is at `own`, the URI at `uri`, the entry on top. */
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

/* { uri, etag, lastModified } for each catalog that is loaded, and each that was to be loaded again and is not yet. */
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
  if (compat_getslot(L, 1, SESSION_CATALOGS) == LUA_TTABLE) {
    add_catalogs(L, "catalogURIs", into, into + 1);
    add_catalogs(L, "wanted", into, into + 1);
  }
  lua_settop(L, into);
  if (lua_rawlen(L, into) > 0)
    lua_setfield(L, -2, "catalogs");
  else
    lua_pop(L, 1);
}

/* A password is never kept, a token if its owner said so: what cannot go on without them is not kept at all. */
static bool is_worth_keeping (const struct session *s) {
  const struct identity *who = s->who;
  if (s->phase != PHASE_AUTHORIZED || s->login_result != RESULT_SUCCESS || !who || !who->logged_in)
    return false;
  if (who->credentials || who->model == MODEL_BASIC) return false;
  return who->model == MODEL_ANONYMOUS || who->model == MODEL_FORM || (who->token && s->keep_tokens);
}

static void gather_state (lua_State *L, const struct session *s) {
  set_slot(L, SESSION_URI, "serviceURI");
  set_slot(L, SESSION_USER, "userName");
  set_slot(L, SESSION_PROVIDER_USER, "providerUserName");
  set_slot(L, SESSION_CONTEXT_ID, "clientContextId");
  set_slot(L, SESSION_CONTEXT, "context");
  lua_pushstring(L, model_name(s->model));
  lua_setfield(L, -2, "authenticationModel");
  lua_pushinteger(L, s->login_result);
  lua_setfield(L, -2, "loginResult");
  lua_pushinteger(L, s->login_status > 0 ? s->login_status : 0);
  lua_setfield(L, -2, "loginHttpStatus");
  lua_pushnumber(L, s->ping_interval);
  lua_setfield(L, -2, "pingInterval");
  if (!s->ping_uri) return;
  lua_pushstring(L, uri_public_text(s->ping_uri));
  lua_setfield(L, -2, "pingURI");
}

/* Pushes what is to be kept of the session at 1, or nil. */
static void gather (lua_State *L) {
  const struct session *s = lua_touserdata(L, 1);
  if (!is_worth_keeping(s)) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 16);
  gather_state(L, s);
  set_cookies(L, s->who, s->service, "cookies");
  set_tokens(L, s->who);
  set_provider(L, s);
  set_catalogs(L);
}

/* Argument: a session. Hook persist(session, storage, name, what to keep or nil). */
static int save_session (lua_State *L) {
  lua_settop(L, 1);
  loop_hook(L, "persist");
  lua_pushvalue(L, 1);
  compat_getslot(L, 1, SESSION_STORAGE);
  compat_getslot(L, 1, SESSION_NAME);
  gather(L);
  lua_call(L, 4, 0);
  return 0;
}

/* A saver's turn in the queue. */
static int save (lua_State *L) {
  compat_getslot(L, 1, SAVER_SESSION);
  lua_replace(L, 1);
  return ((const struct session *)lua_touserdata(L, 1))->named ? save_session(L) : 0;
}

static int saver_gc (lua_State *L) {
  struct saver *saver = luaL_checkudata(L, 1, SAVER_TYPE);
  if (!saver->entry.queued) return 0;
  saver->entry.queued = false;
  return save(L);
}

void persistence_note (lua_State *L, int index) {
  struct session *s = lua_touserdata(L, index);
  if (s->online || s->phase != PHASE_AUTHORIZED) s->restored = false;
  if (!s->named) return;
  compat_getslot(L, index, SESSION_SAVER);
  loop_ready(L, s->loop);
}

void persistence_note_identity (lua_State *L, const struct identity *who) {
  loop_table(L, LOOP_SESSIONS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const struct session *s = session_test(L, -1);
    if (s && s->who == who) persistence_note(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Names: one live session each */

static bool has_name (lua_State *L, int index, int name) {
  const struct session *s = session_test(L, index);
  bool has = false;
  if (s && s->named && !s->closed) {
    compat_getslot(L, index, SESSION_NAME);
    has = lua_rawequal(L, -1, name);
    lua_pop(L, 1);
  }
  return has;
}

/* Has it ended, while the store does not know yet? */
static bool is_unsaved (lua_State *L, int index) {
  const struct saver *saver;
  compat_getslot(L, index, SESSION_SAVER);
  saver = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return saver && saver->entry.queued && !saver->settled;
}

/* Pushes a session of that name which is live, or, `ended`, which was invalidated and is not yet out of the store; or nil. */
static bool push_namesake (lua_State *L, int name, bool ended) {
  loop_table(L, LOOP_SESSIONS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (has_name(L, -1, name)) {
      const struct session *s = lua_touserdata(L, -1);
      if ((s->phase == PHASE_INVALID) == ended && (!ended || is_unsaved(L, -1))) return true;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return false;
}

/* What was invalidated and is still to be forgotten by the store is forgotten first. */
static void settle_ended (lua_State *L, int name) {
  int top = lua_gettop(L);
  while (push_namesake(L, name, true)) {
    compat_getslot(L, -1, SESSION_SAVER);
    ((struct saver *)lua_touserdata(L, -1))->settled = true;
    lua_pop(L, 1);
    lua_pushcfunction(L, save_session);
    lua_insert(L, -2);
    loop_call(L, 1);
    lua_settop(L, top);
  }
}

/* One that nobody holds is not in the way, only not collected yet. */
static void claim (lua_State *L, int name) {
  int top = lua_gettop(L);
  settle_ended(L, name);
  if (!push_namesake(L, name, false)) return;
  lua_settop(L, top);
  lua_gc(L, LUA_GCCOLLECT);
  if (push_namesake(L, name, false))
    luaL_error(L, "option 'name': a live session of this program is called '%s' already: invalidate it first",
               lua_tostring(L, name));
}

/* Going on: the session is at 2, what was kept at 3. All of it was checked by the Lua layer. */

enum { OPTIONS = 1, SESSION, KEPT };

static const char *kept_text (lua_State *L, const char *name, size_t *length) {
  lua_getfield(L, KEPT, name);
  return lua_tolstring(L, -1, length);
}

static void restore_slot (lua_State *L, const char *name, int slot) {
  lua_getfield(L, KEPT, name);
  compat_setslot(L, SESSION, slot);
}

/* The array on top: whatever is not a cookie of that host is left out. Raises nothing but on memory. */
static void take_cookies (lua_State *L, struct identity *who, const struct uri *uri) {
  lua_Integer i, n = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;
  char *host = n ? host_of(uri) : NULL;
  for (i = 1; host && i <= n; i++) {
    lua_rawgeti(L, -1, i);
    if (lua_type(L, -1) == LUA_TSTRING && identity_jar(who)) jar_import(who->jar, host, lua_tostring(L, -1));
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
  if (refresh_at > 0) who->refresh_at = clock_now() + refresh_at - (double)time(NULL);
  lua_pop(L, 3);
  return ok;
}

/* What the table on top says of a provider that is not at serviceURI; without one the session's own. NULL: no memory. */
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

/* sso finds its provider in a user value when a token is to be refreshed. */
static void restore_provider (lua_State *L, struct session *s) {
  lua_getfield(L, -1, "cookies");
  take_cookies(L, s->who, s->who->uri);
  lua_pop(L, 1);
  lua_getfield(L, -1, "uri");
  provider_push(L, s->who, -1);
  compat_setslot(L, SESSION, SESSION_PROVIDER);
  lua_pop(L, 1);
}

/* False: the provider's URI is none after all, or memory is short. */
static bool restore_identity (lua_State *L, struct session *s) {
  lua_getfield(L, KEPT, "provider");
  s->who = new_identity(L, s);
  if (!s->who) return false;
  if (lua_istable(L, -1)) restore_provider(L, s);
  lua_getfield(L, KEPT, "cookies");
  take_cookies(L, s->who, s->service);
  if (lua_getfield(L, KEPT, "tokens") == LUA_TTABLE && !take_tokens(L, s->who)) return false;
  s->who->logged_in = true;
  lua_settop(L, KEPT);
  return true;
}

/* The server is asked before it counts as connected: online stays false. */
static void restore_state (lua_State *L, struct session *s) {
  restore_slot(L, "userName", SESSION_USER);
  restore_slot(L, "providerUserName", SESSION_PROVIDER_USER);
  restore_slot(L, "clientContextId", SESSION_CONTEXT_ID);
  lua_getfield(L, KEPT, "loginHttpStatus");
  session_begin_authorized(s, (long)lua_tointeger(L, -1));
  s->restored = true;
  lua_settop(L, KEPT);
}

static void restore_ping (lua_State *L, struct session *s) {
  const char *text, *why;
  size_t length;
  if (lua_getfield(L, OPTIONS, "pingInterval") == LUA_TNIL) {
    lua_getfield(L, KEPT, "pingInterval");
    s->ping_interval = lua_tonumber(L, -1);
  }
  text = kept_text(L, "pingURI", &length);
  if (text) s->ping_uri = uri_parse(&s->loop->memory, text, length, &why);
  if (s->ping_uri && !uri_within(s->service, s->ping_uri)) {
    uri_release(s->ping_uri);
    s->ping_uri = NULL;
  }
  lua_settop(L, KEPT);
}

/* What the option says stands. */
static void restore_context (lua_State *L) {
  if (lua_getfield(L, OPTIONS, "context") == LUA_TNIL && lua_getfield(L, KEPT, "context") == LUA_TTABLE)
    context_replace(L, SESSION, -1);
  lua_settop(L, KEPT);
}

/* They are loaded by reloadCatalogs; until then they are `wanted`. */
static void restore_catalogs (lua_State *L) {
  lua_Integer i, n;
  if (lua_getfield(L, KEPT, "catalogs") == LUA_TTABLE) {
    n = (lua_Integer)lua_rawlen(L, -1);
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, (int)n);
    lua_createtable(L, (int)n, 0);
    for (i = 1; i <= n; i++) {
      lua_rawgeti(L, KEPT + 1, i);
      lua_getfield(L, -1, "uri");
      lua_pushvalue(L, -1);
      lua_rawseti(L, -4, i);
      lua_insert(L, -2);
      lua_rawset(L, -4); /* an entry holds its validators */
    }
    lua_setfield(L, KEPT + 2, "wanted");
    lua_setfield(L, -2, "validators");
    compat_setslot(L, SESSION, SESSION_CATALOGS);
  }
  lua_settop(L, KEPT);
}

static void restore (lua_State *L, struct session *s) {
  if (!restore_identity(L, s)) {
    compat_warn(L, "datasession: what is stored of a session is ignored: its provider cannot be made");
    identity_release(s->who);
    s->who = NULL;
    lua_pushnil(L);
    compat_setslot(L, SESSION, SESSION_PROVIDER);
    return;
  }
  restore_state(L, s);
  restore_ping(L, s);
  restore_context(L);
  restore_catalogs(L);
  session_arm(L, s);
}

/* Hook restore(options, session, serviceURI, model): the store, and what it keeps for this session or nil. */
static void ask_store (lua_State *L, const struct session *s) {
  loop_hook(L, "restore");
  lua_pushvalue(L, OPTIONS);
  lua_pushvalue(L, SESSION);
  compat_getslot(L, SESSION, SESSION_URI);
  lua_pushstring(L, model_name(s->model));
  lua_call(L, 4, 2);
  lua_insert(L, KEPT);
  compat_setslot(L, SESSION, SESSION_STORAGE);
}

static void make_saver (lua_State *L) {
  struct saver *saver = compat_newuserdata(L, sizeof *saver, SAVER_SLOTS);
  memset(saver, 0, sizeof *saver);
  saver->entry.tell = save;
  lua_pushvalue(L, SESSION);
  compat_setslot(L, -2, SAVER_SESSION);
  luaL_setmetatable(L, SAVER_TYPE);
  compat_setslot(L, SESSION, SESSION_SAVER);
}

void persistence_open (lua_State *L, struct session *s) {
  size_t length;
  const char *name;
  lua_settop(L, SESSION);
  s->keep_tokens = options_boolean(L, OPTIONS, "keepTokens", false);
  name = options_string(L, OPTIONS, "name", &length);
  if (name && length) {
    claim(L, KEPT);
    compat_setslot(L, SESSION, SESSION_NAME);
    ask_store(L, s);
    make_saver(L);
    s->named = true;
    if (lua_istable(L, KEPT)) restore(L, s);
  }
  lua_settop(L, SESSION);
}

/* For the Lua layer */

/* claimName(name): raises when a live session has it. */
static int l_claim_name (lua_State *L) {
  luaL_checktype(L, 1, LUA_TSTRING);
  lua_settop(L, 1);
  claim(L, 1);
  return 0;
}

/* abandon(session): neither the store nor the server is told any more of what becomes of it. */
static int l_abandon (lua_State *L) {
  struct session *s = session_check(L, 1);
  s->named = s->admitted = false;
  return 0;
}

/* setProviderUserName(session, name): whom the provider of a session that getSession made is logged in as. */
static int l_set_provider_user_name (lua_State *L) {
  session_check(L, 1);
  lua_settop(L, 2);
  compat_setslot(L, 1, SESSION_PROVIDER_USER);
  persistence_note(L, 1);
  return 0;
}

/* wantedCatalogs(session): an array of the URIs to be loaded again, or nil. */
static int l_wanted_catalogs (lua_State *L) {
  session_check(L, 1);
  if (compat_getslot(L, 1, SESSION_CATALOGS) == LUA_TTABLE)
    lua_getfield(L, -1, "wanted");
  else
    lua_pushnil(L);
  return 1;
}

/* report(message): tells onError, or warn. */
static int l_report (lua_State *L) {
  lua_settop(L, 1);
  loop_report(L);
  return 0;
}

void persistence_register (lua_State *L) {
  static const luaL_Reg functions[] = {{"claimName", l_claim_name},
                                       {"abandon", l_abandon},
                                       {"setProviderUserName", l_set_provider_user_name},
                                       {"wantedCatalogs", l_wanted_catalogs},
                                       {"report", l_report},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, SAVER_TYPE);
  lua_pushcfunction(L, saver_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
