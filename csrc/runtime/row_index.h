/*
** row_index: finds records by a field of their rows. For 10,000 records Lua would take several milliseconds,
** in one step of the host.
*/
#ifndef RUNTIME_ROW_INDEX_H
#define RUNTIME_ROW_INDEX_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Adds indexRows to the table on top, for the Lua layer.
**
** indexRows(records, key, field): a table: text -> record, for all in the array `records`. The text is the
** value of `field` in record[key], read raw: a string, or an integer's digits. nil in doubt, which is left to
** Lua: another value, "", a float with a fraction, or a value that two records have.
*/
void row_index_register (lua_State *L);

#pragma GCC visibility pop

#endif
