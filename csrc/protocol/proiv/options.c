/* options: the options of datasession.new that a PROIV session alone takes. */
#include "runtime/options.h"
#include "protocol/proiv/proiv.h"
#include "session/protocol.h"

#include <stdlib.h>
#include <string.h>

const char *const proiv_options[] = {"sessionNodeID", "URI",        "connectionData", "explicitByGet",
                                     "pollInterval",  "endTimeout", "transport",      NULL};

/* Stack: the options at 1, the session at 2, the table of SESSION_DATA at 3, connectionData or nil at 4. */
enum { OPTIONS = 1, SESSION, WIRE, DATA };

static const char *const data_fields[] = {"service",  "sessionType", "hostname",    "port", "username",
                                          "password", "command",     "resourceURL", NULL};

static void take_node (lua_State *L) {
  size_t length;
  const char *node = options_string(L, OPTIONS, "sessionNodeID", &length);
  if (node && !length) luaL_error(L, "option 'sessionNodeID': expected a name, got an empty string");
  lua_setfield(L, WIRE, "node");
}

/* A relative URI is below serviceURI; one that begins with a slash is below its origin. */
static void take_address (lua_State *L, struct session *s) {
  struct proiv *p = s->data;
  size_t length;
  const char *text = options_string(L, OPTIONS, "URI", &length), *why = uri_no_memory;
  struct uri *base = uri_append(s->service, "/");
  if (base)
    p->address = text ? uri_resolve(base, text, length, &why) : uri_resolve(base, "/connect", 8, &why);
  uri_release(base);
  if (!p->address) luaL_error(L, "option 'URI': the URI %s", why);
  if (!uri_same_origin(s->service, p->address))
    luaL_error(L, "option 'URI': expected an address of serviceURI's own server, got %s",
               uri_public_text(p->address));
  lua_pop(L, 1);
}

/* Leaves the field of connectionData as text, or nil, on the stack. */
static const char *data_text (lua_State *L, const char *name) {
  int type = lua_getfield(L, DATA, name);
  if (type == LUA_TNUMBER && lua_isinteger(L, -1) && !strcmp(name, "port")) return lua_tostring(L, -1);
  if (type != LUA_TNIL && type != LUA_TSTRING)
    luaL_error(L, "option 'connectionData': field '%s': expected a string, got %s", name,
               luaL_typename(L, -1));
  if (type == LUA_TSTRING && strlen(lua_tostring(L, -1)) < lua_rawlen(L, -1))
    luaL_error(L, "option 'connectionData': field '%s': a text with a NUL byte cannot be sent", name);
  return lua_tostring(L, -1);
}

static void check_service (lua_State *L) {
  int i;
  if (!*data_text(L, "service"))
    luaL_error(L, "option 'connectionData': field 'service': expected a string that is not empty");
  lua_pop(L, 1);
  for (i = 1; data_fields[i]; i++) {
    if (data_text(L, data_fields[i]))
      luaL_error(
          L,
          "option 'connectionData': expected the name of a service or the details of a connection, got "
          "both 'service' and '%s'",
          data_fields[i]);
    lua_pop(L, 1);
  }
}

static bool is_port (const char *text) {
  size_t length = strlen(text);
  long port = length < 6 && strspn(text, "0123456789") == length ? strtol(text, NULL, 10) : 0;
  return port > 0 && port < 65536;
}

static void check_details (lua_State *L) {
  static const char *const types[] = {"TELNET_SESSION", "TELNET_LOGIN_SESSION"};
  const char *text;
  text = data_text(L, "hostname");
  if (!text || !*text)
    luaL_error(L, "option 'connectionData': expected 'service', or 'hostname', 'port' and 'sessionType'");
  text = data_text(L, "port");
  if (!text || !is_port(text))
    luaL_error(L, "option 'connectionData': field 'port': expected a number from 1 to 65535");
  text = data_text(L, "sessionType");
  if (!text || (strcmp(text, types[0]) && strcmp(text, types[1])))
    luaL_error(L, "option 'connectionData': field 'sessionType': expected \"%s\" or \"%s\"", types[0],
               types[1]);
  lua_pop(L, 3);
}

/* Copies all fields but the password into the table on top; the password goes to memory that is wiped. */
static void copy_data (lua_State *L, struct session *s) {
  struct proiv *p = s->data;
  int i;
  for (i = 0; data_fields[i]; i++) {
    const char *text = data_text(L, data_fields[i]);
    if (!strcmp(data_fields[i], "password") && text) {
      const struct credentials given = {NULL, text, 0, strlen(text)};
      p->secret = credentials_copy(&s->loop->memory, &given);
      if (!p->secret) luaL_error(L, "not enough memory");
      lua_pop(L, 1);
    } else
      lua_setfield(L, -2, data_fields[i]);
  }
}

static void take_data (lua_State *L, struct session *s) {
  struct proiv *p = s->data;
  int type = lua_getfield(L, OPTIONS, "connectionData");
  lua_newtable(L);
  if (type == LUA_TTABLE) {
    options_check(L, DATA, "option 'connectionData'", data_fields);
    lua_pushnil(L);
    p->is_explicit = lua_next(L, DATA) && lua_getfield(L, DATA, "service") == LUA_TNIL;
    lua_settop(L, DATA + 1);
    if (p->is_explicit)
      check_details(L);
    else if (lua_getfield(L, DATA, "service") != LUA_TNIL)
      check_service(L);
    lua_settop(L, DATA + 1);
    copy_data(L, s);
  } else if (type != LUA_TNIL)
    luaL_error(L, "option 'connectionData': expected a table, got %s", lua_typename(L, type));
  if (!p->is_explicit && lua_getfield(L, DATA + 1, "service") == LUA_TNIL) {
    lua_pushliteral(L, "Default");
    lua_setfield(L, DATA + 1, "service");
  }
  lua_settop(L, DATA + 1);
  lua_setfield(L, WIRE, "data");
  lua_settop(L, WIRE);
}

/* Keeps a copy: the user may change the table later. */
static void take_transport (lua_State *L) {
  static const char *const known[] = {"connect", "requestStop", "poll", "endNow", "classify", NULL};
  int type = lua_getfield(L, OPTIONS, "transport"), i;
  if (type == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  if (type != LUA_TTABLE)
    luaL_error(L, "option 'transport': expected a table, got %s", lua_typename(L, type));
  options_check(L, lua_gettop(L), "option 'transport'", known);
  lua_createtable(L, 0, 5);
  for (i = 0; known[i]; i++) {
    type = lua_getfield(L, -2, known[i]);
    if (type != LUA_TNIL && type != LUA_TFUNCTION)
      luaL_error(L, "option 'transport': field '%s': expected a function, got %s", known[i],
                 lua_typename(L, type));
    lua_setfield(L, -2, known[i]);
  }
  lua_setfield(L, WIRE, "transport");
  lua_pop(L, 1);
}

/* Raises for name and keepCredentials: a PROIV session ends with its program. */
static void refuse_options (lua_State *L, const struct session *s) {
  if (lua_getfield(L, OPTIONS, "name") == LUA_TSTRING && lua_rawlen(L, -1))
    luaL_error(L, "option 'name': a PROIV session ends with its program, and cannot be stored");
  lua_pop(L, 1);
  if (s->keep_credentials)
    luaL_error(
        L, "option 'keepCredentials': PROIV sessions cannot be re-established, so credentials are not kept");
}

void proiv_configure (lua_State *L, struct session *s) {
  struct proiv *p = memory_new(&s->loop->memory, sizeof *p);
  if (!p) {
    luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
    return;                             /* GCOVR_EXCL_LINE: luaL_error does not return */
  }
  s->data = p;
  lua_settop(L, SESSION);
  lua_createtable(L, 0, 3);
  refuse_options(L, s);
  p->explicit_by_get = options_boolean(L, OPTIONS, "explicitByGet", false);
  p->poll_interval = options_number(L, OPTIONS, "pollInterval", 0.001, 0.25);
  p->end_limit = options_number(L, OPTIONS, "endTimeout", 0.001, 2);
  take_node(L);
  take_address(L, s);
  take_data(L, s);
  take_transport(L);
  session_setvalue(L, SESSION, SESSION_DATA);
}

void proiv_forget_secret (struct session *s) {
  struct proiv *p = s->data;
  credentials_free(&s->loop->memory, p->secret);
  p->secret = NULL;
}

void proiv_forget_key (struct session *s) {
  struct proiv *p = s->data;
  memory_wipe_free(&s->loop->memory, p->key, p->key_size);
  p->key = NULL;
  p->key_size = 0;
}

void proiv_release (struct session *s) {
  struct proiv *p = s->data;
  if (!p) return;
  proiv_forget_secret(s);
  proiv_forget_key(s);
  uri_release(p->address);
  memory_free(&s->loop->memory, p, sizeof *p);
  s->data = NULL;
}
