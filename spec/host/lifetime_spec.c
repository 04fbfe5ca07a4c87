/*
** lifetime_spec: Lua states are closed at any moment, and handlers end their callers; with the default
** collector, in generational mode, and with the most eager collector: with a pause of 0 and a step of a whole
** cycle each allocation that may collect makes a full collection, as Lua's own HARDMEMTESTS does. Each
** state's allocator counts: after lua_close no block may remain. The cases are in lifetime/.
*/
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum mode { MODE_INCREMENTAL, MODE_GENERATIONAL, MODE_EAGER };
static const char *const mode_names[] = {"incremental", "generational", "eager"};

static int passed, failed;
static lua_State *server;
static size_t live; /* bytes of the current state */

/* After this every allocation that may collect does. */
static const char be_eager[] = "collectgarbage('incremental', 1, 1000, 100)\n"
                               "collectgarbage('setpause', 0)\n"
                               "collectgarbage()\n"
                               "local cycles = 0\n"
                               "local function again()\n"
                               "  cycles = cycles + 1\n"
                               "  setmetatable({}, { __gc = again })\n"
                               "end\n"
                               "again()\n"
                               "for _ = 1, 10 do local _ = {} end\n"
                               "local seen = cycles\n"
                               "again = function() end\n"
                               "assert(seen >= 5, 'the collector is not eager')\n";

static const char serve[] = "server = assert(require 'datasession.sandbox'.start { customers = 3 })\n"
                            "uris = server.uris\n"
                            "uris.origin = server.origin";

static const char calm[] = "server:clearFaults() server:setApplication('basic', true)\n"
                           "server:setProiv { stop = 'end' } server:expireSessions()";

static void *counting (void *ud, void *block, size_t old_size, size_t size) {
  void *now;
  (void)ud;
  if (!block) old_size = 0;
  if (size == 0) {
    live -= old_size;
    free(block);
    return NULL;
  }
  now = realloc(block, size);
  if (now) live = live - old_size + size;
  return now;
}

static void run_at_server (const char *text) {
  if (luaL_dostring(server, text) != LUA_OK) {
    printf("FAILED the sandbox: %s\n", lua_tostring(server, -1));
    failed++;
    lua_settop(server, 0);
  }
}

static int l_serve (lua_State *L) {
  run_at_server(luaL_checkstring(L, 1));
  return 0;
}

static int l_quiet (lua_State *L) {
  (void)L;
  return 0;
}

static lua_State *new_state (void) {
  lua_State *L;
  live = 0;
  L = lua_newstate(counting, NULL);
  if (!L) exit(3);
  luaL_openlibs(L);
  lua_register(L, "print", l_quiet);
  return L;
}

static void push_uris (lua_State *L) {
  lua_newtable(L);
  lua_getglobal(server, "uris");
  lua_pushnil(server);
  while (lua_next(server, -2)) {
    lua_pushstring(L, lua_tostring(server, -1));
    lua_setfield(L, -2, lua_tostring(server, -2));
    lua_pop(server, 1);
  }
  lua_pop(server, 1);
}

static bool set_mode (lua_State *L, enum mode mode) {
  if (mode == MODE_GENERATIONAL) lua_gc(L, LUA_GCGEN, 0, 0);
  return mode != MODE_EAGER || luaL_dostring(L, be_eager) == LUA_OK;
}

/* Pushes the list of a file's cases. */
static void load_cases (lua_State *L, const char *file) {
  if (luaL_loadfile(L, file) == LUA_OK) {
    lua_pushcfunction(L, l_serve);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
  }
  printf("%s\n", lua_tostring(L, -1));
  exit(2);
}

/* Runs one case of the list on top. */
static void run_case (lua_State *L, lua_Integer number, enum mode mode) {
  const char *name;
  lua_rawgeti(L, -1, number);
  lua_rawgeti(L, -1, 1);
  name = lua_tostring(L, -1);
  lua_rawgeti(L, -2, 2);
  push_uris(L);
  if (set_mode(L, mode) && lua_pcall(L, 1, 0, 0) == LUA_OK)
    passed++;
  else {
    failed++;
    printf("FAILED %s, %s: %s\n", mode_names[mode], name, lua_tostring(L, -1));
  }
  lua_gc(L, LUA_GCINC, 200, 100, 13);
}

static void close_state (lua_State *L, const char *what) {
  lua_close(L);
  if (live == 0)
    passed++;
  else {
    failed++;
    printf("FAILED %s: %zu bytes are left\n", what, live);
  }
  run_at_server(calm);
}

static void close_each (enum mode mode) {
  static const char file[] = "spec/host/lifetime/closing.lua";
  lua_Integer i, n = 1;
  char name[64];
  for (i = 1; i <= n; i++) {
    lua_State *L = new_state();
    load_cases(L, file);
    n = (lua_Integer)lua_rawlen(L, -1);
    run_case(L, i, mode);
    snprintf(name, sizeof name, "%s, closing, case %d", mode_names[mode], (int)i);
    close_state(L, name);
  }
}

static void handle_each (enum mode mode) {
  lua_State *L = new_state();
  lua_Integer i, n;
  load_cases(L, "spec/host/lifetime/handlers.lua");
  n = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    run_case(L, i, mode);
    lua_settop(L, 1);
  }
  close_state(L, "handlers");
}

int main (void) {
  enum mode mode;
  server = luaL_newstate();
  if (!server) return 3;
  alarm(500);
  setvbuf(stdout, NULL, _IOLBF, 0); /* output survives a later crash */
  luaL_openlibs(server);
  run_at_server(serve);
  for (mode = MODE_INCREMENTAL; mode <= MODE_EAGER; mode++) {
    close_each(mode);
    handle_each(mode);
  }
  lua_close(server);
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
