/* order: the order of an object's properties in the text of a catalog, which decoding loses. */
#ifndef CATALOG_ORDER_H
#define CATALOG_ORDER_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** order(text, decoded): for a JSON text and the table decoded from it. Returns a table from each decoded
** object that is the value of a key "properties" to the array of its keys in the order of the text. A
** repeated key appears twice.
*/
int catalog_order (lua_State *L);

#pragma GCC visibility pop

#endif
