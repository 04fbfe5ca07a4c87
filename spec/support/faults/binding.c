/*
** binding: `fault_server`, the server as a userdata, for specs. A script is an array of strings, which are
** sent, and of the module's PAUSE, READ, CLOSE, RESET, and WAIT + n: it waits for n bytes of input.
**
** start(): a server, or nil and a message. server:port(); server:answer(key, script);
** server:fault(key or nil, script [, count [, when]]), when: "request", "head" or "accept"; server:clear();
** server:release(), server:drop([reset]): the number of connections; server:counts(): requests, accepted,
** open, paused; server:close(). bound(seconds, name): see bound.h.
*/
#include "bound.h"
#include "server.h"

#include "runtime/compat.h"

#include <errno.h>
#include <string.h>

#define SERVER_TYPE "fault_server"

enum { WAIT = 100 }; /* the first of the integers that stand for STEP_WAIT */

struct handle {
  struct fault_server *server; /* owned; NULL once closed */
};

static struct fault_server *check_server (lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, SERVER_TYPE);
  if (!h->server) luaL_error(L, "the fault server is closed");
  return h->server;
}

static int start (lua_State *L) {
  struct handle *h = lua_newuserdatauv(L, sizeof *h, 0);
  h->server = NULL;
  luaL_setmetatable(L, SERVER_TYPE);
  h->server = fault_server_start();
  if (h->server) return 1;
  luaL_pushfail(L);
  lua_pushstring(L, strerror(errno));
  return 2;
}

static int closed (lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, SERVER_TYPE);
  struct fault_server *server = h->server;
  h->server = NULL;
  if (server) fault_server_stop(server);
  return 0;
}

/* Raises for a bad step before anything is acquired. */
static void check_steps (lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_Integer i = 1; i <= luaL_len(L, index); i++) {
    bool fine = lua_geti(L, index, i) == LUA_TSTRING;
    lua_Integer kind = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    fine = fine || (kind >= STEP_PAUSE && kind <= STEP_RESET) || kind >= WAIT;
    luaL_argcheck(L, fine, index, "a script expected");
    lua_pop(L, 1);
  }
}

static bool fill_step (lua_State *L, struct script *script, size_t index) {
  size_t length;
  const char *bytes;
  if (lua_type(L, -1) != LUA_TSTRING) {
    lua_Integer kind = lua_tointeger(L, -1);
    script->steps[index].kind = kind < WAIT ? (enum step_kind)kind : STEP_WAIT;
    script->steps[index].length = kind < WAIT ? 0 : (size_t)(kind - WAIT);
    return true;
  }
  bytes = lua_tolstring(L, -1, &length);
  return script_set_bytes(script, index, bytes, length);
}

static struct script *check_script (lua_State *L, int index) {
  check_steps(L, index);
  size_t count = lua_rawlen(L, index);
  struct script *script = script_new(count);
  bool ok = script != NULL;
  for (size_t i = 0; ok && i < count; i++) {
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    ok = fill_step(L, script, i);
    lua_pop(L, 1);
  }
  if (ok) return script;
  script_release(script);
  luaL_error(L, "not enough memory");
  return NULL;
}

static int port (lua_State *L) {
  lua_pushinteger(L, fault_server_port(check_server(L)));
  return 1;
}

static int answer (lua_State *L) {
  struct fault_server *s = check_server(L);
  const char *key = luaL_checkstring(L, 2);
  if (!fault_server_answer(s, key, check_script(L, 3))) return luaL_error(L, "not enough memory");
  return 0;
}

static int fault (lua_State *L) {
  static const char *const names[] = {"request", "head", "accept", NULL};
  struct fault_server *s = check_server(L);
  const char *key = luaL_optstring(L, 2, NULL);
  lua_Integer count = luaL_optinteger(L, 4, 1);
  enum fault_when when = (enum fault_when)luaL_checkoption(L, 5, "request", names);
  luaL_argcheck(L, count >= 0, 4, "a count expected");
  if (!fault_server_fault(s, key, when, (unsigned)count, check_script(L, 3)))
    return luaL_error(L, "not enough memory");
  return 0;
}

static int clear (lua_State *L) {
  fault_server_clear(check_server(L));
  return 0;
}

static int watch (lua_State *L) {
  if (!fault_server_watch(check_server(L), luaL_checkstring(L, 2))) return luaL_error(L, "not enough memory");
  return 0;
}

static int watched (lua_State *L) {
  lua_pushinteger(L, fault_server_watched(check_server(L)));
  return 1;
}

static int release (lua_State *L) {
  lua_pushinteger(L, fault_server_release(check_server(L)));
  return 1;
}

static int drop (lua_State *L) {
  lua_pushinteger(L, fault_server_drop(check_server(L), lua_toboolean(L, 2)));
  return 1;
}

static int counts (lua_State *L) {
  struct fault_counts c = fault_server_counts(check_server(L));
  lua_pushinteger(L, c.requests);
  lua_pushinteger(L, c.accepted);
  lua_pushinteger(L, c.open);
  lua_pushinteger(L, c.paused);
  return 4;
}

static const luaL_Reg methods[] = {
    {"port", port},   {"answer", answer},  {"fault", fault},  {"clear", clear}, {"release", release},
    {"drop", drop},   {"counts", counts},  {"close", closed}, {"watch", watch}, {"watched", watched},
    {"__gc", closed}, {"__close", closed}, {NULL, NULL},
};

static const struct {
  const char *name;
  int kind;
} constants[] = {
    {"PAUSE", STEP_PAUSE}, {"READ", STEP_READ}, {"CLOSE", STEP_CLOSE}, {"RESET", STEP_RESET}, {"WAIT", WAIT}};

__attribute__((visibility("default"))) int luaopen_fault_server (lua_State *L);

int luaopen_fault_server (lua_State *L) {
  luaL_newmetatable(L, SERVER_TYPE);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  lua_pushcfunction(L, start);
  lua_setfield(L, -2, "start");
  lua_pushcfunction(L, bound);
  lua_setfield(L, -2, "bound");
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
    lua_pushinteger(L, constants[i].kind);
    lua_setfield(L, -2, constants[i].name);
  }
  return 1;
}
