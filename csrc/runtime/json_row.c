#include "runtime/json_row.h"

#include "net/utf8.h"
#include "runtime/numbers.h"

#include <stdbool.h>
#include <string.h>

enum { NAMES = 1, ROW, FIRST, OLD, OLD_FIRST };
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

/* ---- the rows */

/* The name and the value are on top. */
static bool put_member (struct writer *w) {
  if (w->any) put(w, ",", 1);
  w->any = true;
  if (!put_string(w, -2)) return false;
  put(w, ":", 1);
  return lua_istable(w->L, -1) ? put_array(w) : put_scalar(w);
}

/* Puts the member that `from` ends with, behind its first `start` bytes. */
static bool copy_member (struct writer *w, const struct writer *from, size_t start) {
  if (from->size > from->room) return put_member(w);
  if (from->to[start] == ',') start++;
  if (w->any) put(w, ",", 1);
  w->any = true;
  put(w, from->to + start, from->size - start);
  return true;
}

/* The field's name and its value in the row are on top; pops the value. */
static bool put_field (struct writer *new, struct writer *old) {
  lua_State *L = new->L;
  size_t start = new->size;
  bool has = !lua_isnil(L, -1), good = !has || put_member(new);
  if (!good || lua_isnil(L, OLD)) {
    lua_pop(L, 1);
    return good;
  }
  lua_pushvalue(L, -2);
  if (lua_rawget(L, OLD) == LUA_TNIL) {
    lua_pop(L, 1);
    good = !has || copy_member(old, new, start);
  } else {
    lua_replace(L, -2);
    good = put_member(old);
  }
  lua_pop(L, 1);
  return good;
}

static void put_first (struct writer *w, int index) {
  size_t length = 0;
  const char *first = lua_tolstring(w->L, index, &length);
  put(w, "{", 1);
  if (length) put(w, first, length);
  w->any = length > 0;
}

static bool put_rows (struct writer *new, struct writer *old) {
  lua_State *L = new->L;
  lua_Integer i, n = 0, names = (lua_Integer)lua_rawlen(L, NAMES);
  put_first(new, FIRST);
  put_first(old, OLD_FIRST);
  for (i = 1; i <= names; i++) {
    if (lua_rawgeti(L, NAMES, i) != LUA_TSTRING) return false;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, ROW) != LUA_TNIL) n++;
    if (!put_field(new, old)) return false;
    lua_pop(L, 1);
  }
  put(new, "}", 1);
  put(old, "}", 1);
  return n == count_members(L, ROW);
}

/* Gives the writer room for what it has counted. Pushes what owns it. */
static void make_room (struct writer *w) {
  w->to = compat_newuserdata(w->L, w->size, 0);
  w->room = w->size;
  w->size = 0;
}

static int encode_row (lua_State *L) {
  char small[2][SMALL];
  struct writer new = {L, small[0], SMALL, 0, false}, old = {L, small[1], SMALL, 0, false};
  luaL_checktype(L, NAMES, LUA_TTABLE);
  luaL_checktype(L, ROW, LUA_TTABLE);
  lua_settop(L, OLD_FIRST);
  if (!put_rows(&new, &old)) return 0;
  if (new.size > new.room || old.size > old.room) {
    make_room(&new);
    make_room(&old);
    put_rows(&new, &old);
  }
  lua_pushlstring(L, new.to, new.size);
  if (lua_isnil(L, OLD)) return 1;
  lua_pushlstring(L, old.to, old.size);
  return 2;
}

void json_row_register (lua_State *L) {
  lua_pushcfunction(L, encode_row);
  lua_setfield(L, -2, "encodeRow");
}
