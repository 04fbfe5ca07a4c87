/*
** host: a program that embeds Lua and whose memory gives out when it is told to. It has two Lua states: the
** runner's (good memory, with the sandbox, and the script that is its argument), and the victim's, in which
** datasession works. The victim's allocator, and libcurl's, count what is asked of them and refuse as the
** runner says.
**
** For the runner, a global table `victim`:
**   open([kind, mode, at])       a new state that has run spec/suites/torture/victim.lua; true, or nil, a
**                                message, and whether it was refused
**   call(name, arg [, kind, mode, at])   a global function of it, with one string: whether it returned, what
**    it returned or
**                                raised (as text), whether memory was refused, how many requests there were
**                                of that kind
**   close([kind, mode, at])      bytes and blocks of the state's that are still there, blocks of libcurl's
**   about(text)                  what is under way, for when the process dies or hangs
**   count()                      blocks of libcurl's that are there
** kind: "lua" or "curl". mode: "once" (the request, and Lua's second try after it has collected), "collect"
** (the request alone), "after" (it and all later ones). at: which request, from 1. For the victim, a function
** `remote(name, ...)`: the runner's global function `serve`, memory being good meanwhile.
*/
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HANG_SECONDS = 300 }; /* a call that takes longer is one that never ends */

enum kind { KIND_LUA, KIND_CURL, KINDS };
enum mode { MODE_ONCE, MODE_COLLECT, MODE_AFTER };
static const char *const kind_names[] = {"lua", "curl", NULL};
static const char *const mode_names[] = {"once", "collect", "after", NULL};

/* Where one kind of memory comes from. */
struct source {
  bool armed;
  enum mode mode;
  size_t at;       /* which request is refused */
  size_t requests; /* since it was armed */
  bool refused;    /* one was */
  bool again;      /* the next request may be Lua's second try for the same */
  size_t last_old, last_new;
  size_t bytes;  /* that are there; KIND_LUA alone */
  size_t blocks; /* that are there */
};

static struct source sources[KINDS];
static lua_State *runner, *victim; /* owned */
static char about[256];            /* for the handler of a signal */

/* The address sanitizer's. */
__attribute__((weak)) void __sanitizer_print_stack_trace (void);

/* TORTURE_TRACE=1: who asked for what is refused. */
static void trace (void) {
  if (getenv("TORTURE_TRACE") && __sanitizer_print_stack_trace) __sanitizer_print_stack_trace();
}

/* True if this request fails. */
static bool refuse (struct source *s, size_t old_size, size_t new_size) {
  bool second = s->again && s->last_old == old_size && s->last_new == new_size;
  s->again = false;
  if (!s->armed) return false;
  if (second) return true;
  s->requests++;
  if (s->mode == MODE_AFTER ? s->requests < s->at : s->requests != s->at) return false;
  s->refused = true;
  trace();
  s->again = s->mode == MODE_ONCE && s == &sources[KIND_LUA];
  s->last_old = old_size;
  s->last_new = new_size;
  return true;
}

static void *lua_memory (void *ud, void *block, size_t old_size, size_t new_size) {
  struct source *s = ud;
  size_t had = block ? old_size : 0;
  void *given;
  if (!new_size) {
    if (block) s->blocks--;
    s->bytes -= had;
    free(block);
    return NULL;
  }
  if (new_size > had && refuse(s, had, new_size)) return NULL;
  given = realloc(block, new_size);
  if (!given) return NULL;
  if (!block) s->blocks++;
  s->bytes = s->bytes - had + new_size;
  return given;
}

static void *curl_give (void *given) {
  if (given) sources[KIND_CURL].blocks++;
  return given;
}

static void *curl_malloc (size_t size) {
  return refuse(&sources[KIND_CURL], 0, size) ? NULL : curl_give(malloc(size));
}

static void *curl_calloc (size_t count, size_t size) {
  return refuse(&sources[KIND_CURL], 0, size) ? NULL : curl_give(calloc(count, size));
}

static char *curl_strdup (const char *text) {
  return refuse(&sources[KIND_CURL], 0, 1) ? NULL : curl_give(strdup(text));
}

static void *curl_realloc (void *block, size_t size) {
  if (!block) return curl_malloc(size);
  return refuse(&sources[KIND_CURL], 0, size) ? NULL : realloc(block, size);
}

static void curl_free_block (void *block) {
  if (block) sources[KIND_CURL].blocks--;
  free(block);
}

/* Arming */

/* The arguments kind, mode, at from `index` on; NULL: there are none. */
static struct source *arm (lua_State *L, int index) {
  struct source *s;
  if (lua_isnoneornil(L, index)) return NULL;
  s = &sources[luaL_checkoption(L, index, NULL, kind_names)];
  s->mode = (enum mode)luaL_checkoption(L, index + 1, NULL, mode_names);
  s->at = (size_t)luaL_checkinteger(L, index + 2);
  s->requests = 0;
  s->refused = s->again = false;
  s->armed = true;
  return s;
}

static void disarm (void) {
  size_t i;
  for (i = 0; i < KINDS; i++)
    sources[i].armed = sources[i].again = false;
}

static void push_text (lua_State *to, lua_State *from, int index) {
  size_t length;
  const char *text = luaL_tolstring(from, index, &length);
  lua_pushlstring(to, text, length);
  lua_pop(from, 1);
}

/* Copying between the states: values of JSON's kinds. */

static void copy (lua_State *to, lua_State *from, int index) {
  index = lua_absindex(from, index);
  luaL_checkstack(to, 6, NULL);
  luaL_checkstack(from, 6, NULL);
  switch (lua_type(from, index)) {
  case LUA_TBOOLEAN: lua_pushboolean(to, lua_toboolean(from, index)); break;
  case LUA_TNUMBER:
    if (lua_isinteger(from, index))
      lua_pushinteger(to, lua_tointeger(from, index));
    else
      lua_pushnumber(to, lua_tonumber(from, index));
    break;
  case LUA_TSTRING: push_text(to, from, index); break;
  case LUA_TTABLE:
    lua_newtable(to);
    lua_pushnil(from);
    while (lua_next(from, index)) {
      copy(to, from, -2);
      copy(to, from, -1);
      lua_rawset(to, -3);
      lua_pop(from, 1);
    }
    break;
  default: lua_pushnil(to);
  }
}

/* The victim's remote(name, ...). */
static int l_remote (lua_State *L) {
  bool armed[KINDS];
  int i, count = lua_gettop(L), base = lua_gettop(runner), status;
  for (i = 0; i < KINDS; i++) {
    armed[i] = sources[i].armed;
    sources[i].armed = false;
  }
  lua_getglobal(runner, "serve");
  for (i = 1; i <= count; i++)
    copy(runner, L, i);
  status = lua_pcall(runner, count, 1, 0);
  lua_settop(L, 0);
  copy(L, runner, -1);
  lua_settop(runner, base);
  if (status != LUA_OK) {
    disarm();
    return lua_error(L);
  }
  for (i = 0; i < KINDS; i++)
    sources[i].armed = armed[i];
  return 1;
}

/* A warning is no failure: without memory the library can only warn. */
static void on_warning (void *ud, const char *text, int to_be_continued) {
  (void)ud;
  if (getenv("TORTURE_WARN")) fprintf(stderr, "%s%s", text, to_be_continued ? "" : "\n");
}

/* The runner's functions */

static int set_up (lua_State *L) {
  luaL_openlibs(L);
  lua_register(L, "remote", l_remote);
  if (luaL_dofile(L, "spec/suites/torture/victim.lua") != LUA_OK) return lua_error(L);
  return 0;
}

static void close_victim (void) {
  if (victim) lua_close(victim);
  victim = NULL;
}

static int v_open (lua_State *L) {
  struct source *s;
  bool ok;
  close_victim();
  s = arm(L, 1);
  victim = lua_newstate(lua_memory, &sources[KIND_LUA]);
  if (victim) {
    lua_setwarnf(victim, on_warning, NULL);
    lua_pushcfunction(victim, set_up);
  }
  ok = victim && lua_pcall(victim, 0, 0, 0) == LUA_OK;
  disarm();
  if (ok)
    lua_pushboolean(L, true);
  else
    lua_pushnil(L);
  if (ok || !victim)
    lua_pushliteral(L, "no memory for the state");
  else
    push_text(L, victim, -1);
  lua_pushboolean(L, s && s->refused);
  if (!ok) close_victim();
  return 3;
}

static int to_text (lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

static int v_call (lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  struct source *s;
  int status;
  luaL_argcheck(L, victim, 1, "no state is open");
  alarm(HANG_SECONDS);
  lua_settop(victim, 0);
  lua_pushcfunction(victim, to_text);
  lua_getglobal(victim, name);
  lua_pushstring(victim, luaL_optstring(L, 2, ""));
  s = arm(L, 3);
  status = lua_pcall(victim, 1, 1, 0);
  disarm();
  alarm(0);
  lua_pushboolean(L, status == LUA_OK);
  if (lua_pcall(victim, 1, 1, 0) != LUA_OK) lua_pushliteral(victim, "an error without text");
  push_text(L, victim, -1);
  lua_pushboolean(L, s && s->refused);
  lua_pushinteger(L, s ? (lua_Integer)s->requests : 0);
  lua_settop(victim, 0);
  return 4;
}

static int v_close (lua_State *L) {
  alarm(HANG_SECONDS);
  arm(L, 1);
  close_victim();
  disarm();
  alarm(0);
  lua_pushinteger(L, (lua_Integer)sources[KIND_LUA].bytes);
  lua_pushinteger(L, (lua_Integer)sources[KIND_LUA].blocks);
  lua_pushinteger(L, (lua_Integer)sources[KIND_CURL].blocks);
  sources[KIND_LUA].bytes = sources[KIND_LUA].blocks = 0;
  return 3;
}

static int v_about (lua_State *L) {
  snprintf(about, sizeof about, "%s\n", luaL_checkstring(L, 1));
  return 0;
}

static int v_clock (lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
  return 1;
}

static int v_count (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)sources[KIND_CURL].blocks);
  return 1;
}

static void say (const char *text) {
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written;
}

static void on_signal (int number) {
  say(number == SIGALRM ? "torture: it hangs at " : "torture: it died at ");
  say(about);
  _exit(3);
}

/* Called by the sanitizers before they end the process. */
__attribute__((visibility("default"))) void __asan_on_error (void);
void __asan_on_error (void) {
  say("torture: at ");
  say(about);
}

int main (int argc, char **argv) {
  static const luaL_Reg functions[] = {{"open", v_open},   {"call", v_call},   {"close", v_close},
                                       {"about", v_about}, {"count", v_count}, {"clock", v_clock},
                                       {NULL, NULL}};
  int i, status;
  if (argc < 2) {
    fputs("usage: host SCRIPT [ARGUMENT...]\n", stderr);
    return 2;
  }
  if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_free_block, curl_realloc, curl_strdup,
                           curl_calloc)) {
    fputs("libcurl does not start\n", stderr);
    return 2;
  }
  runner = luaL_newstate();
  if (!runner) return 2;
  signal(SIGALRM, on_signal);
  signal(SIGABRT, on_signal);
  luaL_openlibs(runner);
  luaL_newlib(runner, functions);
  lua_setglobal(runner, "victim");
  status = luaL_loadfile(runner, argv[1]);
  for (i = 2; i < argc; i++)
    lua_pushstring(runner, argv[i]);
  if (status == LUA_OK) status = lua_pcall(runner, argc - 2, 1, 0);
  if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(runner, -1));
  status = status == LUA_OK && lua_toboolean(runner, -1) ? 0 : 1;
  close_victim();
  curl_global_cleanup();
  return status; /* the runner's state stays, and with it the modules whose names lsan.supp knows */
}
