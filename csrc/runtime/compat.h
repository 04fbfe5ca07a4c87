/*
** compat: functions that only Lua 5.4 has, under names of our own. A build for an older Lua (with
** lua-compat-5.3) needs changes to this header only.
*/
#ifndef RUNTIME_COMPAT_H
#define RUNTIME_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

#if LUA_VERSION_NUM < 504
#error "datasession needs Lua 5.4"
#endif

/* A userdata with `slots` user values, numbered from 1 and nil at first. */
#define compat_newuserdata(L, size, slots) lua_newuserdatauv((L), (size), (slots))
#define compat_getslot(L, index, slot) lua_getiuservalue((L), (index), (slot))
#define compat_setslot(L, index, slot) lua_setiuservalue((L), (index), (slot))

/* One message to the state's warning function, which prints it unless the program has said warn("@off"). */
#define compat_warn(L, message) lua_warning((L), (message), 0)

/* For the start: the program lua has warnings off until a script turns them on. */
#define compat_warn_on(L) lua_warning((L), "@on", 0)

#define compat_resume(co, from, nargs, nresults) lua_resume((co), (from), (nargs), (nresults))

/* Runs the pending <close> variables of a suspended coroutine and leaves it dead. */
#if LUA_VERSION_RELEASE_NUM >= 50406
#define compat_closethread(co, from) lua_closethread((co), (from))
#else
#define compat_closethread(co, from) lua_resetthread(co)
#endif

#pragma GCC visibility pop

#endif
