#include "runtime/timings.h"

#include "runtime/loop.h"

#include <string.h>

/* A hop without its pointers, before the texts of its method and its URI. Not aligned. */
struct packed {
  struct hop hop;
  size_t method_length, uri_length;
};

static struct packed pack (const struct hop *hop) {
  return (struct packed){*hop, strlen(hop->method), strlen(uri_public_text(hop->uri))};
}

size_t timings_size (const struct kept_hop *hops) {
  size_t size = 0;
  for (; hops; hops = hops->earlier) {
    struct packed packed = pack(&hops->hop);
    size += sizeof packed + packed.method_length + packed.uri_length;
  }
  return size;
}

void timings_write (char *to, const struct kept_hop *hops) {
  for (; hops; hops = hops->earlier) {
    struct packed packed = pack(&hops->hop);
    memcpy(to, &packed, sizeof packed);
    to += sizeof packed;
    memcpy(to, hops->hop.method, packed.method_length);
    to += packed.method_length;
    memcpy(to, uri_public_text(hops->hop.uri), packed.uri_length);
    to += packed.uri_length;
  }
}

static void set_number (lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void set_integer (lua_State *L, const char *name, size_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void set_phases (lua_State *L, const struct hop *hop) {
  set_number(L, "queued", hop->queued);
  set_number(L, "resolve", hop->resolve);
  set_number(L, "connect", hop->connect);
  set_number(L, "tls", hop->tls);
  set_number(L, "wait", hop->wait);
  set_number(L, "receive", hop->receive);
  set_number(L, "total", hop->total);
}

/* Pushes a table. Method and URI are on top, popped. `begun` is that of the call's first hop. */
static void push_hop (lua_State *L, const struct hop *hop, double begun) {
  lua_createtable(L, 0, 14);
  lua_insert(L, -3);
  lua_setfield(L, -3, "uri");
  lua_setfield(L, -2, "method");
  if (hop->status > 0) set_integer(L, "status", (size_t)hop->status);
  set_number(L, "start", hop->begun - begun);
  set_phases(L, hop);
  set_integer(L, "sent", hop->sent);
  set_integer(L, "received", hop->received);
  set_integer(L, "tries", hop->tries);
  lua_pushboolean(L, hop->reused);
  lua_setfield(L, -2, "reused");
}

static const char *read_hop (struct packed *packed, const char *from) {
  memcpy(packed, from, sizeof *packed);
  return from + sizeof *packed;
}

/* Counts the hops. *begun becomes that of the first one, which is written last. */
static int look_at (const char *bytes, const char *end, double *begun) {
  int count = 0;
  for (; bytes < end; count++) {
    struct packed packed;
    bytes = read_hop(&packed, bytes);
    bytes += packed.method_length + packed.uri_length;
    *begun = packed.hop.begun;
  }
  return count;
}

void timings_push (lua_State *L, const struct hop *last, const char *uri, size_t uri_length,
                   const char *bytes, size_t size) {
  const char *end = bytes + size;
  double begun = last->begun;
  int count = look_at(bytes, end, &begun);
  lua_createtable(L, count + 1, 0);
  lua_pushstring(L, last->method);
  lua_pushlstring(L, uri, uri_length);
  push_hop(L, last, begun);
  lua_rawseti(L, -2, count + 1);
  for (; bytes < end; count--) {
    struct packed packed;
    bytes = read_hop(&packed, bytes);
    lua_pushlstring(L, bytes, packed.method_length);
    bytes += packed.method_length;
    lua_pushlstring(L, bytes, packed.uri_length);
    bytes += packed.uri_length;
    push_hop(L, &packed.hop, begun);
    lua_rawseti(L, -2, count);
  }
  luaL_setmetatable(L, TIMINGS_TYPE);
}

static int timings_tostring (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  loop_hook(L, "waterfall");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

void timings_register (lua_State *L) {
  luaL_newmetatable(L, TIMINGS_TYPE);
  lua_pushcfunction(L, timings_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}
