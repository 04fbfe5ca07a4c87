/*
** The life cycle of a session with a server of the Bank Transformation Toolkit, as its Rich Client speaks to
** it.
**
** login    establishSession: POST CSEstablishSessionServlet with createSession=true; or with false, a TID and
**          perhaps a session id, which continues an existing session. A status OK, a session id or a session
**          cookie means success. A first login that fails is not retried.
** invoke   POST CSReqServlet with the operation's name and data, as a form, as JSON or as XML.
** check, ping   ask for the session by its terminal or its id, as establishing without creating does.
** logout   closeSession: sends the close operation or address, if there is one, up to maxCloseAttempts times.
**          The session is closed whatever the server answers.
**
** The server tells sessions apart by cookie, by the parameter sessionId, or by both. Every request carries
** every cookie that the server ever sent. A lost session is established again: first the same one, if only
** the connection was lost, then a new one.
*/
#include "session/protocol.h"
#include "protocol/btt/btt.h"
#include "runtime/error.h"

#include <string.h>

/* Texts */

void text_wipe (const struct allocator *memory, struct text *t) {
  if (t->data) memory_wipe_free(memory, t->data, t->length + 1);
  t->data = NULL;
  t->length = 0;
}

bool text_set (const struct allocator *memory, struct text *t, struct span s) {
  char *copy = NULL;
  if (s.text) {
    copy = memory_new(memory, s.length + 1);
    if (!copy) return false;
    memcpy(copy, s.text, s.length);
  }
  text_wipe(memory, t);
  t->data = copy;
  t->length = copy ? s.length : 0;
  return true;
}

bool text_move (const struct allocator *memory, struct text *to, struct text *from) {
  if (!from->data) return false;
  text_wipe(memory, to);
  *to = *from;
  from->data = NULL;
  from->length = 0;
  return true;
}

struct span text_span (const struct text *t) {
  return (struct span){t->data, t->length};
}

bool text_same (const struct text *a, const struct text *b) {
  return a->data && b->data && a->length == b->length && !memcmp(a->data, b->data, a->length);
}

struct btt *btt_of (const struct session *s) {
  return s->data;
}

bool btt_push_function (lua_State *L, const struct session *s, const char *name) {
  int top = lua_gettop(L);
  session_push(L, s);
  if (!lua_isnil(L, -1) && session_getvalue(L, -1, SESSION_DATA) == LUA_TTABLE &&
      lua_getfield(L, -1, name) == LUA_TFUNCTION) {
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return true;
  }
  /* GCOVR_EXCL_START: callers know that the function exists, and an operation keeps its session */
  lua_settop(L, top);
  return false;
  /* GCOVR_EXCL_STOP */
}

/* State */

void btt_forget_page (struct btt *b) {
  int i;
  for (i = 0; i < PAGE_FIELDS; i++)
    text_wipe(b->memory, &b->page[i]);
}

static void forget (lua_State *L, int index, struct session *s) {
  struct btt *b = btt_of(s);
  (void)L, (void)index;
  text_wipe(b->memory, &b->id);
  text_wipe(b->memory, &b->server_id);
  btt_forget_page(b);
  b->lifetime = 0;
  b->inferred = false;
}

static void release (struct session *s) {
  struct btt *b = btt_of(s);
  if (!b) return;
  forget(NULL, 0, s);
  btt_forget_reply(b);
  text_wipe(b->memory, &b->offered);
  text_wipe(b->memory, &b->predefined);
  text_wipe(b->memory, &b->server_option);
  text_wipe(b->memory, &b->tid);
  cookies_clear(&b->cookies);
  s->data = NULL;
  memory_wipe_free(&s->loop->memory, b, sizeof *b);
}

/* "0000<id>:<node>" is how a servlet engine's cookie wraps the id: a guess. */
static bool infer_id (struct btt *b) {
  const struct cookie *c = cookies_find(&b->cookies, b->cookie, strlen(b->cookie));
  const char *value, *colon;
  if (!c || c->value_length < 6) return true;
  value = c->text + c->name_length;
  colon = memchr(value, ':', c->value_length);
  if (!colon || colon - value < 5 || strspn(value, "0123456789") < 4) return true;
  b->inferred = true;
  return text_set(b->memory, &b->id, (struct span){value + 4, (size_t)(colon - value) - 4});
}

static bool is_number (const struct text *t) {
  return t->length > 0 && strspn(t->data, "0123456789") == t->length;
}

/* Responses to parallel calls may arrive in any order: the page with the highest number is the latest. */
static bool is_older (const struct text *page, const struct text *than) {
  if (!is_number(page) || !is_number(than)) return false;
  if (page->length != than->length) return page->length < than->length;
  return memcmp(page->data, than->data, page->length) < 0;
}

static void take_page (struct btt *b) {
  int i;
  if (!b->heard.has_page || b->page_old || is_older(&b->heard.page[PAGE_ID], &b->page[PAGE_ID])) return;
  btt_forget_page(b);
  for (i = 0; i < PAGE_FIELDS; i++)
    text_move(b->memory, &b->page[i], &b->heard.page[i]);
}

static bool learn (lua_State *L, int index, struct session *s, const struct finding *found) {
  struct btt *b = btt_of(s);
  bool login = found->purpose == PURPOSE_LOGIN;
  (void)index;
  if (s->phase != PHASE_AUTHORIZED)
    return false; /* a kept cookie may find a session that we do not count as ours */
  if (login) btt_forget_page(b);
  if (found->has_lifetime) b->lifetime = found->lifetime;
  if (found->session_id && found->session_id == b->heard.id.data) {
    text_move(b->memory, &b->id, &b->heard.id);
    b->inferred = false;
  } else if (login) {
    text_wipe(b->memory, &b->id);
    if (!infer_id(b)) luaL_error(L, "not enough memory");
  }
  text_move(b->memory, &b->server_id, &b->heard.server_id);
  text_move(b->memory, &b->tid, &b->heard.tid);
  take_page(b);
  return false;
}

static const char initial[] = "initial", established[] = "established", down[] = "down",
                  not_established[] = "not established", being_closed[] = "being closed";

static const char *status (const struct session *s) {
  if (s->phase == PHASE_INVALID) return not_established;
  if (s->closing) return being_closed;
  if (s->reconnecting) return down;
  switch (s->phase) {
  case PHASE_AUTHORIZED: return s->online ? established : down;
  case PHASE_EXPIRED: return reconnect_is_due(s) ? down : not_established;
  default: return btt_of(s)->tried ? not_established : initial;
  }
}

static const char *refuses (const struct session *s, bool login) {
  if (s->phase == PHASE_INVALID) return NULL;
  if (s->closing) return "the session is being closed (CSS11): wait for that";
  if (login && s->phase == PHASE_AUTHORIZED && !s->reconnecting)
    return "the session is established already (CSS11): call closeSession first";
  return NULL;
}

static void push_id (lua_State *L, const struct session *s) {
  const struct btt *b = btt_of(s);
  if (b && b->id.data)
    lua_pushlstring(L, b->id.data, b->id.length);
  else
    lua_pushnil(L);
}

/* Checking */

static void checked (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_CHECK, &found);
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static void pinged (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_PING, &found);
  verdict_conclude(L, op, x, &found, RESULT_TRUE);
}

/* Without a terminal or an id no request can name the session: the last known state stands. */
static bool check (lua_State *L, struct operation *op) {
  if (op->session->phase != PHASE_AUTHORIZED) {
    operation_refuse(L, op, "expired", RESULT_AUTHENTICATION_FAILURE,
                     "the session is not established (CSS11): call establishSession first");
    return true;
  }
  if (!btt_can_find(btt_of(op->session))) return conclude_later(L, op);
  return btt_find_again(L, op, checked);
}

static bool ping (lua_State *L, struct operation *op) {
  if (op->session->phase == PHASE_AUTHORIZED && btt_can_find(btt_of(op->session)))
    return btt_find_again(L, op, pinged);
  operation_refuse(L, op, "auth", RESULT_FALSE,
                   op->session->phase == PHASE_AUTHORIZED
                       ? "the server finds a session by a TID or an id, and neither is known"
                       : "the session is not established (CSS11): call establishSession first");
  return true;
}

/* Closing */

static bool is (const struct operation *op, const char *verb) {
  return !strcmp(op->verb, verb);
}

/* The session is closed here whatever the server answers; on the server it then times out. */
static void close_anyway (lua_State *L, struct operation *op, const struct exchange *x,
                          const struct finding *found) {
  operation_push_session(L, op);
  log_session(L, lua_gettop(L), "warning", "closeFailed", found);
  error_push_result(L, RESULT_SUCCESS);
  verdict_push_info(L, x, found);
  lua_pushstring(L, found->fault.message);
  lua_setfield(L, -2, "warning");
  operation_resolve(L, op);
}

/* False once the session has ended in another way: a close would then end a later login. */
static bool is_its_login (const struct operation *op) {
  return op->session->phase == PHASE_AUTHORIZED && op->logins == op->session->logins;
}

static void closed (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  bool once = is(op, "invalidate");
  verdict_judge(L, op, x, PURPOSE_LOGOUT, &found);
  if (found.verdict == VERDICT_ALIVE || is(op, "stop"))
    verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
  else if (!once && ++op->stage < btt_of(op->session)->close_tries && is_its_login(op) &&
           btt_send_close(L, op, closed))
    return;
  else
    close_anyway(L, op, x, &found);
}

static void not_told (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  memset(&found, 0, sizeof found);
  found.purpose = PURPOSE_LOGOUT;
  found.fault.kind = "error";
  found.fault.uri = op->session->service;
  verdict_say(&found, "the server could not be asked to end the session");
  close_anyway(L, op, x, &found);
}

static bool log_out (lua_State *L, struct operation *op) {
  const struct session *s = op->session;
  const struct btt *b = btt_of(s);
  if ((!b->close_operation && !b->close_path) || s->phase != PHASE_AUTHORIZED) return conclude_later(L, op);
  if (!btt_send_close(L, op, closed)) operation_defer(L, op, not_told);
  return true;
}

/* A new session can always be established. */
static bool can_renew (const struct session *s) {
  (void)s;
  return true;
}

/* Requests carry no header lines of the protocol; the exchange has its own cookies. */

static bool dress (struct session *s, struct header_list *lines) {
  (void)s, (void)lines;
  return true;
}

static bool sign (lua_State *L, struct session *s, struct header_list *lines) {
  (void)L, (void)s, (void)lines;
  return true;
}

/* Methods */

static const struct session *check_own (lua_State *L) {
  const struct session *s = session_check(L, 1);
  if (s->protocol != &protocol_btt || !s->data) luaL_argerror(L, 1, "expected a session of protocol btt");
  return s;
}

/* session:establishSession([newSession]) */
static int establish_session (lua_State *L) {
  check_own(L);
  return session_login(L);
}

/* session:closeSession() */
static int close_session (lua_State *L) {
  check_own(L);
  return session_logout(L);
}

/* session:getSessionStatus() */
static int get_session_status (lua_State *L) {
  lua_pushstring(L, status(check_own(L)));
  return 1;
}

/* session:tid(): the terminal, of the option or of the last reply that named one; nil: neither. */
static int tid (lua_State *L) {
  const struct btt *b = btt_of(check_own(L));
  if (b->tid.data)
    lua_pushlstring(L, b->tid.data, b->tid.length);
  else
    lua_pushnil(L);
  return 1;
}

/* session:cookies([values]): an array of names; with true, values by name. */
static int cookies (lua_State *L) {
  const struct cookie *one = btt_of(check_own(L))->cookies.first;
  bool values = lua_toboolean(L, 2);
  lua_newtable(L);
  for (; one; one = one->next) {
    lua_pushlstring(L, one->text, one->name_length);
    if (values) {
      lua_pushlstring(L, one->text + one->name_length, one->value_length);
      lua_rawset(L, -3);
    } else
      lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  return 1;
}

/* session:addCookie(name, value) */
static int add_cookie (lua_State *L) {
  struct btt *b = btt_of(check_own(L));
  size_t name_length, length;
  const char *name = luaL_checklstring(L, 2, &name_length), *value = luaL_checklstring(L, 3, &length);
  switch (cookies_set(&b->cookies, name, name_length, value, length)) {
  case COOKIES_OK: break;
  case COOKIES_BAD:
    return luaL_error(
        L, "addCookie: expected a name without blanks, '=', ';' and ',', and a value without ';', both "
           "without control characters");
  case COOKIES_FULL:
    return luaL_error(L, "addCookie: the store is full: it holds %d cookies and %d bytes at most",
                      COOKIES_MOST, COOKIES_MOST_BYTES);
  case COOKIES_NO_MEMORY: return luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory */
  }
  lua_settop(L, 1);
  return 1;
}

/* session:clearCookies() */
static int clear_cookies (lua_State *L) {
  const struct session *s = check_own(L);
  cookies_clear(&btt_of(s)->cookies);
  if (s->who && s->who->jar && !cookie_jar_clear(s->who->jar)) return luaL_error(L, "not enough memory");
  lua_settop(L, 1);
  return 1;
}

static const luaL_Reg methods[] = {{"establishSession", establish_session},
                                   {"closeSession", close_session},
                                   {"getSessionStatus", get_session_status},
                                   {"tid", tid},
                                   {"cookies", cookies},
                                   {"addCookie", add_cookie},
                                   {"clearCookies", clear_cookies},
                                   {NULL, NULL}};

const struct protocol protocol_btt = {
    .name = "btt",
    .raises = true,
    .options = btt_options,
    .methods = methods,
    .configure = btt_configure,
    .release = release,
    .reconnects = RECONNECT_ALWAYS,
    .slow_logout = true,
    .check_login = btt_check_login,
    .login = btt_login,
    .check = check,
    .ping = ping,
    .logout = log_out,
    .reestablish = btt_reestablish,
    .can_renew = can_renew,
    .invoke = btt_invoke,
    .dress = dress,
    .sign = sign,
    .carry = btt_carry,
    .hear = btt_hear,
    .judge = btt_judge,
    .telling = USUAL_TELLING,
    .judge_failure = btt_judge_failure,
    .learn = learn,
    .forget = forget,
    .status = status,
    .push_id = push_id,
    .refuses = refuses,
};
