/*
** json_row: writes a row as JSON, field by field in the order of its table. lua-cjson would need a copy of
** the row for its old values and for the keys of a before-image, and each value would be inspected first.
*/
#ifndef RUNTIME_JSON_ROW_H
#define RUNTIME_JSON_ROW_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Adds encodeRow to the table on top, for the Lua layer.
**
** encodeRow(names, row [, first [, old [, oldFirst]]]): the text of an object with the fields of `row` that
** the array `names` lists, in its order. With the table `old`, whose values replace those of the row, there
** is a second text. `first` and `oldFirst` are texts of members that come before. nil in doubt, which is left
** to the codec: the row has other keys, or a value that is no text, number, boolean, null or array of these;
** NaN, infinity, or a text that is not UTF-8.
*/
void json_row_register (lua_State *L);

#pragma GCC visibility pop

#endif
