#include "runtime/duration.h"

#include "net/number.h"
#include "runtime/loop.h"

#include <string.h>

/* Numbers beyond these limits are probably in the other unit. */
static const double longest_usual = 3600, shortest_interval = 1000;

static const struct {
  const char *name;
  double seconds;
} units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}};

/* Parses digits with a point, in any locale. Returns their end; NULL: there are none. */
static const char *parse_digits (const char *text, double *value) {
  double scale = 1;
  int digits = 0;
  bool point = false;
  for (*value = 0; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
    if (*text == '.') {
      point = true;
      continue;
    }
    digits++;
    if (point) scale *= 10;
    *value = *value * 10 + (*text - '0');
  }
  *value /= scale;
  return digits && digits <= 15 ? text : NULL;
}

bool duration_parse (const char *text, double *seconds) {
  size_t i;
  double value;
  text = parse_digits(text, &value);
  if (!text) return false;
  while (*text == ' ')
    text++;
  for (i = 0; i < sizeof units / sizeof *units; i++)
    if (!strcmp(text, units[i].name)) {
      *seconds = value * units[i].seconds;
      return true;
    }
  return false;
}

/* Warns, once in a state, that `value` of `what` is probably in another unit. */
static void warn_of_unit (lua_State *L, bool *warned, const char *what, double value, const char *unit,
                          const char *other) {
  char text[NUMBER_SIZE];
  if (*warned) return;
  *warned = true;
  number_round(text, value, 14);
  lua_pushfstring(L, "datasession: %s is in %s and was set to %s: if %s%s is meant, say \"%s%s\"", what, unit,
                  text, text, other, text, other);
  compat_warn(L, lua_tostring(L, -1));
  lua_pop(L, 1);
}

/* Describes the value at `index`: "got 'soon'", "got -1", "got boolean". */
static const char *shown (lua_State *L, int index, char text[NUMBER_SIZE]) {
  if (lua_type(L, index) == LUA_TNUMBER) return number_round(text, lua_tonumber(L, index), 14);
  if (lua_type(L, index) == LUA_TSTRING) return lua_pushfstring(L, "'%s'", lua_tostring(L, index));
  return luaL_typename(L, index);
}

static bool read_text (lua_State *L, int index, double *seconds) {
  return lua_type(L, index) == LUA_TSTRING && duration_parse(lua_tostring(L, index), seconds);
}

double duration_option (lua_State *L, int index, const char *name, double least, double fallback) {
  struct loop *loop = loop_get(L);
  char text[NUMBER_SIZE];
  int type = lua_getfield(L, index, name);
  double value = fallback;
  if (type == LUA_TNUMBER)
    value = lua_tonumber(L, -1);
  else if (type != LUA_TNIL && !read_text(L, -1, &value))
    luaL_error(L, "option '%s': expected a number of seconds, or a text such as \"30s\", got %s", name,
               shown(L, -1, text));
  if (type != LUA_TNIL && !(value >= least && value < 1e15))
    luaL_error(L, "option '%s': expected a number of seconds, %s, got %s", name,
               least > 0 ? "above 0" : "0 or more", shown(L, -1, text));
  if (type == LUA_TNUMBER && value > longest_usual)
    warn_of_unit(L, &loop->warned_seconds, name, value, "seconds", "ms");
  lua_pop(L, 1);
  return value;
}

double duration_interval (lua_State *L, int index, const char *what) {
  struct loop *loop = loop_get(L);
  char text[NUMBER_SIZE];
  double value = -1;
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TNUMBER)
    value = lua_tonumber(L, index);
  else if (read_text(L, index, &value))
    value *= 1000;
  if (!(value >= 0 && value < 1e12))
    luaL_error(L, "%s: expected a number of milliseconds, 0 or more, or a text such as \"30s\", got %s", what,
               shown(L, index, text));
  if (lua_type(L, index) == LUA_TNUMBER && value > 0 && value < shortest_interval)
    warn_of_unit(L, &loop->warned_milliseconds, what, value, "milliseconds", "s");
  return value;
}
