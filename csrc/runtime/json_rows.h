/*
** json_rows: finds the arrays of rows in a JSON text, without decoding them, so that a large answer can be
** decoded in slices.
*/
#ifndef RUNTIME_JSON_ROWS_H
#define RUNTIME_JSON_ROWS_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Adds rowScanner to the table on top, for the Lua layer.
**
** rowScanner(text, size) returns a function(bytes), each call of which reads so many bytes and finishes the
** row it is in. It returns true while there is more; at the end the arrays of objects that do not stand in
** another array, in the order of the text; nil when in doubt. An array is { from, to, path, ... }: the
** positions of its brackets, the keys that lead to it, then the first and the last position of each slice:
** whole rows, of about `size` bytes. Positions count from 1, both ends included.
*/
void json_rows_register (lua_State *L);

#pragma GCC visibility pop

#endif
