#include "support.h"

#include <lualib.h>
#include <stdio.h>

enum { INPUTS_OF_A_STATE = 4000, INPUTS_BETWEEN_COLLECTIONS = 64 };

static lua_State *state; /* owned */
static unsigned inputs;

/* Coverage for libFuzzer beside that of C: how often each line of Lua ran. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t lines[1 << 15];

int luaopen_datasession_core (lua_State *L);

static void *resize (void *ud, void *block, size_t old_size, size_t new_size) {
  (void)ud, (void)old_size;
  if (new_size) return realloc(block, new_size);
  free(block);
  return NULL;
}

const struct allocator fuzz_memory = {resize, NULL};

void fuzz_check (bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "fuzz: not so: %s\n", what);
  abort();
}

void *fuzz_room (size_t size) {
  void *room = malloc(size + 1);
  if (!room) abort();
  return room;
}

char *fuzz_text (const uint8_t *data, size_t size) {
  char *text = fuzz_room(size);
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  return text;
}

static void must (lua_State *L, int status) {
  if (status == LUA_OK) return;
  fprintf(stderr, "fuzz: raised: %s\n", luaL_tolstring(L, -1, NULL));
  abort();
}

static void forget_state (void) {
  lua_State *old = state;
  state = NULL;
  if (old) lua_close(old);
}

/* Lines are told apart by the end of their file's name, and their number. */
static void on_line (lua_State *L, lua_Debug *ar) {
  uint32_t hash = 2166136261;
  lua_getinfo(L, "S", ar);
  for (size_t i = ar->srclen < 24 ? 0 : ar->srclen - 24; i < ar->srclen; i++)
    hash = (hash ^ (uint8_t)ar->source[i]) * 16777619;
  uint8_t *line = &lines[(hash + (uint32_t)ar->currentline) % sizeof lines];
  if (*line < UINT8_MAX) ++*line;
}

lua_State *fuzz_state (void) {
  if (state) return state;
  state = luaL_newstate();
  if (!state) abort();
  luaL_openlibs(state);
  luaL_getsubtable(state, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(state, luaopen_datasession_core);
  lua_setfield(state, -2, "datasession.core");
  must(state, luaL_dostring(state, "datasession = require 'datasession'"));
  lua_settop(state, 0);
  lua_sethook(state, on_line, LUA_MASKLINE, 0);
  inputs = 0;
  return state;
}

void fuzz_done (void) {
  lua_settop(state, 0);
  inputs++;
  if (inputs % INPUTS_BETWEEN_COLLECTIONS == 0) lua_gc(state, LUA_GCCOLLECT);
  if (inputs >= INPUTS_OF_A_STATE) forget_state();
}

/* Leaves the function that the chunk returns. */
static void push_function (lua_State *L, const char *chunk, const luaL_Reg *functions) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, chunk) == LUA_TFUNCTION) return;
  lua_pop(L, 1);
  lua_pushglobaltable(L);
  if (functions) luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  must(L, luaL_loadstring(L, chunk));
  must(L, lua_pcall(L, 0, 1, 0));
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, chunk);
}

void fuzz_lua (const char *chunk, const luaL_Reg *functions, const uint8_t *data, size_t size) {
  lua_State *L = fuzz_state();
  push_function(L, chunk, functions);
  lua_pushlstring(L, (const char *)data, size);
  must(L, lua_pcall(L, 1, 0, 0));
  fuzz_done();
}
