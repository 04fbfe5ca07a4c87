/*
** options: reads the fields of an option table; an error names the field. Each reader takes the table at
** `index`; a nil field gives the default.
*/
#ifndef RUNTIME_OPTIONS_H
#define RUNTIME_OPTIONS_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Raises unless a table of options is at `index`. `what` is the name of the call. */
void options_check_table (lua_State *L, int index, const char *what);

/*
** Raises for a field that is not in the list, which ends in NULL, and names the nearest known one. `what` is
** the name of the call.
*/
void options_check (lua_State *L, int index, const char *what, const char *const known[]);

/*
** The same with a second list, or NULL, and, unless `listed` is 0, the array `options` of the table at
** `listed`. True if a field is in the second list.
*/
bool options_check_more (lua_State *L, int index, const char *what, const char *const known[],
                         const char *const more[], int listed);

/*
** Pushes the string, which keeps it alive. NULL: the field is absent; pushes nil. Raises for any other type.
*/
const char *options_string (lua_State *L, int index, const char *name, size_t *length);
double options_number (lua_State *L, int index, const char *name, double least, double fallback);
bool options_boolean (lua_State *L, int index, const char *name, bool fallback);

/*
** Pushes " '<the URI>'", without the query, for a message about a refused URI; or "" if the URI may hold a
** password or what a line may not hold.
*/
const char *options_push_uri (lua_State *L, const char *text, size_t length);

/* Pushes what is no header name, for a message, without what is behind a colon: a whole line has a value. */
const char *options_push_name (lua_State *L, const char *name);

/* Raises the error on top, which a protected call has left, at the program's line. */
int options_raise (lua_State *L);

#pragma GCC visibility pop

#endif
