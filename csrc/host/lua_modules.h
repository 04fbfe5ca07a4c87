/* lua_modules: the Lua files of the library, as tools/embed.lua writes them into a C file. */
#ifndef HOST_LUA_MODULES_H
#define HOST_LUA_MODULES_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

struct lua_module {
  const char *name;          /* as `require` takes it */
  const char *chunk;         /* as error messages name it: "@datasession/date.lua" */
  const unsigned char *text; /* the file */
  size_t size;
};

/* The first one is `datasession` itself; the last one has no name. */
extern const struct lua_module lua_modules[];

#pragma GCC visibility pop

#endif
