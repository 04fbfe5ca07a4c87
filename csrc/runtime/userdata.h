/* types: the metatables of our userdata, by a number instead of a name: a check costs a third of luaL_checkudata's. */
#ifndef RUNTIME_USERDATA_H
#define RUNTIME_USERDATA_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

enum type { TYPE_SESSION, TYPE_PROMISE, TYPE_RESPONSE, TYPE_PROVIDER, TYPES };

/* As luaL_newmetatable; `name` is the type's own. */
void userdata_new (lua_State *L, enum type type, const char *name);

/* The userdata on top is of that type from now on. */
void userdata_set (lua_State *L, enum type type);

/* NULL when it is none. */
void *userdata_test (lua_State *L, int index, enum type type);
void *userdata_check (lua_State *L, int index, enum type type);

#pragma GCC visibility pop

#endif
