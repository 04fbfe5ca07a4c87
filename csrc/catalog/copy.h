/*
** catalog_copy: a session's own copy of what is kept of a catalog for all; and what the Lua layer has of C for its catalogs.
*/
#ifndef CATALOG_COPY_H
#define CATALOG_COPY_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** copy(value): a table and all the tables in it, metatables apart; another value is its own copy. Raises for tables deeper in
** one another than JSON is decoded.
*/
int catalog_copy (lua_State *L);

/* Registers copyTree and scanCatalog in the table on top. */
void catalog_register (lua_State *L);

#pragma GCC visibility pop

#endif
