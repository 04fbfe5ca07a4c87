/*
** json_plain: finds the values that any lua-cjson writes right. Nearly all are; the codec's Lua files
** (lua/datasession/internal/codec/exact.lua) look at the others.
*/
#ifndef RUNTIME_JSON_PLAIN_H
#define RUNTIME_JSON_PLAIN_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Adds isPlain to the table on top, for the Lua layer.
**
** isPlain(value, integers, floats): true if lua-cjson writes the value right. The flags say that the
** installed one writes all integers, all floats right. False also for some values that it does write right.
*/
void json_plain_register (lua_State *L);

#pragma GCC visibility pop

#endif
