#include "session/log.h"

#include "net/curl_failure.h"
#include "runtime/error.h"
#include "runtime/loop.h"
#include "session/operation.h"
#include "session/session.h"

#include <string.h>

/* A queued entry for the logger that was set when it was made. */
enum {
  NOTE_LOGGER = READY_QUEUE_SLOTS + 1,
  NOTE_LEVEL,
  NOTE_EVENT,
  NOTE_SESSION,
  NOTE_FIELDS,
  NOTE_SLOTS = NOTE_FIELDS
};

static const char hook[] = "logger";

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

enum { LEVEL_INFO = 1 };

/* The place of the level in that list; the end: it is none of them. */
static unsigned rank (const char *level) {
  unsigned i = 0;
  while (levels[i] && strcmp(levels[i], level) != 0)
    i++;
  return i;
}

static int tell (lua_State *L) {
  int i;
  for (i = NOTE_LOGGER; i <= NOTE_FIELDS; i++)
    compat_getslot(L, 1, i);
  loop_call(L, NOTE_FIELDS - NOTE_LOGGER);
  return 0;
}

/* Pushes the logger. False, and pushes nothing: none is set for that level. */
static bool push_logger (lua_State *L, const char *level) {
  if (rank(level) < loop_get(L)->log_level) return false;
  loop_table(L, LOOP_HOOKS);
  lua_getfield(L, -1, hook);
  lua_remove(L, -2);
  if (lua_isfunction(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

/* The logger and the fields are on top, popped. */
static void queue (lua_State *L, int index, const char *level, const char *event) {
  struct entry *note = compat_newuserdata(L, sizeof *note, NOTE_SLOTS);
  memset(note, 0, sizeof *note);
  note->tell = tell;
  lua_insert(L, -3);
  compat_setslot(L, -3, NOTE_FIELDS);
  compat_setslot(L, -2, NOTE_LOGGER);
  lua_pushvalue(L, index);
  compat_setslot(L, -2, NOTE_SESSION);
  lua_pushstring(L, level);
  compat_setslot(L, -2, NOTE_LEVEL);
  lua_pushstring(L, event);
  compat_setslot(L, -2, NOTE_EVENT);
  loop_ready(L, loop_get(L));
}

static void set_text (lua_State *L, const char *name, const char *value) {
  if (!value) return;
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

/* Pushes the fields that every entry has. */
static void push_fields (lua_State *L, int index) {
  const struct session *s = lua_touserdata(L, index);
  lua_createtable(L, 0, 8);
  lua_pushinteger(L, s->number);
  lua_setfield(L, -2, "session");
  session_push_protocol_name(L, s);
  lua_setfield(L, -2, "protocol");
  set_text(L, "serviceURI", s->service ? uri_public_text(s->service) : NULL);
}

static void set_finding (lua_State *L, const struct finding *found) {
  set_text(L, "kind", found->fault.kind);
  set_text(L, "message", found->fault.message);
  if (found->fault.status <= 0) return;
  lua_pushinteger(L, found->fault.status);
  lua_setfield(L, -2, "httpStatus");
}

void log_session (lua_State *L, int index, const char *level, const char *event,
                  const struct finding *found) {
  index = lua_absindex(L, index);
  if (!push_logger(L, level)) return;
  push_fields(L, index);
  set_text(L, "reason", found->reason);
  set_finding(L, found);
  queue(L, index, level, event);
}

void log_attempt (lua_State *L, int index, const char *event, unsigned attempt, const char *reason,
                  double wait) {
  index = lua_absindex(L, index);
  if (!push_logger(L, "info")) return;
  push_fields(L, index);
  lua_pushinteger(L, attempt);
  lua_setfield(L, -2, wait < 0 ? "attempts" : "attempt");
  set_text(L, "reason", reason);
  if (wait >= 0) {
    lua_pushnumber(L, wait);
    lua_setfield(L, -2, "wait");
  }
  queue(L, index, "info", event);
}

void log_gave_up (lua_State *L, int index, unsigned attempts, const char *reason,
                  const struct finding *found) {
  index = lua_absindex(L, index);
  if (!push_logger(L, "error")) return;
  push_fields(L, index);
  lua_pushinteger(L, attempts);
  lua_setfield(L, -2, "attempts");
  set_text(L, "reason", reason);
  set_finding(L, found);
  queue(L, index, "error", "reconnectFailed");
}

void log_retry (lua_State *L, int index, unsigned attempt, double wait, int err) {
  static const char *const fields[] = {"kind", "message", "httpStatus"};
  size_t i;
  if (!push_logger(L, "info")) return;
  push_fields(L, index);
  for (i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_getfield(L, err, fields[i]);
    lua_setfield(L, -2, fields[i]);
  }
  lua_pushinteger(L, attempt);
  lua_setfield(L, -2, "attempt");
  lua_pushnumber(L, wait);
  lua_setfield(L, -2, "wait");
  queue(L, index, "info", "retry");
}

static void set_number (lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void set_integer (lua_State *L, const char *name, size_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void set_hop (lua_State *L, const struct hop *hop) {
  set_text(L, "method", hop->method);
  set_text(L, "uri", uri_public_text(hop->uri));
  if (hop->status > 0) set_integer(L, "httpStatus", (size_t)hop->status);
  set_number(L, "time", hop->total);
  set_integer(L, "sent", hop->sent);
  set_integer(L, "received", hop->received);
  set_integer(L, "tries", hop->tries);
  lua_pushboolean(L, hop->reused);
  lua_setfield(L, -2, "reused");
}

static void set_failure (lua_State *L, const struct response *response) {
  if (response->failure == FAILURE_NONE) return;
  set_text(L, "kind", error_kind(response->failure));
  lua_pushfstring(L, "%s%s%s", curl_failure_name(response->failure), response->detail[0] ? ": " : "",
                  response->detail);
  lua_setfield(L, -2, "message");
}

/* Logs a hop of `x`; the last one has its failure. */
static void log_hop (lua_State *L, const struct operation *op, const struct exchange *x,
                     const struct hop *hop, bool last) {
  int top = lua_gettop(L);
  if (!push_logger(L, levels[0])) return;
  operation_push_owner(L, op);
  lua_insert(L, -2);
  if (op->session)
    push_fields(L, top + 1);
  else
    lua_createtable(L, 0, 12);
  set_text(L, "verb", op->verb);
  set_integer(L, "attempt", op->tries > 1 ? op->tries : 1);
  set_hop(L, hop);
  if (last) set_failure(L, &x->response);
  queue(L, top + 1, levels[0], "request");
  lua_settop(L, top);
}

void log_exchange (lua_State *L, const struct operation *op, const struct exchange *x) {
  const struct kept_hop *kept;
  struct hop last;
  size_t count = 0, i;
  for (kept = x->response.hops; kept && kept->hop.begun >= x->started; kept = kept->earlier)
    count++; /* those of `x`; the list goes on with hops of earlier exchanges of the operation */
  for (; count > 0; count--) {
    for (kept = x->response.hops, i = 1; i < count; i++)
      kept = kept->earlier;
    log_hop(L, op, x, &kept->hop, false);
  }
  exchange_last_hop(x, &last);
  if (x->response.failure != FAILURE_NONE && !x->response.may_have_arrived) last.sent = 0;
  log_hop(L, op, x, &last, true);
}

void log_token (lua_State *L, int index, const char *reason, const char *failure) {
  const char *level = failure ? "warning" : "info";
  index = lua_absindex(L, index);
  if (!push_logger(L, level)) return;
  push_fields(L, index);
  set_text(L, "reason", reason);
  set_text(L, "message", failure);
  queue(L, index, level, failure ? "tokenFailed" : "tokenGiven");
}

/* setLogger(f or nil, level or nil): returns the logger that was set before. */
static int l_set_logger (lua_State *L) {
  struct loop *loop = loop_get(L);
  unsigned level = LEVEL_INFO;
  if (!lua_isnoneornil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  if (!lua_isnoneornil(L, 2)) level = rank(luaL_checkstring(L, 2));
  if (!levels[level]) luaL_argerror(L, 2, "expected \"debug\", \"info\", \"warning\" or \"error\"");
  lua_settop(L, 1);
  loop_table(L, LOOP_HOOKS);
  lua_getfield(L, -1, hook);
  lua_pushvalue(L, 1);
  lua_setfield(L, -3, hook);
  loop->log_level = level;
  loop->observers &= ~(unsigned)OBSERVER_LOG;
  if (level < LEVEL_INFO && !lua_isnil(L, 1)) loop->observers |= OBSERVER_LOG;
  return 1;
}

void log_register (lua_State *L) {
  lua_pushcfunction(L, l_set_logger);
  lua_setfield(L, -2, "setLogger");
}
