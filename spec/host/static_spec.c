/*
** static_spec: a program that has datasession linked in (tools/static.mk). It steps its state as a host does,
** outside protected calls. The server is a sandbox in a state of its own, which finds its files as usual; the
** other states find no file at all.
*/
#include "host/datasession.h"

#include <lauxlib.h>
#include <lualib.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int luaopen_cjson (lua_State *L);
int luaopen_cjson_safe (lua_State *L);

/* Names that files of csrc/ have, too: the linker refuses two, were those to be seen. */
int engine_new (void);
int loop_open (void);

int engine_new (void) {
  return 0;
}

int loop_open (void) {
  return 0;
}

static int passed, failed;

static void check (bool holds, const char *what) {
  if (holds)
    passed++;
  else {
    failed++;
    printf("FAILED %s\n", what);
  }
}

static bool run (lua_State *L, const char *text) {
  if (luaL_dostring(L, text) == LUA_OK) return true;
  printf("%s\n", lua_tostring(L, -1));
  lua_pop(L, 1);
  return false;
}

static lua_State *new_state (void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  return L;
}

static lua_State *new_host (void) {
  lua_State *L = new_state();
  run(L, "package.path, package.cpath = '', ''");
  luaL_requiref(L, "cjson", luaopen_cjson, 0);
  luaL_requiref(L, "cjson.safe", luaopen_cjson_safe, 0);
  lua_settop(L, 0);
  return L;
}

static void open_library (lua_State *L) {
  luaL_requiref(L, "datasession", luaopen_datasession, 0);
  lua_pop(L, 1);
}

static void test_before_opening (void) {
  lua_State *L = new_host();
  check(datasession_step(L, 0, 0) == 0, "a step before the module was opened does nothing");
  check(datasession_pollfd(L) == -1, "there is no descriptor before the module was opened");
  check(datasession_timeout(L) < 0, "no time is set before the module was opened");
  check(lua_gettop(L) == 0, "the stack is as it was");
  lua_close(L);
}

static const char work[] = "local datasession = require 'datasession'\n"
                           "local origin = ...\n"
                           "datasession.onError(function(err) result = tostring(err) end)\n"
                           "datasession.spawn(function()\n"
                           "  local session = datasession.new { serviceURI = origin .. '/SportsForm',\n"
                           "    authenticationModel = 'form', proxy = false }\n"
                           "  assert(session:login('lua', 'secret'):await())\n"
                           "  assert(session:addCatalog('static/CustomerService.json'):await())\n"
                           "  local customers = datasession.JSDO { name = 'Customer', session = session }\n"
                           "  assert(customers:fill { top = 3 }:await())\n"
                           "  assert(session:logout():await())\n"
                           "  result = 'done'\n"
                           "end):fail(function(err) result = tostring(err) end)\n";

static void load_work (lua_State *L, const char *origin) {
  if (luaL_loadstring(L, work) != LUA_OK) return;
  lua_pushstring(L, origin);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
  check(false, lua_tostring(L, -1));
  lua_settop(L, 0);
}

static bool is_done (lua_State *L) {
  bool done;
  lua_getglobal(L, "result");
  done = lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), "done") == 0;
  if (!done && !lua_isnil(L, -1)) printf("%s\n", lua_tostring(L, -1));
  lua_pop(L, 1);
  return done;
}

static void test_frames (const char *origin) {
  lua_State *L = new_host();
  open_library(L);
  load_work(L, origin);
  while (datasession_step(L, 0.01, 0.002) == 1) {
  }
  check(is_done(L), "a host that steps in frames gets its work done without a file");
  check(lua_gettop(L) == 0, "steps leave nothing on the stack");
  lua_close(L);
}

/* Milliseconds for poll, which waits for the descriptor alone. */
static int patience (lua_State *L) {
  double seconds = datasession_timeout(L);
  return seconds < 0 ? -1 : (int)(seconds * 1000) + 1;
}

static void test_event_loop (const char *origin) {
  lua_State *L = new_host();
  struct pollfd fd = {.events = POLLIN};
  open_library(L);
  fd.fd = datasession_pollfd(L);
  load_work(L, origin);
  while (datasession_step(L, fd.fd < 0 ? 0.01 : 0, 0) == 1)
    if (fd.fd >= 0) poll(&fd, 1, patience(L));
  check(is_done(L), "a host that polls the descriptor gets its work done without a file");
  lua_close(L);
}

static bool has_message (lua_State *L, const char *part) {
  const char *message = lua_tostring(L, -1);
  bool found = message && strstr(message, part);
  if (!found) printf("%s\n", message ? message : "no message");
  lua_settop(L, 0);
  return found;
}

static void test_errors (void) {
  lua_State *L = new_host();
  open_library(L);
  check(datasession_step(L, -1, 0) == -1, "a step of less than no time fails");
  check(has_message(L, "expected a number of seconds, 0 or more"), "its error says what was expected");
  check(run(L, "local core = require 'datasession.core' core.timeout, core.pollfd = error, error"),
        "a script breaks functions");
  check(datasession_pollfd(L) == -1 && lua_gettop(L) == 0, "a failure is no descriptor");
  check(datasession_timeout(L) == 0 && lua_gettop(L) == 0, "a failure asks for a step");
  lua_close(L);
}

/* The child of a fork may not use the sessions of its parent. */
static void test_fork (void) {
  lua_State *L = new_host();
  int status = 1;
  pid_t child;
  open_library(L);
  run(L, "require 'datasession'.new { serviceURI = 'http://127.0.0.1:1/App' }");
  check(datasession_pollfd(L) >= -1, "the parent has an engine");
  fflush(stdout);
  child = fork();
  if (child == 0) {
    bool right = datasession_pollfd(L) == -1 && lua_gettop(L) == 0 && datasession_step(L, 0, 0) == -1 &&
                 has_message(L, "this process was forked");
    _exit(right ? 0 : 1);
  }
  check(waitpid(child, &status, 0) == child && status == 0, "in a forked child calls fail and say why");
  lua_close(L);
}

static void test_names (void) {
  lua_State *L = new_host();
  open_library(L);
  check(run(L, "assert(debug.getinfo(require 'datasession.date'.parse).source == '@datasession/date.lua')"),
        "functions name the file that they are from");
  check(run(L, "assert(not pcall(require, 'datasession.command'))"), "the command is not inside");
  check(run(L, "package.loaded.datasession = nil"), "a host forgets the module");
  open_library(L);
  check(run(L, "assert(require 'datasession'.step() == false)"), "it can be opened again");
  lua_close(L);
}

static const char serve[] = "server = assert(require 'datasession.sandbox'.start()) return server.origin";

int main (void) {
  lua_State *server = new_state();
  alarm(100); /* ends a wait that would never end */
  if (luaL_dostring(server, serve) == LUA_OK) {
    const char *origin = lua_tostring(server, -1);
    test_before_opening();
    test_names();
    test_errors();
    test_fork();
    test_frames(origin);
    test_event_loop(origin);
  } else
    check(false, lua_tostring(server, -1));
  lua_close(server);
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
