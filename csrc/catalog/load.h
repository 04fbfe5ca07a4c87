/* load: session:addCatalog, from its arguments to the catalogs that the session has. */
#ifndef CATALOG_LOAD_H
#define CATALOG_LOAD_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Adds the method addCatalog to the table `methods` of the table on top, and scanCatalog, catalogScanner,
** catalogOrder and copyTree, for the Lua layer, to the table on top.
*/
void catalog_load_register (lua_State *L);

#pragma GCC visibility pop

#endif
