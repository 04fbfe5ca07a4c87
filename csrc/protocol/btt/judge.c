/*
** judge: decides what a response says of the session. It leaves the reply in b->heard and the offered id in
** b->offered; `learn` takes them.
*/
#include "protocol/btt/btt.h"
#include "runtime/loop.h"
#include "runtime/response.h"
#include "session/protocol.h"

#include <string.h>

#define NOT_ESTABLISHED "DSECSSessionNotEstablishedException"

static struct span body_of (const struct exchange *x) {
  return (struct span){x->response.body.data, x->response.body.length};
}

/* Keeps every cookie, whatever the response says; logs one that does not fit. */
void btt_hear (lua_State *L, struct session *s, const struct exchange *x) {
  struct btt *b = btt_of(s);
  const struct buffer *headers = &x->response.headers;
  struct finding note;
  if (x->response.failure != FAILURE_NONE && x->response.may_have_arrived) {
    btt_forget_page(b); /* the lost response held the latest page: the server would refuse an older one */
    b->page_lost = clock_now();
  }
  b->page_old = x->started <= b->page_lost;
  if (!b->keeps || !headers->length || !uri_same_origin(s->service, x->request.uri)) return;
  if (cookies_take(&b->cookies, headers->data, headers->length) != COOKIES_FULL) return;
  memset(&note, 0, sizeof note);
  note.fault.kind = "protocol";
  note.fault.message = "the cookie store is full: a cookie of the server was dropped";
  session_push(L, s);
  if (!lua_isnil(L, -1)) log_session(L, lua_gettop(L), "warning", "cookiesFull", &note);
  lua_pop(L, 1);
}

/* Network failures */

static bool leads_away (const struct session *s, const struct exchange *x) {
  struct header_line location;
  const char *why;
  struct uri *to;
  bool away;
  if (!exchange_find_header(x, "Location", &location)) return false;
  to = uri_resolve(x->response.uri, location.value, location.value_length, &why);
  away = to && !uri_same_origin(s->service, to);
  uri_release(to);
  return away;
}

static bool is_live (const struct session *s) {
  return s->phase == PHASE_AUTHORIZED || s->reconnecting;
}

/* A response that times out does not lose the session, unless the request was not sent either. */
void btt_judge_failure (const struct session *s, const struct exchange *x, struct finding *found) {
  enum failure failure = x->response.failure;
  bool away = failure == FAILURE_REDIRECT && found->purpose != PURPOSE_LOGIN &&
              found->purpose != PURPOSE_LOGOUT && uri_within(s->service, x->request.uri) && leads_away(s, x);
  if (failure == FAILURE_CONNECT ||
      (failure == FAILURE_TIMEOUT && found->purpose == PURPOSE_REQUEST && !x->response.may_have_arrived)) {
    found->verdict = VERDICT_UNREACHABLE;
    found->reason = REASON_SERVER;
  }
  if (!away || !is_live(s)) return;
  found->verdict = VERDICT_EXPIRED;
  found->reason = REASON_EXPIRED;
  found->fault.kind = "expired";
  found->fault.hint = NULL;
  found->fault.retryable = false;
  found->fault.status = x->response.status;
  verdict_say(found,
              "HTTP %ld from %s: the server redirects the request elsewhere: the session has expired there",
              x->response.status, uri_public_text(x->response.uri));
}

/* Signs of loss */

/* Without a status that says OK, the text may name an error. Long texts of no known format are data. */
static bool is_read_for_signs (const struct btt *b, const struct exchange *x) {
  enum { LONGEST = 65536 };
  bool other = message_look(body_of(x), (struct span){NULL, 0}) == LOOK_OTHER;
  if (b->heard.ok || !x->response.body.length) return false;
  if (text_same(&b->heard.id, &b->id)) return false;
  return !other || x->response.status >= 400 || x->response.body.length <= LONGEST;
}

static void find_code (struct btt *b, const struct exchange *x) {
  struct reply *r = &b->heard;
  struct span code = {NULL, 0};
  if (!r->ok && x->response.body.length) code = message_code(body_of(x));
  if (!code.length || code.length >= sizeof r->code) return;
  if (r->has_status && r->code[0] && !message_names(code, "CSS00") && !message_names(code, "CSS11")) return;
  memcpy(r->code, code.text, code.length);
  r->code[code.length] = 0;
}

static bool is_gone (const struct btt *b, const struct exchange *x) {
  long status = x->response.status;
  struct span body = body_of(x);
  if (status == 401 || status == 403 || status == 440) return true;
  if (!is_read_for_signs(b, x)) return false;
  return message_names(body, "CSS00") || message_names(body, "CSS11") || message_names(body, NOT_ESTABLISHED);
}

/* The user's function classify */

enum word { WORD_NONE, WORD_OK, WORD_INACTIVITY, WORD_CONNECTION, WORD_ERROR };

/* Arguments: the session (light userdata), the exchange (light userdata), the reply. */
static int classify_protected (lua_State *L) {
  static const char *const words[] = {"", "ok", "inactivity", "connection", "error", NULL};
  int i;
  if (!btt_push_function(L, lua_touserdata(L, 1), "classify")) return 0;
  lua_pushvalue(L, 3);
  response_push(L, lua_touserdata(L, 2));
  lua_call(L, 2, 1);
  if (lua_isnil(L, -1)) return 0;
  for (i = 1; lua_type(L, -1) == LUA_TSTRING && words[i]; i++)
    if (!strcmp(words[i], lua_tostring(L, -1))) {
      lua_pushinteger(L, i);
      return 1;
    }
  return luaL_error(L,
                    "format.classify: expected it to return nil, \"ok\", \"inactivity\", \"connection\" or "
                    "\"error\", got %s",
                    luaL_tolstring(L, -1, NULL));
}

static enum word ask_user (lua_State *L, const struct session *s, const struct exchange *x, int reply) {
  enum word word = WORD_NONE;
  if (!btt_of(s)->classifies) return WORD_NONE;
  lua_pushcfunction(L, classify_protected);
  lua_pushlightuserdata(L, (void *)s);
  lua_pushlightuserdata(L, (void *)x);
  lua_pushvalue(L, reply);
  if (lua_pcall(L, 3, 1, 0) != LUA_OK) {
    loop_report(L);
    return WORD_NONE;
  }
  word = (enum word)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return word;
}

/* Verdicts */

/*
** The toolkit's codes and exceptions, but those that say that there is no session. `kind` stands for a failed
** call or a refused session.
*/
static const struct meaning {
  const char *code, *kind, *hint;
} meanings[] = {
    {"CSS04", "server",
     "the operation's context could not be chained: check its parent context on the server"},
    {"CSS07", "server", "the server's log has the operation's own error"},
    {"CSS08", "server", "the operation may have run: check the format of its reply on the server"},
    {"CSS09", "server", "the operation may have run: the server could not send its reply"},
    {"DSEReplyErrorException", "server", "the operation may have run: the server's log has the cause"},
    {"DSECSTimeoutException", "timeout", "the operation may have run: repeat it if that does no harm"},
    {"DSECSServerNotStartedException", "server", "start the server's application"},
    {"DSENoRegisteredDeviceTypeException", "server",
     "set the option userAgent to one that the server maps to a channel"},
    {"DSECSInvalidRequestException", "server",
     "establish a session first, close it before the next one, and wait while it is being closed"},
    {"DSEException", "server", "the server's log has the operation's own error"},
};

/* NULL: no known code. */
static const struct meaning *meaning_of (const struct reply *r) {
  size_t i;
  for (i = 0; i < sizeof meanings / sizeof *meanings; i++)
    if (message_names((struct span){r->code, strlen(r->code)}, meanings[i].code)) return &meanings[i];
  return NULL;
}

static const char *kind_of (const struct reply *r) {
  const struct meaning *known = meaning_of(r);
  return known ? known->kind : "server";
}

static const char *hint_of (const struct reply *r) {
  const struct meaning *known = meaning_of(r);
  return known ? known->hint : NULL;
}

/* Appends the toolkit's code to the message, if the reply has one. */
static void blame (const struct btt *b, struct finding *found, enum verdict verdict, const char *kind,
                   const char *what, const char *hint) {
  verdict_blame(found, verdict, kind, verdict == VERDICT_EXPIRED ? REASON_EXPIRED : NULL, what, hint);
  if (b->heard.code[0])
    verdict_say(found, "HTTP %ld from %s: %s (%s)", found->fault.status, uri_public_text(found->fault.uri),
                what, b->heard.code);
}

static bool is_passing (long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Restarts the session's deadline; a server that gives no timeout sets none. */
static void set_lifetime (const struct session *s, struct finding *found) {
  const struct btt *b = btt_of(s);
  bool login = found->purpose == PURPOSE_LOGIN;
  double lifetime = b->heard.timeout >= 0 ? b->heard.timeout : login ? 0 : b->lifetime;
  found->has_lifetime = login || (lifetime > 0 && is_live(s));
  found->lifetime = lifetime;
}

static void set_alive (const struct session *s, struct finding *found) {
  const struct btt *b = btt_of(s);
  found->verdict = VERDICT_ALIVE;
  found->session_id = b->heard.id.data;
  found->session_id_length = b->heard.id.length;
  set_lifetime(s, found);
}

static void judge_gone (const struct session *s, struct finding *found) {
  const struct btt *b = btt_of(s);
  if (is_live(s) && found->purpose != PURPOSE_LOGIN)
    blame(b, found, VERDICT_EXPIRED, "expired", "the server says that the session is not established", NULL);
  else
    blame(b, found, VERDICT_NEUTRAL, "auth", "the session is not established", "call establishSession first");
}

static bool set_session_cookie (const struct btt *b, const struct exchange *x) {
  const struct buffer *headers = &x->response.headers;
  if (!b->by_cookie) return false;
  if (x->tag & BTT_SET_COOKIE || cookies_sets(headers->data, headers->length, b->cookie)) return true;
  if (!b->joins) return false;
  return b->keeps ? cookies_find(&b->cookies, b->cookie, strlen(b->cookie)) != NULL
                  : x->request.jar && cookie_jar_has_cookies(x->request.jar);
}

static bool shows_session (const struct btt *b, const struct exchange *x) {
  if (b->heard.has_status) return b->heard.ok;
  return b->heard.id.data || set_session_cookie(b, x);
}

static bool is_good_status (const struct exchange *x) {
  return x->response.status >= 200 && x->response.status < 300;
}

/* While the session is being re-established, a refusal is one failed attempt. */
static void judge_establish (const struct session *s, const struct exchange *x, struct finding *found,
                             bool gone) {
  struct btt *b = btt_of(s);
  long status = found->fault.status;
  if (is_good_status(x) && !gone && shows_session(b, x) && (b->heard.has_status || !b->heard.code[0])) {
    set_alive(s, found);
    return;
  }
  if (status == 401 || status == 403) {
    blame(b, found, s->reconnecting ? VERDICT_BROKEN : VERDICT_REFUSED, "auth",
          "the server refused to establish a session for this user", NULL);
    found->fault.result = RESULT_AUTHENTICATION_FAILURE;
  } else if (gone)
    blame(b, found, VERDICT_BROKEN, "expired", "the server has no such session",
          "check that sessionCarrier and tid fit the server's cookie setting");
  else if (b->heard.code[0])
    blame(b, found, VERDICT_BROKEN, kind_of(&b->heard), "the server did not establish a session",
          hint_of(&b->heard));
  else
    blame(b, found, VERDICT_BROKEN, is_good_status(x) ? "protocol" : "http",
          is_good_status(x) ? "the reply has no status, session id or session cookie"
                            : "the server did not establish a session",
          is_good_status(x) ? "check establishPath, format, sessionCarrier and sessionCookie" : NULL);
  found->fault.retryable = is_passing(status);
}

/* True if the response names another session than the one that the request was sent for. */
static bool is_replaced (const struct session *s, const struct exchange *x) {
  const struct btt *b = btt_of(s);
  return b->id.data && !b->inferred && b->heard.id.data && !text_same(&b->id, &b->heard.id) &&
         s->phase == PHASE_AUTHORIZED && !s->reconnecting &&
         (x->tag & ~(size_t)3) == (size_t)s->epoch * BTT_EPOCH;
}

static void judge_replaced (struct btt *b, struct finding *found) {
  text_move(b->memory, &b->offered, &b->heard.id);
  blame(b, found, VERDICT_EXPIRED, "expired", "the server replaced the session by another one", NULL);
}

/* Whether the call failed or not, its page or its id shows that the server has the session. */
static void note_standing (const struct session *s, struct finding *found) {
  struct btt *b = btt_of(s);
  if (!is_live(s) || !(b->heard.has_page || text_same(&b->heard.id, &b->id))) return;
  found->verdict = VERDICT_NEUTRAL;
  found->stands = true;
  set_lifetime(s, found);
  found->session_id = b->heard.id.data;
}

/* The operation failed; the session may still be well. */
static void judge_failed (const struct session *s, struct finding *found) {
  struct btt *b = btt_of(s);
  long status = found->fault.status;
  if (b->heard.code[0] || status < 400)
    blame(b, found, VERDICT_NEUTRAL, kind_of(&b->heard), "the operation failed", hint_of(&b->heard));
  else
    blame(b, found, VERDICT_NEUTRAL, "http", verdict_refusal(status), NULL);
  found->fault.retryable = is_passing(status);
  note_standing(s, found);
}

static void judge_request (lua_State *L, const struct session *s, const struct exchange *x,
                           struct finding *found, int reply) {
  struct btt *b = btt_of(s);
  bool call = x->tag & BTT_IS_CALL;
  if (is_replaced(s, x))
    judge_replaced(b, found);
  else if (found->fault.status >= 400 ||
           (call && (b->heard.code[0] || (b->heard.has_status && !b->heard.ok))))
    judge_failed(s, found);
  else if (call && (!is_good_status(x) || lua_isnil(L, reply)))
    blame(b, found, VERDICT_NEUTRAL, "protocol", "the reply cannot be read", "check requestPath and format");
  else
    set_alive(s, found);
}

/* Judges the response to a request that finds the session again. */
static void judge_check (const struct session *s, const struct exchange *x, struct finding *found) {
  struct btt *b = btt_of(s);
  if (is_replaced(s, x))
    judge_replaced(b, found);
  else if (is_good_status(x) && shows_session(b, x))
    set_alive(s, found);
  else {
    blame(b, found, VERDICT_BROKEN, b->heard.code[0] ? "server" : "http",
          "the server does not tell whether the session exists", NULL);
    found->fault.retryable = true;
  }
}

/* A session that is gone is what closing wanted. */
static void judge_close (const struct session *s, const struct exchange *x, struct finding *found,
                         bool gone) {
  const struct btt *b = btt_of(s);
  if (gone || (is_good_status(x) && (b->heard.ok || !b->heard.has_status)))
    found->verdict = VERDICT_ALIVE;
  else {
    blame(b, found, VERDICT_BROKEN, b->heard.code[0] ? "server" : "http",
          "the server may not have ended the session", NULL);
    note_standing(s, found);
  }
}

static void judge_by_word (const struct session *s, enum word word, struct finding *found) {
  const struct btt *b = btt_of(s);
  bool login = found->purpose == PURPOSE_LOGIN;
  switch (word) {
  case WORD_OK: set_alive(s, found); return;
  case WORD_INACTIVITY:
    if (!login) {
      judge_gone(s, found);
      return;
    }
    break;
  case WORD_CONNECTION:
    blame(b, found, VERDICT_UNREACHABLE, "offline", "the reply means that the connection is lost", NULL);
    found->reason = REASON_SERVER;
    return;
  case WORD_ERROR:
  case WORD_NONE: break;
  }
  blame(b, found, login || found->purpose == PURPOSE_LOGOUT ? VERDICT_BROKEN : VERDICT_NEUTRAL, "server",
        login ? "the server did not establish a session" : "the operation failed", NULL);
}

static void judge_too_long (const struct btt *b, struct finding *found) {
  blame(b, found, found->purpose == PURPOSE_REQUEST ? VERDICT_NEUTRAL : VERDICT_BROKEN, "protocol",
        "a session id, server id or field of a page in the reply is longer than 64 KiB", NULL);
}

static void judge_own (lua_State *L, const struct session *s, const struct exchange *x, struct finding *found,
                       int reply) {
  struct btt *b = btt_of(s);
  enum word word = ask_user(L, s, x, reply);
  bool gone = is_gone(b, x);
  find_code(b, x);
  if (b->heard.too_long)
    judge_too_long(b, found);
  else if (word != WORD_NONE)
    judge_by_word(s, word, found);
  else if (found->purpose == PURPOSE_LOGIN)
    judge_establish(s, x, found, gone);
  else if (found->purpose == PURPOSE_LOGOUT)
    judge_close(s, x, found, gone);
  else if (gone)
    judge_gone(s, found);
  else if (found->purpose == PURPOSE_REQUEST)
    judge_request(L, s, x, found, reply);
  else
    judge_check(s, x, found);
}

/* Keeps the reply on top, popped, for the call that awaits it. */
static void keep_reply (lua_State *L, const struct session *s) {
  session_push(L, s);
  if (!lua_isnil(L, -1) && session_getvalue(L, -1, SESSION_DATA) == LUA_TTABLE) {
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, BTT_REPLY);
  }
}

void btt_judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                struct finding *found) {
  int top = lua_gettop(L);
  verdict_begin(found, x, purpose);
  if (!uri_within(s->service, x->request.uri)) {
    found->verdict = VERDICT_ALIVE;
    if (found->fault.status >= 400)
      verdict_blame(found, VERDICT_NEUTRAL, "http", NULL, verdict_refusal(found->fault.status), NULL);
    found->fault.retryable = is_passing(found->fault.status);
    return;
  }
  btt_push_reply(L, s, x);
  if (!btt_read_reply(L, top + 1, btt_of(s))) luaL_error(L, "not enough memory");
  judge_own(L, s, x, found, top + 1);
  lua_settop(L, top + 1);
  if (x->tag & BTT_IS_CALL) keep_reply(L, s);
  lua_settop(L, top);
}
