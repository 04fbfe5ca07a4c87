/*
** datasession: what a program in C or C++ calls that has datasession linked in. docs/engine.md shows such
** programs. One thread at a time may use a Lua state, and so these functions of it.
*/
#ifndef DATASESSION_H
#define DATASESSION_H

#ifdef __cplusplus
extern "C" {
#endif

#include <lua.h>

#ifndef DATASESSION_API
#if defined(__GNUC__) && !defined(_WIN32)
#define DATASESSION_API __attribute__((visibility("default")))
#else
#define DATASESSION_API
#endif
#endif

/*
** Opens the module `datasession`: luaL_requiref(L, "datasession", luaopen_datasession, 0). Its Lua files are
** inside. It needs Lua's standard libraries (luaL_openlibs), and the modules "cjson" and "cjson.safe" of
** lua-cjson. It also adds the other modules (datasession.date and so on) to package.preload. Raises Lua
** errors, as every function of its kind.
*/
DATASESSION_API int luaopen_datasession (lua_State *L);

/*
** The three functions below raise no Lua error, so that they may be called outside a protected call. The
** stack needs 3 free slots. Before the module was opened there is nothing to do: they return 0, -1 and -1.
*/

/*
** The same as datasession.step: waits at most `wait` seconds (0: does not wait; INFINITY: no limit) for
** something to do and does it; begins nothing more after `budget` seconds (0: no limit). 1: requests, timers
** or handlers are pending. 0: nothing is. -1: it failed, and the error is on top of the stack, as after
** lua_pcall. Errors in handlers of a script go to datasession.onError instead.
*/
DATASESSION_API int datasession_step (lua_State *L, double wait, double budget);

/*
** A descriptor that is readable when datasession_step has something to do, to be watched level-triggered. -1:
** this system has none, or it cannot be had; then call datasession_step at intervals. The Lua state owns it.
*/
DATASESSION_API int datasession_pollfd (lua_State *L);

/*
** Seconds until datasession_step must be called even if the descriptor is not readable. 0: now. Less than 0:
** no time is set.
*/
DATASESSION_API double datasession_timeout (lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
