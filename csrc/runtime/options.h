/*
** options: the fields of an option table, read with errors that name the field. Each reader looks at the
** table at `index`; a field that is nil gives the default.
*/
#ifndef RUNTIME_OPTIONS_H
#define RUNTIME_OPTIONS_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Raises for a field that is not in the list, which ends in NULL, naming the nearest known one. `what` names the call. */
void options_check (lua_State *L, int index, const char *what, const char *const known[]);

/* The same with a second list, or NULL; and, unless `listed` is 0, the names in the array `options` of the table there. */
void options_check_more (lua_State *L, int index, const char *what, const char *const known[],
                         const char *const more[], int listed);

/* Leaves the string on the stack, so that it lives; NULL, and a nil on the stack, when absent. Raises on any other type. */
const char *options_string (lua_State *L, int index, const char *name, size_t *length);
double options_number (lua_State *L, int index, const char *name, double least, double fallback);
bool options_boolean (lua_State *L, int index, const char *name, bool fallback);

/*
** Pushes " '<the URI>'" for a message about a URI that is refused, without its query; or "" when it may hold a password, or what
** no line may.
*/
const char *options_push_uri (lua_State *L, const char *text, size_t length);

#pragma GCC visibility pop

#endif
