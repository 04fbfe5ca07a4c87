/* reply: decodes a reply of any format into a Lua table, and reads from it what concerns the session. */
#include "protocol/btt/btt.h"
#include "runtime/json.h"
#include "runtime/loop.h"
#include "runtime/response.h"

#include <string.h>

const char *const btt_page_names[PAGE_FIELDS] = {
    "dse_pageId",         "dse_parentContextName", "dse_applicationId", "dse_processorId",
    "dse_processorState", "dse_nextEventName",     "dse_replyPage"};

/* XML: tables and texts by the names of the elements */

/*
** Each open element has two values on the stack: a table of its children, or nil, and its text so far.
** Several pieces of text are kept in an array: appending one by one would copy the whole text each time.
*/

/* Pushes the text with its entities replaced. */
static void push_decoded (lua_State *L, struct span s) {
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, s.length ? s.length : 1);
  luaL_pushresultsize(&b, markup_decode(to, s));
}

static void push_stripped (lua_State *L, struct span s) {
  s = span_strip(s);
  lua_pushlstring(L, s.text ? s.text : "", s.length);
}

/* Pops a child's value into its parent's table under `name`; a second child of that name makes a list. */
static void set_child (lua_State *L, int parent, int lists, struct span name) {
  lua_pushlstring(L, name.text, name.length);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, parent) == LUA_TNIL) { /* value, name, nil */
    lua_pop(L, 1);
    lua_insert(L, -2);
    lua_rawset(L, parent);
    return;
  }
  lua_pushvalue(L, -1);
  if (lua_rawget(L, lists) ==
      LUA_TNIL) { /* value, name, former, nil: the former becomes the list's first item */
    lua_pop(L, 1);
    lua_newtable(L);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, true);
    lua_rawset(L, lists);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, parent);
  } else
    lua_pop(L, 1);
  lua_pushvalue(L, -3); /* value, name, list */
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 3);
}

/* Adds the piece of text on top, popped; below it are the element's two values. */
static void add_piece (lua_State *L) {
  if (lua_istable(L, -3)) { /* only blanks between elements */
    lua_pop(L, 1);
    return;
  }
  if (lua_type(L, -2) == LUA_TSTRING && !lua_rawlen(L, -2)) {
    lua_replace(L, -2);
    return;
  }
  if (lua_type(L, -2) == LUA_TSTRING) {
    lua_createtable(L, 4, 0);
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, 1);
    lua_replace(L, -3);
  }
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* Joins the pieces on top into one text. */
static void join_pieces (lua_State *L) {
  int pieces = lua_gettop(L);
  lua_Integer i, n;
  luaL_Buffer b;
  if (lua_type(L, pieces) == LUA_TSTRING) return;
  n = (lua_Integer)lua_rawlen(L, pieces);
  luaL_buffinit(L, &b);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, pieces, i);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
  lua_replace(L, pieces);
}

/* Ends the element on top: its two values become one, which its parent takes. */
static void end_element (lua_State *L, int lists, struct span name) {
  if (lua_istable(L, -2))
    lua_pop(L, 1);
  else {
    size_t length;
    const char *text;
    join_pieces(L);
    text = lua_tolstring(L, -1, &length);
    push_stripped(L, (struct span){text, length});
    lua_replace(L, -3);
    lua_pop(L, 1);
  }
  if (lua_gettop(L) == lists + 1) return; /* it was the root */
  if (!lua_istable(L, -3)) {
    lua_newtable(L);
    lua_replace(L, -4);
  }
  set_child(L, lua_gettop(L) - 2, lists, name);
}

/* Leaves the root element's value on the stack. False, and nothing: it is no XML. */
static bool push_xml (lua_State *L, struct span body) {
  int top = lua_gettop(L), lists = top + 1;
  struct xml_reader r;
  luaL_checkstack(L, 2 * XML_MOST_DEPTH + 10, "a reply in XML");
  lua_newtable(L);
  xml_begin(&r, body);
  for (;;) {
    switch (xml_next(&r)) {
    case XML_START:
      lua_pushnil(L);
      lua_pushliteral(L, "");
      continue;
    case XML_TEXT: push_decoded(L, r.content); break;
    case XML_CDATA: lua_pushlstring(L, r.content.text, r.content.length); break;
    case XML_END: end_element(L, lists, r.name); continue;
    case XML_DONE: lua_remove(L, lists); return true;
    case XML_BROKEN: lua_settop(L, top); return false;
    }
    add_piece(L);
  }
}

/* HTML: the hidden inputs, the first one of each name */
static void push_html (lua_State *L, struct span body) {
  enum { MOST_INPUTS = 1000 };
  struct html_reader r = {body, 0};
  struct span name, value;
  int count = 0;
  lua_newtable(L);
  while (count++ < MOST_INPUTS && html_next_hidden(&r, &name, &value)) {
    push_decoded(L, name);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
      lua_pop(L, 1);
      push_decoded(L, value);
      lua_rawset(L, -3);
    } else
      lua_pop(L, 2);
  }
}

static bool push_json (lua_State *L, struct span body) {
  lua_pushlstring(L, body.text, body.length);
  if (json_decode(L)) return true;
  lua_pop(L, 1);
  return false;
}

/* Known fields */

static const char prefix[] = "dse_";

/* Pushes the field of that name, with or without the prefix, of the table at `index`; nil: there is none. */
static int push_field (lua_State *L, int index, const char *name) {
  lua_pushstring(L, name);
  if (lua_rawget(L, index) != LUA_TNIL) return lua_type(L, -1);
  lua_pop(L, 1);
  lua_pushfstring(L, "%s%s", prefix, name);
  return lua_rawget(L, index);
}

static bool has_field (lua_State *L, int index, const char *name) {
  bool has = push_field(L, index, name) != LUA_TNIL;
  lua_pop(L, 1);
  return has;
}

static bool is_reply (lua_State *L, int index) {
  return has_field(L, index, "status") || has_field(L, index, "sessionId") || has_field(L, index, "result") ||
         has_field(L, index, "resultData") || has_field(L, index, "timeout");
}

/* Replaces { wrapper = { ... } } on top by the inner table. */
static void unwrap (lua_State *L) {
  int index = lua_gettop(L);
  if (is_reply(L, index)) return;
  lua_pushnil(L);
  if (!lua_next(L, index)) return;
  if (lua_istable(L, -1) && lua_type(L, -2) == LUA_TSTRING) {
    lua_pushvalue(L, -2);
    if (!lua_next(L, index)) { /* the only key */
      lua_replace(L, index);
      lua_settop(L, index);
      return;
    }
  }
  lua_settop(L, index);
}

/* Arguments: the session (light userdata), the exchange (light userdata). */
static int decode_protected (lua_State *L) {
  const struct exchange *x = lua_touserdata(L, 2);
  const struct buffer *body = &x->response.body;
  if (!btt_push_function(L, lua_touserdata(L, 1), "decode")) return 0;
  lua_pushlstring(L, body->data ? body->data : "", body->length);
  response_push(L, x);
  lua_call(L, 2, 1);
  return 1;
}

static bool push_by_user (lua_State *L, const struct session *s, const struct exchange *x) {
  lua_pushcfunction(L, decode_protected);
  lua_pushlightuserdata(L, (void *)s);
  lua_pushlightuserdata(L, (void *)x);
  if (lua_pcall(L, 2, 1, 0) == LUA_OK) return true;
  loop_report(L);
  return false;
}

/* Every page of the toolkit has hidden inputs: one without any is somebody else's. */
static bool push_page (lua_State *L, struct span text) {
  int page;
  push_html(L, text);
  page = lua_gettop(L);
  lua_pushnil(L);
  if (!lua_next(L, page)) return false;
  lua_settop(L, page);
  return true;
}

static bool push_by_look (lua_State *L, const struct exchange *x) {
  const struct buffer *body = &x->response.body;
  struct span text = {body->data, body->length}, type = {NULL, 0};
  struct header_line line;
  if (exchange_find_header(x, "Content-Type", &line)) type = (struct span){line.value, line.value_length};
  switch (message_look(text, type)) {
  case LOOK_JSON: return push_json(L, text);
  case LOOK_XML:
    if (push_xml(L, text)) return true;
    /* fall through */
  case LOOK_HTML: return push_page(L, text);
  case LOOK_EMPTY:
  case LOOK_OTHER: break;
  }
  return false;
}

bool btt_push_reply (lua_State *L, const struct session *s, const struct exchange *x) {
  int top = lua_gettop(L);
  bool found = btt_of(s)->decodes ? push_by_user(L, s, x) : push_by_look(L, x);
  if (!found || !lua_istable(L, -1)) {
    lua_settop(L, top);
    lua_pushnil(L);
    return false;
  }
  if (!btt_of(s)->decodes) unwrap(L);
  return true;
}

/* The field as text without blanks and quotes around it; it stays on the stack. */
static struct span read_field (lua_State *L, int index, const char *name) {
  struct span s = {NULL, 0};
  int type = push_field(L, index, name);
  if (type == LUA_TSTRING || type == LUA_TNUMBER) {
    s.text = lua_tolstring(L, -1, &s.length);
    s = span_strip(s);
  }
  return s;
}

/* False: out of memory. */
static bool keep_text (struct btt *b, struct text *into, struct span s) {
  if (s.length <= REPLY_MOST_TEXT) return text_set(b->memory, into, s);
  b->heard.too_long = true;
  return true;
}

static bool keep_field (lua_State *L, int index, struct btt *b, const char *name, struct text *into) {
  struct span s = read_field(L, index, name);
  bool ok = !s.length || keep_text(b, into, s);
  lua_pop(L, 1);
  return ok;
}

static bool keep_page (lua_State *L, int index, struct btt *b) {
  int i;
  bool ok = true;
  for (i = 0; i < PAGE_FIELDS && ok; i++) {
    lua_pushstring(L, btt_page_names[i]);
    lua_rawget(L, index);
    if (lua_isstring(L, -1)) {
      struct span s;
      s.text = lua_tolstring(L, -1, &s.length);
      ok = keep_text(b, &b->heard.page[i], s);
    }
    lua_pop(L, 1);
  }
  b->heard.has_page = b->heard.page[PAGE_ID].length > 0;
  return ok;
}

static void copy_code (struct reply *r, struct span s) {
  size_t i, n = 0;
  for (i = 0; i < s.length && n < sizeof r->code - 1; i++)
    if ((s.text[i] >= '0' && s.text[i] <= '9') || (s.text[i] >= 'A' && s.text[i] <= 'Z') ||
        (s.text[i] >= 'a' && s.text[i] <= 'z') || strchr("_-. ", s.text[i]))
      r->code[n++] = s.text[i];
  r->code[n] = 0;
}

/* Reads the status: "OK", or an error. */
static void read_status (lua_State *L, int index, struct reply *r) {
  struct span s = read_field(L, index, "status");
  r->has_status = s.length > 0;
  r->ok = span_is(s, "OK");
  if (r->has_status && !r->ok) copy_code(r, s);
  lua_pop(L, 1);
}

/* Reads the timeout, which is in milliseconds. */
static double read_timeout (lua_State *L, int index) {
  struct span s = read_field(L, index, "timeout");
  double timeout = s.length ? lua_tonumber(L, -1) : -1;
  if (s.length && lua_type(L, -1) == LUA_TSTRING) {
    lua_pushlstring(L, s.text, s.length);
    timeout = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : -1;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return timeout >= 0 && timeout < 1e12 ? timeout / 1000 : -1;
}

bool btt_read_reply (lua_State *L, int index, struct btt *b) {
  struct reply *r = &b->heard;
  btt_forget_reply(b);
  r->timeout = -1;
  if (!lua_istable(L, index)) return true;
  read_status(L, index, r);
  r->timeout = read_timeout(L, index);
  return keep_field(L, index, b, "sessionId", &r->id) && keep_field(L, index, b, "serverId", &r->server_id) &&
         keep_field(L, index, b, "serverTID", &r->tid) && keep_page(L, index, b);
}

void btt_forget_reply (struct btt *b) {
  struct reply *r = &b->heard;
  int i;
  text_wipe(b->memory, &r->id);
  text_wipe(b->memory, &r->server_id);
  text_wipe(b->memory, &r->tid);
  for (i = 0; i < PAGE_FIELDS; i++)
    text_wipe(b->memory, &r->page[i]);
  memset(r, 0, sizeof *r);
}
