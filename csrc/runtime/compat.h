/*
** compat: the one place that knows which Lua this is: 5.3, 5.4, 5.5 or LuaJIT 2.1 (with lua-compat-5.3).
** Under 5.4 each name here is the function of Lua's own that it stands for.
**
** A C function that waits ends with `return compat_yield(...)` or `return compat_call(...)`, is pushed by
** compat_pushwaiting or is made one by compat_make_waiting, and goes on in the function that it names. LuaJIT
** has no continuations: there a Lua function runs the C function, yields or calls in its place, and then runs
** the continuation.
*/
#ifndef RUNTIME_COMPAT_H
#define RUNTIME_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if !defined(LUA_VERSION_NUM) || LUA_VERSION_NUM == 502
#error "datasession needs Lua 5.3, 5.4, 5.5 or LuaJIT 2.1, not Lua 5.2"
#elif LUA_VERSION_NUM < 503
#define COMPAT_JIT 1
#if defined(__has_include)
#if !__has_include(<luajit.h>)
#error "datasession needs Lua 5.3, 5.4, 5.5 or LuaJIT 2.1, not Lua 5.1"
#elif !__has_include(<compat-5.3.h>)
#error "LuaJIT needs the headers of lua-compat-5.3: apt install lua-compat53-dev"
#endif
#endif
#include <luajit.h>
#define COMPAT53_PREFIX datasession_compat /* compat.c has the functions */
#include <compat-5.3.h>
#endif

#pragma GCC visibility push(hidden)

/* ---- errors */

#ifdef COMPAT_JIT

/* As Lua's own, but the place of an error in a function that waits is the line that calls it. */
#define luaL_where(L, level) compat_where((L), (level))
#define luaL_error(...) compat_error(__VA_ARGS__)
#define luaL_argerror(L, index, message) compat_argerror((L), (index), (message))
void compat_where (lua_State *L, int level);
int compat_error (lua_State *L, const char *format, ...);
int compat_argerror (lua_State *L, int index, const char *message);

#endif

/* ---- which the older Luas lack */

#if LUA_VERSION_NUM < 504

#define lua_newuserdatauv(L, size, slots) lua_newuserdata((L), (size)) /* without user values */
#define luaL_pushfail(L) lua_pushnil(L)
#define luaL_argexpected(L, is, index, type) ((void)((is) || luaL_typeerror((L), (index), (type))))
#define luaL_typeerror compat_typeerror

static inline const char *compat_typename (lua_State *L, int index) {
  if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) return lua_tostring(L, -1);
  return lua_type(L, index) == LUA_TLIGHTUSERDATA ? "light userdata" : luaL_typename(L, index);
}

static inline int compat_typeerror (lua_State *L, int index, const char *expected) {
  const char *got = compat_typename(L, index);
  return luaL_argerror(L, index, lua_pushfstring(L, "%s expected, got %s", expected, got));
}

#ifdef COMPAT_JIT

#define luaL_optnumber(L, index, usual) compat_optnumber((L), (index), (usual))

static inline lua_Number compat_optnumber (lua_State *L, int index, lua_Number usual) {
  if (lua_isnoneornil(L, index)) return usual;
  if (!lua_isnumber(L, index)) compat_typeerror(L, index, "number");
  return lua_tonumber(L, index);
}

#endif

#endif

#ifdef COMPAT_JIT

#define LUA_MAXINTEGER ((lua_Integer)1 << 53) /* as a float holds it */
#ifndef LUA_LOADED_TABLE
#define LUA_LOADED_TABLE "_LOADED"
#endif

#undef lua_rawgeti
#define lua_rawgeti(L, index, n) ((lua_rawgeti)((L), (index), (int)(n)), lua_type((L), -1))
#define lua_rawseti(L, index, n) (lua_rawseti)((L), (index), (int)(n))

/* With the format %I, whose argument is an LUAI_UACINT. LuaJIT has none for integers of 64 bits. */
#define LUAI_UACINT lua_Number
#define lua_pushfstring compat_pushfstring
const char *compat_pushfstring (lua_State *L, const char *format, ...);

/* Pushes the character of that code in UTF-8. */
void compat_pushutf8 (lua_State *L, unsigned long code);

#else

#define compat_pushutf8(L, code) lua_pushfstring((L), "%U", (code))

#endif

/* ---- userdata */

/*
** A userdata with `slots` user values, numbered from 1 and nil at first. Before 5.4 they are in a table that
** has room for all of them: to set one allocates nothing.
*/
#if LUA_VERSION_NUM >= 504

#define compat_newuserdata(L, size, slots) lua_newuserdatauv((L), (size), (slots))
#define compat_getslot(L, index, slot) lua_getiuservalue((L), (index), (slot))
#define compat_setslot(L, index, slot) lua_setiuservalue((L), (index), (slot))

#else

static inline void *compat_newuserdata (lua_State *L, size_t size, int slots) {
  void *made = lua_newuserdata(L, size);
  if (slots == 0) return made;
  lua_createtable(L, slots, 0);
  lua_setuservalue(L, -2);
  return made;
}

static inline int compat_getslot (lua_State *L, int index, int slot) {
  (void)lua_getuservalue(L, index);
  (void)lua_rawgeti(L, -1, slot);
  lua_remove(L, -2);
  return lua_type(L, -1);
}

static inline int compat_setslot (lua_State *L, int index, int slot) {
  index = lua_absindex(L, index);
  (void)lua_getuservalue(L, index);
  lua_insert(L, -2);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
  return 1;
}

#endif

/* ---- warnings */

/*
** compat_warn: one message to the state's warning function, which prints it unless the program has said
** warn("@off"). compat_warn_on, for the start: the program lua has warnings off until a script turns them on.
** Before 5.4 the module has its own function, `warn` of internal/lua.lua; a program's `warn` comes first.
*/
#if LUA_VERSION_NUM >= 504

#define compat_warn(L, message) lua_warning((L), (message), 0)
#define compat_warn_on(L) lua_warning((L), "@on", 0)

#else

#define COMPAT_WARNING "datasession.warning" /* in the registry: false while warnings are off */

/* Calls the program's global function `warn`. False: it has none. */
static inline bool compat_warn_program (lua_State *L, const char *message) {
  lua_pushglobaltable(L);
  lua_pushliteral(L, "warn");
  (void)lua_rawget(L, -2);
  lua_remove(L, -2);
  if (!lua_isfunction(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushstring(L, message);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  return true;
}

static inline void compat_warn (lua_State *L, const char *message) {
  bool control = message[0] == '@', on;
  if (!control && compat_warn_program(L, message)) return;
  (void)lua_getfield(L, LUA_REGISTRYINDEX, COMPAT_WARNING);
  on = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (!control) {
    if (on) fprintf(stderr, "Lua warning: %s\n", message);
    return;
  }
  if (strcmp(message, "@on") != 0 && strcmp(message, "@off") != 0) return;
  lua_pushboolean(L, strcmp(message, "@on") == 0);
  lua_setfield(L, LUA_REGISTRYINDEX, COMPAT_WARNING);
}

#define compat_warn_on(L) compat_warn((L), "@on")

#endif

/* ---- the collector */

#if LUA_VERSION_NUM >= 504
#define compat_gc(L, what) lua_gc((L), (what))
#else
#define compat_gc(L, what) lua_gc((L), (what), 0)
#endif

/* Sets how fast the incremental collector is, and returns how fast it was. */
#if LUA_VERSION_NUM >= 505
#define compat_gc_speed(L, speed) lua_gc((L), LUA_GCPARAM, LUA_GCPSTEPMUL, (speed))
#else
#define compat_gc_speed(L, speed) lua_gc((L), LUA_GCSETSTEPMUL, (speed))
#endif

/* Makes the collector incremental. False: it was not. */
#if LUA_VERSION_NUM >= 505
#define compat_gc_incremental(L) (lua_gc((L), LUA_GCINC) == LUA_GCINC)
#define compat_gc_generational(L) lua_gc((L), LUA_GCGEN)
#elif LUA_VERSION_NUM == 504
#define compat_gc_incremental(L) (lua_gc((L), LUA_GCINC, 0, 0, 0) == LUA_GCINC)
#define compat_gc_generational(L) lua_gc((L), LUA_GCGEN, 0, 0)
#else
#define compat_gc_incremental(L) ((void)(L), true)
#define compat_gc_generational(L) ((void)(L))
#endif

/* ---- threads */

/* Pushes the main thread. LuaJIT does not tell it: a thread of our own, to which no program sets a hook. */
static inline lua_State *compat_pushmain (lua_State *L) {
#ifdef COMPAT_JIT
  static const char key = 0;
  lua_State *thread = lua_newthread(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
  return thread;
#else
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  return lua_tothread(L, -1);
#endif
}

/* A thread's own hook. A hook of LuaJIT is every thread's: the loop looks at that of its main thread. */
#ifdef COMPAT_JIT
#define compat_gethook(L) ((void)(L), (lua_Hook)NULL)
#else
#define compat_gethook(L) lua_gethook(L)
#endif

/* True if a hook runs. From 5.4 on the names of the frames tell that. */
#if LUA_VERSION_NUM >= 504
#define compat_in_hook(L) ((void)(L), false)
#else
static inline void compat_unhook (lua_State *L, lua_Debug *event) {
  (void)event;
  lua_sethook(L, NULL, 0, 0);
}

static inline int compat_nothing (lua_State *L) {
  (void)L;
  return 0;
}

/* Lua calls no hook inside a hook. */
static inline bool compat_in_hook (lua_State *L) {
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L), count = lua_gethookcount(L);
  bool in_hook;
  lua_sethook(L, compat_unhook, LUA_MASKCALL, 0);
  lua_pushcfunction(L, compat_nothing);
  lua_call(L, 0, 0);
  in_hook = lua_gethook(L) == compat_unhook;
  lua_sethook(L, hook, mask, count);
  return in_hook;
}
#endif

/* Resumes a coroutine. *nresults: how many values it yielded or returned; they are on its stack. */
#if LUA_VERSION_NUM >= 504
#define compat_resume(co, from, nargs, nresults) lua_resume((co), (from), (nargs), (nresults))
#else
static inline int compat_resume (lua_State *co, lua_State *from, int nargs, int *nresults) {
  int status = lua_resume(co, from, nargs);
  *nresults = lua_gettop(co);
  return status;
}
#endif

/*
** Runs the pending <close> variables of a suspended coroutine and leaves it dead. Before 5.4 (COMPAT_ENDS)
** Lua has none: await.c resumes the coroutine with a mark, which its await turns into an error. A coroutine
** that awaits again stays suspended for good.
*/
#if LUA_VERSION_RELEASE_NUM >= 50406
#define compat_closethread(co, from) lua_closethread((co), (from))
#elif LUA_VERSION_NUM >= 504
#define compat_closethread(co, from) lua_resetthread(co)
#else
#define COMPAT_ENDS 1
#endif

/* ---- continuations */

#ifndef COMPAT_JIT

#define compat_pushwaiting(L, function) lua_pushcfunction((L), (function))
#define compat_make_waiting(L, field) ((void)(L))
#define compat_yield(L, nresults, next) lua_yieldk((L), (nresults), 0, (next))
#define compat_call(L, n, nresults, next) (lua_callk((L), (n), (nresults), 0, (next)), (next)((L), LUA_OK, 0))

#else

#define compat_yield(L, nresults, next) compat_wait((L), (nresults), LUA_MULTRET, (next), true)
#define compat_call(L, nargs, nresults, next) compat_wait((L), (nargs), (nresults), (next), false)

/* Pushes the function `f` of C, which may wait, as a Lua function. */
void compat_pushwaiting (lua_State *L, lua_CFunction f);

/* Makes one of the C function in that field of the table on top. */
void compat_make_waiting (lua_State *L, const char *field);

/* The function of compat_yield and compat_call. */
int compat_wait (lua_State *L, int n, int nresults, lua_KFunction next, bool yields);

#endif

#pragma GCC visibility pop

#endif
