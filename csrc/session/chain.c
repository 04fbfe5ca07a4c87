#include "chain.h"

void chain_add (lua_State *L, int owner, int slot) {
  owner = lua_absindex(L, owner);
  if (compat_getslot(L, owner, slot) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    compat_setslot(L, -2, CHAIN_LINK); /* alone, it is its own next */
  } else {
    compat_getslot(L, -1, CHAIN_LINK); /* the new one, the last, the first */
    compat_setslot(L, -3, CHAIN_LINK);
    lua_pushvalue(L, -2);
    compat_setslot(L, -2, CHAIN_LINK);
    lua_pop(L, 1);
  }
  compat_setslot(L, owner, slot);
}

/* On top: the link that is to go, and below it the one before it. Leaves the former. */
static void unlink_top (lua_State *L, int owner, int slot) {
  const void *before = lua_touserdata(L, -2), *gone = lua_touserdata(L, -1), *last;
  compat_getslot(L, owner, slot);
  last = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (before == gone) {
    lua_pushnil(L);
    compat_setslot(L, owner, slot);
  } else {
    compat_getslot(L, -1, CHAIN_LINK);
    compat_setslot(L, -3, CHAIN_LINK);
    if (gone == last) {
      lua_pushvalue(L, -2);
      compat_setslot(L, owner, slot);
    }
  }
  lua_remove(L, -2);
  lua_pushnil(L);
  compat_setslot(L, -2, CHAIN_LINK);
}

bool chain_take (lua_State *L, int owner, int slot) {
  owner = lua_absindex(L, owner);
  if (compat_getslot(L, owner, slot) == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  compat_getslot(L, -1, CHAIN_LINK);
  unlink_top(L, owner, slot);
  return true;
}

void chain_remove (lua_State *L, int owner, int slot, const void *link) {
  const void *last;
  owner = lua_absindex(L, owner);
  compat_getslot(L, owner, slot);
  last = lua_touserdata(L, -1);
  while (last) {
    compat_getslot(L, -1, CHAIN_LINK);
    if (lua_touserdata(L, -1) == link) {
      unlink_top(L, owner, slot);
      break;
    }
    lua_remove(L, -2);
    if (lua_touserdata(L, -1) == last) break;
  }
  lua_pop(L, 1);
}
