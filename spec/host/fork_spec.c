/*
** fork_spec: a host forks while a Lua state has pending requests, timers and waiting coroutines, from outside
** and from inside a step. In the child every call reports the fork; it may close the state and use a new one.
** The parent, which shares descriptors with it, is not disturbed. The actions are in fork.lua.
*/
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ThreadSanitizer ends a child of a process with threads that starts a thread. */
#ifdef __SANITIZE_THREAD__
enum { CHILD_MAY_START_THREADS = 0 };
#else
enum { CHILD_MAY_START_THREADS = 1 };
#endif

/* AddressSanitizer before gcc 13 can leave its allocator locked in a child, if a thread held it at fork. */
#ifdef __SANITIZE_ADDRESS__
enum { CHILD_MAY_HANG = 1 };
#else
enum { CHILD_MAY_HANG = 0 };
#endif

enum { CHILD_SECONDS = 30 };

static int passed, failed, skipped;
static pid_t child;

static void check (bool holds, const char *what, const char *detail) {
  if (holds)
    passed++;
  else {
    failed++;
    printf("FAILED %s: %s\n", what, detail ? detail : "");
  }
}

static const char serve[] =
    "local server = assert(require 'datasession.sandbox'.start())\n"
    "server:fault { kind = 'slow', delay = 0.3, path = 'home%.html$', model = 'form', count = 0 }\n"
    "return server.uris.form, server.uris.basic, server.uris.anonymous";

static const char log_in[] = "local datasession = require 'datasession'\n"
                             "local session = datasession.new { serviceURI = ... }\n"
                             "assert(session:login():await(20))\n"
                             "assert(session:invalidate():await(20))";

static int l_fork (lua_State *L) {
  fflush(stdout);
  child = fork();
  if (child < 0) return luaL_error(L, "fork fails");
  if (child == 0) alarm(CHILD_SECONDS); /* a child does not inherit the parent's */
  lua_pushinteger(L, child);
  return 1;
}

/* Waits for the child. */
static int l_finish (lua_State *L) {
  int status = 0;
  bool waited = waitpid(child, &status, 0) == child;
  if (CHILD_MAY_HANG && waited && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    skipped++;
  else if (!waited || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return luaL_error(L, "the child ended with status %d", status);
  return 0;
}

static lua_State *new_state (void) {
  lua_State *L = luaL_newstate();
  if (!L) _exit(3);
  luaL_openlibs(L);
  return L;
}

/* In the child: closes the copied state and uses a new one. */
static int end_child (lua_State *L, const char *uri) {
  lua_State *own;
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, i);
    check(false, "in the child", lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_close(L);
  own = new_state();
  if (luaL_loadstring(own, log_in) == LUA_OK) lua_pushstring(own, uri);
  check(lua_pcall(own, 1, 0, 0) == LUA_OK, "a Lua state of the child's own", lua_tostring(own, -1));
  lua_close(own);
  fflush(stdout);
  return failed ? 1 : 0;
}

/* Ends the child without atexit handlers, which are the parent's. Writes gcov's counts. */
static void leave (int status) {
  if (getenv("DATASESSION_COVERAGE")) exit(status);
  _exit(status);
}

static void set_uris (lua_State *L, lua_State *server) {
  static const char *const models[] = {"form", "basic", "anonymous"};
  int i;
  lua_newtable(L);
  for (i = 0; i < 3; i++) {
    lua_pushstring(L, lua_tostring(server, i + 1));
    lua_setfield(L, -2, models[i]);
  }
}

static void fork_at (lua_State *server, const char *place) {
  lua_State *L = new_state();
  int ok = luaL_loadfile(L, "spec/host/fork.lua");
  if (ok == LUA_OK) {
    lua_pushstring(L, place);
    set_uris(L, server);
    lua_pushcfunction(L, l_fork);
    lua_pushcfunction(L, l_finish);
    lua_pushboolean(L, CHILD_MAY_START_THREADS);
    ok = lua_pcall(L, 5, 2, 0);
  }
  check(ok == LUA_OK, place, ok == LUA_OK ? NULL : lua_tostring(L, -1));
  if (child == 0) leave(ok == LUA_OK ? end_child(L, lua_tostring(server, 3)) : 1);
  lua_close(L);
}

int main (void) {
  static const char *const places[] = {"outside", "handler", "event", "coroutine", "onOpenRequest"};
  lua_State *server = new_state();
  size_t i;
  alarm(5 * CHILD_SECONDS + 50);
  setvbuf(stdout, NULL, _IOLBF, 0); /* output survives a later crash */
  child = 1;
  if (luaL_dostring(server, serve) != LUA_OK) {
    printf("%s\n", lua_tostring(server, -1));
    return 2;
  }
  for (i = 0; i < sizeof places / sizeof *places; i++)
    fork_at(server, places[i]);
  lua_close(server);
  printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed ? 1 : 0;
}
