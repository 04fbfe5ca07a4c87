#include "runtime/compat.h"

#ifdef COMPAT_JIT

#include <compat-5.3.c>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *compat_pushfstring (lua_State *L, const char *format, ...) {
  char own[256], *at; /* longer formats have none */
  const char *text;
  va_list arguments;
  snprintf(own, sizeof own, "%s", format);
  for (at = own; (at = strstr(at, "%I")) != NULL;)
    at[1] = 'f'; /* which LuaJIT writes as "%.14g" */
  va_start(arguments, format);
  text = lua_pushvfstring(L, strlen(format) < sizeof own ? own : format, arguments);
  va_end(arguments);
  return text;
}

void compat_pushutf8 (lua_State *L, unsigned long code) {
  static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
  size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;
  char text[4];
  for (i = size - 1; i > 0; i--, code >>= 6)
    text[i] = (char)(0x80 | (code & 0x3F));
  text[0] = (char)(first[size - 1] | code);
  lua_pushlstring(L, text, size);
}

/* ---- places of errors */

#define DRIVER "=datasession" /* the source of the Lua functions that run those that wait */

/* True if the function at the level is a driver's. */
static bool is_driver (lua_State *L, int level, lua_Debug *call) {
  return lua_getstack(L, level, call) && lua_getinfo(L, "Sn", call) && !strcmp(call->source, DRIVER);
}

void compat_where (lua_State *L, int level) {
  lua_Debug call;
  (luaL_where)(L, level + is_driver(L, level, &call));
}

int compat_error (lua_State *L, const char *format, ...) {
  va_list arguments;
  compat_where(L, 1);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  return lua_error(L);
}

int compat_argerror (lua_State *L, int index, const char *message) {
  lua_Debug call;
  if (!is_driver(L, 1, &call)) return (luaL_argerror)(L, index, message);
  index -= !strcmp(call.namewhat, "method");
  if (index == 0) return compat_error(L, "calling '%s' on bad self (%s)", call.name, message);
  return compat_error(L, "bad argument #%d to '%s' (%s)", index, call.name ? call.name : "?", message);
}

/* ---- functions that wait */

/* A suspended C function. Its user values: the values that its stack held. */
struct wait {
  lua_KFunction next;
  int kept;     /* how many they are */
  int nresults; /* how many results `next` gets */
};

/* The first result of a C function that waits. In the registry, by its address: what the program returns. */
static const char token;

/* Runs the C function f; while it waits, waits in its place and runs its next part. */
static const char driver[] = "local token, yield, select = ...\n"
                             "local drive\n"
                             "local function go(next, f, ...)\n"
                             "  return drive(next((f or yield)(...)))\n"
                             "end\n"
                             "function drive(...)\n"
                             "  if (...) == token then return go(select(2, ...)) end\n"
                             "  return ...\n"
                             "end\n"
                             "return function(f)\n"
                             "  return function(...) return drive(f(...)) end\n"
                             "end\n";

static void push_field (lua_State *L, const char *library, const char *name) {
  lua_getglobal(L, library);
  (void)lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

static void push_maker (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &token) == LUA_TFUNCTION) return;
  lua_pop(L, 1);
  if (luaL_loadbuffer(L, driver, sizeof driver - 1, DRIVER) != LUA_OK) lua_error(L);
  lua_pushlightuserdata(L, (void *)&token);
  push_field(L, "coroutine", "yield");
  lua_getglobal(L, "select");
  lua_call(L, 3, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &token);
}

void compat_pushwaiting (lua_State *L, lua_CFunction f) {
  push_maker(L);
  lua_pushcfunction(L, f);
  lua_call(L, 1, 1);
}

void compat_make_waiting (lua_State *L, const char *field) {
  push_maker(L);
  (void)lua_getfield(L, -2, field);
  lua_call(L, 1, 1);
  lua_setfield(L, -2, field);
}

/* Arguments: what was waited for. Runs the next part on the stack that the C function left. */
static int go_on (lua_State *L) {
  int place = lua_upvalueindex(1), i;
  const struct wait *wait = lua_touserdata(L, place);
  if (wait->nresults != LUA_MULTRET) lua_settop(L, wait->nresults);
  luaL_checkstack(L, wait->kept + LUA_MINSTACK, NULL);
  for (i = 1; i <= wait->kept; i++)
    compat_getslot(L, place, i);
  lua_rotate(L, 1, wait->kept);
  return wait->next(L, LUA_YIELD, 0);
}

int compat_wait (lua_State *L, int n, int nresults, lua_KFunction next, bool yields) {
  struct wait *wait;
  int kept, i;
  if (yields) {
    lua_pushboolean(L, false);
    lua_insert(L, -1 - n);
  }
  kept = lua_gettop(L) - n - 1;
  wait = compat_newuserdata(L, sizeof *wait, kept + 1);
  wait->next = next;
  wait->kept = kept;
  wait->nresults = nresults;
  for (i = 1; i <= kept; i++) {
    lua_pushvalue(L, i);
    compat_setslot(L, -2, i);
  }
  lua_pushcclosure(L, go_on, 1);
  lua_insert(L, kept + 1);
  lua_pushlightuserdata(L, (void *)&token);
  lua_insert(L, kept + 1);
  return n + 3;
}

#endif
