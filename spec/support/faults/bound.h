/*
** bound: a limit of time for one spec, by SIGALRM. When it has passed, a hook of the main thread raises an
** error, which fails the spec; if the spec still does not end, the process does.
*/
#ifndef SPEC_SUPPORT_BOUND_H
#define SPEC_SUPPORT_BOUND_H

#include <lua.h>

/* bound(seconds, name): begins; bound(0): ends. `seconds`: an integer. */
int bound (lua_State *L);

#endif
