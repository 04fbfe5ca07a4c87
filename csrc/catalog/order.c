/*
** Walks the text beside the decoded tables. The text was decoded before, so it is valid JSON. A text that
** does not belong to the tables gives a wrong order, but does no harm.
*/
#include "catalog/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct walk {
  lua_State *L;
  const char *at, *end;
};

/* On the Lua stack. */
enum { TEXT = 1, DECODED, ORDER };

static void space (struct walk *w) {
  while (w->at < w->end && strchr(" \t\r\n", *w->at))
    w->at++;
}

static bool take (struct walk *w, char c) {
  space(w);
  if (w->at == w->end || *w->at != c) return false;
  w->at++;
  return true;
}

/*
** Reads a string, without its quotes. *escaped: it contains backslashes. An unfinished string ends the walk.
*/
static const char *string (struct walk *w, size_t *length, bool *escaped) {
  const char *start = w->at;
  *escaped = false;
  while (w->at < w->end && *w->at != '"') {
    if (*w->at == '\\') {
      *escaped = true;
      w->at++;
    }
    if (w->at < w->end) w->at++;
  }
  *length = (size_t)(w->at - start);
  if (w->at < w->end) w->at++;
  return start;
}

static unsigned long hex (const char *p, const char *end) {
  char digits[5] = {0};
  if (end - p < 4) return 0;
  memcpy(digits, p, 4);
  return strtoul(digits, NULL, 16);
}

/* Reads the character of a \u escape, whose digits start at *p, and moves *p behind them. */
static unsigned long character (const char **p, const char *end) {
  unsigned long code = hex(*p, end), low;
  *p += end - *p < 4 ? end - *p : 4;
  if (code < 0xD800 || code > 0xDBFF || end - *p < 6 || memcmp(*p, "\\u", 2)) return code;
  low = hex(*p + 2, end);
  *p += 6;
  return 0x10000 + ((code - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
}

static void push_unescaped (lua_State *L, const char *p, size_t length) {
  static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  const char *end = p + length;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  while (p < end) {
    const char *known;
    if (*p != '\\' || p + 1 == end) {
      luaL_addchar(&b, *p++);
      continue;
    }
    p += 2;
    if (p[-1] == 'u') {
      compat_pushutf8(L, character(&p, end));
      luaL_addvalue(&b);
    } else {
      for (known = escapes; *known && *known != p[-1]; known += 2)
        ;
      if (*known) luaL_addchar(&b, known[1]);
    }
  }
  luaL_pushresult(&b);
}

/* Skips a value that has no table, or whose table does not matter. */
static void skip (struct walk *w) {
  size_t length, depth = 0;
  bool escaped;
  space(w);
  while (w->at < w->end) {
    char c = *w->at;
    if (!depth && (c == ',' || c == ']' || c == '}')) return;
    w->at++;
    if (c == '"')
      string(w, &length, &escaped);
    else if (c == '[' || c == '{')
      depth++;
    else if (c == ']' || c == '}')
      depth--;
  }
}

static void value (struct walk *w, bool noted);

/* The element or member is on top, popped. */
static void child (struct walk *w, bool noted) {
  if (lua_istable(w->L, -1))
    value(w, noted);
  else
    skip(w);
  lua_pop(w->L, 1);
}

static void array (struct walk *w, int table) {
  lua_Integer i = 0;
  if (take(w, ']')) return;
  do {
    lua_rawgeti(w->L, table, ++i);
    child(w, false);
  } while (take(w, ','));
  take(w, ']');
}

/* Pushes the next key. False, and pushes nothing: there is none. */
static bool push_key (struct walk *w) {
  size_t length;
  bool escaped;
  const char *text;
  if (!take(w, '"')) return false;
  text = string(w, &length, &escaped);
  if (escaped)
    push_unescaped(w->L, text, length);
  else
    lua_pushlstring(w->L, text, length);
  take(w, ':');
  return true;
}

/* Walks an object. `keys`: the stack index of the array for its keys, or 0. */
static void object (struct walk *w, int table, int keys) {
  lua_State *L = w->L;
  lua_Integer n = 0;
  if (take(w, '}')) return;
  while (push_key(w)) {
    bool properties = !strcmp(lua_tostring(L, -1), "properties");
    if (keys) {
      lua_pushvalue(L, -1);
      lua_rawseti(L, keys, ++n);
    }
    lua_rawget(L, table);
    child(w, properties);
    if (!take(w, ',')) break;
  }
  take(w, '}');
}

/* Walks a value. Its decoded table is on top. */
static void value (struct walk *w, bool noted) {
  lua_State *L = w->L;
  int table = lua_gettop(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (take(w, '['))
    array(w, table);
  else if (take(w, '{')) {
    if (noted) {
      lua_pushvalue(L, table);
      lua_newtable(L);
      lua_pushvalue(L, -1);
      lua_insert(L, table + 1);
      lua_rawset(L, ORDER);
    }
    object(w, table, noted ? table + 1 : 0);
    lua_settop(L, table);
  } else
    skip(w);
}

int catalog_order (lua_State *L) {
  struct walk w = {.L = L};
  size_t length;
  w.at = luaL_checklstring(L, TEXT, &length);
  w.end = w.at + length;
  luaL_checktype(L, DECODED, LUA_TTABLE);
  lua_settop(L, DECODED);
  lua_newtable(L);
  if (length >= 3 && !memcmp(w.at, "\xEF\xBB\xBF", 3)) w.at += 3;
  lua_pushvalue(L, DECODED);
  value(&w, false);
  lua_settop(L, ORDER);
  return 1;
}
