/*
** The life cycle of a session with an OpenEdge web application (progress.data.JSDOSession).
**
** login    anonymous and basic: GET static/home.html, the login target, with the credentials; 200 is success.
**          form: POST static/auth/j_spring_security_check, which sets a cookie; then the login target, to see
**          that the session may use it; if not, logout, so that the server keeps no session.
** check    GET the login target: 2xx is alive, 401 or a login page is expired.
** ping     GET the ping service: rest/_oepingService/_oeping, on older servers rest/_oeping, without either
**          the login target. The session keeps the address that answered until it answers 404.
** logout   form: GET static/auth/j_spring_security_logout with the cookie; other models send nothing.
**
** The server tells sessions apart by cookie and by X-CLIENT-CONTEXT-ID, a header that it sends and gets back.
*/
#include "session/protocol.h"
#include "net/ascii.h"
#include "net/cookie_return.h"
#include "net/form.h"
#include "net/system.h"
#include "protocol/jsdo/address.h"
#include "protocol/jsdo/asked_model.h"
#include "protocol/jsdo/context.h"
#include "protocol/jsdo/jsdo.h"
#include "protocol/jsdo/provider.h"
#include "protocol/jsdo/token_provider.h"
#include "runtime/json.h"

#include <string.h>

#define LOGIN_TARGET "/static/home.html"

const char jsdo_login_target[] = LOGIN_TARGET;
const char jsdo_form_login[] = "/static/auth/j_spring_security_check";
const char jsdo_form_logout[] = "/static/auth/j_spring_security_logout";

/* In the order of trial. */
static const char *const ping_paths[] = {"/rest/_oepingService/_oeping", "/rest/_oeping", LOGIN_TARGET};
enum { PING_PATHS = sizeof ping_paths / sizeof *ping_paths, PING_LOGIN_TARGET = PING_PATHS - 1 };

static bool set_line (struct header_list *lines, const char *name, const char *value, size_t length) {
  return header_list_set(lines, name, strlen(name), value, length) == HEADER_OK;
}

/* With this Accept an OpenEdge application does not answer with its login page. */
bool jsdo_dress (struct header_list *lines) {
  return set_line(lines, "Accept", "application/json", 16) &&
         set_line(lines, "Cache-Control", "no-cache", 8) && set_line(lines, "Pragma", "no-cache", 8);
}

static bool jsdo_sign (lua_State *L, struct session *s, struct header_list *lines) {
  size_t length;
  const char *id;
  bool ok = true;
  session_push(L, s);
  session_getvalue(L, -1, SESSION_CONTEXT_ID);
  id = lua_tolstring(L, -1, &length);
  if (id && strcmp(id, "0"))
    ok = header_list_set(lines, "X-CLIENT-CONTEXT-ID", 19, id, length) != HEADER_NO_MEMORY;
  lua_pop(L, 1);
  ok = context_push_text(L, -1) && ok;
  id = lua_tolstring(L, -1, &length);
  if (ok && id) ok = header_list_set(lines, "X-CLIENT-PROPS", 14, id, length) != HEADER_NO_MEMORY;
  lua_pop(L, 2);
  return ok && identity_sign(s->who, lines);
}

/* Judging */

static bool body_has (const struct exchange *x, const char *text) {
  const struct buffer *body = &x->response.body;
  return body->length && memmem(body->data, body->length, text, strlen(text)) != NULL;
}

/*
** Some servers answer with a page whatever Accept says: the login form, or its error page, with status 200.
*/
bool jsdo_is_login_page (const struct exchange *x, enum purpose purpose) {
  long status = x->response.status;
  bool error =
      status >= 400 && status != 401 && status != 403; /* such a page may quote the path of the request */
  if (error || !exchange_has_type(x, "text/html")) return false;
  return body_has(x, "j_spring_security_check") || (purpose == PURPOSE_LOGIN && body_has(x, "login failed"));
}

/* Decodes the body and pushes it. False, and nothing pushed: it is no JSON object. */
static bool push_object (lua_State *L, const struct exchange *x) {
  lua_pushlstring(L, x->response.body.data, x->response.body.length);
  if (json_decode(L) && lua_istable(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

/* bytes; a larger body is data */
enum { LARGEST_REPORT = 4096 };

/* Older servers put the real status into the body: { "status_code": 401, "status_txt": "..." }. */
long jsdo_real_status (lua_State *L, const struct exchange *x, enum purpose purpose) {
  long status = x->response.status;
  double told;
  if (purpose == PURPOSE_LOGOUT || x->response.body.length > LARGEST_REPORT) return status;
  if (!body_has(x, "\"status_code\"") || !body_has(x, "\"status_txt\"") ||
      !exchange_has_type(x, "application/json"))
    return status;
  if (!push_object(L, x)) return status;
  lua_getfield(L, -1, "status_code");
  told = lua_tonumber(L, -1);
  lua_pop(L, 2);
  if (purpose == PURPOSE_REQUEST && (long)told != 401) return status; /* data may have any such fields */
  return told >= 100 && told <= 599 ? (long)told : status;
}

bool jsdo_says_expired_token (const struct exchange *x) {
  return x->response.status == 401 && body_has(x, "sso.token.expired_token");
}

/* Gateways answer in pages, and do not always label them as such. */
static bool is_page (const struct exchange *x) {
  const struct buffer *body = &x->response.body;
  size_t i = 0;
  if (exchange_has_type(x, "text/html")) return true;
  while (i < body->length && strchr(" \t\r\n", body->data[i]))
    i++;
  return i < body->length && body->data[i] == '<';
}

/* True if the body is labelled JSON and is not. */
static bool is_broken_json (lua_State *L, const struct exchange *x) {
  const struct buffer *body = &x->response.body;
  bool broken;
  if (!body->length || !exchange_has_type(x, "application/json")) return false;
  lua_pushlstring(L, body->data, body->length);
  broken = !json_decode(L);
  lua_pop(L, 1);
  return broken;
}

/* True if AppServerStatus.PingStatus is false: JSON's, or the word in any case. */
static bool says_down (lua_State *L, const struct exchange *x) {
  bool down = false;
  if (!body_has(x, "PingStatus") || !push_object(L, x)) return false;
  if (lua_getfield(L, -1, "AppServerStatus") == LUA_TTABLE) {
    lua_getfield(L, -1, "PingStatus");
    down = lua_isboolean(L, -1) ? !lua_toboolean(L, -1)
                                : lua_type(L, -1) == LUA_TSTRING && ascii_same(lua_tostring(L, -1), "false");
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return down;
}

/* True if the server has accepted the form: then the password is right, whatever failed after it. */
static bool is_past_form (const struct session *s, const struct exchange *x, const struct finding *found) {
  return found->purpose == PURPOSE_LOGIN && s->model == MODEL_FORM && !strcmp(x->request.method, "GET");
}

#define ACCEPTED "the user name and password were accepted, but "

static void judge_turned_away (struct finding *found, bool page) {
  verdict_blame(found, VERDICT_REFUSED, "auth", NULL,
                page ? ACCEPTED "the application answered with its login page"
                     : ACCEPTED "the application did not accept the session",
                NULL);
}

static const char *hint_of_refusal (const struct session *s, const struct exchange *x) {
  if (s->model == MODEL_ANONYMOUS) return "set authenticationModel to \"basic\" or \"form\"";
  if (s->model == MODEL_BASIC && x->response.status == 401 && !asked_model_is_basic(x))
    return "the answer does not ask for HTTP Basic: does the application want authenticationModel \"form\"?";
  return NULL;
}

static const char *what_refused (const struct session *s, bool page) {
  if (s->model == MODEL_BEARER) return "the server did not accept the token";
  if (s->model == MODEL_ANONYMOUS) return "the server wants a user name and password";
  return page ? "the server answered with its login page: it did not accept the user name or password"
              : "the server did not accept the user name or password";
}

static void judge_refused (const struct session *s, const struct exchange *x, struct finding *found,
                           bool page) {
  const struct asked_model *asked = asked_model_of(x, s->model, page);
  if (is_past_form(s, x, found))
    judge_turned_away(found, page);
  else if (asked)
    verdict_blame(found, VERDICT_REFUSED, "auth", NULL, asked->what, asked->hint);
  else
    verdict_blame(found, VERDICT_REFUSED, "auth", NULL, what_refused(s, page), hint_of_refusal(s, x));
}

/* A catalog may be refused to a good session: the session is checked before it counts as expired. */
static void judge_denied (const struct session *s, const struct exchange *x, struct finding *found,
                          bool page) {
  found->fault.result = RESULT_AUTHENTICATION_FAILURE;
  if (found->purpose == PURPOSE_LOGIN)
    judge_refused(s, x, found, page);
  else if (s->phase != PHASE_AUTHORIZED && s->phase != PHASE_EXPIRED)
    verdict_blame(found, VERDICT_REFUSED, "auth", NULL, "the server wants a login first",
                  s->model == MODEL_SSO ? "make a session with an AuthenticationProvider that is logged in"
                                        : "call login first");
  else if (found->purpose == PURPOSE_CATALOG && s->phase == PHASE_AUTHORIZED)
    verdict_blame(found, VERDICT_EXPIRED, "auth", NULL,
                  "the server does not give the catalog to this session", NULL);
  else
    verdict_blame(found, VERDICT_EXPIRED, "expired", REASON_EXPIRED,
                  page ? "the server answered with its login page: the session has expired"
                       : "the server no longer accepts the session",
                  verdict_way_back(s));
}

/* True if only the body, which is spent, keeps `x` from being sent again with another token. */
static bool is_spent (const struct session *s, const struct exchange *x) {
  const struct tokens *t = identity_tokens(s->who);
  if (!x->request.upload || upload_can_begin(x->request.upload)) return false;
  return t->refreshing || (t->access && x->mark >> 1 != s->who->generation);
}

/* A token service that is down for now does not end the login. */
static void judge_token (const struct session *s, const struct exchange *x, struct finding *found) {
  found->fault.result = RESULT_EXPIRED_TOKEN;
  if (s->who && is_spent(s, x)) {
    verdict_blame(found, VERDICT_NEUTRAL, "auth", NULL,
                  "the access token has expired, and the body cannot be sent again with another one",
                  upload_spent_hint);
    return;
  }
  if (s->who && s->who->refresh_failed && identity_can_refresh(s->who)) {
    verdict_blame(found, VERDICT_NEUTRAL, "auth", NULL,
                  "the access token has expired, and the token service could not refresh it now", NULL);
    found->fault.retryable = true;
    return;
  }
  verdict_blame(found, VERDICT_EXPIRED, "expired", REASON_EXPIRED,
                "the access token has expired, and could not be refreshed", verdict_way_back(s));
}

static const char *hint_of_missing (const struct session *s, const struct exchange *x,
                                    const struct finding *found) {
  bool form = found->purpose == PURPOSE_LOGIN && s->model == MODEL_FORM && !is_past_form(s, x, found);
  return form ? "check serviceURI, that the application is deployed and started, and that its model is "
                "\"form\": others have no login form"
              : "check serviceURI, and that the application is deployed and started";
}

static void judge_missing (const struct session *s, const struct exchange *x, struct finding *found) {
  verdict_blame(found, VERDICT_ABSENT, "offline", REASON_APPLICATION,
                is_past_form(s, x, found) ? ACCEPTED "the application has no " LOGIN_TARGET
                                          : "no web application answers there",
                hint_of_missing(s, x, found));
  found->fault.retryable = true;
}

/* The index in ping_paths of the requested address; PING_PATHS: none of them. */
static unsigned ping_path_of (const struct exchange *x) {
  const char *text = uri_public_text(x->request.uri);
  size_t length = strlen(text), n;
  unsigned i;
  for (i = 0; i < PING_PATHS; i++) {
    n = strlen(ping_paths[i]);
    if (length >= n && !strcmp(text + length - n, ping_paths[i])) break;
  }
  return i;
}

/* True if the login target answers a ping with 403: the session may not be used any more. */
static bool is_closed_target (const struct exchange *x, long status) {
  return status == 403 && ping_path_of(x) == PING_LOGIN_TARGET;
}

static void judge_ping (lua_State *L, const struct session *s, const struct exchange *x,
                        struct finding *found) {
  long status = found->fault.status;
  found->fault.retryable = true;
  if (status == 500)
    verdict_blame(found, VERDICT_DOWN, "offline", REASON_APPSERVER,
                  "the web application answers, its AppServer does not", NULL);
  else if (status == 502 || status == 503 || status == 504)
    verdict_blame(found, VERDICT_ABSENT, "offline", REASON_APPLICATION,
                  "the web application is not available", NULL);
  else if (status < 200 || status > 299)
    verdict_blame(
        found, VERDICT_BROKEN, "http", NULL,
        status == 403 ? "this user is not allowed to use the ping service" : "not an answer to a ping", NULL);
  else if (is_page(x) && ping_path_of(x) != PING_LOGIN_TARGET)
    verdict_blame(found, VERDICT_BROKEN, "protocol", REASON_APPLICATION,
                  "the ping service answered with a page instead of JSON",
                  "check serviceURI, and proxies before the server");
  else if (is_broken_json(L, x))
    verdict_blame(found, VERDICT_BROKEN, "protocol", REASON_APPLICATION, "broken JSON in answer to a ping",
                  "check serviceURI, and proxies before the server");
  else if (s->device_offline)
    verdict_blame(found, VERDICT_NEUTRAL, "offline", REASON_DEVICE,
                  "the host says that this device has no network", NULL);
  else if (says_down(L, x))
    verdict_blame(found, VERDICT_DOWN, "offline", REASON_APPSERVER,
                  "the web application answers, its AppServer does not", NULL);
  else {
    found->verdict = VERDICT_ALIVE;
    jsdo_remember_pong(L, s, x);
  }
}

static void judge_request (struct finding *found) {
  long status = found->fault.status;
  if (status < 400) {
    found->verdict = VERDICT_ALIVE;
    return;
  }
  verdict_blame(found, VERDICT_NEUTRAL, "http", NULL, verdict_refusal(status), NULL);
  if (status == 401) found->fault.result = RESULT_AUTHENTICATION_FAILURE;
  found->fault.retryable = status == 429 || status == 502 || status == 503 || status == 504;
}

/* A response to login, check or logout that has no meaning there. */
static const char *what_failed (const struct session *s, const struct exchange *x,
                                const struct finding *found) {
  long status = found->fault.status;
  switch (found->purpose) {
  case PURPOSE_LOGOUT: return "the server may not have ended the session; it is ended here";
  case PURPOSE_LOGIN:
    if (is_past_form(s, x, found))
      return status == 403 ? ACCEPTED "this user may not use the application"
                           : ACCEPTED "the application could not check the session";
    if (status == 403) return "this user is not allowed to use the application";
    if (status == 400) return "the server calls the login malformed";
    return status >= 500 ? "the server failed at the login" : "the server refused the login";
  default: return "the server cannot tell whether the session is valid";
  }
}

static void judge_other (const struct session *s, const struct exchange *x, struct finding *found) {
  long status = found->fault.status;
  bool fine = status >= 200 && status <= (found->purpose == PURPOSE_CHECK ? 299 : 200);
  if (found->purpose == PURPOSE_LOGOUT && status == 401) fine = true;
  if (fine)
    found->verdict = VERDICT_ALIVE;
  else {
    verdict_blame(found, VERDICT_BROKEN, "http", NULL, what_failed(s, x, found), NULL);
    found->fault.retryable = status >= 500;
  }
}

static void judge_elsewhere (struct finding *found) {
  found->fault.result = RESULT_AUTHENTICATION_FAILURE;
  verdict_blame(found, VERDICT_NEUTRAL, "auth", NULL, "the server answered with its login page", NULL);
}

static void jsdo_hear (lua_State *L, struct session *s, const struct exchange *x) {
  struct header_line properties;
  if (x->response.failure == FAILURE_NONE && uri_within(s->service, x->response.uri) &&
      exchange_find_header(x, "X-CLIENT-PROPS", &properties))
    context_hear(L, s, properties.value, properties.value_length);
}

static void take_properties (lua_State *L, const struct session *s, const struct header_line *line,
                             struct finding *found) {
  if (context_is_good(L, s, line->value)) {
    found->properties = line->value;
    found->properties_length = line->value_length;
  } else {
    verdict_blame(found, VERDICT_BROKEN, "protocol", NULL,
                  "the header X-CLIENT-PROPS of the answer is not a JSON object", NULL);
    found->fault.retryable = false;
  }
}

/* The server's properties replace the session's. */
static bool jsdo_learn (lua_State *L, int index, struct session *s, const struct finding *found) {
  if (found->properties) context_accept(L, index, found->properties, found->properties_length);
  return jsdo_learn_context_id(L, index, s, found);
}

static void read_context (lua_State *L, const struct session *s, const struct exchange *x,
                          struct finding *found) {
  struct header_line id, properties;
  bool has_id = exchange_find_header(x, "X-CLIENT-CONTEXT-ID", &id);
  bool has_properties = exchange_find_header(x, "X-CLIENT-PROPS", &properties);
  if (has_id || has_properties) cookie_jar_note_secret(x->request.jar);
  if (found->verdict != VERDICT_ALIVE) return;
  if (has_id) {
    found->context_id = id.value;
    found->context_id_length = id.value_length;
  }
  if (has_properties) take_properties(L, s, &properties, found);
}

static void jsdo_judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                        struct finding *found) {
  bool any = purpose == PURPOSE_REQUEST || purpose == PURPOSE_CATALOG;
  bool known = purpose == PURPOSE_PING && !s->device_offline && jsdo_is_known_pong(L, s, x);
  bool own = !any || uri_within(s->service, x->request.uri); /* wherever the application redirected to */
  bool page = !known && (own || purpose == PURPOSE_CATALOG) && purpose != PURPOSE_LOGOUT &&
              jsdo_is_login_page(x, purpose);
  long status = known ? 200 : jsdo_real_status(L, x, purpose);
  verdict_begin(found, x, purpose);
  found->fault.status = status;
  if (known)
    found->verdict = VERDICT_ALIVE;
  else if (own && purpose != PURPOSE_LOGIN && jsdo_says_expired_token(x))
    judge_token(s, x, found);
  else if (purpose != PURPOSE_LOGOUT && own &&
           (page || status == 401 || (purpose == PURPOSE_PING && is_closed_target(x, status)))) {
    if (!token_provider_judge(s, x, found)) judge_denied(s, x, found, page);
  } else if (page)
    judge_elsewhere(found);
  else if (any)
    judge_request(found);
  else if ((status == 404 || status == 410) && purpose != PURPOSE_LOGOUT)
    judge_missing(s, x, found);
  else if (purpose == PURPOSE_PING)
    judge_ping(L, s, x, found);
  else
    judge_other(s, x, found);
  if (uri_within(s->service, x->response.uri)) read_context(L, s, x, found);
}

/* Verbs */

static struct exchange *get (lua_State *L, struct operation *op, const char *path) {
  return session_exchange_brief(L, op->session, "GET", uri_append(op->session->service, path));
}

static struct exchange *get_stamped (lua_State *L, struct operation *op, const char *path) {
  struct session *s = op->session;
  return session_exchange_brief(L, s, "GET", jsdo_stamp(s, uri_append(s->service, path)));
}

/*
** Parts of op->stage. STAGE_LOGIN_AGAIN: the reconnect logs in again. A login by form adds STAGE_OBSTACLE
** times an enum cookie_obstacle.
*/
enum { STAGE_LOGIN_AGAIN = 64, STAGE_OBSTACLE = 256 };

/* True if the login target was requested with credentials to prove, not to check an earlier login. */
static bool is_login (const struct operation *op) {
  return op->session->login == op || op->stage % STAGE_OBSTACLE == STAGE_LOGIN_AGAIN;
}

/* A response that sets no cookie leaves the obstacle of an earlier one. */
static void note_obstacle (struct operation *op, const struct exchange *x) {
  struct uri *target = uri_append(op->session->service, jsdo_login_target);
  enum cookie_obstacle obstacle = target ? cookie_obstacle(x, target) : COOKIE_NONE;
  uri_release(target);
  if (obstacle == COOKIE_NONE) return;
  op->stage = op->stage % STAGE_OBSTACLE + (unsigned)obstacle * STAGE_OBSTACLE;
}

static bool note_hop (struct exchange *x) {
  note_obstacle(x->owner, x);
  return true;
}

/*
** `accepted`: the form has accepted the credentials for certain. After a redirect back to the login page
** either they are wrong or the cookie was not sent back.
*/
static void blame_cookie (lua_State *L, const struct operation *op, const struct exchange *x,
                          struct finding *found, bool accepted) {
  enum cookie_obstacle obstacle = op->stage / STAGE_OBSTACLE;
  if (found->verdict != VERDICT_REFUSED || !cookie_obstacle_phrase(obstacle)) return;
  verdict_say(found, "HTTP %ld from %s: %s: %s", found->fault.status, uri_public_text(x->response.uri),
              accepted
                  ? "the form was accepted, but its cookie is not sent back"
                  : "the server did not accept the user name or password, or its cookie is not sent back",
              cookie_obstacle_phrase(obstacle));
  found->fault.hint = cookie_obstacle_hint(obstacle);
  verdict_quote(L, x, found);
}

/* The promise holds the login's error meanwhile. */
static void login_undone (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  operation_push_session(L, op);
  session_decide(L, -1, VERDICT_UNDONE, NULL);
  operation_push(L, op);
  compat_getslot(L, -1, PROMISE_ERROR);
  if (op->retry && retry_is_due(op))
    retry_wait(L, op);
  else
    operation_reject(L, op);
}

/* The form was accepted and the check failed: tells the server, then fails the login. */
static void undo_login (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found) {
  if (!op->retry || !retry_decide(op, x, found)) verdict_apply(L, op, found);
  operation_push(L, op);
  verdict_push_error(L, x, found);
  compat_setslot(L, -2, PROMISE_ERROR);
  lua_pop(L, 1);
  operation_must(L, op, operation_send(L, op, get(L, op, jsdo_form_logout), login_undone));
}

/* `op` re-establishes the session: the attempt failed; ends the session on the server. */
static void undo_attempt (lua_State *L, const struct operation *op) {
  operation_push_session(L, op);
  session_farewell(L, lua_gettop(L));
  lua_pop(L, 1);
}

/* The form was accepted, but the application refused the session. */
static void fail_login (lua_State *L, struct operation *op, struct exchange *x, struct finding *found) {
  if (op->session->login == op) {
    undo_login(L, op, x, found);
    return;
  }
  undo_attempt(L, op);
  verdict_conclude(L, op, x, found, RESULT_SUCCESS);
}

static void checked (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  bool login = is_login(op);
  verdict_judge(L, op, x, login ? PURPOSE_LOGIN : PURPOSE_CHECK, &found);
  if (login && op->session->model == MODEL_FORM && found.fault.status > 200 && found.fault.status < 300) {
    verdict_judge(L, op, x, PURPOSE_CHECK, &found); /* credentials need 200; the check after them any 2xx */
    found.purpose = PURPOSE_LOGIN;
  }
  if (login && op->session->model == MODEL_FORM) blame_cookie(L, op, x, &found, true);
  if (login && op->session->model == MODEL_FORM && found.verdict != VERDICT_ALIVE)
    fail_login(L, op, x, &found);
  else
    verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static bool jsdo_check (lua_State *L, struct operation *op) {
  return operation_send(L, op, get_stamped(L, op, jsdo_login_target), checked);
}

static void form_accepted (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_LOGIN, &found);
  note_obstacle(op, x);
  if (found.verdict != VERDICT_ALIVE) {
    if (x->response.redirects) blame_cookie(L, op, x, &found, false);
    if (x->response.redirects && found.verdict != VERDICT_REFUSED)
      fail_login(L, op, x, &found);
    else
      verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
    return;
  }
  found.verdict = VERDICT_ADMITTED;
  verdict_apply(L, op, &found);
  operation_must(L, op, jsdo_check(L, op));
}

bool jsdo_fill_form (struct exchange *x, const struct credentials *as) {
  struct buffer *body = &x->request.body;
  struct header_list *lines = header_list_copy(x->request.headers);
  if (!lines) return false;
  header_list_release(x->request.headers);
  x->request.headers = lines;
  x->request.has_body = true;
  return set_line(lines, "Cache-Control", "max-age=0", 9) &&
         set_line(lines, "Content-Type", FORM_TYPE, sizeof FORM_TYPE - 1) &&
         form_add(body, "j_username", as->user, as->user_length) &&
         form_add(body, "j_password", as->password, as->password_length) &&
         form_add(body, "submit", "Submit", 6);
}

static bool jsdo_login (lua_State *L, struct operation *op, const struct credentials *as) {
  struct exchange *x;
  if (op->session->model != MODEL_FORM) return jsdo_check(L, op);
  x = session_exchange_brief(L, op->session, "POST",
                             jsdo_stamp(op->session, uri_append(op->session->service, jsdo_form_login)));
  if (x && !jsdo_fill_form(x, as)) {
    exchange_free(x);
    return false;
  }
  if (x) x->hopping = note_hop;
  return operation_send(L, op, x, form_accepted);
}

static void logged_out (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_LOGOUT, &found);
  verdict_blame_stop(L, op, x, &found);
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

/* The logout goes where the login went: a provider's application may be another one. */
static bool jsdo_logout (lua_State *L, struct operation *op) {
  struct session *s = op->session;
  struct exchange *x;
  if (s->model != MODEL_FORM) {
    operation_defer(L, op, conclude_at_once);
    return true;
  }
  if (s->who && strcmp(uri_text(s->who->uri), uri_text(s->service)))
    x = provider_exchange(s->who, "GET", jsdo_form_logout);
  else
    x = get(L, op, jsdo_form_logout);
  return operation_send(L, op, x, logged_out);
}

static void pinged (lua_State *L, struct operation *op, struct exchange *x);

/* The first address that this ping has not tried; each tried one has a bit in op->stage. */
static unsigned next_ping_path (const struct operation *op) {
  unsigned i = 0;
  while (i < PING_PATHS && op->stage >> i & 1)
    i++;
  return i;
}

/* The address does not exist: forgets it and tries the next. False: there is no other. */
static bool ping_elsewhere (lua_State *L, struct operation *op, const struct exchange *x) {
  struct session *s = op->session;
  unsigned next;
  jsdo_set_ping_uri(s, NULL);
  op->stage |= 1u << ping_path_of(x);
  next = next_ping_path(op);
  if (next == PING_PATHS) return false;
  operation_must(L, op, operation_send(L, op, get_stamped(L, op, ping_paths[next]), pinged));
  return true;
}

/* True if only the ping service, or the login target in its place, can have answered so. */
static bool proves_address (const struct finding *found) {
  return found->verdict == VERDICT_ALIVE || (found->verdict == VERDICT_DOWN && found->fault.status < 300);
}

/* The ping service answered 403; the login target has answered now. The promise holds the error. */
static void asked_after (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_PING, &found);
  if (found.verdict != VERDICT_ALIVE) {
    verdict_conclude(L, op, x, &found, RESULT_TRUE);
    return;
  }
  verdict_apply(L, op, &found);
  operation_push(L, op);
  compat_getslot(L, -1, PROMISE_ERROR);
  operation_reject(L, op);
}

/* A 403 may concern the session, or the ping service alone: the login target tells. */
static void ask_after (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found) {
  found->fault.result = RESULT_FALSE;
  operation_push(L, op);
  verdict_push_error(L, x, found);
  compat_setslot(L, -2, PROMISE_ERROR);
  lua_pop(L, 1);
  operation_must(L, op, operation_send(L, op, get_stamped(L, op, jsdo_login_target), asked_after));
}

static void pinged (lua_State *L, struct operation *op, struct exchange *x) {
  struct session *s = op->session;
  struct finding found;
  bool current = op->epoch == s->epoch;
  bool missing;
  unsigned path = ping_path_of(x);
  verdict_judge(L, op, x, PURPOSE_PING, &found);
  missing = found.fault.status == 404 || found.fault.status == 410;
  if (current && missing && ping_elsewhere(L, op, x)) return;
  if (current && found.fault.status == 403 && found.verdict == VERDICT_BROKEN) {
    ask_after(L, op, x, &found);
    return;
  }
  if (current && !jsdo_ping_uri(s) && proves_address(&found) && path < PING_PATHS)
    jsdo_set_ping_uri(s, uri_append(s->service, ping_paths[path]));
  verdict_conclude(L, op, x, &found, RESULT_TRUE);
}

static bool jsdo_ping (lua_State *L, struct operation *op) {
  struct session *s = op->session;
  struct uri *known = jsdo_ping_uri(s);
  struct exchange *x = known ? session_exchange_brief(L, s, "GET", jsdo_stamp(s, uri_keep(known)))
                             : get_stamped(L, op, ping_paths[0]);
  return operation_send(L, op, x, pinged);
}

/* Re-establishing */

/* Credentials sent with each request can be sent again; those of a form only with keepCredentials. */
static bool jsdo_can_renew (const struct session *s) {
  if (s->model == MODEL_FORM) return s->kept != NULL;
  return s->model != MODEL_SSO;
}

static bool log_in_again (lua_State *L, struct operation *op) {
  struct session *s = op->session;
  const struct credentials no_credentials = {NULL, NULL, 0, 0};
  op->stage = STAGE_LOGIN_AGAIN;
  if (!s->kept) return jsdo_login(L, op, &no_credentials);
  operation_push_session(L, op);
  if (!session_become(L, -1, s->kept)) return false;
  lua_pop(L, 1);
  return jsdo_login(L, op, s->kept);
}

/* The server answers again: judges whether it still knows the session. */
static void still_there (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_CHECK, &found);
  if (found.verdict == VERDICT_EXPIRED && jsdo_can_renew(op->session))
    operation_must(L, op, log_in_again(L, op));
  else
    verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static bool jsdo_reestablish (lua_State *L, struct operation *op, unsigned attempt) {
  (void)attempt;
  if (op->session->phase == PHASE_EXPIRED) return log_in_again(L, op);
  return operation_send(L, op, get_stamped(L, op, jsdo_login_target), still_there);
}

static const luaL_Reg methods[] = {{"setToken", token_provider_set}, {NULL, NULL}};

static bool dress (struct session *s, struct header_list *lines) {
  (void)s;
  return jsdo_dress(lines);
}

const struct protocol protocol_jsdo = {
    .name = "jsdo",
    .options = jsdo_options,
    .methods = methods,
    .configure = jsdo_configure,
    .restored = jsdo_take_provider,
    .release = jsdo_release,
    .reconnects = RECONNECT_ASKED,
    .catalogs = true,
    .not_run = true,
    .own_line = "X-CLIENT-CONTEXT-ID",
    .login = jsdo_login,
    .check = jsdo_check,
    .ping = jsdo_ping,
    .logout = jsdo_logout,
    .reestablish = jsdo_reestablish,
    .can_renew = jsdo_can_renew,
    .dress = dress,
    .sign = jsdo_sign,
    .hear = jsdo_hear,
    .judge = jsdo_judge,
    .judge_failure = token_provider_judge_failure,
    .telling = LARGEST_REPORT,
    .telling_type = "application/json",
    .address = jsdo_address,
    .stamp = jsdo_stamp,
    .learn = jsdo_learn,
    .forget_login = jsdo_forget_login,
    .save_fields = jsdo_save_fields,
    .restore_fields = jsdo_restore_fields,
};
