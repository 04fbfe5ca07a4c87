/*
** address: the addresses and bodies of calls. Leading scalar parameters go into the path. With PUT and POST
** the first array or object, and all parameters after it, go into the body.
*/
#include "net/percent.h"
#include "net/system.h"
#include "protocol/datasnap/datasnap.h"
#include "runtime/json.h"
#include "runtime/numbers.h"

#include <string.h>

enum { LONGEST_ADDRESS = 1 << 20 };

/* Pushes the address with a slash at its end. */
static void push_base (lua_State *L, const struct uri *uri) {
  lua_pushlstring(L, uri_text(uri), datasnap_length(uri));
  lua_pushliteral(L, "/");
  lua_concat(L, 2);
}

void datasnap_push_prefix (lua_State *L, const struct session *s, bool rest) {
  const struct datasnap *w = s->data;
  push_base(L, rest ? w->rest : w->root);
}

/* Percent-encodes the string on top for a path or a query. */
static void encode (lua_State *L) {
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  int at = lua_gettop(L);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  while (length) {
    size_t part = length < 64 ? length : 64;
    luaL_addsize(
        &b, percent_encode(luaL_prepbuffsize(&b, (size_t)64 * PERCENT_MOST), text, part, PERCENT_UNRESERVED));
    text += part;
    length -= part;
  }
  luaL_pushresult(&b);
  lua_remove(L, at);
}

/* The JSON encoder may escape slashes, which the service's own clients do not. */
static void unescape_slashes (lua_State *L) {
  size_t length, i;
  const char *text = lua_tolstring(L, -1, &length);
  luaL_Buffer b;
  if (!memmem(text, length, "\\/", 2)) return;
  luaL_buffinit(L, &b);
  for (i = 0; i < length; i++) {
    if (text[i] != '\\' || i + 1 == length) {
      luaL_addchar(&b, text[i]);
      continue;
    }
    i++;
    if (text[i] != '/') luaL_addchar(&b, '\\');
    luaL_addchar(&b, text[i]);
  }
  luaL_pushresult(&b);
  lua_remove(L, -2);
}

/* Replaces the value on top by its JSON: parameter `number`, or with 0 the filter whose name is below it. */
static void to_json (lua_State *L, const char *what, lua_Integer number) {
  if (!json_encode(L)) {
    if (number) luaL_error(L, "%s: parameter %d: %s", what, (int)number, lua_tostring(L, -1));
    luaL_error(L, "%s: option 'filters': '%s': %s", what, lua_tostring(L, -2), lua_tostring(L, -1));
  }
  unescape_slashes(L);
}

static bool is_null (lua_State *L, int index) {
  return lua_islightuserdata(L, index) && !lua_touserdata(L, index);
}

/* Replaces the scalar on top by its text for a path or a query, not encoded yet. */
static void to_text (lua_State *L, const char *what, lua_Integer number) {
  switch (lua_type(L, -1)) {
  case LUA_TSTRING: break;
  case LUA_TNUMBER:
    if (!numbers_to_text(L, -1)) to_json(L, what, number); /* raises, and says why */
    break;
  case LUA_TBOOLEAN:
    lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
    lua_remove(L, -2);
    break;
  default: lua_pop(L, 1); lua_pushliteral(L, "null");
  }
}

/* Parameters */

/* Raises for a type that no parameter can have. */
static void check_value (lua_State *L, int index, const char *what, int number) {
  switch (lua_type(L, index)) {
  case LUA_TSTRING:
  case LUA_TNUMBER:
  case LUA_TBOOLEAN:
  case LUA_TTABLE: return;
  default:
    if (!is_null(L, index))
      luaL_error(L, "%s: parameter %d: expected a string, number, boolean, table or datasession.null, got %s",
                 what, number, luaL_typename(L, index));
  }
}

/*
** The number of parameters in the table at `index`: its field n, as of table.pack, or its length. -1: it has
** other keys, so it is an object, one parameter. Raises for a list with holes.
*/
static lua_Integer list_length (lua_State *L, int index, const char *what) {
  lua_Integer most = 0, found = 0, n = -1;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
    bool is_n = lua_type(L, -2) == LUA_TSTRING && !strcmp(lua_tostring(L, -2), "n");
    if (is_n && lua_isinteger(L, -1))
      n = lua_tointeger(L, -1);
    else if (key < 1) {
      lua_pop(L, 2);
      return -1;
    } else {
      found++;
      if (key > most) most = key;
    }
    lua_pop(L, 1);
  }
  if (n < 0 && most > found)
    luaL_error(L, "%s: the list of parameters has holes: put datasession.null there, or set its field n",
               what);
  if (n >= 0 && (n < most || n > 10000))
    luaL_error(L, "%s: the field n is not the number of parameters", what);
  return n >= 0 ? n : most;
}

/* Pushes a list of the parameters at `index`, nil made null; *single: they were one value, not a list. */
static lua_Integer push_list (lua_State *L, int index, const char *what, bool *single) {
  lua_Integer n = 0, i;
  *single = false;
  if (lua_istable(L, index)) n = list_length(L, index, what);
  *single = n < 0 || (!lua_istable(L, index) && !lua_isnoneornil(L, index));
  lua_createtable(L, (int)(n > 0 ? n : 1), 0);
  if (*single) {
    check_value(L, index, what, 1);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, 1);
    return 1;
  }
  for (i = 1; i <= n; i++) {
    if (lua_rawgeti(L, index, i) == LUA_TNIL) {
      lua_pop(L, 1);
      lua_pushlightuserdata(L, NULL);
    }
    check_value(L, -1, what, (int)i);
    lua_rawseti(L, -2, i);
  }
  return n;
}

/* Paths drop "." and ".." on the way, so neither can be a parameter in a path. */
static bool is_dots (lua_State *L, int index) {
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  return (!strcmp(text, ".") || !strcmp(text, "..")) && lua_rawlen(L, index) == strlen(text);
}

/* The number of the list's `n` parameters, on top, that go into the path. */
static lua_Integer split (lua_State *L, const char *what, lua_Integer n, bool single,
                          enum datasnap_verb verb) {
  bool may = verb == DATASNAP_PUT || verb == DATASNAP_POST;
  lua_Integer i;
  if (single && may) return 0;
  for (i = 1; i <= n; i++) {
    bool table = lua_rawgeti(L, -1, i) == LUA_TTABLE, dots = is_dots(L, -1);
    lua_pop(L, 1);
    if ((table || dots) && may) return i - 1;
    if (table)
      luaL_error(L, "%s: parameter %d: a table cannot be sent with GET or DELETE: use PUT or POST", what,
                 (int)i);
    if (dots)
      luaL_error(L, "%s: parameter %d: '.' and '..' cannot be sent in a path: use PUT or POST", what, (int)i);
  }
  return n;
}

static const char stream_type[] = "datasession.datasnap.stream"; /* __name, in stream.lua */

static bool is_stream (lua_State *L, int index) {
  bool is;
  if (!lua_istable(L, index) || luaL_getmetafield(L, index, "__name") == LUA_TNIL) return false;
  is = lua_type(L, -1) == LUA_TSTRING && !strcmp(lua_tostring(L, -1), stream_type);
  lua_pop(L, 1);
  return is;
}

/* True if an element from..n of the list at `list` is a stream. */
static bool has_stream (lua_State *L, int list, lua_Integer from, lua_Integer n) {
  bool has = false;
  for (lua_Integer i = from; i <= n && !has; i++) {
    lua_rawgeti(L, list, i);
    has = is_stream(L, lua_gettop(L));
    lua_pop(L, 1);
  }
  return has;
}

/* Pushes the JSON of the elements from..n of the list at `list`, commas between them. */
static void push_elements (lua_State *L, int list, lua_Integer from, lua_Integer n, const char *what) {
  luaL_Buffer b;
  lua_Integer i;
  luaL_buffinit(L, &b);
  for (i = from; i <= n; i++) {
    if (i > from) luaL_addchar(&b, ',');
    lua_rawgeti(L, list, i);
    if (is_stream(L, lua_gettop(L)))
      luaL_error(L, "%s: parameter %d: a stream can be sent by invoke alone", what, (int)i);
    to_json(L, what, i);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
}

/* Adds the element on top, popped, to the text below it. A stream and the text so far join `segments`. */
static lua_Integer add_element (lua_State *L, int segments, lua_Integer count, const char *what,
                                lua_Integer number) {
  if (!is_stream(L, lua_gettop(L))) {
    to_json(L, what, number);
    lua_concat(L, 2);
    return count;
  }
  lua_insert(L, -2);
  lua_pushliteral(L, "[");
  lua_concat(L, 2);
  lua_rawseti(L, segments, ++count);
  lua_rawseti(L, segments, ++count);
  lua_pushliteral(L, "]");
  return count;
}

/* As push_body, for elements that have a stream: pushes a list of texts and streams in turns. */
static void push_segments (lua_State *L, int list, lua_Integer from, lua_Integer n, const char *what) {
  bool wrap = n > from;
  lua_Integer i, count = 0;
  int segments;
  lua_newtable(L);
  segments = lua_gettop(L);
  lua_pushstring(L, wrap ? "{\"_parameters\":[" : "");
  for (i = from; i <= n; i++) {
    if (i > from) {
      lua_pushliteral(L, ",");
      lua_concat(L, 2);
    }
    lua_rawgeti(L, list, i);
    count = add_element(L, segments, count, what, i);
  }
  lua_pushstring(L, wrap ? "]}" : "");
  lua_concat(L, 2);
  lua_rawseti(L, segments, ++count);
}

/* True if the table at `index` is { _parameters = ... } and nothing else. */
static bool looks_wrapped (lua_State *L, int index) {
  bool one = false;
  if (!lua_istable(L, index)) return false;
  lua_pushnil(L);
  if (!lua_next(L, index)) return false;
  one = lua_type(L, -2) == LUA_TSTRING && !strcmp(lua_tostring(L, -2), "_parameters");
  lua_pop(L, 1);
  if (!lua_next(L, index)) return one;
  lua_pop(L, 2);
  return false;
}

/* True if exactly one filter has a value: servers take it for the body unless that is an array or object. */
static bool has_one_value (lua_State *L, int filters) {
  int n = 0;
  if (lua_isnoneornil(L, filters)) return false;
  lua_pushnil(L);
  while (lua_next(L, filters)) {
    bool bare = is_null(L, -1) || (lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) == 0);
    n += !bare;
    lua_pop(L, 1);
  }
  return n == 1;
}

/* Pushes the body for the parameters from..n of the list at `list`, or nil. */
static void push_body (lua_State *L, int list, lua_Integer from, lua_Integer n, int filters,
                       const char *what) {
  bool wrap = n > from;
  if (from > n) {
    lua_pushnil(L);
    return;
  }
  if (!wrap) {
    lua_rawgeti(L, list, from);
    wrap = lua_istable(L, -1) ? looks_wrapped(L, lua_gettop(L)) : has_one_value(L, filters);
    lua_pop(L, 1);
  }
  push_elements(L, list, from, n, what);
  if (!wrap) return;
  lua_pushliteral(L, "{\"_parameters\":[");
  lua_insert(L, -2);
  lua_pushliteral(L, "]}");
  lua_concat(L, 3);
}

/* Filters */

/* True if the string at `a` comes before that at `b` by their bytes, in any locale. */
static bool is_before (lua_State *L, int a, int b) {
  size_t one, two;
  const char *first = lua_tolstring(L, a, &one), *second = lua_tolstring(L, b, &two);
  int order = memcmp(first, second, one < two ? one : two);
  return order < 0 || (order == 0 && one < two);
}

static bool is_less (lua_State *L, int index, lua_Integer a, lua_Integer b) {
  bool is;
  lua_rawgeti(L, index, a);
  lua_rawgeti(L, index, b);
  is = is_before(L, -2, -1);
  lua_pop(L, 2);
  return is;
}

static void swap (lua_State *L, int index, lua_Integer a, lua_Integer b) {
  lua_rawgeti(L, index, a);
  lua_rawgeti(L, index, b);
  lua_rawseti(L, index, a);
  lua_rawseti(L, index, b);
}

/* Moves the string at `at` down the heap of the first `n`, until none below it is greater. */
static void sift (lua_State *L, int index, lua_Integer at, lua_Integer n) {
  lua_Integer below = 2 * at;
  for (; below <= n; at = below, below = 2 * at) {
    if (below < n && is_less(L, index, below, below + 1)) below++;
    if (!is_less(L, index, at, below)) return;
    swap(L, index, at, below);
  }
}

/* Sorts an array of strings by heapsort: the caller decides how many names there are. */
static void sort (lua_State *L, int index, lua_Integer n) {
  lua_Integer i;
  for (i = n / 2; i >= 1; i--)
    sift(L, index, i, n);
  for (i = n; i > 1; i--) {
    swap(L, index, 1, i);
    sift(L, index, 1, i - 1);
  }
}

/* Pushes the names in the table at `index`, sorted, so that equal calls have equal addresses. */
static lua_Integer push_names (lua_State *L, int index, const char *what) {
  lua_Integer n = 0;
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int type = lua_type(L, -1);
    if (lua_type(L, -2) != LUA_TSTRING || lua_rawlen(L, -2) == 0)
      luaL_error(L, "%s: option 'filters': expected names that are strings", what);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN && !is_null(L, -1))
      luaL_error(L,
                 "%s: option 'filters': '%s': expected a string, number, boolean or datasession.null, got %s",
                 what, lua_tostring(L, -2), lua_typename(L, type));
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, ++n);
  }
  sort(L, lua_gettop(L), n);
  return n;
}

/* Pushes "name=value", or the name alone for "" and null; pops the name on top. */
static void push_filter (lua_State *L, int filters, const char *what) {
  bool bare;
  lua_pushvalue(L, -1);
  lua_rawget(L, filters);
  bare = is_null(L, -1) || (lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) == 0);
  if (bare)
    lua_pop(L, 1);
  else {
    to_text(L, what, 0);
    encode(L);
  }
  lua_pushvalue(L, bare ? -1 : -2);
  encode(L);
  lua_remove(L, bare ? -2 : -3);
  if (bare) return;
  lua_pushliteral(L, "=");
  lua_rotate(L, -3, -1); /* name, =, value */
  lua_concat(L, 3);
}

/* Adds the query to the address on top. */
static void add_filters (lua_State *L, int filters, const char *what) {
  luaL_Buffer b;
  lua_Integer i, n;
  int names;
  if (lua_isnoneornil(L, filters)) return;
  n = push_names(L, filters, what);
  names = lua_gettop(L);
  luaL_buffinit(L, &b);
  lua_pushvalue(L, names - 1);
  luaL_addvalue(&b);
  for (i = 1; i <= n; i++) {
    luaL_addchar(&b, i == 1 ? '?' : '&');
    lua_rawgeti(L, names, i);
    push_filter(L, filters, what);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
  lua_replace(L, names - 1);
  lua_settop(L, names - 1);
}

/* Calls */

static void add_name (lua_State *L, int index, const char *what) {
  if (is_dots(L, index) || lua_rawlen(L, index) == 0)
    luaL_error(L, "%s: expected the name of a class and that of a method, got '%s'", what,
               lua_tostring(L, index));
  lua_pushvalue(L, index);
  encode(L);
  lua_pushliteral(L, "/");
  lua_concat(L, 3);
}

/* Adds the parameters 1..n of the list at `list` to the address on top. */
static void add_segments (lua_State *L, int list, lua_Integer n, const char *what) {
  luaL_Buffer b;
  lua_Integer i;
  luaL_buffinit(L, &b);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    to_text(L, what, i);
    encode(L);
    luaL_addvalue(&b);
    luaL_addchar(&b, '/');
  }
  luaL_pushresult(&b);
  lua_concat(L, 2);
}

void datasnap_push_call (lua_State *L, const struct session *s, const char *what, enum datasnap_verb verb,
                         int class_name, int params, int filters, bool streams) {
  const struct datasnap *w = s->data;
  bool single;
  lua_Integer n = push_list(L, params, what, &single);
  lua_Integer in_path = split(L, what, n, single, verb);
  int list = lua_gettop(L);
  push_base(L, w->rest);
  add_name(L, class_name, what);
  add_name(L, class_name + 1, what);
  add_segments(L, list, in_path, what);
  add_filters(L, filters, what);
  if (lua_rawlen(L, -1) > LONGEST_ADDRESS)
    luaL_error(L, "%s: the parameters are too long for an address: use PUT or POST with a table", what);
  if (streams && has_stream(L, list, in_path + 1, n))
    push_segments(L, list, in_path + 1, n, what);
  else
    push_body(L, list, in_path + 1, n, filters, what);
  lua_remove(L, list);
}

/* Accepts what the vendor's clients do: they build suffixes from cached results and from whole paths. */
void datasnap_push_cache (lua_State *L, const struct session *s, int suffix, bool with_id) {
  const struct datasnap *w = s->data;
  const char *text = luaL_optstring(L, suffix, "");
  bool query;
  if (*text == '/') text++;
  if (!strncmp(text, "cache/", 6)) text += 6;
  query = strchr(text, '?') != NULL;
  push_base(L, w->cache);
  lua_pushstring(L, text);
  lua_concat(L, 2);
  if (!with_id || !w->id) return;
  lua_pushstring(L, query ? "&sid=" : "?sid=");
  lua_pushstring(L, w->id);
  encode(L);
  lua_concat(L, 3);
}

/* Replaces the table on top by {"execute":{"Class.Method":[parameters]}}. */
static void push_command (lua_State *L, lua_Integer number) {
  int call = lua_gettop(L), name, list;
  const char *what = lua_pushfstring(L, "batch: call %d", (int)number);
  bool single;
  lua_Integer n;
  if (!lua_istable(L, call) || lua_getfield(L, call, "class") != LUA_TSTRING ||
      lua_getfield(L, call, "method") != LUA_TSTRING)
    luaL_error(L, "%s: expected a table with the strings class and method, and params", what);
  lua_pushfstring(L, "%s.%s", lua_tostring(L, -2), lua_tostring(L, -1));
  to_json(L, what, 0);
  name = lua_gettop(L);
  lua_getfield(L, call, "params");
  n = push_list(L, name + 1, what, &single);
  list = lua_gettop(L);
  push_elements(L, list, 1, n, what);
  lua_pushfstring(L, "{\"execute\":{%s:[%s]}}", lua_tostring(L, name), lua_tostring(L, -1));
  lua_replace(L, call);
  lua_settop(L, call);
}

void datasnap_push_batch (lua_State *L, int index) {
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, index);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addchar(&b, '[');
  for (i = 1; i <= n; i++) {
    if (i > 1) luaL_addchar(&b, ',');
    lua_rawgeti(L, index, i);
    push_command(L, i);
    luaL_addvalue(&b);
  }
  luaL_addchar(&b, ']');
  luaL_pushresult(&b);
}
