#include "catalog/uri_cache.h"

#include "net/ascii.h"

#include <string.h>

#define URI_TYPE "datasession.uri"

/* The cache is emptied when it holds more. */
enum { MOST = 64 };

struct kept {
  struct uri *uri; /* owned reference; NULL: released */
};

/* The address is the registry's key of the cache: text -> userdata. Its number of entries is at 0. */
static const char registry_key = 0;

static int kept_gc (lua_State *L) {
  struct kept *kept = luaL_checkudata(L, 1, URI_TYPE);
  uri_release(kept->uri);
  kept->uri = NULL;
  return 0;
}

bool uri_cache_absolute (lua_State *L, int index) {
  const char *text = lua_tostring(L, index);
  return strstr(text, "://") && !ascii_same_start(text, "file:", 5);
}

static void push_new_table (lua_State *L) {
  lua_newtable(L);
  lua_pushinteger(L, 0);
  lua_rawseti(L, -2, 0);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
}

/* Pushes the cache, empty if it was full. The URIs that are in use soon return. */
static void push_table (lua_State *L) {
  lua_Integer n;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    push_new_table(L);
  }
  lua_rawgeti(L, -1, 0);
  n = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (n < MOST) return;
  lua_pop(L, 1);
  push_new_table(L);
}

static struct kept *push_kept (lua_State *L) {
  struct kept *kept = compat_newuserdata(L, sizeof *kept, 0);
  kept->uri = NULL;
  if (luaL_newmetatable(L, URI_TYPE)) {
    lua_pushcfunction(L, kept_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return kept;
}

static struct uri *parse (lua_State *L, const struct session *s, int index, const char **why) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  struct uri *base, *uri;
  *why = uri_no_memory;
  if (uri_cache_absolute(L, index)) return uri_parse(&s->loop->memory, text, length, why);
  base = uri_append(s->service, "/");
  uri = base ? uri_resolve(base, text, length, why) : NULL;
  uri_release(base);
  return uri;
}

/* Adds the value on top to the table below it, with the key below that. */
static void keep (lua_State *L) {
  lua_Integer n;
  lua_rawgeti(L, -2, 0);
  n = lua_tointeger(L, -1);
  lua_pop(L, 1);
  lua_pushvalue(L, -3);
  lua_pushvalue(L, -2);
  lua_rawset(L, -4);
  lua_pushinteger(L, n + 1);
  lua_rawseti(L, -3, 0);
}

static void push_name (lua_State *L, const struct session *s, int index) {
  if (uri_cache_absolute(L, index)) {
    lua_pushvalue(L, index);
    return;
  }
  lua_pushfstring(L, "%s\n", uri_text(s->service));
  lua_pushvalue(L, index);
  lua_concat(L, 2);
}

struct uri *uri_cache_push (lua_State *L, const struct session *s, int index, const char **why) {
  struct kept *kept;
  int top = lua_gettop(L);
  index = lua_absindex(L, index);
  push_name(L, s, index);
  push_table(L);
  lua_pushvalue(L, top + 1);
  lua_rawget(L, -2);
  kept = lua_touserdata(L, -1);
  if (!kept) {
    lua_pop(L, 1);
    kept = push_kept(L);
    kept->uri = parse(L, s, index, why);
    if (kept->uri) keep(L);
  }
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  return kept->uri;
}
