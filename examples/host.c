/*
** A program with a picture to draw 60 times a second, whose script talks to a server. Library, lua-cjson and
** script are inside: it needs no Lua file. Usage: host SERVICE_URI, of a service that logs in by form.
**
**   make static
**   cc -Ibuild/static $(pkg-config --cflags lua5.4) -o host examples/host.c build/static/datasession.o \
**     -l:liblua5.4-cjson.a -llua5.4 -lcurl -lm -pthread
*/
#define _POSIX_C_SOURCE 200809L

#include "datasession.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int luaopen_cjson (lua_State *L);
int luaopen_cjson_safe (lua_State *L);

static const char script[] =
    "local datasession = require 'datasession'\n"
    "local uri = ...\n"
    "local function work()\n"
    "  local session <close> = datasession.new { serviceURI = uri, authenticationModel = 'form' }\n"
    "  session:subscribe('offline', function(_, reason) status = 'offline: ' .. reason end)\n"
    "  status = 'logging in'\n"
    "  assert(session:login('lua', 'secret'):await())\n"
    "  status = 'loading'\n"
    "  assert(session:addCatalog('static/CustomerService.json'):await())\n"
    "  local customers = datasession.JSDO { name = 'Customer', session = session }\n"
    "  assert(customers:fill { top = 5 }:await())\n"
    "  for customer in customers:records() do\n"
    "    status = customer.Name\n"
    "    datasession.sleep(0.05)\n"
    "  end\n"
    "end\n"
    "datasession.spawn(work):next(function() status = 'done' end,\n"
    "  function(err) status = 'failed: ' .. tostring(err) end)\n";

/* NULL: out of memory, or a mistake in the script, which is then printed. */
static lua_State *start (const char *uri) {
  lua_State *L = luaL_newstate();
  if (!L) return NULL;
  luaL_openlibs(L);
  luaL_requiref(L, "cjson", luaopen_cjson, 0);
  luaL_requiref(L, "cjson.safe", luaopen_cjson_safe, 0);
  luaL_requiref(L, "datasession", luaopen_datasession, 0);
  lua_settop(L, 0);
  if (luaL_loadbuffer(L, script, strlen(script), "=script") == LUA_OK) {
    lua_pushstring(L, uri);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return L;
  }
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return NULL;
}

/* Stands for the drawing: a line whenever the script's `status` has changed. */
static void draw (lua_State *L, long frame, char *shown, size_t size) {
  lua_getglobal(L, "status");
  if (lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), shown) != 0) {
    snprintf(shown, size, "%s", lua_tostring(L, -1));
    printf("frame %ld: %s\n", frame, shown);
    fflush(stdout);
  }
  lua_pop(L, 1);
}

static void wait_for_next_frame (struct timespec *next) {
  next->tv_nsec += 1000000000 / 60;
  if (next->tv_nsec >= 1000000000) {
    next->tv_nsec -= 1000000000;
    next->tv_sec++;
  }
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

int main (int argc, char **argv) {
  char shown[200] = "";
  struct timespec next;
  lua_State *L = argc == 2 ? start(argv[1]) : NULL;
  int pending = 1;
  if (!L) return fputs("usage: host SERVICE_URI\n", stderr), 2;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (long frame = 1; pending == 1; frame++) {
    pending = datasession_step(L, 0, 0.002); /* waits for nothing; 2 ms of work at most */
    if (pending < 0) fprintf(stderr, "%s\n", lua_tostring(L, -1));
    draw(L, frame, shown, sizeof shown);
    wait_for_next_frame(&next);
  }
  lua_close(L);
  return strcmp(shown, "done") == 0 ? 0 : 1;
}
