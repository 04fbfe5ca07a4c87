/*
** A saver is the entry of a session in the ready queue. However often the session changes in a step, the
** store is written once. A queued saver keeps its session alive. Closing the Lua state finalises the saver
** before the session, and saves then.
*/
#include "store/store.h"

#include "runtime/loop.h"
#include "runtime/options.h"
#include "session/session.h"
#include "store/parts.h"

#include <string.h>

#define SAVER_TYPE "datasession.saver"

struct saver {
  struct entry entry;
  bool settled; /* the session has ended, and the store has forgotten it */
};
enum { SAVER_SESSION = READY_QUEUE_SLOTS + 1, SAVER_SLOTS = SAVER_SESSION };

/* Argument: a session. Calls the hook persist(session, storage, name, data or nil). */
static int save_session (lua_State *L) {
  lua_settop(L, 1);
  loop_hook(L, "persist");
  lua_pushvalue(L, 1);
  session_getvalue(L, 1, SESSION_STORAGE);
  session_getvalue(L, 1, SESSION_NAME);
  store_gather(L);
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

void store_note (lua_State *L, int index) {
  const struct session *s = lua_touserdata(L, index);
  session_getvalue(L, index, SESSION_SAVER);
  loop_ready(L, s->loop);
}

/* Names: one live session each */

/* True if the store does not have the latest state. */
static bool is_unsaved (lua_State *L, int index) {
  const struct saver *saver;
  session_getvalue(L, index, SESSION_SAVER);
  saver = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return saver && saver->entry.queued && !saver->settled;
}

/*
** Pushes the latest session of that name if it is live or, with `ended`, if it was invalidated and is still
** in the store.
*/
static bool push_namesake (lua_State *L, int name, bool ended) {
  const struct session *s;
  loop_table(L, LOOP_NAMES);
  lua_pushvalue(L, name);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  s = session_test(L, -1);
  if (s && s->named && !s->closed && (s->phase == PHASE_INVALID) == ended && (!ended || is_unsaved(L, -1)))
    return true;
  lua_pop(L, 1);
  return false;
}

/* Lets the store forget an invalidated session of that name first. */
static void settle_ended (lua_State *L, int name) {
  int top = lua_gettop(L);
  while (push_namesake(L, name, true)) {
    session_getvalue(L, -1, SESSION_SAVER);
    ((struct saver *)lua_touserdata(L, -1))->settled = true;
    lua_pop(L, 1);
    lua_pushcfunction(L, save_session);
    lua_insert(L, -2);
    loop_call(L, 1);
    lua_settop(L, top);
  }
}

void store_save_all (lua_State *L) {
  int changed, n = 0;
  lua_newtable(L); /* first: a store's method may make sessions */
  changed = lua_gettop(L);
  loop_table(L, LOOP_SESSIONS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const struct session *s = session_test(L, -1);
    if (s && s->named && is_unsaved(L, lua_gettop(L)))
      lua_rawseti(L, changed, ++n);
    else
      lua_pop(L, 1);
  }
  for (; n > 0; n--) {
    lua_pushcfunction(L, save_session);
    lua_rawgeti(L, changed, n);
    loop_call(L, 1);
  }
  lua_settop(L, changed - 1);
}

void store_release (lua_State *L, int index) {
  struct session *s = lua_touserdata(L, index);
  if (s->named && is_unsaved(L, index)) {
    lua_pushcfunction(L, save_session);
    lua_pushvalue(L, index);
    loop_call(L, 1);
  }
  if (s->named) {
    loop_table(L, LOOP_NAMES);
    session_getvalue(L, index, SESSION_NAME);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  }
  s->named = false;
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_NAME);
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_STORAGE);
}

/* Raises if a live session has the name. Collects sessions without references first. */
static void claim (lua_State *L, int name) {
  int top = lua_gettop(L);
  settle_ended(L, name);
  if (!push_namesake(L, name, false)) return;
  lua_settop(L, top);
  compat_gc(L, LUA_GCCOLLECT);
  if (push_namesake(L, name, false))
    luaL_error(L, "option 'name': a live session of this program is called '%s' already: invalidate it first",
               lua_tostring(L, name));
}

/*
** Registers the session under its name. Raises if a method of the store has made a session of that name
** meanwhile.
*/
static void enter_name (lua_State *L, struct session *s) {
  int top = lua_gettop(L);
  session_getvalue(L, STORE_SESSION, SESSION_NAME);
  claim(L, top + 1);
  loop_table(L, LOOP_NAMES);
  lua_pushvalue(L, top + 1);
  lua_pushvalue(L, STORE_SESSION);
  lua_rawset(L, -3);
  lua_settop(L, top);
  s->named = true;
}

/*
** Calls the hook restore(options, session, name, serviceURI, model, protocol, whether the protocol stores
** data of its own, what newFrom was given or nil). It returns the store, and the data for this session or
** nil.
*/
static void ask_store (lua_State *L, const struct session *s) {
  loop_hook(L, "restore");
  lua_pushvalue(L, STORE_OPTIONS);
  lua_pushvalue(L, STORE_SESSION);
  session_getvalue(L, STORE_SESSION, SESSION_NAME);
  session_getvalue(L, STORE_SESSION, SESSION_URI);
  lua_pushstring(L, model_name(s->model));
  session_push_protocol_name(L, s);
  lua_pushboolean(L, s->protocol->save != NULL);
  session_getvalue(L, STORE_SESSION, SESSION_STORAGE);
  lua_call(L, 8, 2);
  lua_insert(L, STORE_KEPT);
  session_setvalue(L, STORE_SESSION, SESSION_STORAGE);
}

static void make_saver (lua_State *L) {
  struct saver *saver = compat_newuserdata(L, sizeof *saver, SAVER_SLOTS);
  memset(saver, 0, sizeof *saver);
  saver->entry.tell = save;
  lua_pushvalue(L, STORE_SESSION);
  compat_setslot(L, -2, SAVER_SESSION);
  luaL_setmetatable(L, SAVER_TYPE);
  session_setvalue(L, STORE_SESSION, SESSION_SAVER);
}

/* Leaves the session's name in the store. False: it has none. */
static bool push_name (lua_State *L, struct session *s) {
  size_t length;
  if (s->protocol->push_name) {
    s->protocol->push_name(L, s);
    if (!lua_isnil(L, -1)) return true;
    lua_pop(L, 1);
  }
  return options_string(L, STORE_OPTIONS, "name", &length) && length;
}

void store_configure (lua_State *L, struct session *s) {
  s->keep_tokens = options_boolean(L, STORE_OPTIONS, "keepTokens", false);
  options_string(L, STORE_OPTIONS, "name", NULL);
  lua_pop(L, 1);
}

void store_open (lua_State *L, struct session *s) {
  lua_settop(L, STORE_SESSION);
  if (push_name(L, s)) {
    claim(L, STORE_KEPT);
    session_setvalue(L, STORE_SESSION, SESSION_NAME);
    ask_store(L, s);
    make_saver(L);
    enter_name(L, s);
    if (lua_istable(L, STORE_KEPT)) store_restore(L, s);
  }
  lua_settop(L, STORE_SESSION);
}

/* For the Lua layer */

/* claimName(name): raises if a live session has the name. */
static int l_claim_name (lua_State *L) {
  luaL_checktype(L, 1, LUA_TSTRING);
  lua_settop(L, 1);
  claim(L, 1);
  return 0;
}

/* abandon(session): from now on changes of the session reach neither the store nor the server. */
static int l_abandon (lua_State *L) {
  struct session *s = session_check(L, 1);
  s->named = false;
  session_decide(L, 1, VERDICT_DISOWNED, NULL);
  return 0;
}

/*
** setProviderUserName(session, name): sets the user name with which getSession logged in the session's
** provider, and userName.
*/
static int l_set_provider_user_name (lua_State *L) {
  const struct session *s = session_check(L, 1);
  lua_settop(L, 2);
  if (s->model != MODEL_BEARER && s->model != MODEL_ANONYMOUS) {
    lua_pushvalue(L, 2);
    session_setvalue(L, 1, SESSION_USER);
  }
  session_setvalue(L, 1, SESSION_PROVIDER_USER);
  session_note(L, 1);
  return 0;
}

/* wantedCatalogs(session): an array of the URIs of catalogs to load again; or nil. */
static int l_wanted_catalogs (lua_State *L) {
  session_check(L, 1);
  if (session_getvalue(L, 1, SESSION_CATALOGS) == LUA_TTABLE)
    lua_getfield(L, -1, "wanted");
  else
    lua_pushnil(L);
  return 1;
}

/* storeOf(session): the store of a session with a name; or nil. */
static int l_store_of (lua_State *L) {
  const struct session *s = session_check(L, 1);
  if (s->named)
    session_getvalue(L, 1, SESSION_STORAGE);
  else
    lua_pushnil(L);
  return 1;
}

/* report(message): passes it to onError, or else to warn. */
static int l_report (lua_State *L) {
  lua_settop(L, 1);
  loop_report(L);
  return 0;
}

void store_register (lua_State *L) {
  static const luaL_Reg functions[] = {{"claimName", l_claim_name},
                                       {"abandon", l_abandon},
                                       {"setProviderUserName", l_set_provider_user_name},
                                       {"wantedCatalogs", l_wanted_catalogs},
                                       {"storeOf", l_store_of},
                                       {"report", l_report},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, SAVER_TYPE);
  lua_pushcfunction(L, saver_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
