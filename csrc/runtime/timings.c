#include "runtime/timings.h"

#include "runtime/loop.h"

#include <string.h>

/* A hop without pointers, before the texts of its method and its URI. Not aligned. */
struct packed {
  struct hop hop;
  size_t method_length, uri_length;
};

static struct packed pack (const struct hop *hop) {
  return (struct packed){*hop, strlen(hop->method), strlen(uri_public_text(hop->uri))};
}

static size_t size_of (const struct hop *hop) {
  struct packed packed = pack(hop);
  return sizeof packed + packed.method_length + packed.uri_length;
}

size_t timings_size (const struct exchange *x) {
  struct hop last;
  size_t size;
  const struct kept_hop *kept;
  exchange_last_hop(x, &last);
  size = size_of(&last);
  for (kept = x->response.hops; kept; kept = kept->earlier)
    size += size_of(&kept->hop);
  return size;
}

static char *write_hop (char *to, const struct hop *hop) {
  struct packed packed = pack(hop);
  memcpy(to, &packed, sizeof packed);
  to += sizeof packed;
  memcpy(to, hop->method, packed.method_length);
  to += packed.method_length;
  memcpy(to, uri_public_text(hop->uri), packed.uri_length);
  return to + packed.uri_length;
}

void timings_write (char *to, const struct exchange *x) {
  struct hop last;
  const struct kept_hop *kept;
  exchange_last_hop(x, &last);
  to = write_hop(to, &last);
  for (kept = x->response.hops; kept; kept = kept->earlier)
    to = write_hop(to, &kept->hop);
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

/* Pushes a table. `begun` is that of the call's first hop. */
static void push_hop (lua_State *L, const struct packed *packed, const char *texts, double begun) {
  const struct hop *hop = &packed->hop;
  lua_createtable(L, 0, 16);
  lua_pushlstring(L, texts, packed->method_length);
  lua_setfield(L, -2, "method");
  lua_pushlstring(L, texts + packed->method_length, packed->uri_length);
  lua_setfield(L, -2, "uri");
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

static double begin_of (const char *bytes, const char *end, lua_Integer *count) {
  double begun = 0;
  for (*count = 0; bytes < end; ++*count) {
    struct packed packed;
    bytes = read_hop(&packed, bytes);
    bytes += packed.method_length + packed.uri_length;
    begun = packed.hop.begun;
  }
  return begun;
}

void timings_push (lua_State *L, const char *bytes, size_t size) {
  const char *end = bytes + size;
  lua_Integer count;
  double begun = begin_of(bytes, end, &count);
  lua_createtable(L, (int)count, 0);
  for (; bytes < end; count--) {
    struct packed packed;
    bytes = read_hop(&packed, bytes);
    push_hop(L, &packed, bytes, begun);
    lua_rawseti(L, -2, count);
    bytes += packed.method_length + packed.uri_length;
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
