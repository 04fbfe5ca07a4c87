/*
** json: the one place in C that turns JSON into Lua values and back, by the codec of the Lua layer
** (lua-cjson, its numbers repaired where it damages them).
*/
#ifndef RUNTIME_JSON_H
#define RUNTIME_JSON_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Replaces the text on top by its value; or, false, by a message. Raises on memory. */
bool json_decode (lua_State *L);

/* Replaces the value on top by its text; or, false, by a message. */
bool json_encode (lua_State *L);

#pragma GCC visibility pop

#endif
