#include "runtime/ready_queue.h"

/* A single link is its own next and previous one. */
void ready_queue_add (lua_State *L, int owner, int slot) {
  int link = lua_gettop(L);
  owner = lua_absindex(L, owner);
  if (compat_getslot(L, owner, slot) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, link);
    compat_setslot(L, link, READY_QUEUE_LINK);
  } else {
    compat_getslot(L, -1, READY_QUEUE_LINK); /* stack: the new link, the last, the first */
    lua_pushvalue(L, link);
    compat_setslot(L, -2, READY_QUEUE_BACK);
    compat_setslot(L, link, READY_QUEUE_LINK);
    lua_pushvalue(L, link);
    compat_setslot(L, -2, READY_QUEUE_LINK);
    compat_setslot(L, link, READY_QUEUE_BACK);
  }
  compat_setslot(L, owner, slot);
}

/* Joins the neighbours of the link at `link`; the next one is on top, popped. */
static void join_neighbours (lua_State *L, int link, int owner, int slot) {
  const void *gone = lua_touserdata(L, link);
  bool last;
  compat_getslot(L, owner, slot);
  last = lua_touserdata(L, -1) == gone;
  lua_pop(L, 1);
  compat_getslot(L, link, READY_QUEUE_BACK);
  if (last) {
    lua_pushvalue(L, -1);
    compat_setslot(L, owner, slot);
  }
  lua_pushvalue(L, -2);
  compat_setslot(L, -2, READY_QUEUE_LINK);
  compat_setslot(L, -2, READY_QUEUE_BACK);
  lua_pop(L, 1);
  lua_pushnil(L);
  compat_setslot(L, link, READY_QUEUE_BACK);
}

/* Removes the link on top from the queue and leaves it on the stack. */
static void unlink_top (lua_State *L, int owner, int slot) {
  int link = lua_gettop(L);
  compat_getslot(L, link, READY_QUEUE_LINK);
  if (lua_touserdata(L, -1) != lua_touserdata(L, link))
    join_neighbours(L, link, owner, slot);
  else {
    lua_pop(L, 1);
    lua_pushnil(L);
    compat_setslot(L, owner, slot);
  }
  lua_pushnil(L);
  compat_setslot(L, link, READY_QUEUE_LINK);
}

bool ready_queue_take (lua_State *L, int owner, int slot) {
  owner = lua_absindex(L, owner);
  if (compat_getslot(L, owner, slot) == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  compat_getslot(L, -1, READY_QUEUE_LINK);
  lua_remove(L, -2);
  unlink_top(L, owner, slot);
  return true;
}

void ready_queue_remove (lua_State *L, int owner, int slot) {
  bool linked = compat_getslot(L, -1, READY_QUEUE_LINK) != LUA_TNIL;
  lua_pop(L, 1);
  if (linked) unlink_top(L, lua_absindex(L, owner), slot);
  lua_pop(L, 1);
}
