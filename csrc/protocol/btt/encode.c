/* encode: writes an operation's request body in each format. It reads Lua values, so it may raise. */
#include "net/utf8.h"
#include "protocol/btt/btt.h"
#include "runtime/json.h"
#include "runtime/numbers.h"

/* The text written so far is a list of pieces, joined at the end. */
enum { CALL_PIECES = CALL_FIELDS + 1 };

static void add_piece (lua_State *L, int pieces) {
  lua_rawseti(L, pieces, (lua_Integer)lua_rawlen(L, pieces) + 1);
}

static void add_text (lua_State *L, int pieces, const char *text) {
  lua_pushstring(L, text);
  add_piece(L, pieces);
}

static void push_encoded (lua_State *L, struct span s, size_t (*encode)(char *, struct span)) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  while (s.length) {
    size_t part = s.length < 64 ? s.length : 64;
    luaL_addsize(&b, encode(luaL_prepbuffsize(&b, (size_t)64 * ENCODED_MOST), (struct span){s.text, part}));
    s.text += part;
    s.length -= part;
  }
  luaL_pushresult(&b);
}

/*
** The text of the string, number or boolean at `index`, the value of `key`; raises for any other type. The
** text stays on the stack.
*/
static struct span push_scalar (lua_State *L, int index, const char *where, const char *key) {
  struct span s;
  int type = lua_type(L, index);
  if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
    luaL_error(L, "invoke: %s: expected strings, numbers or booleans, got %s", where,
               luaL_typename(L, index));
  if (type == LUA_TBOOLEAN)
    lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
  else
    lua_pushvalue(L, index);
  if (!numbers_to_text(L, -1))
    luaL_error(L, "invoke: %s: NaN and infinity cannot be sent (at key %s)", where, key);
  s.text = lua_tolstring(L, -1, &s.length);
  return s;
}

static void check_key (lua_State *L, int index, const char *where) {
  if (lua_type(L, index) != LUA_TSTRING) luaL_error(L, "invoke: %s: expected names that are strings", where);
}

/* Writes the table on top as a form: name=value. */
static void add_pairs (lua_State *L, int pieces, const char *where) {
  int table = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    struct span name, value;
    check_key(L, -2, where);
    name.text = lua_tolstring(L, -2, &name.length);
    value = push_scalar(L, -1, where, name.text);
    add_text(L, pieces, "&");
    push_encoded(L, name, form_encode);
    add_piece(L, pieces);
    add_text(L, pieces, "=");
    push_encoded(L, value, form_encode);
    add_piece(L, pieces);
    lua_settop(L, table + 1);
  }
}

static void write_form (lua_State *L, const struct btt *b) {
  size_t length;
  const char *name = lua_tolstring(L, CALL_OPERATION, &length);
  (void)b;
  add_text(L, CALL_PIECES, "dse_operationName=");
  push_encoded(L, (struct span){name, length}, form_encode);
  add_piece(L, CALL_PIECES);
  if (!lua_istable(L, CALL_DATA) && !lua_isnil(L, CALL_DATA))
    luaL_argerror(L, CALL_DATA, "expected a table of texts by name, to be sent as a form");
  lua_pushvalue(L, CALL_FIELDS);
  add_pairs(L, CALL_PIECES, "option 'fields'");
  lua_pushvalue(L, CALL_DATA);
  if (lua_istable(L, -1)) add_pairs(L, CALL_PIECES, "data");
}

static void write_json (lua_State *L, const struct btt *b) {
  (void)b;
  lua_newtable(L);
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, CALL_FIELDS)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_pushvalue(L, CALL_OPERATION);
  lua_setfield(L, -2, "action");
  lua_pushvalue(L, CALL_DATA);
  lua_setfield(L, -2, "data");
  lua_setfield(L, -2, "xml_request");
  if (!json_encode(L)) luaL_error(L, "invoke: data: %s", lua_tostring(L, -1));
  add_piece(L, CALL_PIECES);
}

static void add_tag (lua_State *L, const char *open, int name) {
  struct span s;
  s.text = lua_tolstring(L, name, &s.length);
  if (!xml_is_name(s)) luaL_error(L, "invoke: data: '%s' is not a valid XML name", s.text);
  lua_pushfstring(L, "%s%s>", open, s.text);
  add_piece(L, CALL_PIECES);
}

static void add_value (lua_State *L, int depth, const char *key, const char *quote);

/*
** Writes the value on top, popped, as the element whose name is at `name`; a list as one element for each
** item. `quote` stands around each text.
*/
static void add_element (lua_State *L, int name, int depth, const char *quote) {
  bool list = lua_istable(L, -1) && lua_rawlen(L, -1) > 0;
  lua_Integer i, n = list ? (lua_Integer)lua_rawlen(L, -1) : 1;
  int value = lua_gettop(L);
  for (i = 1; i <= n; i++) {
    add_tag(L, "<", name);
    if (list)
      lua_rawgeti(L, value, i);
    else
      lua_pushvalue(L, value);
    add_value(L, depth, lua_tostring(L, name), quote);
    lua_settop(L, value);
    add_tag(L, "</", name);
  }
  lua_pop(L, 1);
}

/* Writes the value on top, which has that key: a text, or elements by name. */
static void add_value (lua_State *L, int depth, const char *key, const char *quote) {
  enum { DEEPEST = 16 };
  int value = lua_gettop(L);
  if (!lua_istable(L, value)) {
    struct span s = push_scalar(L, value, "data", key);
    if (!xml_can_hold(s)) luaL_error(L, "invoke: data: XML cannot hold control characters");
    if (!utf8_is_valid(s.text, s.length))
      luaL_error(L, "invoke: data: XML cannot hold a string that is not UTF-8 (at key %s)", key);
    add_text(L, CALL_PIECES, quote);
    push_encoded(L, s, xml_encode);
    add_piece(L, CALL_PIECES);
    add_text(L, CALL_PIECES, quote);
    lua_settop(L, value);
    return;
  }
  if (depth >= DEEPEST) luaL_error(L, "invoke: data: nested deeper than %d levels", DEEPEST);
  luaL_checkstack(L, 10, "invoke: data");
  lua_pushnil(L);
  while (lua_next(L, value)) {
    check_key(L, -2, "data");
    add_element(L, value + 1, depth + 1, quote);
  }
}

static void add_named (lua_State *L, const char *name, const char *quote) {
  lua_pushstring(L, name);
  lua_insert(L, -2);
  add_element(L, lua_gettop(L) - 1, 0, quote);
  lua_pop(L, 1);
}

static void begin_xml (lua_State *L, const struct btt *b) {
  if (b->declares) add_text(L, CALL_PIECES, BTT_DECLARATION);
  if (b->dtds) {
    add_text(L, CALL_PIECES, BTT_DOCTYPE);
    add_text(L, CALL_PIECES, b->dtds);
    add_text(L, CALL_PIECES, BTT_REQUEST_DTD "\">\n");
  }
  add_text(L, CALL_PIECES, "<requestMsg>");
}

/* Quotes stand around the message's own values, not in the data of the application. */
static void write_xml (lua_State *L, const struct btt *b) {
  const char *quote = b->quotes ? "\"" : "";
  begin_xml(L, b);
  lua_pushvalue(L, CALL_OPERATION);
  add_named(L, "dse_operationName", quote);
  lua_pushvalue(L, CALL_FIELDS);
  add_value(L, 0, "fields", quote);
  lua_settop(L, CALL_PIECES);
  if (!lua_isnil(L, CALL_DATA)) {
    lua_pushvalue(L, CALL_DATA);
    add_named(L, "dse_formattedData", lua_istable(L, CALL_DATA) ? "" : quote);
  }
  add_text(L, CALL_PIECES, "</requestMsg>");
}

static void push_joined (lua_State *L) {
  luaL_Buffer b;
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, CALL_PIECES);
  luaL_buffinit(L, &b);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, CALL_PIECES, i);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
}

/* Calls the user's function `encode`. */
static void encode_by_user (lua_State *L, const struct session *s, const char *type) {
  if (!btt_push_function(L, s, "encode")) luaL_error(L, "invoke: the session is closed");
  lua_createtable(L, 0, 4);
  lua_pushliteral(L, "request");
  lua_setfield(L, -2, "kind");
  lua_pushvalue(L, CALL_OPERATION);
  lua_setfield(L, -2, "operation");
  lua_pushvalue(L, CALL_DATA);
  lua_setfield(L, -2, "data");
  lua_pushvalue(L, CALL_FIELDS);
  lua_setfield(L, -2, "fields");
  lua_call(L, 1, 2);
  if (!lua_isstring(L, -2))
    luaL_error(L, "format.encode: expected it to return a string, got %s", luaL_typename(L, -2));
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushstring(L, type);
  } else if (!lua_isstring(L, -1) || !header_is_value(lua_tostring(L, -1), (size_t)lua_rawlen(L, -1)))
    luaL_error(L, "format.encode: expected a content type that is a string without line breaks");
}

void btt_push_body (lua_State *L, const struct session *s) {
  static const struct {
    const char *type;
    void (*write)(lua_State *, const struct btt *);
  } formats[] = {[FORMAT_FORM] = {"application/x-www-form-urlencoded;charset=UTF-8", write_form},
                 [FORMAT_JSON] = {"application/json;charset=UTF-8", write_json},
                 [FORMAT_XML] = {"text/xml;charset=UTF-8", write_xml}};
  enum btt_format format = btt_of(s)->format;
  lua_newtable(L); /* CALL_PIECES */
  if (btt_of(s)->encodes) {
    encode_by_user(L, s, formats[format].type);
    return;
  }
  formats[format].write(L, btt_of(s));
  push_joined(L);
  lua_pushstring(L, formats[format].type);
}
