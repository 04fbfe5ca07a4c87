/*
** json_repair: the parts of the codec's repairs (lua/datasession/internal/codec.lua) that look at each byte
** or each value.
*/
#ifndef RUNTIME_JSON_REPAIR_H
#define RUNTIME_JSON_REPAIR_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Adds these functions to the table on top:
**
** holdsToken(text, digits): true if the text may hold an empty array or a number of so many digits in a row.
** False is certain.
**
** mendTree(root, numbers, arrays): walks the decoded table `root`. Whole floats below 1e15 become integers,
** unless `numbers` is false; tables that have an element 1 get the metatable `arrays`, unless that is nil.
*/
void json_repair_register (lua_State *L);

#pragma GCC visibility pop

#endif
