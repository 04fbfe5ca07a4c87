#include "runtime/row_index.h"

#include "net/number.h"

#include <stdbool.h>

/* On the Lua stack. */
enum { RECORDS = 1, KEY, FIELD, INDEX };

enum { MOST_RESERVED = 1 << 20 }; /* places in the table; it grows beyond them */

/* Replaces the value on top by its text. */
static bool make_text (lua_State *L) {
  char text[NUMBER_SIZE];
  lua_Integer value = 0;
  int is_whole = 0;
  if (lua_type(L, -1) == LUA_TSTRING) return lua_rawlen(L, -1) > 0;
  if (lua_type(L, -1) == LUA_TNUMBER) value = lua_tointegerx(L, -1, &is_whole);
  if (!is_whole) return false;
  lua_pushlstring(L, text, number_write_integer(text, (long long)value));
  lua_replace(L, -2);
  return true;
}

/* Replaces the table on top by the value of the key at `key`. */
static int get (lua_State *L, int key) {
  int type;
  lua_pushvalue(L, key);
  type = lua_rawget(L, -2);
  lua_replace(L, -2);
  return type;
}

/* Adds the record on top, and pops it. */
static bool add (lua_State *L) {
  lua_pushvalue(L, -1);
  if (get(L, KEY) != LUA_TTABLE) return false;
  get(L, FIELD);
  if (!make_text(L)) return false;
  lua_pushvalue(L, -1);
  if (lua_rawget(L, INDEX) != LUA_TNIL) return false;
  lua_pop(L, 1);
  lua_insert(L, -2);
  lua_rawset(L, INDEX);
  return true;
}

static int index_rows (lua_State *L) {
  lua_Integer i, n;
  luaL_checktype(L, RECORDS, LUA_TTABLE);
  lua_settop(L, FIELD);
  n = (lua_Integer)lua_rawlen(L, RECORDS);
  lua_createtable(L, 0, n < MOST_RESERVED ? (int)n : MOST_RESERVED);
  for (i = 1; i <= n; i++)
    if (lua_rawgeti(L, RECORDS, i) != LUA_TTABLE || !add(L)) return 0;
  return 1;
}

void row_index_register (lua_State *L) {
  lua_pushcfunction(L, index_rows);
  lua_setfield(L, -2, "indexRows");
}
