#include "runtime/recording.h"

#include "net/record.h"
#include "net/system.h"
#include "runtime/loop.h"

#include <string.h>

static void deliver_lines (lua_State *L, struct recorder *r) {
  size_t lost = r->lost;
  loop_hook(L, "traced");
  lua_pushlstring(L, r->lines.data, r->lines.length);
  lua_pushinteger(L, (lua_Integer)lost);
  buffer_cleanup(&r->lines);
  r->lost = 0;
  loop_call(L, 2);
}

static void set_text (lua_State *L, const char *name, const char *text, size_t length) {
  lua_pushlstring(L, text ? text : "", length);
  lua_setfield(L, -2, name);
}

static void set_buffer (lua_State *L, const char *name, const struct buffer *b) {
  set_text(L, name, b->data, b->length);
}

static void set_integer (lua_State *L, const char *name, long long value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void set_number (lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void set_hop (lua_State *L, const struct hop *hop) {
  lua_pushstring(L, hop->method);
  lua_setfield(L, -2, "method");
  set_integer(L, "status", hop->status);
  set_integer(L, "sentBytes", (long long)hop->sent);
  set_integer(L, "receivedBytes", (long long)hop->received);
  set_number(L, "queued", hop->queued);
  set_number(L, "resolve", hop->resolve);
  set_number(L, "connect", hop->connect);
  set_number(L, "tls", hop->tls);
  set_number(L, "wait", hop->wait);
  set_number(L, "receive", hop->receive);
  set_number(L, "total", hop->total);
}

static void push_message (lua_State *L, const struct message *m) {
  lua_createtable(L, 0, 24);
  if (m->label.session) set_integer(L, "session", m->label.session);
  if (m->label.verb) set_text(L, "verb", m->label.verb, strlen(m->label.verb));
  set_number(L, "time", m->time);
  set_hop(L, &m->hop->hop);
  set_buffer(L, "uri", &m->uri);
  set_buffer(L, "request", &m->request);
  set_buffer(L, "response", &m->response);
  set_buffer(L, "sent", &m->sent);
  set_buffer(L, "received", &m->received);
  set_text(L, "peer", m->peer, strlen(m->peer));
  set_integer(L, "connection", m->local_port);
  set_text(L, "failure", m->failure, strlen(m->failure));
}

/* Argument: the message, light userdata. */
static int deliver_message (lua_State *L) {
  loop_hook(L, "archived");
  push_message(L, lua_touserdata(L, 1));
  loop_call(L, 1);
  return 0;
}

static void deliver_messages (lua_State *L, struct recorder *r) {
  struct message *m;
  while ((m = recorder_take(r))) {
    lua_pushcfunction(L, deliver_message);
    lua_pushlightuserdata(L, m);
    loop_call(L, 1);
    message_free(r, m);
  }
}

static int deliver (lua_State *L) {
  struct loop *loop = loop_get(L);
  struct recorder *r = loop->engine ? engine_recorder(loop->engine) : NULL;
  if (!r) return 0;
  if (r->lines.length) deliver_lines(L, r);
  deliver_messages(L, r);
  return 0;
}

void recording_deliver (lua_State *L) {
  lua_pushcfunction(L, deliver);
  loop_call(L, 0);
}

static int l_deliver (lua_State *L) {
  recording_deliver(L);
  return 0;
}

void recording_begin (struct loop *loop) {
  struct recorder *r = engine_recorder(loop->engine);
  r->label = loop->above->label;
  recorder_set(r, &loop->record);
}

static int l_record (lua_State *L) {
  struct loop *loop = loop_get(L);
  struct record_options *o = &loop->record;
  o->lines = !lua_isnoneornil(L, 1);
  o->messages = !lua_isnoneornil(L, 2);
  o->line_bodies = (size_t)luaL_optinteger(L, 1, 0);
  o->message_bodies = (size_t)luaL_optinteger(L, 2, 0);
  loop->recording = o->lines || o->messages;
  if (loop->engine) recording_begin(loop);
  return 0;
}

/* makePrivate(path): makes an empty file that only its owner may use, unless there is a file. */
static int l_make_private (lua_State *L) {
  int fd = system_open(luaL_checkstring(L, 1), O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
  return 0;
}

void recording_register (lua_State *L) {
  static const luaL_Reg functions[] = {
      {"record", l_record}, {"deliverRecords", l_deliver}, {"makePrivate", l_make_private}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
