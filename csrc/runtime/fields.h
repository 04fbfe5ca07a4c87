/* fields: the error for a field that an object lacks, with the nearest name that it has. Owns nothing. */
#ifndef RUNTIME_FIELDS_H
#define RUNTIME_FIELDS_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/* Adds the names to the array on top. */
void fields_add (lua_State *L, const char *const names[]);

/* Adds the keys of the table at `index` to the array on top. */
void fields_add_keys (lua_State *L, int index);

/*
** For __index and __newindex, the key being at 2: raises that `what` has no field of that name. The array on
** top holds the names that it has; `hint`, or NULL, ends the message. A key that is no name ("__pairs", 1),
** as libraries probe for, has nil: returns 1.
*/
int fields_missing (lua_State *L, const char *what, const char *hint);

/*
** The table on top, methods that an __index leads to, raises so for every other name. Both texts are static.
*/
void fields_guard (lua_State *L, const char *what, const char *hint);

#pragma GCC visibility pop

#endif
