#include "runtime/json_repair.h"

#include "runtime/json_text.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double fifteen_digits = 1e15; /* whole floats below it are exact; the codec guards longer ones */

static bool is_digit (char c) {
  return c >= '0' && c <= '9';
}

/* True if a run of `digits` digits stands around `p`, the only byte of the run that has been looked at. */
static bool long_run (const char *text, const char *p, const char *end, size_t digits) {
  const char *from = p, *to = p;
  while (from > text && is_digit(from[-1]))
    from--;
  while (to < end && is_digit(*to))
    to++;
  return (size_t)(to - from) >= digits;
}

/* Looks at one byte in `digits`: a run of that many covers one of them. */
static bool holds_long_number (const char *text, size_t length, size_t digits) {
  size_t i;
  for (i = digits - 1; i < length; i += digits)
    if (is_digit(text[i]) && long_run(text, text + i, text + length, digits)) return true;
  return false;
}

static bool holds_empty_array (const char *text, size_t length) {
  struct json_text t = {.at = text, .end = text + length};
  bool empty = false;
  while (!empty && (t.at = memchr(t.at, '[', (size_t)(t.end - t.at))) != NULL) {
    t.depth = 0;
    json_enter(&t, '[', ']', &empty);
  }
  return empty;
}

static int holds_token (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer digits = luaL_checkinteger(L, 2);
  luaL_argexpected(L, digits > 0, 2, "positive integer");
  lua_pushboolean(L, holds_empty_array(text, length) || holds_long_number(text, length, (size_t)digits));
  return 1;
}

/* The whole number on top becomes an integer in the table at `table`, under the key below it. */
static void mend_number (lua_State *L, int table) {
  lua_Number value = lua_tonumber(L, -1);
  lua_Integer whole;
  if (!(fabs(value) < fifteen_digits)) return;
  whole = (lua_Integer)value;
  if ((lua_Number)whole != value) return;
  lua_pushvalue(L, -2);
  lua_pushinteger(L, whole);
  lua_rawset(L, table);
}

/* The arguments of mendTree, on the Lua stack. */
enum { ROOT = 1, NUMBERS, ARRAYS };

/* Mends the table on top. The depth is limited: lua-cjson has decoded it. */
static void mend (lua_State *L, bool numbers, bool arrays) {
  int table = lua_gettop(L);
  luaL_checkstack(L, 8, NULL);
  if (arrays) {
    if (lua_rawgeti(L, table, 1) != LUA_TNIL) {
      lua_pushvalue(L, ARRAYS);
      lua_setmetatable(L, table);
    }
    lua_pop(L, 1);
  }
  lua_pushnil(L);
  while (lua_next(L, table)) {
    int type = lua_type(L, -1);
    if (type == LUA_TTABLE)
      mend(L, numbers, arrays);
    else if (type == LUA_TNUMBER && numbers)
      mend_number(L, table);
    lua_settop(L, table + 1);
  }
}

static int mend_tree (lua_State *L) {
  luaL_checktype(L, ROOT, LUA_TTABLE);
  lua_settop(L, ARRAYS);
  lua_pushvalue(L, ROOT);
  mend(L, lua_toboolean(L, NUMBERS), !lua_isnil(L, ARRAYS));
  return 0;
}

void json_repair_register (lua_State *L) {
  lua_pushcfunction(L, holds_token);
  lua_setfield(L, -2, "holdsToken");
  lua_pushcfunction(L, mend_tree);
  lua_setfield(L, -2, "mendTree");
}
