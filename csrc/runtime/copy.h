/* copy: a table of one's own, made of a table that others see. */
#ifndef RUNTIME_COPY_H
#define RUNTIME_COPY_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** copyTree(value): a copy of a table and of all the tables in it; they share their metatables. Any other value is its own
** copy. Raises for tables that are nested deeper than JSON is decoded.
*/
int copy_tree (lua_State *L);

#pragma GCC visibility pop

#endif
