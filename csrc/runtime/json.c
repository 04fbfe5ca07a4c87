#include "runtime/json.h"

#include "runtime/loop.h"

static bool convert (lua_State *L, const char *hook) {
  loop_hook(L, hook);
  lua_insert(L, -2);
  lua_call(L, 1, 2);
  if (lua_isnil(L, -2) && !lua_isnil(L, -1)) {
    lua_remove(L, -2);
    return false;
  }
  lua_pop(L, 1);
  return true;
}

bool json_decode (lua_State *L) {
  return convert(L, "decode");
}

bool json_encode (lua_State *L) {
  return convert(L, "encode");
}
