/* limits: how many connections a Lua state's engine may have, and what it keeps when they rest: setLimits. */
#ifndef SESSION_LIMITS_H
#define SESSION_LIMITS_H

#include "compat.h"

#pragma GCC visibility push(hidden)

/* setLimits in the table on top. */
void limits_register (lua_State *L);

#pragma GCC visibility pop

#endif
