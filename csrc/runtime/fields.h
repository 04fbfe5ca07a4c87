/* fields: the error for an unknown field of an object, with the nearest known name. Owns nothing. */
#ifndef RUNTIME_FIELDS_H
#define RUNTIME_FIELDS_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/* Appends the names to the array on top. */
void fields_add (lua_State *L, const char *const names[]);

/* Appends the keys of the table at `index` to the array on top. */
void fields_add_keys (lua_State *L, int index);

/*
** For __index and __newindex, with the key at 2: raises that `what` has no field of that name. The array on
** top holds the known names; `hint`, or NULL, ends the message. Returns 1, with nil pushed, for a key that is
** no name ("__pairs", 1): libraries look for such.
*/
int fields_missing (lua_State *L, const char *what, const char *hint);

/*
** Makes the table on top, methods that an __index refers to, raise that error for every unknown name. Both
** texts are static.
*/
void fields_guard (lua_State *L, const char *what, const char *hint);

#pragma GCC visibility pop

#endif
