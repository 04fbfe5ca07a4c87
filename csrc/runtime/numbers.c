#include "runtime/numbers.h"

size_t numbers_write (lua_State *L, int index, char to[NUMBER_SIZE]) {
  if (lua_isinteger(L, index)) return number_write_integer(to, (long long)lua_tointeger(L, index));
  return number_write(to, (double)lua_tonumber(L, index));
}

bool numbers_to_text (lua_State *L, int index) {
  char text[NUMBER_SIZE];
  size_t length;
  if (lua_type(L, index) != LUA_TNUMBER) return true;
  index = lua_absindex(L, index);
  length = numbers_write(L, index, text);
  if (!length) return false;
  lua_pushlstring(L, text, length);
  lua_replace(L, index);
  return true;
}

static int l_number_text (lua_State *L) {
  lua_settop(L, 1);
  if (!numbers_to_text(L, 1)) lua_pushnil(L);
  return 1;
}

void numbers_register (lua_State *L) {
  lua_pushcfunction(L, l_number_text);
  lua_setfield(L, -2, "numberText");
}
