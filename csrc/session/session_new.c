/*
** session_new: makes a session: chooses the protocol and reads the options. The options are at index 1
** throughout, the session at 2.
*/
#include "session/session_new.h"

#include "runtime/duration.h"
#include "runtime/loop.h"
#include "runtime/options.h"
#include "runtime/transport_options.h"
#include "session/autoping.h"
#include "session/hooks.h"
#include "session/observer.h"
#include "session/protocol.h"
#include "session/reconnect.h"
#include "session/request_headers.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/verbs.h"

#include <string.h>

/* The options of every protocol. A protocol adds its own. */
static const char *const common_options[] = {
    TRANSPORT_OPTIONS, "serviceURI",      "baseURI", "protocol", "pingInterval", "onOpenRequest", "onRequest",
    "onResponse",      "headers",         "query",   "name",     "store",        "storage",       "reconnect",
    "retry",           "keepCredentials", NULL};

/* A protocol of the library; NULL: none has that name. */
static const struct protocol *find_own (lua_State *L, const char *name) {
  const struct protocol *const *p = session_hooks(L)->protocols;
  for (; *p; p++)
    if (!strcmp((*p)->name, name)) return *p;
  return NULL;
}

bool protocol_name_is_free (lua_State *L, const char *name) {
  return !find_own(L, name);
}

static int push_names (lua_State *L, int n, const char *const names[]) {
  for (; names && *names; names++) {
    lua_pushstring(L, *names);
    lua_rawseti(L, -2, ++n);
  }
  return n;
}

/* Pushes "jsdo", "datasnap" ..., quoted, for messages. */
static const char *push_protocol_names (lua_State *L) {
  const struct protocol *const *protocols = session_hooks(L)->protocols;
  luaL_Buffer b;
  int i;
  luaL_buffinit(L, &b);
  for (i = 0; protocols[i]; i++) {
    if (i) luaL_addstring(&b, ", ");
    luaL_addchar(&b, '"');
    luaL_addstring(&b, protocols[i]->name);
    luaL_addchar(&b, '"');
  }
  luaL_pushresult(&b);
  return lua_tostring(L, -1);
}

/* Leaves the definition of a protocol that is defined in Lua on the stack, or nil. */
static const struct protocol *find_protocol (lua_State *L, const char *name) {
  const struct protocol *own = find_own(L, name);
  if (!own) return session_hooks(L)->find_protocol(L, name);
  lua_pushnil(L);
  return own;
}

/* Leaves the definition, or nil, on the stack. */
static const struct protocol *protocol_option (lua_State *L) {
  const char *name = options_string(L, 1, "protocol", NULL);
  const struct protocol *protocol = find_protocol(L, name ? name : session_hooks(L)->protocols[0]->name);
  if (!protocol)
    luaL_error(L,
               "option 'protocol': expected %s or one that datasession.defineProtocol has defined, got '%s'",
               push_protocol_names(L), name);
  lua_remove(L, -2);
  return protocol;
}

/* optionNames([protocol]): an array of the options of datasession.new for it; nil: no such protocol. */
static int l_option_names (lua_State *L) {
  const struct protocol *protocol =
      find_protocol(L, luaL_optstring(L, 1, session_hooks(L)->protocols[0]->name));
  int definition = lua_gettop(L), n;
  lua_Integer i;
  if (!protocol) return 0;
  lua_newtable(L);
  n = push_names(L, push_names(L, 0, common_options), protocol->options);
  if (!lua_istable(L, definition) || lua_getfield(L, definition, "options") != LUA_TTABLE) {
    lua_settop(L, definition + 1);
    return 1;
  }
  for (i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++)
    lua_rawseti(L, definition + 1, n + i);
  lua_settop(L, definition + 1);
  return 1;
}

enum model session_model_option (lua_State *L, int index, const char *expected) {
  enum model model = MODEL_ANONYMOUS;
  char name[32];
  size_t length, i;
  const char *given = options_string(L, index, "authenticationModel", &length);
  if (given) {
    for (i = 0; i < length && i < sizeof name - 1; i++)
      name[i] = (char)(given[i] >= 'A' && given[i] <= 'Z' ? given[i] + 32 : given[i]);
    name[i] = 0;
    if (!model_of(name, &model) || !strstr(expected, lua_pushfstring(L, "\"%s\"", name)))
      luaL_error(L, "option 'authenticationModel': expected %s, got '%s'", expected, given);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return model;
}

static bool is_text_of (const struct uri *uri, const char *text, size_t length) {
  return uri && strlen(uri_text(uri)) == length && memcmp(uri_text(uri), text, length) == 0;
}

/* Sessions with one application share one URI. */
static struct uri *share_uri (struct loop *loop, struct uri *uri) {
  if (uri && loop->service && !strcmp(uri_text(loop->service), uri_text(uri))) {
    uri_release(uri);
    return uri_keep(loop->service);
  }
  uri_release(loop->service);
  loop->service = uri ? uri_keep(uri) : NULL;
  return uri;
}

static bool has_scheme (const char *text) {
  size_t n = strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-.");
  return n > 0 && text[n] == ':';
}

/* Raises for the URI of an option. */
static void refuse_uri (lua_State *L, const char *name, const char *text, size_t length, const char *why) {
  luaL_error(L, "option '%s': the URI%s %s", name, options_push_uri(L, text, length), why);
}

/*
** Replaces the text on top, of the option `name`, by the URI that it names relative to `base`. Nothing raises
** while a URI is held.
*/
static const char *resolve (lua_State *L, struct loop *loop, const char *name, const char *base,
                            size_t base_length, size_t *length) {
  const char *text = lua_tolstring(L, -1, length), *why;
  size_t room = 3 * (base_length + *length) + 16; /* a byte becomes at most three */
  char *copy = compat_newuserdata(L, room, 0);
  struct uri *root = uri_parse(&loop->memory, base, base_length, &why);
  struct uri *uri = root ? uri_resolve(root, text, *length, &why) : NULL;
  uri_release(root);
  if (uri) {
    *length = strnlen(uri_text(uri), room);
    memcpy(copy, uri_text(uri), *length);
    uri_release(uri);
  } else if (root)
    refuse_uri(L, name, text, *length, why);
  else
    refuse_uri(L, "baseURI", base, base_length, why);
  text = lua_pushlstring(L, copy, *length);
  lua_replace(L, -3);
  lua_pop(L, 1);
  return text;
}

/* As options_string; a relative URI follows the option baseURI, if there is one. */
static const char *absolute_option (lua_State *L, struct loop *loop, int index, const char *name,
                                    size_t *length) {
  size_t base_length;
  const char *base = options_string(L, index, "baseURI", &base_length);
  const char *text = options_string(L, index, name, length);
  if (base && text && *length && !has_scheme(text)) text = resolve(L, loop, name, base, base_length, length);
  lua_remove(L, -2);
  return text;
}

/* absoluteURI(options, name): the option, which may be relative to the option baseURI; nil: there is none. */
static int l_absolute_uri (lua_State *L) {
  size_t length;
  lua_settop(L, 2);
  absolute_option(L, loop_get(L), 1, luaL_checkstring(L, 2), &length);
  return 1;
}

/* Leaves the URI as the property serviceURI shows it, without trailing slashes, on the stack. */
struct uri *session_uri_option (lua_State *L, struct loop *loop, int index, const char *name) {
  size_t length, given;
  const char *text = absolute_option(L, loop, index, name, &length), *why;
  struct uri *uri;
  if (!text || !length) {
    luaL_error(L, "option '%s': expected the URI of a web application, got %s", name,
               text ? "an empty string" : "nil");
    return NULL; /* GCOVR_EXCL_LINE: luaL_error does not return */
  }
  for (given = length; length && text[length - 1] == '/'; length--)
    ;
  if (memchr(text, '?', length) || memchr(text, '#', length))
    luaL_error(L, "option '%s': expected the root of a web application, got a URI with a query or fragment",
               name);
  if (length < given) { /* many sessions share one string */
    text = lua_pushlstring(L, text, length);
    lua_remove(L, -2);
  }
  if (is_text_of(loop->service, text, length)) return uri_keep(loop->service);
  uri = uri_parse(&loop->memory, text, length, &why);
  if (!uri) refuse_uri(L, name, text, length, why);
  return share_uri(loop, uri);
}

static void enlist (lua_State *L, struct session *s, int index) {
  loop_table(L, LOOP_SESSIONS);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, s);
  lua_pop(L, 1);
}

static void take_on_open (lua_State *L, struct session *s) {
  int type = lua_getfield(L, 1, "onOpenRequest");
  if (type != LUA_TNIL && type != LUA_TFUNCTION)
    luaL_error(L, "option 'onOpenRequest': expected a function, got %s", lua_typename(L, type));
  s->has_on_open = type == LUA_TFUNCTION;
  session_setvalue(L, 2, SESSION_ON_OPEN);
}

/* Arguments: the list, light userdata, and the option `headers`. */
static int check_headers (lua_State *L) {
  request_headers_add(L, 2, lua_touserdata(L, 1), "");
  return 0;
}

/* Pushes a copy of the option `headers`. */
static void copy_headers (lua_State *L, const struct session *s) {
  struct header_list *lines = header_list_new(&s->loop->memory);
  int status;
  if (!lines) luaL_error(L, "not enough memory");
  lua_pushcfunction(L, check_headers);
  lua_pushlightuserdata(L, lines);
  lua_getfield(L, 1, "headers");
  status = lua_pcall(L, 2, 0, 0);
  header_list_release(lines);
  if (status != LUA_OK) options_raise(L);
  lua_newtable(L);
  lua_getfield(L, 1, "headers");
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 1);
}

/* The options `headers` and `query`, for every request of the session. */
static void take_defaults (lua_State *L, struct session *s) {
  bool headers = lua_getfield(L, 1, "headers") != LUA_TNIL, query = lua_getfield(L, 1, "query") != LUA_TNIL;
  lua_pop(L, 2);
  if (!headers && !query) return;
  lua_createtable(L, 0, 2);
  if (headers) {
    copy_headers(L, s);
    lua_setfield(L, -2, "headers");
  }
  if (query) {
    loop_hook(L, "copyParameters");
    lua_pushliteral(L, "option 'query'");
    lua_getfield(L, 1, "query");
    lua_call(L, 2, 1);
    lua_setfield(L, -2, "query");
  }
  session_setvalue(L, 2, SESSION_DEFAULTS);
  s->has_defaults = true;
}

/*
** Stack: the options, what was read of the store or nil, the definition of a protocol in Lua or nil. Leaves
** the options and the session.
*/
static struct session *new_session (lua_State *L, const struct protocol *protocol) {
  struct loop *loop = loop_get(L);
  struct session *s = compat_newuserdata(L, sizeof *s, SESSION_SLOTS);
  memset(s, 0, sizeof *s);
  s->loop = loop;
  s->protocol = protocol;
  s->login_result = RESULT_NONE;
  s->device_offline = loop->device_offline;
  userdata_set(L, TYPE_SESSION);
  lua_insert(L, 2);
  session_setvalue(L, 2, SESSION_DATA);
  if (lua_isnil(L, 3))
    lua_pop(L, 1);
  else
    session_setvalue(L, 2, SESSION_STORAGE);
  return s;
}

static void warn_insecure (lua_State *L, const struct session *s) {
  if (!s->transport->insecure) return;
  lua_pushfstring(L, "datasession: certificates are not verified for %s (insecure = true)",
                  uri_public_text(s->service));
  compat_warn(L, lua_tostring(L, -1));
  lua_pop(L, 1);
}

static double interval_option (lua_State *L) {
  double interval = 0;
  if (lua_getfield(L, 1, "pingInterval") != LUA_TNIL)
    interval = duration_interval(L, -1, "option 'pingInterval'");
  lua_pop(L, 1);
  return interval;
}

/*
** The options are at 1, what was read of the store, or nil, at 2. Puts a new session at 2, which has read the
** options. No other function finds it yet. Raises for mistakes.
*/
static struct session *configure (lua_State *L) {
  struct loop *loop = loop_get(L);
  const struct protocol *protocol;
  struct session *s;
  lua_settop(L, 2);
  protocol = protocol_option(L);
  options_check_more(L, 1, "datasession.new", common_options, protocol->options, lua_istable(L, 3) ? 3 : 0);
  loop_prepare(L);
  loop_engine(L, loop);
  s = new_session(L, protocol);
  if (!autoping_set_interval(s, interval_option(L))) luaL_error(L, "not enough memory");
  s->keep_credentials = options_boolean(L, 1, "keepCredentials", false);
  take_on_open(L, s);
  observer_options(L, s);
  take_defaults(L, s);
  reconnect_options(L, s);
  s->retry = retry_read(L, &s->loop->memory);
  s->transport = transport_from_options(L, loop, 1);
  s->service = session_uri_option(L, loop, 1, "serviceURI");
  session_setvalue(L, 2, SESSION_URI);
  if (protocol->configure) protocol->configure(L, s);
  lua_settop(L, 2);
  session_hooks(L)->store.configure(L, s);
  lua_settop(L, 2);
  return s;
}

/*
** newFrom(options, found): as new. `found` is what the Lua layer has read of the store; the hook restore gets
** it.
*/
static int l_new_from (lua_State *L) {
  struct session *s = configure(L);
  warn_insecure(L, s);
  enlist(L, s, 2);
  session_hooks(L)->store.open(L, s);
  lua_settop(L, 2);
  if (s->protocol->restored) s->protocol->restored(L, s);
  s->status = s->protocol->status ? s->protocol->status(s) : NULL;
  s->number = ++s->loop->sessions;
  return 1;
}

int session_new (lua_State *L) {
  options_check_table(L, 1, "datasession.new");
  lua_settop(L, 1);
  return l_new_from(L);
}

/*
** checkOptions(options): raises for the mistakes that `new` raises for, but those of the option authProvider
** and of the store. Changes nothing.
*/
static int l_check_options (lua_State *L) {
  lua_settop(L, 1);
  configure(L);
  lua_pushcfunction(L, session_gc);
  lua_insert(L, 2);
  lua_call(L, 1, 0);
  return 0;
}

void session_new_register (lua_State *L) {
  static const luaL_Reg functions[] = {{"new", session_new},
                                       {"newFrom", l_new_from},
                                       {"checkOptions", l_check_options},
                                       {"optionNames", l_option_names},
                                       {"absoluteURI", l_absolute_uri},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
