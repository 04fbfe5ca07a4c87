#include "runtime/json_rows.h"

#include "runtime/json_text.h"

#include <string.h>

enum { LEVELS = 8 }; /* of objects around an array of rows; those below are read as one value */

struct row_scan {
  const char *text;
  struct json_text json;
  struct json_word keys[LEVELS];
  unsigned level; /* objects that have been entered */
  enum { AT_VALUE, AT_MEMBER, AT_ROW, AT_END } place;
  const char *slice;         /* the first row that is in no slice yet; NULL: none */
  size_t size;               /* of a slice, in bytes */
  lua_Integer count, places; /* arrays; entries of the array that is read */
};

/* On the Lua stack. */
enum { TEXT = 1, ARRAYS, ARRAY /* being read, or nil */ };

static void add_place (lua_State *L, struct row_scan *s, const char *at) {
  lua_pushinteger(L, (lua_Integer)(at - s->text) + 1);
  lua_rawseti(L, ARRAY, ++s->places);
}

static void set_place (lua_State *L, const struct row_scan *s, const char *name, const char *at) {
  lua_pushinteger(L, (lua_Integer)(at - s->text) + 1);
  lua_setfield(L, ARRAY, name);
}

static void push_path (lua_State *L, const struct row_scan *s) {
  unsigned i;
  lua_createtable(L, (int)s->level, 0);
  for (i = 0; i < s->level; i++) {
    lua_pushlstring(L, s->keys[i].at, s->keys[i].length);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void begin_array (lua_State *L, struct row_scan *s) {
  lua_settop(L, ARRAYS);
  lua_newtable(L);
  set_place(L, s, "from", s->json.at);
  push_path(L, s);
  lua_setfield(L, ARRAY, "path");
  lua_pushvalue(L, ARRAY);
  lua_rawseti(L, ARRAYS, ++s->count);
  s->places = 0;
  s->slice = NULL;
  s->place = AT_ROW;
}

/* Ends the value just read: leaves the objects that end with it. */
static bool end_value (struct row_scan *s) {
  bool ended = true;
  while (ended && s->level > 0) {
    if (!json_go_on(&s->json, '}', &ended)) return false;
    if (ended) s->level--;
  }
  s->place = s->level > 0 ? AT_MEMBER : AT_END;
  return true;
}

static bool step_object (struct row_scan *s) {
  bool empty;
  if (!json_enter(&s->json, '{', '}', &empty)) return false;
  if (empty) return end_value(s);
  s->level++;
  s->place = AT_MEMBER;
  return true;
}

/* True if the array that starts here has an object first. */
static bool holds_rows (struct json_text ahead) {
  bool empty;
  return json_enter(&ahead, '[', ']', &empty) && !empty && ahead.at < ahead.end && *ahead.at == '{';
}

static bool step_value (lua_State *L, struct row_scan *s) {
  bool empty;
  char first = '\0';
  if (s->json.at < s->json.end) first = *s->json.at;
  if (first == '{' && s->level < LEVELS) return step_object(s);
  if (first != '[' || !holds_rows(s->json)) return json_any(&s->json) && end_value(s);
  begin_array(L, s);
  return json_enter(&s->json, '[', ']', &empty);
}

static bool step_member (struct row_scan *s) {
  s->place = AT_VALUE;
  return json_string(&s->json, &s->keys[s->level - 1]) && json_colon(&s->json);
}

static void end_slice (lua_State *L, struct row_scan *s, const char *last) {
  add_place(L, s, s->slice);
  add_place(L, s, last);
  s->slice = NULL;
}

/* Most are objects. The decoder judges them; brackets and quotes show where they end. */
static bool read_row (struct json_text *t) {
  return t->at < t->end && *t->at == '{' ? json_skip(t) : json_any(t);
}

static bool step_row (lua_State *L, struct row_scan *s) {
  const char *last;
  bool ended;
  if (!s->slice) s->slice = s->json.at;
  if (!read_row(&s->json)) return false;
  last = s->json.at - 1;
  if (!json_go_on(&s->json, ']', &ended)) return false;
  if (ended || (size_t)(last - s->slice) >= s->size) end_slice(L, s, last);
  if (!ended) return true;
  set_place(L, s, "to", s->json.at - 1);
  return end_value(s);
}

static bool step (lua_State *L, struct row_scan *s) {
  switch (s->place) {
  case AT_VALUE: return step_value(L, s);
  case AT_MEMBER: return step_member(s);
  case AT_ROW: return step_row(L, s);
  case AT_END: break; /* GCOVR_EXCL_LINE: the compiler wants each case, and callers stop at the end */
  }
  return false; /* GCOVR_EXCL_LINE: the compiler wants each case */
}

/* Continues the scan that is its upvalue; the text and the scan's tables are the next upvalues. */
static int scan_on (lua_State *L) {
  struct row_scan *s = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer bytes = luaL_checkinteger(L, 1);
  const char *from = s->json.at;
  int i;
  lua_settop(L, 0);
  for (i = TEXT; i <= ARRAY; i++)
    lua_pushvalue(L, lua_upvalueindex(1 + i));
  while (s->place != AT_END && s->json.at - from < bytes)
    if (!step(L, s)) return 0;
  if (s->place != AT_END) {
    lua_settop(L, ARRAY);
    lua_replace(L, lua_upvalueindex(1 + ARRAY));
    lua_pushboolean(L, true);
    return 1;
  }
  json_space(&s->json);
  if (s->json.at < s->json.end) return 0;
  lua_settop(L, ARRAYS);
  return 1;
}

static int row_scanner (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer size = luaL_checkinteger(L, 2);
  struct row_scan *s;
  luaL_argexpected(L, size > 0, 2, "positive integer");
  lua_settop(L, 1);
  lua_newtable(L);
  lua_pushnil(L);
  s = compat_newuserdata(L, sizeof *s, 0);
  memset(s, 0, sizeof *s);
  s->text = s->json.at = text;
  s->json.end = text + length;
  s->size = (size_t)size;
  json_space(&s->json);
  lua_insert(L, 1);
  lua_pushcclosure(L, scan_on, 1 + ARRAY);
  return 1;
}

void json_rows_register (lua_State *L) {
  lua_pushcfunction(L, row_scanner);
  lua_setfield(L, -2, "rowScanner");
}
