#include "runtime/numbers.h"

#include "net/number.h"

bool numbers_to_text (lua_State *L, int index) {
  char text[NUMBER_SIZE];
  size_t length;
  if (lua_type(L, index) != LUA_TNUMBER) return true;
  index = lua_absindex(L, index);
  if (lua_isinteger(L, index)) {
    lua_pushfstring(L, "%I", (LUAI_UACINT)lua_tointeger(L, index));
    lua_replace(L, index);
    return true;
  }
  length = number_write(text, (double)lua_tonumber(L, index));
  if (!length) return false;
  lua_pushlstring(L, text, length);
  lua_replace(L, index);
  return true;
}

static int l_number_text (lua_State *L) {
  luaL_checktype(L, 1, LUA_TNUMBER);
  lua_settop(L, 1);
  if (!numbers_to_text(L, 1)) lua_pushnil(L);
  return 1;
}

void numbers_register (lua_State *L) {
  lua_pushcfunction(L, l_number_text);
  lua_setfield(L, -2, "numberText");
}
