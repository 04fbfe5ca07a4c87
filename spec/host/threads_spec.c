/*
** threads_spec: 64 Lua states in 8 threads, each with sessions of every system, and a server in a ninth. One
** thread at a time uses a state: after each round the threads exchange their states. Above all for the thread
** sanitizer. The work of a state is in threads.lua.
*/
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 8, EACH = 8, ROUNDS = 20 };

/* A thread and the states that it created. Another thread uses them in the next round. */
struct worker {
  pthread_t thread;
  int number;
  lua_State *states[EACH]; /* owned; NULL: done and closed */
  int passed, failed;
};

static struct worker workers[THREADS];
static pthread_barrier_t barrier;

static const char serve[] = "server = assert(require 'datasession.sandbox'.start())\n"
                            "return server.origin";

/* Written before the threads start. */
static char origin[128];

static const char *const models[] = {"anonymous", "basic", "form", "form_sso", "sso", "bearer"};
static const char *const paths[] = {"/SportsAnonymous", "/SportsBasic", "/SportsForm",
                                    "/SportsAuth",      "/SportsSso",   "/SportsBearer"};

static void push_uris (lua_State *L) {
  size_t i;
  lua_newtable(L);
  for (i = 0; i < sizeof models / sizeof *models; i++) {
    lua_pushfstring(L, "%s%s", origin, paths[i]);
    lua_setfield(L, -2, models[i]);
  }
}

static void fail (struct worker *w, lua_State *L) {
  w->failed++;
  printf("FAILED %s\n", lua_tostring(L, -1));
}

/* Pushes the function that continues it onto its stack. */
static lua_State *open_state (struct worker *w) {
  lua_State *L = luaL_newstate();
  if (!L) abort();
  luaL_openlibs(L);
  if (luaL_loadfile(L, "spec/host/threads.lua") == LUA_OK) {
    push_uris(L);
    lua_pushstring(L, origin);
    if (lua_pcall(L, 2, 1, 0) == LUA_OK) return L;
  }
  fail(w, L);
  lua_close(L);
  return NULL;
}

/* Runs one step. Closes a state that is done or failed. */
static void advance (struct worker *w, lua_State **state) {
  lua_State *L = *state;
  bool done;
  lua_pushvalue(L, -1);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK)
    fail(w, L);
  else {
    done = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (!done) return;
    w->passed++;
  }
  lua_close(L);
  *state = NULL;
}

static bool advance_all (struct worker *w, struct worker *owner) {
  bool left = false;
  int i;
  for (i = 0; i < EACH; i++) {
    if (owner->states[i]) advance(w, &owner->states[i]);
    left = left || owner->states[i];
  }
  return left;
}

static void *work (void *argument) {
  struct worker *w = argument;
  int i, round;
  for (i = 0; i < EACH; i++)
    w->states[i] = open_state(w);
  for (round = 0; round < ROUNDS; round++) {
    pthread_barrier_wait(&barrier);
    advance_all(w, &workers[(w->number + round) % THREADS]);
  }
  pthread_barrier_wait(&barrier);
  while (advance_all(w, w))
    ;
  return NULL;
}

static bool start (lua_State *server) {
  luaL_openlibs(server);
  if (luaL_dostring(server, serve) != LUA_OK) {
    printf("%s\n", lua_tostring(server, -1));
    return false;
  }
  snprintf(origin, sizeof origin, "%s", lua_tostring(server, -1));
  return true;
}

int main (void) {
  lua_State *server = luaL_newstate();
  int i, passed = 0, failed = 0;
  alarm(300);
  setvbuf(stdout, NULL, _IOLBF, 0); /* output survives a later crash */
  if (!server || !start(server) || pthread_barrier_init(&barrier, NULL, THREADS)) return 2;
  for (i = 0; i < THREADS; i++) {
    workers[i].number = i;
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) return 2;
  }
  for (i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    passed += workers[i].passed;
    failed += workers[i].failed;
  }
  pthread_barrier_destroy(&barrier);
  lua_close(server);
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
