#include "runtime/file_kind.h"

#include "net/system.h"

#include <stdbool.h>

static int is_device (lua_State *L) {
  struct stat about;
  bool there = system_stat(luaL_checkstring(L, 1), &about) == 0;
  lua_pushboolean(L, there && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode));
  return 1;
}

static int is_terminal (lua_State *L) {
  lua_pushboolean(L, isatty(STDERR_FILENO));
  return 1;
}

void file_kind_register (lua_State *L) {
  lua_pushcfunction(L, is_terminal);
  lua_setfield(L, -2, "isTerminal");
  lua_pushcfunction(L, is_device);
  lua_setfield(L, -2, "isDevice");
}
