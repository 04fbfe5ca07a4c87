#include "session/active_session.h"

#include "net/system.h"
#include "runtime/loop.h"
#include "session/protocol.h"
#include "session/session.h"

#include <errno.h>
#include <string.h>

enum { KEY_BYTES = 16 };

/* Pushes a text that is hard to guess. */
static void push_random (lua_State *L, const char *what) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[KEY_BYTES];
  char text[2 * KEY_BYTES];
  size_t i;
  /* GCOVR_EXCL_START: a kernel without getentropy */
  if (getentropy(bytes, sizeof bytes) != 0)
    luaL_error(L, "%s: the system has no random numbers: %s", what, strerror(errno));
  /* GCOVR_EXCL_STOP */
  for (i = 0; i < KEY_BYTES; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  lua_pushlstring(L, text, sizeof text);
}

/* The key is hard to guess: a program that has the key of a session can end it. */
void active_session_push_key (lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (session_getvalue(L, index, SESSION_KEY) == LUA_TSTRING) return;
  lua_pop(L, 1);
  session_push_protocol_name(L, lua_touserdata(L, index));
  lua_pushliteral(L, "-");
  push_random(L, "session.key");
  lua_concat(L, 3);
  loop_table(L, LOOP_KEYS);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, index);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  session_setvalue(L, index, SESSION_KEY);
}

void active_session_drop_key (lua_State *L, int index) {
  index = lua_absindex(L, index);
  loop_table(L, LOOP_KEYS);
  if (session_getvalue(L, index, SESSION_KEY) == LUA_TSTRING) {
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pushnil(L);
    session_setvalue(L, index, SESSION_KEY);
  } else
    lua_pop(L, 1);
  lua_pop(L, 1);
}

static void leave_row (struct session *s) {
  if (s->newer)
    s->newer->older = s->older;
  else
    s->loop->active = s->older;
  if (s->older) s->older->newer = s->newer;
  s->newer = s->older = NULL;
}

void session_touch (struct session *s) {
  struct loop *loop = s->loop;
  if (s->phase == PHASE_INVALID) return;
  if (s->used) leave_row(s);
  s->used = ++loop->calls;
  s->older = loop->active;
  if (s->older) s->older->newer = s;
  loop->active = s;
}

void session_untouch (struct session *s) {
  if (s->used) leave_row(s);
  s->used = 0;
}

/* activeSession(): the session, or nil. A session without references counts until it is finalised. */
static int l_active_session (lua_State *L) {
  const struct session *s;
  for (s = loop_get(L)->active; s; s = s->older) {
    session_push(L, s);
    if (!lua_isnil(L, -1)) return 1;
    lua_pop(L, 1); /* GCOVR_EXCL_LINE: only a finaliser that runs at this moment gets here */
  }
  lua_pushnil(L);
  return 1;
}

/* Pushes the live session for argument 1, a session or a key; nil: there is none. Raises for other types. */
static struct session *push_session_of (lua_State *L) {
  struct session *s = session_test(L, 1);
  if (s)
    lua_pushvalue(L, 1);
  else {
    if (lua_type(L, 1) != LUA_TSTRING) luaL_typeerror(L, 1, "a session, or the key of one");
    loop_table(L, LOOP_KEYS);
    lua_pushvalue(L, 1);
    lua_rawget(L, -2);
    s = session_test(L, -1);
  }
  if (s && s->phase != PHASE_INVALID) return s;
  lua_pushnil(L);
  return NULL;
}

/* sessionOf(session or key): the live session; nil: it has ended, or the key is unknown. */
static int l_session_of (lua_State *L) {
  push_session_of(L);
  return 1;
}

/* setActiveSession(session or key): the session; or nil and a message: there is no such live session. */
static int l_set_active_session (lua_State *L) {
  struct session *s = push_session_of(L);
  if (s) {
    session_touch(s);
    return 1;
  }
  lua_pushliteral(L, "setActiveSession: no live session has that key");
  return 2;
}

/*
** lastCall(session): the rank of its last call among the calls on all sessions, an integer; 0: none since it
** ended.
*/
static int l_last_call (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)session_check(L, 1)->used);
  return 1;
}

/* randomText(what): 32 hexadecimal digits. `what`: for the error if the system has none. */
static int l_random_text (lua_State *L) {
  push_random(L, luaL_checkstring(L, 1));
  return 1;
}

void active_session_register (lua_State *L) {
  static const luaL_Reg functions[] = {
      {"activeSession", l_active_session}, {"setActiveSession", l_set_active_session},
      {"sessionOf", l_session_of},         {"lastCall", l_last_call},
      {"randomText", l_random_text},       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
