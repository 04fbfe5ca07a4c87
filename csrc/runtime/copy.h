/* copy: makes a private copy of a table that others may change. */
#ifndef RUNTIME_COPY_H
#define RUNTIME_COPY_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** copyTree(value): a copy of a table and of all tables in it; the copies have the same metatables. Other
** values are returned as they are. Raises for tables that are nested deeper than the JSON decoder allows.
*/
int copy_tree (lua_State *L);

#pragma GCC visibility pop

#endif
