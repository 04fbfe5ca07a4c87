/*
** json: converts JSON to Lua values and back, by the codec of the Lua layer (lua-cjson, with its damaged
** numbers repaired). No other C file does.
*/
#ifndef RUNTIME_JSON_H
#define RUNTIME_JSON_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Replaces the text on top by its value. False: by a message. Raises when memory runs out. */
bool json_decode (lua_State *L);

/* Replaces the value on top by its text. False: by a message. */
bool json_encode (lua_State *L);

#pragma GCC visibility pop

#endif
