/*
** The life of a session. The constructor binds it to one web application. login proves the user to the
** server. From then on each response says whether the session is alive, and session_transition turns that
** into state and events. logout forgets the login, invalidate ends the session for good, and the finaliser
** frees it without a request.
** This file is session_transition: what each verdict changes, in the order forget, take, begin, turn, change.
*/
#include "session/session.h"

#include "runtime/loop.h"
#include "session/autoping.h"
#include "session/hooks.h"
#include "session/identity.h"
#include "session/protocol.h"
#include "session/state_events.h"

#include <string.h>
#include <time.h>

bool session_is_past (const struct session *s) {
  return s->expires > 0 && clock_now() >= s->expires;
}

bool session_connected (const struct session *s) {
  return s->phase == PHASE_AUTHORIZED && s->online && !s->device_offline && !s->reconnecting &&
         !session_is_past(s);
}

void session_begin_authorized (struct session *s, long status) {
  s->phase = PHASE_AUTHORIZED;
  s->login_result = RESULT_SUCCESS;
  s->login_status = (short)status;
  s->admitted = s->unasked = true;
}

/* Other sessions may use the provider, so it is not changed. The last reference wipes the identity. */
void session_forget_identity (lua_State *L, int index, struct session *s) {
  identity_release(s->who);
  s->who = NULL;
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_PROVIDER);
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_PROVIDER_USER);
}

/* Forgets what identifies the session on the server. */
static void forget_server_session (lua_State *L, int index, struct session *s) {
  s->expires = s->expires_at = 0;
  if (s->protocol->forget) s->protocol->forget(L, index, s);
  header_list_release(s->headers);
  s->headers = NULL;
}

/* Forgets the protocol's data of a login that begins, fails or, `ended`, has ended. */
static void forget_login_data (lua_State *L, int index, struct session *s, bool ended) {
  if (s->protocol->forget_login) s->protocol->forget_login(L, index, s, ended);
  header_list_release(s->headers);
  s->headers = NULL;
}

void session_forget_kept (struct session *s) {
  credentials_free(&s->loop->memory, s->kept);
  s->kept = NULL;
}

static void forget_login (lua_State *L, int index, struct session *s) {
  s->login_result = RESULT_NONE;
  s->login_status = 0;
  s->online = s->admitted = s->established = s->reconnecting = s->closing = false;
  autoping_left(s, NULL); /* the pending ping belongs to this login, and so does `leaving` */
  s->leaving = NULL;
  s->epoch++;
  s->logins++;
  session_untouch(s);
  session_forget_kept(s);
  forget_server_session(L, index, s);
  session_forget_identity(L, index, s);
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_USER);
  forget_login_data(L, index, s, true);
  loop_table(L, LOOP_HELD);
  lua_pushvalue(L, index);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* Moves the deadline, if the response states one. */
static void take_lifetime (struct session *s, const struct finding *found) {
  struct timespec wall;
  if (!found->has_lifetime) return;
  clock_gettime(CLOCK_REALTIME, &wall);
  s->expires = found->lifetime > 0 ? clock_now() + found->lifetime : 0;
  s->expires_at =
      found->lifetime > 0 ? (double)wall.tv_sec + (double)wall.tv_nsec / 1e9 + found->lifetime : 0;
}

/* Lets the protocol keep data of the response, which may change the header lines of the next request. */
static void learn (lua_State *L, int index, struct session *s, const struct finding *found) {
  take_lifetime(s, found);
  if (!s->protocol->learn || !s->protocol->learn(L, index, s, found)) return;
  header_list_release(s->headers);
  s->headers = NULL;
}

/* Begins a login: drops what an earlier login left. */
static void begin_login (lua_State *L, int index, struct session *s) {
  s->phase = PHASE_FRESH;
  s->epoch++;
  s->logins++;
  s->online = s->established = s->admitted = false;
  session_forget_kept(s);
  forget_server_session(L, index, s);
  forget_login_data(L, index, s, false);
}

/*
** Forgets a failed login, its credentials and cookies. Responses to its requests change nothing from now on.
*/
static void undo_login (lua_State *L, int index, struct session *s) {
  s->epoch++;
  s->admitted = false;
  session_forget_kept(s);
  session_forget_identity(L, index, s);
  forget_login_data(L, index, s, false);
}

static void refuse_login (struct session *s, enum result result, long status) {
  s->phase = PHASE_FRESH;
  s->login_result = result;
  s->login_status = (short)status;
  s->online = false;
}

/* Responses to requests that were sent before the server accepted the session change nothing any more. */
static void turn_authorized (struct session *s) {
  if (s->phase != PHASE_AUTHORIZED || s->reconnecting) s->epoch++;
  s->phase = PHASE_AUTHORIZED;
  s->login_result = RESULT_SUCCESS;
  s->admitted = s->established = true;
  s->reconnecting = false;
  if (s->who) s->who->logged_in = true;
}

static void turn_alive (struct session *s, const struct finding *found) {
  if (found->purpose == PURPOSE_CATALOG) return; /* a file: a server may deliver it without a session */
  if (found->purpose == PURPOSE_LOGIN || found->purpose == PURPOSE_CHECK || s->protocol->implicit)
    turn_authorized(s);
  if (s->phase == PHASE_AUTHORIZED && found->purpose != PURPOSE_REQUEST)
    s->login_status = (short)found->fault.status;
  s->online = true;
  s->failures = 0;
}

static void turn_expired (lua_State *L, int index, struct session *s) {
  s->phase = PHASE_EXPIRED;
  s->login_result = RESULT_AUTHENTICATION_FAILURE;
  forget_server_session(L, index, s);
}

static void count_failure (struct session *s) {
  if (s->failures < AUTOPING_FAILURES) s->failures++;
}

static void turn_failed (lua_State *L, int index, struct session *s, const struct finding *found) {
  bool expired = found->verdict == VERDICT_EXPIRED;
  if (found->purpose == PURPOSE_PING) count_failure(s);
  if (found->purpose == PURPOSE_LOGIN)
    refuse_login(s,
                 found->verdict == VERDICT_REFUSED ? RESULT_AUTHENTICATION_FAILURE : RESULT_GENERAL_FAILURE,
                 found->fault.status);
  else if (expired && (s->phase == PHASE_AUTHORIZED || s->phase == PHASE_EXPIRED)) {
    if (s->phase == PHASE_AUTHORIZED) turn_expired(L, index, s);
    if (found->fault.status > 0) s->login_status = (short)found->fault.status;
  } else if (found->reason && !expired)
    s->online = false;
}

/* Responses to requests sent before the reconnect change nothing from now on. */
static void begin_reconnect (struct session *s) {
  s->reconnecting = true;
  s->online = false;
  s->epoch++;
}

static void end_reconnect (lua_State *L, int index, struct session *s) {
  s->reconnecting = s->established = false;
  turn_expired(L, index, s);
  session_forget_kept(s);
}

static void change_by_answer (lua_State *L, int index, struct session *s, const struct finding *found) {
  if (found->verdict == VERDICT_ALIVE || found->reason) s->unasked = false;
  switch (found->verdict) {
  case VERDICT_ALIVE:
  case VERDICT_NEUTRAL:
    turn_alive(s, found);
    learn(L, index, s, found);
    break;
  case VERDICT_ADMITTED:
    s->admitted = true;
    learn(L, index, s, found);
    break;
  default: turn_failed(L, index, s, found);
  }
}

static void change (lua_State *L, int index, struct session *s, const struct finding *found) {
  switch (found->verdict) {
  case VERDICT_TOLD: break;
  case VERDICT_DEVICE_LOST:
  case VERDICT_DEVICE_BACK:
    s->device_offline = found->verdict == VERDICT_DEVICE_LOST;
    s->failures = 0;
    break;
  case VERDICT_LAPSED: turn_expired(L, index, s); break;
  case VERDICT_ENTERING: begin_login(L, index, s); break;
  case VERDICT_UNDONE: undo_login(L, index, s); break;
  case VERDICT_DISOWNED: s->admitted = false; break;
  case VERDICT_CLOSING:
  case VERDICT_STAYING: s->closing = found->verdict == VERDICT_CLOSING; break;
  case VERDICT_RECONNECT_BEGUN: begin_reconnect(s); break;
  case VERDICT_RECONNECT_FAILED: end_reconnect(L, index, s); break;
  case VERDICT_LEFT:
  case VERDICT_INVALIDATED:
    s->phase = found->verdict == VERDICT_LEFT ? PHASE_FRESH : PHASE_INVALID;
    forget_login(L, index, s);
    break;
  default: change_by_answer(L, index, s, found);
  }
}

void session_note (lua_State *L, int index) {
  struct session *s = lua_touserdata(L, index);
  if (s->online || s->phase != PHASE_AUTHORIZED) s->restored = false;
  if (s->named) s->loop->hooks->store.changed(L, index);
}

void session_note_identity (lua_State *L, const struct identity *who) {
  loop_table(L, LOOP_SESSIONS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const struct session *s = session_test(L, -1);
    if (s && s->who == who) session_note(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* True if the session may become logged in and online by `found`. */
static bool may_connect (const struct finding *found) {
  return found->verdict == VERDICT_ALIVE || found->verdict == VERDICT_NEUTRAL ||
         found->verdict == VERDICT_DEVICE_BACK;
}

void session_transition (lua_State *L, int index, const struct finding *found) {
  struct session *s = lua_touserdata(L, index);
  struct before was;
  index = lua_absindex(L, index);
  if (s->phase == PHASE_INVALID || (found->verdict == VERDICT_NEUTRAL && !found->stands)) return;
  if (may_connect(found) && !session_can_arm(s)) luaL_error(L, "not enough memory for automatic pings");
  was = state_events_look(L, s);
  change(L, index, s, found);
  if (!session_arm(s)) luaL_error(L, "not enough memory for automatic pings");
  session_note(L, index);
  state_events_of(L, index, found, &was);
}

void session_decide (lua_State *L, int index, enum verdict verdict, const char *reason) {
  struct finding found;
  memset(&found, 0, sizeof found);
  found.verdict = verdict;
  found.reason = reason;
  session_transition(L, index, &found);
}

/* Arguments: the session, the verdict. */
static int decide_protected (lua_State *L) {
  session_decide(L, 1, (enum verdict)lua_tointeger(L, 2), NULL);
  return 0;
}

void session_decide_safely (lua_State *L, const struct session *s, enum verdict verdict) {
  lua_pushcfunction(L, decide_protected);
  session_push(L, s);
  lua_pushinteger(L, verdict);
  if (lua_isnil(L, -2))
    lua_pop(L, 3); /* GCOVR_EXCL_LINE: a pending operation keeps its session */
  else if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    loop_report(L);
}

void session_lapse (lua_State *L, int index) {
  const struct session *s = lua_touserdata(L, index);
  if (s->phase == PHASE_AUTHORIZED && session_is_past(s))
    session_decide(L, index, VERDICT_LAPSED, REASON_EXPIRED);
}
