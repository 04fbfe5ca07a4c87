#include "session/state_events.h"

#include "session/events.h"
#include "session/log.h"
#include "session/protocol.h"
#include "session/session.h"

struct before state_events_look (lua_State *L, const struct session *s) {
  struct before was = {s->phase, session_connected(s), s->expires_at};
  if (s->protocol->push_id)
    s->protocol->push_id(L, s);
  else
    lua_pushnil(L);
  return was;
}

/* True if the caller caused the change, by login or logout: like the reference, fires nothing then. */
static bool is_known (const struct finding *found) {
  return found->verdict == VERDICT_LEFT || found->verdict == VERDICT_INVALIDATED;
}

/* An expiry fires `offline` even when the session was offline already. */
static void tell_connection (lua_State *L, int index, const struct session *s, const struct finding *found,
                             const struct before *was) {
  bool now = session_connected(s);
  bool ended =
      s->phase == PHASE_EXPIRED && was->phase != PHASE_EXPIRED && found->verdict != VERDICT_RECONNECT_FAILED;
  if (is_known(found)) return;
  if (now && !was->connected) {
    log_session(L, index, "info", "online", found);
    lua_pushnil(L);
    events_fire(L, index, "online", 1);
  } else if ((was->connected && !now) || ended) {
    log_session(L, index, "warning", "offline", found);
    lua_pushstring(L, found->reason ? found->reason : REASON_SERVER);
    lua_pushnil(L);
    events_fire(L, index, "offline", 2);
  }
}

static bool has_ended (const struct session *s, const struct finding *found, const struct before *was) {
  return was->phase == PHASE_AUTHORIZED && s->phase == PHASE_EXPIRED &&
         found->verdict != VERDICT_RECONNECT_FAILED;
}

/* True if the service states deadlines: then a lost session has expired. */
static bool has_deadlines (const struct session *s, const struct before *was) {
  return was->expires_at > 0 || s->protocol->implicit;
}

/* `id`: the stack index of the session's id. */
static void tell_expiry (lua_State *L, int index, const struct finding *found, int id) {
  log_session(L, index, "warning", "expired", found);
  lua_pushstring(L, found->verdict == VERDICT_EXPIRED ? "server" : "timeout");
  lua_pushvalue(L, id);
  events_fire(L, index, "expired", 2);
}

static void tell_loss (lua_State *L, int index, const struct finding *found, int id) {
  log_session(L, index, "warning", "lost", found);
  lua_pushstring(L, found->fault.message);
  lua_pushvalue(L, id);
  events_fire(L, index, "lost", 2);
}

/* Fires one event: `expired` if there are deadlines, else `lost`. */
static void tell_end (lua_State *L, int index, const struct session *s, const struct finding *found,
                      const struct before *was, int id) {
  if (!has_ended(s, found, was)) return;
  if (found->verdict != VERDICT_EXPIRED || has_deadlines(s, was))
    tell_expiry(L, index, found, id);
  else
    tell_loss(L, index, found, id);
}

static void tell_renewal (lua_State *L, int index, const struct session *s, const struct before *was) {
  if (was->phase != PHASE_AUTHORIZED || was->expires_at <= 0 || s->expires_at <= was->expires_at) return;
  lua_pushnumber(L, s->expires_at);
  events_fire(L, index, "renewed", 1);
}

static void tell_status (lua_State *L, int index, struct session *s) {
  const char *now = s->protocol->status ? s->protocol->status(s) : NULL;
  if (now == s->status) return;
  s->status = now;
  lua_pushstring(L, now);
  events_fire(L, index, "statusChanged", 1);
}

/* Logs the changes that fire no event, since the caller made them. */
static void note (lua_State *L, int index, const struct session *s, const struct finding *found,
                  const struct before *was) {
  if (found->verdict == VERDICT_INVALIDATED)
    log_session(L, index, "info", "invalidated", found);
  else if (found->verdict == VERDICT_LEFT && was->phase != PHASE_FRESH)
    log_session(L, index, "info", "loggedOut", found);
  else if (found->purpose == PURPOSE_LOGIN && found->verdict == VERDICT_ALIVE &&
           was->phase != PHASE_AUTHORIZED)
    log_session(L, index, "info", "loggedIn", found);
  else if (found->purpose == PURPOSE_LOGIN && s->login_result != RESULT_SUCCESS && found->fault.message)
    log_session(L, index, "warning", "loginFailed", found);
}

void state_events_of (lua_State *L, int index, const struct finding *found, const struct before *was) {
  struct session *s = lua_touserdata(L, index);
  int id = lua_gettop(L);
  note(L, index, s, found, was);
  tell_end(L, index, s, found, was, id);
  tell_connection(L, index, s, found, was);
  tell_renewal(L, index, s, was);
  tell_status(L, index, s);
  lua_settop(L, id - 1);
}
