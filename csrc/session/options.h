/*
** options: the fields of an option table, read with errors that name the field. Each reader looks at the
** table at `index`; a field that is nil gives the default.
*/
#ifndef SESSION_OPTIONS_H
#define SESSION_OPTIONS_H

#include "compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/*
** Raises for a field that is in neither list, naming the nearest known one, and for one that is in `later`:
** "option 'x' is not supported yet". Both lists end in NULL; `later` may be NULL. `what` names the call.
*/
void options_check (lua_State *L, int index, const char *what, const char *const known[],
                    const char *const later[]);

/* Leaves the string on the stack, so that it lives; NULL, and a nil on the stack, when absent. Raises on any other type. */
const char *options_string (lua_State *L, int index, const char *name, size_t *length);
double options_number (lua_State *L, int index, const char *name, double least, double fallback);
bool options_boolean (lua_State *L, int index, const char *name, bool fallback);

#pragma GCC visibility pop

#endif
