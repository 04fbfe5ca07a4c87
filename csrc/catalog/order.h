/*
** catalog_order: the order in which the text of a catalog names the properties of an object, which decoding
** it loses.
*/
#ifndef CATALOG_ORDER_H
#define CATALOG_ORDER_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** order(text, decoded): for a JSON text and what it was decoded into, a table that maps each decoded object
** that is the value of a key "properties" to the array of its keys as the text has them, one that the text
** names twice included twice.
*/
int catalog_order (lua_State *L);

#pragma GCC visibility pop

#endif
