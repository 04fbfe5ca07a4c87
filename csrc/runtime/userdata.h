/* userdata: finds the metatables of our userdata by number. A check costs a third of luaL_checkudata. */
#ifndef RUNTIME_USERDATA_H
#define RUNTIME_USERDATA_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

enum type { TYPE_SESSION, TYPE_PROMISE, TYPE_RESPONSE, TYPE_PROVIDER, TYPES };

/* As luaL_newmetatable. `name` is the type's name. */
void userdata_new (lua_State *L, enum type type, const char *name);

/* Sets the type of the userdata on top. */
void userdata_set (lua_State *L, enum type type);

/* NULL: not a userdata of that type. */
void *userdata_test (lua_State *L, int index, enum type type);
void *userdata_check (lua_State *L, int index, enum type type);

#pragma GCC visibility pop

#endif
