/*
** options: the options of datasession.new that a Rich Client session takes. The options are at 1, the session
** at 2.
*/
#include "runtime/options.h"
#include "protocol/btt/btt.h"
#include "runtime/transport_options.h"
#include "session/protocol.h"

#include <string.h>

const char *const btt_options[] = {"establishPath", "requestPath",      "closeOperation",
                                   "closePath",     "format",           "sessionCarrier",
                                   "tid",           "sessionParameter", "serverId",
                                   "sessionId",     "sessionCookie",    "maxCloseAttempts",
                                   "cookiePolicy",  "runInSession",     "replay",
                                   "onLateReply",   "lateReplies",      "xmlDeclaration",
                                   "xmlDoctype",    "xmlQuotes",        NULL};

static const double default_timeout = 10, default_late = 60;

/* Keeps the string on top, popped, in the table at `kept`, for as long as C points at it. */
static const char *keep (lua_State *L, int kept) {
  const char *text = lua_tostring(L, -1);
  lua_rawseti(L, kept, (lua_Integer)lua_rawlen(L, kept) + 1);
  return text;
}

/* Reads a text that is sent: it must hold no control bytes. */
static const char *text_option (lua_State *L, int kept, const char *name, const char *fallback) {
  size_t length, i;
  const char *text = options_string(L, 1, name, &length);
  if (!text) {
    lua_pop(L, 1);
    return fallback;
  }
  if (!length) luaL_error(L, "option '%s': expected a string that is not empty", name);
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 127)
      luaL_error(L, "option '%s': expected a string without control characters", name);
  return keep(L, kept);
}

static const char *path_option (lua_State *L, int kept, const char *name, const char *fallback) {
  const char *path = text_option(L, kept, name, fallback);
  if (!path || *path == '/') return path;
  lua_pushfstring(L, "/%s", path);
  return keep(L, kept);
}

static void secret_option (lua_State *L, struct btt *b, const char *name, struct text *into) {
  size_t length;
  const char *text = options_string(L, 1, name, &length);
  if (text && (!length || strpbrk(text, "\r\n") || strlen(text) < length))
    luaL_error(L, "option '%s': expected a string that is not empty, without line breaks or NUL bytes", name);
  if (text && !text_set(b->memory, into, (struct span){text, length})) luaL_error(L, "not enough memory");
  lua_pop(L, 1);
}

/* The index of the option's word; 0, the first, without the option. */
static int word_option (lua_State *L, int index, const char *name, const char *const words[],
                        const char *expected) {
  const char *given = options_string(L, index, name, NULL);
  int i = 0;
  while (given && words[i] && strcmp(words[i], given) != 0)
    i++;
  if (!words[i]) luaL_error(L, "option '%s': expected %s, got '%s'", name, expected, given);
  lua_pop(L, 1);
  return i;
}

static const char *const formats[] = {"form", "json", "xml", NULL};
static const char formats_expected[] = "\"form\", \"json\" or \"xml\", or a table of functions";

/* Copies a function, or nil, from the table `from` to the table at `kept`. */
static bool function_option (lua_State *L, int from, const char *name, int kept) {
  int type = lua_getfield(L, from, name);
  if (type != LUA_TNIL && type != LUA_TFUNCTION)
    luaL_error(L, "option '%s': expected a function, got %s", name, lua_typename(L, type));
  lua_setfield(L, kept, name);
  return type == LUA_TFUNCTION;
}

static void format_option (lua_State *L, struct btt *b, int kept) {
  static const char *const known[] = {"base", "encode", "decode", "classify", NULL};
  int index;
  if (lua_getfield(L, 1, "format") != LUA_TTABLE) {
    lua_pop(L, 1);
    b->format = (enum btt_format)word_option(L, 1, "format", formats, formats_expected);
    return;
  }
  index = lua_gettop(L);
  options_check(L, index, "option 'format'", known);
  b->format = (enum btt_format)word_option(L, index, "base", formats, "\"form\", \"json\" or \"xml\"");
  b->encodes = function_option(L, index, "encode", kept);
  b->decodes = function_option(L, index, "decode", kept);
  b->classifies = function_option(L, index, "classify", kept);
  lua_pop(L, 1);
}

static bool xml_switch (lua_State *L, const struct btt *b, const char *name) {
  bool on = options_boolean(L, 1, name, false);
  if (on && b->format != FORMAT_XML)
    luaL_error(L, "option '%s': expected the option format to be \"xml\" beside it", name);
  return on;
}

/* xmlDoctype is a boolean, or the folder of the DTDs. */
static void xml_options (lua_State *L, struct btt *b, int kept) {
  const char *text;
  b->declares = xml_switch(L, b, "xmlDeclaration");
  b->quotes = xml_switch(L, b, "xmlQuotes");
  if (lua_getfield(L, 1, "xmlDoctype") != LUA_TSTRING) {
    lua_pop(L, 1);
    b->dtds = xml_switch(L, b, "xmlDoctype") ? "/dse/" : NULL;
    return;
  }
  lua_pop(L, 1);
  text = text_option(L, kept, "xmlDoctype", NULL);
  if (b->format != FORMAT_XML || strchr(text, '"'))
    luaL_error(L,
               "option 'xmlDoctype': expected the folder of the DTDs, without quotes, and the option format "
               "to be \"xml\"");
  b->dtds = text;
}

static void carrier_option (lua_State *L, struct btt *b) {
  static const char *const carriers[] = {"both", "cookie", "parameter", NULL};
  int which = word_option(L, 1, "sessionCarrier", carriers, "\"cookie\", \"parameter\" or \"both\"");
  b->by_cookie = which != 2;
  b->by_parameter = which != 1;
}

static void late_options (lua_State *L, struct btt *b, int kept) {
  bool wanted = function_option(L, 1, "onLateReply", kept);
  double late = options_number(L, 1, "lateReplies", 0, wanted ? default_late : 0);
  if (late > 0 && !wanted)
    luaL_error(L, "option 'lateReplies': expected the option onLateReply, a function, beside it");
  b->late = late < 1e6 ? late : 1e6;
}

static unsigned count_option (lua_State *L, const char *name, unsigned fallback) {
  double count = options_number(L, 1, name, 1, fallback);
  if (count > 1000 || (double)(unsigned)count < count)
    luaL_error(L, "option '%s': expected a whole number from 1 to 1000", name);
  return (unsigned)count;
}

/* The default is ten seconds. */
static void set_timeout (lua_State *L, struct session *s) {
  struct transport *t;
  if (lua_getfield(L, 1, "timeout") != LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_pushnumber(L, default_timeout);
  lua_setfield(L, -2, "timeout");
  t = transport_from_options(L, s->loop, lua_gettop(L));
  transport_release(s->transport);
  s->transport = t;
  lua_pop(L, 2);
}

/* Raises for the option name: a store could not bring the session back. */
static void refuse_name (lua_State *L) {
  size_t length;
  if (options_string(L, 1, "name", &length) && length)
    luaL_error(L, "option 'name': a session of protocol btt is not kept in a store");
  lua_pop(L, 1);
}

static void read_options (lua_State *L, struct btt *b, int kept) {
  static const char *const policies[] = {"keep", "standard", NULL};
  b->establish_path = path_option(L, kept, "establishPath", "/CSEstablishSessionServlet");
  b->request_path = path_option(L, kept, "requestPath", "/CSReqServlet");
  b->close_path = path_option(L, kept, "closePath", NULL);
  b->close_operation = text_option(L, kept, "closeOperation", NULL);
  if (b->close_path && b->close_operation)
    luaL_error(L, "option 'closePath': expected either it or option 'closeOperation', not both");
  b->parameter = text_option(L, kept, "sessionParameter", "sessionId");
  b->cookie = text_option(L, kept, "sessionCookie", "JSESSIONID");
  secret_option(L, b, "tid", &b->tid);
  secret_option(L, b, "serverId", &b->server_option);
  secret_option(L, b, "sessionId", &b->predefined);
  b->keeps = word_option(L, 1, "cookiePolicy", policies, "\"keep\" or \"standard\"") == 0;
  b->in_session = options_boolean(L, 1, "runInSession", true);
  b->replay = options_boolean(L, 1, "replay", false);
  b->close_tries = count_option(L, "maxCloseAttempts", 3);
  format_option(L, b, kept);
  xml_options(L, b, kept);
  carrier_option(L, b);
  late_options(L, b, kept);
}

void btt_configure (lua_State *L, struct session *s) {
  struct btt *b = memory_new(&s->loop->memory, sizeof *b);
  if (!b) {
    luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
    return;                             /* GCOVR_EXCL_LINE: luaL_error does not return */
  }
  s->data = b;
  b->memory = &s->loop->memory;
  cookies_init(&b->cookies, b->memory);
  refuse_name(L);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  session_setvalue(L, 2, SESSION_DATA);
  read_options(L, b, lua_gettop(L));
  set_timeout(L, s);
}
