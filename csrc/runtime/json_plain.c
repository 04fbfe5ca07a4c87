#include "runtime/json_plain.h"

#include "net/number.h"
#include "net/utf8.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>

enum {
  SLOTS = 4,        /* of the stack, for each level */
  DEEP = 100,       /* levels of a plain value */
  FIXED_DIGITS = 14 /* every lua-cjson writes so many */
};

static const double LARGE = 1e14; /* from here on "%.14g" turns integers into floats */

/* ---- numbers */

struct writer {
  bool integers, floats; /* true if the library writes long ones right */
};

static bool is_plain_float (const struct writer *w, double value) {
  if (!isfinite(value) || (floor(value) == value && fabs(value) >= LARGE)) return false;
  return w->floats || number_fits(value, FIXED_DIGITS);
}

static bool is_plain_number (lua_State *L, int index, const struct writer *w) {
  lua_Integer n;
  if (!lua_isinteger(L, index)) return is_plain_float(w, (double)lua_tonumber(L, index));
  n = lua_tointeger(L, index);
  return w->integers || ((double)n < LARGE && (double)n > -LARGE);
}

/* ---- values to write */

static bool is_plain_text (lua_State *L, int index) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  return utf8_is_valid(text, length);
}

static bool is_plain_key (lua_State *L, int index) {
  lua_Integer n;
  if (lua_type(L, index) == LUA_TSTRING) return is_plain_text(L, index);
  n = lua_isinteger(L, index) ? lua_tointeger(L, index) : 0;
  return n >= 1 && n <= INT_MAX;
}

/* An empty table that has a metatable may be an empty array, which old versions write as an object. */
static bool is_plain_table (lua_State *L) {
  if (!lua_getmetatable(L, -1)) return true;
  lua_pushnil(L);
  if (!lua_next(L, -3)) {
    lua_pop(L, 1);
    return false;
  }
  lua_pop(L, 3);
  return true;
}

static bool is_plain (lua_State *L, const struct writer *w, int depth);

/* The members of the table on top. False leaves values on the stack. */
static bool are_plain (lua_State *L, const struct writer *w, int depth) {
  if (depth == DEEP || !lua_checkstack(L, SLOTS) || !is_plain_table(L)) return false;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (!is_plain_key(L, -2) || !is_plain(L, w, depth + 1)) return false;
    lua_pop(L, 1);
  }
  return true;
}

/* The value on top; lua-cjson itself refuses those of other types. */
static bool is_plain (lua_State *L, const struct writer *w, int depth) {
  switch (lua_type(L, -1)) {
  case LUA_TTABLE: return are_plain(L, w, depth);
  case LUA_TSTRING: return is_plain_text(L, -1);
  case LUA_TNUMBER: return is_plain_number(L, -1, w);
  default: return true;
  }
}

static int l_is_plain (lua_State *L) {
  const struct writer w = {lua_toboolean(L, 2), lua_toboolean(L, 3)};
  lua_settop(L, 1);
  lua_pushboolean(L, is_plain(L, &w, 0));
  return 1;
}

void json_plain_register (lua_State *L) {
  lua_pushcfunction(L, l_is_plain);
  lua_setfield(L, -2, "isPlain");
}
