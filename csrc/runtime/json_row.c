#include "runtime/json_row.h"

#include "net/utf8.h"
#include "runtime/numbers.h"

#include <stdbool.h>
#include <string.h>

enum { NAMES = 1, ROW, OVER, FIRST };
enum {
  ESCAPE = 6,  /* characters of "\u0000" */
  SMALL = 2048 /* most rows are shorter */
};

/* Bytes without room are only counted: then everything is written once more, into a buffer of that size. */
struct writer {
  lua_State *L;
  char *to;
  size_t room, size;
  bool any; /* true behind the first member */
};

static void put (struct writer *w, const char *text, size_t length) {
  if (w->size + length <= w->room) memcpy(w->to + w->size, text, length);
  w->size += length;
}

/* ---- values */

static bool is_ordinary (unsigned char c) {
  return c >= ' ' && c < 0x7F && c != '"' && c != '\\';
}

static void put_escape (struct writer *w, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  char text[ESCAPE] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
  if (c == '"' || c == '\\') text[1] = (char)c;
  put(w, text, c == '"' || c == '\\' ? 2 : ESCAPE);
}

/* The text from its first byte on that is not ordinary. False: it is not UTF-8. */
static bool put_rest (struct writer *w, const char *text, size_t length) {
  size_t at = 0, from = 0;
  if (!utf8_is_valid(text, length)) return false;
  for (; at < length; at++) {
    if (is_ordinary((unsigned char)text[at]) || (unsigned char)text[at] > 0x7F) continue;
    put(w, text + from, at - from);
    put_escape(w, (unsigned char)text[at]);
    from = at + 1;
  }
  put(w, text + from, length - from);
  return true;
}

/* The string at `index`. */
static bool put_string (struct writer *w, int index) {
  size_t length, at = 0;
  const char *text = lua_tolstring(w->L, index, &length);
  while (at < length && is_ordinary((unsigned char)text[at]))
    at++;
  put(w, "\"", 1);
  put(w, text, at);
  if (at < length && !put_rest(w, text + at, length - at)) return false;
  put(w, "\"", 1);
  return true;
}

/* The number on top. */
static bool put_number (struct writer *w) {
  char text[NUMBER_SIZE];
  size_t length = numbers_write(w->L, -1, text);
  put(w, text, length);
  return length > 0;
}

static bool put_scalar (struct writer *w) {
  switch (lua_type(w->L, -1)) {
  case LUA_TSTRING: return put_string(w, -1);
  case LUA_TNUMBER: return put_number(w);
  case LUA_TBOOLEAN:
    put(w, lua_toboolean(w->L, -1) ? "true" : "false", lua_toboolean(w->L, -1) ? 4 : 5);
    break;
  case LUA_TLIGHTUSERDATA: put(w, "null", 4); return lua_touserdata(w->L, -1) == NULL;
  default: return false;
  }
  return true;
}

/* The array on top. An empty table may be an object. */
static bool put_array (struct writer *w) {
  lua_Integer n = (lua_Integer)lua_rawlen(w->L, -1), i;
  bool good = n > 0;
  for (i = 1; good && i <= n; i++) {
    put(w, i == 1 ? "[" : ",", 1);
    lua_rawgeti(w->L, -1, i);
    good = put_scalar(w);
    lua_pop(w->L, 1);
  }
  put(w, "]", 1);
  return good;
}

static lua_Integer count_members (lua_State *L, int index) {
  lua_Integer n = 0;
  lua_pushnil(L);
  for (; lua_next(L, index); n++)
    lua_pop(L, 1);
  return n;
}

/* ---- the row */

/* Pushes the value of the field whose name is on top. *n counts those that the row itself has. */
static void push_value (lua_State *L, lua_Integer *n) {
  lua_pushvalue(L, -1);
  if (lua_rawget(L, ROW) != LUA_TNIL) ++*n;
  if (lua_isnil(L, OVER)) return;
  lua_pushvalue(L, -2);
  if (lua_rawget(L, OVER) == LUA_TNIL)
    lua_pop(L, 1);
  else
    lua_replace(L, -2);
}

/* The name and the value are on top. */
static bool put_member (struct writer *w) {
  if (lua_isnil(w->L, -1)) return true;
  if (w->any) put(w, ",", 1);
  w->any = true;
  if (!put_string(w, -2)) return false;
  put(w, ":", 1);
  return lua_istable(w->L, -1) ? put_array(w) : put_scalar(w);
}

static bool put_row (struct writer *w) {
  lua_Integer i, n = 0, names = (lua_Integer)lua_rawlen(w->L, NAMES);
  size_t length = 0;
  const char *first = lua_tolstring(w->L, FIRST, &length);
  put(w, "{", 1);
  if (length) put(w, first, length);
  w->any = length > 0;
  for (i = 1; i <= names; i++) {
    if (lua_rawgeti(w->L, NAMES, i) != LUA_TSTRING) return false;
    push_value(w->L, &n);
    if (!put_member(w)) return false;
    lua_pop(w->L, 2);
  }
  put(w, "}", 1);
  return n == count_members(w->L, ROW);
}

static int encode_row (lua_State *L) {
  char small[SMALL];
  struct writer w = {L, small, sizeof small, 0, false};
  luaL_Buffer b;
  luaL_checktype(L, NAMES, LUA_TTABLE);
  luaL_checktype(L, ROW, LUA_TTABLE);
  lua_settop(L, FIRST);
  if (!put_row(&w)) return 0;
  if (w.size <= sizeof small) {
    lua_pushlstring(L, small, w.size);
    return 1;
  }
  w.room = w.size;
  w.to = luaL_buffinitsize(L, &b, w.room);
  w.size = 0;
  put_row(&w);
  luaL_pushresultsize(&b, w.size);
  return 1;
}

void json_row_register (lua_State *L) {
  lua_pushcfunction(L, encode_row);
  lua_setfield(L, -2, "encodeRow");
}
