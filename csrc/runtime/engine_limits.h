/*
** engine_limits: setLimits, which sets how many connections a Lua state's engine may have and how much it
** keeps while idle.
*/
#ifndef RUNTIME_ENGINE_LIMITS_H
#define RUNTIME_ENGINE_LIMITS_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/* Registers setLimits in the table on top. */
void engine_limits_register (lua_State *L);

#pragma GCC visibility pop

#endif
