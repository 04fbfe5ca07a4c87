/*
** lua_close_spec: a host closes its Lua states while the resolver works, and continues. Nothing may wait for
** the look-ups: they are released after all calls have returned, so a wait would never end. The resolver's
** threads then end in a process from which Lua has unloaded the module: its code must still be mapped. Run it
** with resolver_hang preloaded and DATASESSION_HANG_FIFO set to a path that it may create.
*/
#include <dlfcn.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int (*begun)(void);
static int (*ended)(void);
static int passed, failed;

static void check (bool holds, const char *what) {
  if (holds)
    passed++;
  else {
    failed++;
    printf("FAILED %s\n", what);
  }
}

static int l_begun (lua_State *L) {
  lua_pushinteger(L, begun());
  return 1;
}

/* A login with a blocked look-up for each way to end it; lua_close ends the last ones. */
static const char script[] = "local datasession = require 'datasession'\n"
                             "local number = (...)\n"
                             "local function hang()\n"
                             "  local before = begun()\n"
                             "  number = number + 1\n"
                             "  local session = datasession.new { serviceURI = "
                             "('http://name%d.hang.test/App'):format(number), proxy = false }\n"
                             "  local promise = session:login()\n"
                             "  while begun() == before do datasession.step(0.001) end\n"
                             "  assert(promise:state() == 'pending')\n"
                             "  return promise, session\n"
                             "end\n"
                             "local cancelled = hang()\n"
                             "assert(cancelled:cancel())\n"
                             "local ok, err = cancelled:await()\n"
                             "assert(not ok and err.kind == 'cancelled', tostring(err))\n"
                             "local pending, session = hang()\n"
                             "assert(session:invalidate():await())\n"
                             "ok, err = pending:await()\n"
                             "assert(not ok and err.kind == 'closed', tostring(err))\n"
                             "ok, err = hang():await(0)\n"
                             "assert(not ok and err.kind == 'timeout', tostring(err))\n"
                             "do\n"
                             "  local _, closing = hang()\n"
                             "  local closed <close> = closing\n"
                             "end\n"
                             "closed = false\n"
                             "local waiting = hang()\n"
                             "datasession.spawn(function()\n"
                             "  local guard <close> = setmetatable({}, { __close = function() tell() end })\n"
                             "  waiting:await()\n"
                             "end)\n"
                             "return number\n";

static int told;

static int l_tell (lua_State *L) {
  (void)L;
  told++;
  return 0;
}

static int run_state (int number) {
  lua_State *L = luaL_newstate();
  if (!L) return number;
  luaL_openlibs(L);
  lua_register(L, "begun", l_begun);
  lua_register(L, "tell", l_tell);
  check(luaL_loadstring(L, script) == LUA_OK, "the script compiles");
  lua_pushinteger(L, number);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK)
    number = (int)lua_tointeger(L, -1);
  else {
    printf("%s\n", lua_tostring(L, -1));
    check(false, "the script runs");
  }
  lua_close(L);
  return number;
}

static void release (int count) {
  const char *path = getenv("DATASESSION_HANG_FIFO");
  int fd = open(path ? path : "", O_RDWR | O_CLOEXEC), i;
  for (i = 0; i < count; i++)
    check(write(fd, "x", 1) == 1, "a look-up is released");
  while (ended() < count)
    sched_yield();
  close(fd);
}

int main (void) {
  const char *path = getenv("DATASESSION_HANG_FIFO");
  int number;
  *(void **)&begun = dlsym(RTLD_DEFAULT, "resolver_hang_begun");
  *(void **)&ended = dlsym(RTLD_DEFAULT, "resolver_hang_ended");
  if (!path || !begun || !ended) {
    fputs("preload resolver_hang, and name a FIFO in DATASESSION_HANG_FIFO\n", stderr);
    return 2;
  }
  unlink(path);
  if (mkfifo(path, 0600)) {
    perror(path);
    return 2;
  }
  alarm(100); /* ends a wait that would never end */
  number = run_state(0);
  check(number == 5, "every way of ending was tried");
  check(told == 1, "lua_close ran the <close> variable of the coroutine that waits");
  number = run_state(number);
  check(ended() == 0, "nothing waited for a look-up");
  release(number);
  check(run_state(number) == number + 5, "a state opened afterwards works");
  release(number + 5);
  unlink(path);
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
