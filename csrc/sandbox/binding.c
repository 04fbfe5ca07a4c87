/*
** binding: `datasession.sandbox.core`, the server as a userdata. sandbox.lua builds the public module on it
** and checks its arguments.
*/
#include "runtime/compat.h"
#include "sandbox/certificate.h"
#include "sandbox/server.h"

#include <string.h>

#define SERVER_TYPE "datasession.sandbox.core"
#define CERTIFICATE_TYPE "datasession.sandbox.certificate"

#if defined _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

enum { ERROR_SIZE = 1024 };

struct handle {
  struct server *server; /* owned; NULL once closed */
};

static struct server *check_server (lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, SERVER_TYPE);
  if (h->server == NULL) luaL_error(L, "the sandbox server is closed");
  return h->server;
}

static int failure (lua_State *L, const char *error) {
  luaL_pushfail(L);
  lua_pushstring(L, error);
  return 2;
}

/* Pushes a field of the options, which keeps the text alive. */
static const char *text_option (lua_State *L, const char *name) {
  return lua_getfield(L, 1, name) == LUA_TNIL ? NULL : luaL_checkstring(L, -1);
}

static void read_options (lua_State *L, struct server_options *options) {
  luaL_checktype(L, 1, LUA_TTABLE);
  options->address = text_option(L, "address");
  options->certificate = text_option(L, "certificate");
  options->key = text_option(L, "key");
  options->state.path = text_option(L, "path");
  options->state.cpath = text_option(L, "cpath");
  options->state.setup = text_option(L, "setup");
  luaL_argcheck(L, options->address && options->state.path && options->state.cpath && options->state.setup, 1,
                "address, path, cpath and setup expected");
  (void)lua_tolstring(L, -1, &options->state.setup_length);
  lua_getfield(L, 1, "port");
  lua_Integer port = luaL_checkinteger(L, -1);
  luaL_argcheck(L, port >= 0 && port <= 65535, 1, "port from 0 to 65535 expected");
  options->port = (unsigned)port;
  lua_getfield(L, 1, "bodyLimit");
  lua_Integer limit = luaL_checkinteger(L, -1);
  luaL_argcheck(L, limit >= 0, 1, "bodyLimit of 0 or more expected");
  options->body_limit = (size_t)limit;
}

/* new{ address, port, bodyLimit, certificate, key, path, cpath, setup }: a stopped server, or nil and why. */
static int core_new (lua_State *L) {
  struct server_options options = {0};
  char error[ERROR_SIZE];
  lua_settop(L, 1);
  read_options(L, &options);
  struct handle *h = lua_newuserdatauv(L, sizeof *h, 0);
  h->server = NULL; /* closed: __gc may run from here on */
  luaL_setmetatable(L, SERVER_TYPE);
  h->server = server_new(&options, error, sizeof error);
  return h->server != NULL ? 1 : failure(L, error);
}

/* start(): true, or nil and a message. */
static int server_method_start (lua_State *L) {
  char error[ERROR_SIZE];
  if (!server_start(check_server(L), error, sizeof error)) return failure(L, error);
  lua_pushboolean(L, 1);
  return 1;
}

static int server_method_stop (lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, SERVER_TYPE);
  if (h->server != NULL) server_stop(h->server);
  return 0;
}

/* close(), __gc and __close. */
static int server_method_close (lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, SERVER_TYPE);
  struct server *server = h->server;
  h->server = NULL;
  server_free(server);
  return 0;
}

static int server_method_is_running (lua_State *L) {
  const struct handle *h = luaL_checkudata(L, 1, SERVER_TYPE);
  lua_pushboolean(L, h->server != NULL && server_is_running(h->server));
  return 1;
}

static int server_method_end_delays (lua_State *L) {
  server_end_delays(check_server(L));
  return 0;
}

static int server_method_port (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)server_port(check_server(L)));
  return 1;
}

/* control(call): true and the result, or false and a message; both texts are JSON. */
static int server_method_control (lua_State *L) {
  struct server *s = check_server(L);
  size_t length, result_length;
  const char *call = luaL_checklstring(L, 2, &length), *result;
  lua_pushboolean(L, state_control(server_state(s), call, length, &result, &result_length));
  lua_pushlstring(L, result, result_length);
  return 2;
}

/* await(count, timeout): true if that many requests were answered since the log was cleared. */
static int server_method_await (lua_State *L) {
  struct server *s = check_server(L);
  lua_Number count = luaL_checknumber(L, 2), timeout = luaL_checknumber(L, 3);
  lua_pushboolean(L, state_await(server_state(s), count, timeout));
  return 1;
}

static const luaL_Reg methods[] = {{"start", server_method_start},
                                   {"stop", server_method_stop},
                                   {"close", server_method_close},
                                   {"isRunning", server_method_is_running},
                                   {"port", server_method_port},
                                   {"control", server_method_control},
                                   {"await", server_method_await},
                                   {"endDelays", server_method_end_delays},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__gc", server_method_close}, {"__close", server_method_close}, {NULL, NULL}};

static int certificate_gc (lua_State *L) {
  certificate_cleanup(luaL_checkudata(L, 1, CERTIFICATE_TYPE));
  return 0;
}

static const luaL_Reg certificate_metamethods[] = {{"__gc", certificate_gc}, {NULL, NULL}};

/* The host names at `index`; the table and what is pushed keep them. */
static const char *const *read_names (lua_State *L, int index, size_t *count) {
  luaL_checktype(L, index, LUA_TTABLE);
  *count = (size_t)lua_rawlen(L, index);
  const char **names = lua_newuserdatauv(L, (*count + 1) * sizeof *names, 0);
  for (size_t i = 0; i < *count; i++) {
    luaL_argcheck(L, lua_rawgeti(L, index, (lua_Integer)i + 1) == LUA_TSTRING, index, "strings expected");
    names[i] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  return names;
}

/*
** certify(names): PEM texts of a new authority, of a certificate that it has signed for these hosts, and of
** that certificate's key; nil and why.
*/
static int core_certify (lua_State *L) {
  size_t count;
  const char *const *names = read_names(L, 1, &count);
  struct certificate *c = lua_newuserdatauv(L, sizeof *c, 0);
  memset(c, 0, sizeof *c); /* __gc may run from here on */
  luaL_setmetatable(L, CERTIFICATE_TYPE);
  const char *error = certificate_init(c, names, count);
  if (error != NULL) return failure(L, error);
  lua_pushlstring(L, (const char *)c->authority.data, c->authority.size);
  lua_pushlstring(L, (const char *)c->server.data, c->server.size);
  lua_pushlstring(L, (const char *)c->key.data, c->key.size);
  return 3;
}

static const luaL_Reg functions[] = {{"new", core_new}, {"certify", core_certify}, {NULL, NULL}};

EXPORT int luaopen_datasession_sandbox_core (lua_State *L);

EXPORT int luaopen_datasession_sandbox_core (lua_State *L) {
  luaL_checkversion(L);
  if (luaL_newmetatable(L, SERVER_TYPE)) {
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
  }
  if (luaL_newmetatable(L, CERTIFICATE_TYPE)) luaL_setfuncs(L, certificate_metamethods, 0);
  luaL_newlib(L, functions);
  return 1;
}
