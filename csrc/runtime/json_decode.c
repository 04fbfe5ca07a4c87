#include "runtime/json_decode.h"

#include "runtime/json_text.h"

#include <math.h>
#include <string.h>

enum {
  KEYS = 64,          /* of a row, that are remembered from the row before */
  SAFE_DIGITS = 15,   /* a whole number of so many digits is exact as a double, and so is 10^15 */
  LONGEST_NUMBER = 63 /* characters; longer ones are left to the codec */
};

static const double fifteen_digits = 1e15;

/* On the Lua stack. The keys of the row before follow; values above them. */
enum { TEXT = 1, FROM, TO, LIST, COUNT, WHOLE, ARRAYS, FIRST_KEY };

struct decoder {
  lua_State *L;
  struct json_text json;
  bool whole;
  struct json_word keys[KEYS]; /* their bytes belong to the strings on the Lua stack */
  int known;                   /* keys */
  int members;                 /* of the row before */
};

static bool value (struct decoder *d);

/* ---- strings */

static unsigned hex (const char *p) {
  unsigned code = 0;
  int i;
  for (i = 0; i < 4; i++) {
    unsigned c = (unsigned char)p[i];
    code = code * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return code;
}

/* Adds a character as UTF-8. It is no half of a surrogate pair. */
static void add_utf8 (luaL_Buffer *b, unsigned code) {
  if (code < 0x80) {
    luaL_addchar(b, (char)code);
    return;
  }
  if (code < 0x800)
    luaL_addchar(b, (char)(0xC0 | code >> 6));
  else {
    if (code < 0x10000)
      luaL_addchar(b, (char)(0xE0 | code >> 12));
    else {
      luaL_addchar(b, (char)(0xF0 | code >> 18));
      luaL_addchar(b, (char)(0x80 | (code >> 12 & 0x3F)));
    }
    luaL_addchar(b, (char)(0x80 | (code >> 6 & 0x3F)));
  }
  luaL_addchar(b, (char)(0x80 | (code & 0x3F)));
}

/* Adds the character of the escape at `p`, which is behind the backslash. Returns the place behind it. */
static const char *add_escaped (luaL_Buffer *b, const char *p) {
  static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
  const char *name = strchr(names, *p);
  unsigned code;
  if (*p != 'u') {
    luaL_addchar(b, name ? meant[name - names] : *p);
    return p + 1;
  }
  code = hex(p + 1);
  if (code < 0xD800 || code > 0xDFFF) {
    add_utf8(b, code);
    return p + 5;
  }
  add_utf8(b, 0x10000 + ((code - 0xD800) << 10) + (hex(p + 7) - 0xDC00));
  return p + 11;
}

/* Pushes a string that json_string has accepted. */
static void push_escaped (lua_State *L, const char *p, const char *end) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  while (p < end) {
    const char *slash = memchr(p, '\\', (size_t)(end - p));
    luaL_addlstring(&b, p, (size_t)((slash ? slash : end) - p));
    p = slash ? add_escaped(&b, slash + 1) : end;
  }
  luaL_pushresult(&b);
}

static bool string (struct decoder *d) {
  const char *start = d->json.at;
  struct json_word word;
  if (json_string(&d->json, &word)) {
    lua_pushlstring(d->L, word.at, word.length);
    return true;
  }
  d->json.at = start;
  if (!json_string(&d->json, NULL)) return false;
  push_escaped(d->L, start + 1, d->json.at - 1);
  return true;
}

/* ---- numbers */

static void push_float (struct decoder *d, double number) {
  if (d->whole && fabs(number) < fifteen_digits && number == floor(number))
    lua_pushinteger(d->L, (lua_Integer)number);
  else
    lua_pushnumber(d->L, number);
}

/* As Lua reads the number, whatever the locale. */
static bool push_long (struct decoder *d, const char *start, size_t length) {
  char text[LONGEST_NUMBER + 1];
  if (length > LONGEST_NUMBER) return false;
  memcpy(text, start, length);
  text[length] = 0;
  if (!lua_stringtonumber(d->L, text)) return false;
  if (!lua_isinteger(d->L, -1)) {
    double number = (double)lua_tonumber(d->L, -1);
    lua_pop(d->L, 1);
    push_float(d, number);
  }
  return true;
}

/* The number's digits, without its point. *after: how many of them follow the point. False: too many, or an
** exponent. */
static bool few_digits (const char *p, const char *end, lua_Integer *digits, int *after) {
  int n = 0;
  const char *point = NULL;
  for (*digits = 0; p < end; p++) {
    if (*p == '.')
      point = p;
    else if (*p >= '0' && *p <= '9' && n++ < SAFE_DIGITS)
      *digits = *digits * 10 + (*p - '0');
    else
      return false;
  }
  *after = point ? (int)(end - point) - 1 : 0;
  return true;
}

/* With few digits, the quotient of two exact doubles is the nearest one, as strtod finds it. */
static bool number (struct decoder *d) {
  static const double powers[SAFE_DIGITS + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const char *start = d->json.at, *first;
  bool negative = start < d->json.end && *start == '-';
  lua_Integer digits;
  int after;
  if (!json_number(&d->json)) return false;
  first = start + negative;
  if (!few_digits(first, d->json.at, &digits, &after))
    return push_long(d, start, (size_t)(d->json.at - start));
  if (digits == 0 && negative && !d->whole) return false; /* decoders differ on its sign */
  if (negative) digits = -digits;
  if (after == 0)
    lua_pushinteger(d->L, digits);
  else
    push_float(d, (double)digits / powers[after]);
  return true;
}

/* ---- arrays and objects */

static bool array (struct decoder *d) {
  lua_Integer n = 0;
  bool ended;
  lua_newtable(d->L);
  if (!lua_isnil(d->L, ARRAYS)) {
    lua_pushvalue(d->L, ARRAYS);
    lua_setmetatable(d->L, -2);
  }
  if (!json_enter(&d->json, '[', ']', &ended)) return false;
  while (!ended) {
    if (!value(d)) return false;
    lua_rawseti(d->L, -2, ++n);
    if (!json_go_on(&d->json, ']', &ended)) return false;
  }
  return true;
}

static bool object (struct decoder *d) {
  bool ended;
  lua_newtable(d->L);
  if (!json_enter(&d->json, '{', '}', &ended)) return false;
  while (!ended) {
    if (!string(d) || !json_colon(&d->json) || !value(d)) return false;
    lua_rawset(d->L, -3);
    if (!json_go_on(&d->json, '}', &ended)) return false;
  }
  return true;
}

static bool value (struct decoder *d) {
  luaL_checkstack(d->L, 4, NULL);
  switch (d->json.at < d->json.end ? *d->json.at : 0) {
  case '"': return string(d);
  case '{': return object(d);
  case '[': return array(d);
  case 't': lua_pushboolean(d->L, true); return json_boolean(&d->json);
  case 'f': lua_pushboolean(d->L, false); return json_boolean(&d->json);
  case 'n': lua_pushlightuserdata(d->L, NULL); return json_null(&d->json); /* lua-cjson's null */
  default: return number(d);
  }
}

/* ---- rows: most have the keys of the row before, in the same order */

/* True if the text goes on with that key. */
static bool same_key (struct decoder *d, const struct json_word *key) {
  const char *p = d->json.at;
  if ((size_t)(d->json.end - p) < key->length + 2 || *p != '"') return false;
  if (p[1 + key->length] != '"' || memcmp(p + 1, key->at, key->length)) return false;
  d->json.at = p + key->length + 2;
  return true;
}

/* Remembers the key on top as that of the member number `i`. */
static void remember (struct decoder *d, int i) {
  lua_pushvalue(d->L, -1);
  lua_replace(d->L, FIRST_KEY + i);
  d->keys[i].at = lua_tolstring(d->L, -1, &d->keys[i].length);
  if (i >= d->known) d->known = i + 1;
}

/* A remembered key is in the text as it is: one with escapes is not the same. */
static bool push_key (struct decoder *d, int i) {
  const char *start = d->json.at;
  if (i < d->known && same_key(d, &d->keys[i])) {
    lua_pushvalue(d->L, FIRST_KEY + i);
    return true;
  }
  if (!string(d)) return false;
  if (i < KEYS && i <= d->known && lua_rawlen(d->L, -1) == (size_t)(d->json.at - start) - 2) remember(d, i);
  return true;
}

static bool row (struct decoder *d) {
  bool ended;
  int i = 0;
  if (d->json.at == d->json.end || *d->json.at != '{') return value(d);
  lua_createtable(d->L, 0, d->members);
  if (!json_enter(&d->json, '{', '}', &ended)) return false;
  while (!ended) {
    if (!push_key(d, i) || !json_colon(&d->json) || !value(d)) return false;
    lua_rawset(d->L, -3);
    i++;
    if (!json_go_on(&d->json, '}', &ended)) return false;
  }
  d->members = i;
  return true;
}

static bool rows (struct decoder *d, lua_Integer *count) {
  do {
    json_space(&d->json);
    if (!row(d)) return false;
    lua_rawseti(d->L, LIST, ++*count);
    json_space(&d->json);
  } while (json_take(&d->json, ','));
  return d->json.at == d->json.end;
}

static int decode_rows (lua_State *L) {
  struct decoder d;
  size_t length;
  const char *text = luaL_checklstring(L, TEXT, &length);
  lua_Integer from = luaL_checkinteger(L, FROM), to = luaL_checkinteger(L, TO), count;
  luaL_argexpected(L, from >= 1 && to <= (lua_Integer)length && from <= to + 1, FROM, "position");
  luaL_checktype(L, LIST, LUA_TTABLE);
  count = luaL_checkinteger(L, COUNT);
  lua_settop(L, ARRAYS);
  luaL_checkstack(L, KEYS + LUA_MINSTACK, NULL);
  lua_settop(L, FIRST_KEY + KEYS - 1);
  memset(&d, 0, sizeof d);
  d.L = L;
  d.json.at = text + from - 1;
  d.json.end = text + to;
  d.whole = lua_toboolean(L, WHOLE);
  if (!rows(&d, &count)) return 0;
  lua_pushinteger(L, count);
  return 1;
}

void json_decode_register (lua_State *L) {
  lua_pushcfunction(L, decode_rows);
  lua_setfield(L, -2, "decodeRows");
}
