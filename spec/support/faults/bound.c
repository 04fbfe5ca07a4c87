#include "bound.h"

#include "runtime/compat.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { GRACE = 10, LONGEST = 400 };

/* SIGALRM is the process's, and so are these. */
static lua_State *volatile state;
static volatile sig_atomic_t is_late;
static char text[LONGEST];

static void stop (lua_State *L, lua_Debug *frame) {
  (void)frame;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "%s", text);
}

static void on_alarm (int number) {
  (void)number;
  if (is_late) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    _exit(written > 0 ? 1 : 2);
  }
  is_late = 1;
  /* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c): Lua allows it in a signal handler */
  lua_sethook(state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
  alarm(GRACE);
}

int bound (lua_State *L) {
  lua_Integer seconds = luaL_checkinteger(L, 1);
  const char *name = luaL_optstring(L, 2, "");
  luaL_argcheck(L, seconds >= 0 && seconds < 1000000, 1, "expected a number of seconds");
  alarm(0);
  is_late = 0;
  if (!seconds) return 0;
  lua_pushfstring(L, "took longer than %d seconds: %s\n", (int)seconds, name);
  strncpy(text, lua_tostring(L, -1), sizeof text - 1);
  state = compat_pushmain(L);
  signal(SIGALRM, on_alarm);
  alarm((unsigned)seconds);
  return 0;
}
