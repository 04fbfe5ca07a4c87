/*
** json_decode: decodes the rows of a large answer. lua-cjson makes each row's table grow from nothing, reads
** integers as floats and needs a copy of each slice; this decoder takes half its time. It decides nothing
** itself: what json_text rejects as doubtful is left to the codec.
*/
#ifndef RUNTIME_JSON_DECODE_H
#define RUNTIME_JSON_DECODE_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Adds decodeRows to the table on top, for the Lua layer.
**
** decodeRows(text, from, to, list, count, whole, arrays): decodes the values that stand between the positions
** `from` and `to` of a text, with commas between them, and adds them to a list of `count` elements. `whole`:
** whole floats below 1e15 become integers, as the codec's repairs have it. `arrays`: the metatable of arrays.
** Returns the list's new length; nil when in doubt: the list then has elements behind its length.
*/
void json_decode_register (lua_State *L);

#pragma GCC visibility pop

#endif
