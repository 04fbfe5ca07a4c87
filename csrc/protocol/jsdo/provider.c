/*
** The life of an AuthenticationProvider. login proves the user to one web application (form_sso then gets
** tokens for others). Sessions send what the provider holds. All waiting requests share one refresh of a
** token. logout forgets everything.
*/
#include "protocol/jsdo/provider.h"

#include "protocol/jsdo/asked_model.h"
#include "protocol/jsdo/jsdo.h"
#include "protocol/jsdo/token_provider.h"
#include "runtime/fields.h"
#include "runtime/json.h"
#include "runtime/loop.h"
#include "runtime/options.h"
#include "runtime/transport_options.h"
#include "session/protocol.h"

#include <stdio.h>
#include <string.h>

static const char log_in_again[] = "log the AuthenticationProvider in again";
static const char token_path[] = "/static/auth/token?op=refresh";

const double provider_ripe = 0.75; /* the reference's figure */

struct provider *provider_test (lua_State *L, int index) {
  return userdata_test(L, index, TYPE_PROVIDER);
}

/* A finaliser may hold a provider that is finalised already. */
struct provider *provider_check (lua_State *L, int index) {
  struct provider *p = userdata_check(L, index, TYPE_PROVIDER);
  if (!p->who) luaL_error(L, "the AuthenticationProvider is closed");
  return p;
}

struct provider *provider_push (lua_State *L, struct identity *who, int uri) {
  struct provider *p;
  uri = lua_absindex(L, uri);
  p = compat_newuserdata(L, sizeof *p, PROVIDER_SLOTS);
  memset(p, 0, sizeof *p);
  userdata_set(L, TYPE_PROVIDER);
  p->loop = who->loop;
  p->who = identity_keep(who);
  lua_pushvalue(L, uri);
  compat_setslot(L, -2, PROVIDER_URI);
  return p;
}

void provider_push_new (lua_State *L, struct identity *who, int uri) {
  provider_push(L, who, uri);
}

struct identity *provider_identity (lua_State *L, int index) {
  return provider_test(L, index) ? provider_check(L, index)->who : NULL;
}

static const char *const own_options[] = {TRANSPORT_OPTIONS,       "uri",   "authenticationModel",
                                          "automaticTokenRefresh", "retry", NULL};

/* AuthenticationProvider(options) */
static int provider_new (lua_State *L) {
  static const char models[] = "\"anonymous\", \"basic\", \"form\", \"form_sso\" or \"bearer\"";
  struct loop *loop = loop_get(L);
  struct provider *p;
  struct transport *transport;
  struct uri *uri;
  enum model model;
  bool automatic;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  options_check(L, 1, "datasession.AuthenticationProvider", own_options);
  if (lua_getfield(L, 1, "authenticationModel") == LUA_TNIL)
    return luaL_error(L, "option 'authenticationModel': expected %s, got nil", models);
  model = session_model_option(L, 1, models);
  automatic = options_boolean(L, 1, "automaticTokenRefresh", true);
  loop_prepare(L);
  loop_engine(L, loop);
  lua_settop(L, 1);
  p = compat_newuserdata(L, sizeof *p, PROVIDER_SLOTS);
  memset(p, 0, sizeof *p);
  userdata_set(L, TYPE_PROVIDER);
  p->loop = loop;
  uri = session_uri_option(L, loop, 1, "uri");
  p->who = identity_new(loop, model, uri, loop->transport);
  uri_release(uri);
  if (!p->who) return luaL_error(L, "not enough memory");
  lua_getfield(L, 1, "uri");
  compat_setslot(L, 2, PROVIDER_URI);
  transport = transport_from_options(L, loop, 1);
  transport_release(p->who->transport);
  p->who->transport = transport;
  p->who->automatic = automatic;
  p->retry = retry_read(L, &loop->memory);
  lua_settop(L, 2);
  return 1;
}

static int provider_gc (lua_State *L) {
  struct provider *p = userdata_check(L, 1, TYPE_PROVIDER);
  identity_release(p->who);
  p->who = NULL;
  retry_free(&p->loop->memory, p->retry);
  p->retry = NULL;
  return 0;
}

/* The provider's own requests */

static struct provider *provider_of (const struct operation *op) {
  return op->object;
}

static void left (lua_State *L, struct operation *op);

/* Pushes the promise of a new operation on the provider at `index`. Raises. */
static struct operation *new_operation (lua_State *L, int index, const char *verb) {
  static const struct operation_owner owner = {"provider", NULL, NULL, NULL, NULL, left};
  return operation_new_of(L, index, verb, provider_check(L, index)->loop, &owner);
}

struct exchange *provider_exchange (struct identity *who, const char *method, const char *path) {
  struct uri *uri = uri_append(who->uri, path);
  struct exchange *x = uri ? engine_new_exchange(who->loop->engine) : NULL;
  if (!x) {
    uri_release(uri);
    return NULL;
  }
  x->request.method = method;
  x->request.uri = uri;
  x->request.brief = true;
  x->request.transport = transport_keep(who->transport);
  x->request.headers = header_list_new(&who->loop->memory);
  if (identity_jar(who)) x->request.jar = cookie_jar_keep(who->jar);
  if (who->credentials) x->request.credentials = basic_auth_keep(who->credentials);
  if (x->request.headers && who->jar && jsdo_dress(x->request.headers) &&
      (who->model != MODEL_BEARER || identity_sign(who, x->request.headers)))
    return x;
  exchange_free(x);
  return NULL;
}

static const char *what_refused (enum model model, enum purpose purpose) {
  if (purpose == PURPOSE_REFRESH) return "did not accept the refresh token";
  return model == MODEL_BEARER ? "did not accept the token" : "did not accept the user name or password";
}

static const char *what_failed (enum purpose purpose, long status) {
  switch (purpose) {
  case PURPOSE_LOGOUT: return "may not have ended the session; it is ended here";
  case PURPOSE_REFRESH: return "gave no new token";
  default: return status == 403 ? "does not allow this user to log in" : "failed at the login";
  }
}

static void blame_refusal (const struct exchange *x, enum model model, bool page, struct finding *found) {
  const struct asked_model *asked = found->purpose == PURPOSE_LOGIN ? asked_model_of(x, model, page) : NULL;
  const char *uri = uri_public_text(x->response.uri);
  found->verdict = VERDICT_REFUSED;
  found->fault.kind = "auth";
  found->fault.result = RESULT_AUTHENTICATION_FAILURE;
  found->fault.hint = asked ? asked->hint : found->purpose == PURPOSE_REFRESH ? log_in_again : NULL;
  if (asked)
    verdict_say(found, "HTTP %ld from %s: %s", found->fault.status, uri, asked->what);
  else
    verdict_say(found, "HTTP %ld from %s: the server %s", found->fault.status, uri,
                what_refused(model, found->purpose));
}

static void blame (const struct exchange *x, enum model model, bool page, struct finding *found) {
  long status = found->fault.status;
  if (page || status == 401) {
    blame_refusal(x, model, page, found);
    return;
  }
  found->verdict = VERDICT_BROKEN;
  found->fault.retryable = status >= 500;
  verdict_say(found, "HTTP %ld from %s: the server %s", status, uri_public_text(x->response.uri),
              what_failed(found->purpose, status));
}

/*
** Judges the response to a login, a logout or a refresh: fine, or a fault. `fine` is a second good status, or
** 0.
*/
static void judge (lua_State *L, const struct exchange *x, enum model model, enum purpose purpose, long fine,
                   struct finding *found) {
  long status = jsdo_real_status(L, x, purpose);
  bool page = purpose == PURPOSE_LOGIN && jsdo_is_login_page(x, purpose);
  if (x->response.failure != FAILURE_NONE) {
    verdict_failure(found, x, purpose);
    found->reason = NULL;
    return;
  }
  memset(found, 0, sizeof *found);
  found->purpose = purpose;
  found->fault.status = status;
  found->fault.uri = x->response.uri;
  found->fault.result = RESULT_GENERAL_FAILURE;
  found->fault.kind = "http";
  if (!page && (status == 200 || status == fine)) {
    found->verdict = VERDICT_ALIVE;
    return;
  }
  blame(x, model, page, found);
  verdict_quote(L, x, found);
}

/* Tokens */

/* Leaves the field's text on the stack, or nil. */
static int push_text_field (lua_State *L, const char *name, const char **text, size_t *length) {
  int type = lua_getfield(L, -1, name);
  *text = type == LUA_TSTRING ? lua_tolstring(L, -1, length) : "";
  if (type != LUA_TSTRING) *length = 0;
  lua_insert(L, -2);
  return type;
}

/* Without refresh_token the old one stays; an empty one means that there is none any more. */
static bool keep_tokens (lua_State *L, struct identity *who, const char *token, size_t length) {
  const char *refresh;
  size_t refresh_length;
  double life;
  bool told, given = push_text_field(L, "refresh_token", &refresh, &refresh_length) != LUA_TNIL;
  told = lua_getfield(L, -1, "expires_in") == LUA_TNUMBER;
  life = told && lua_tonumber(L, -1) > 0 ? lua_tonumber(L, -1) : 0;
  lua_pop(L, 1);
  if (!identity_set_token(who, token, length)) return false;
  identity_ripen(who, told ? clock_now() + life * provider_ripe : 0);
  return !given || identity_set_refresh_token(who, refresh, refresh_length);
}

/*
** Takes the tokens from the response's value, on top. False, with the reason: it has none. Leaves values on
** the stack.
*/
static bool take_tokens (lua_State *L, struct identity *who, const char **why) {
  const char *token;
  size_t length;
  *why = "the server's answer is no JSON object";
  if (!lua_istable(L, -1)) return false;
  push_text_field(L, "access_token", &token, &length);
  *why = "the server's answer holds no access_token";
  if (!length) return false;
  *why = "the access_token has bytes that a header cannot hold";
  if (!header_is_value(token, length)) return false;
  *why = "not enough memory";
  return keep_tokens(L, who, token, length);
}

/*
** Takes the tokens of a token service's response; makes `found` a fault when there are none. The message does
** not quote the body. Leaves nothing on the stack.
*/
static void read_tokens (lua_State *L, struct identity *who, struct exchange *x, struct finding *found) {
  const char *why;
  int top = lua_gettop(L);
  lua_pushlstring(L, x->response.body.data ? x->response.body.data : "", x->response.body.length);
  buffer_wipe(&x->response.body);
  if (!json_decode(L)) lua_pushnil(L);
  if (!take_tokens(L, who, &why)) {
    found->verdict = VERDICT_BROKEN;
    found->fault.kind = "protocol";
    verdict_say(found, "HTTP %ld from %s: %s", found->fault.status, uri_public_text(x->response.uri), why);
  }
  lua_settop(L, top);
}

/* Verbs */

/* The error that ended the login stands in the promise meanwhile. */
static void login_undone (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  operation_push(L, op);
  compat_getslot(L, -1, PROMISE_ERROR);
  operation_reject(L, op);
}

/* The server accepted the credentials but gave no token: ends its session, then fails the login. */
static bool undo_login (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found) {
  struct identity *who = provider_of(op)->who;
  struct exchange *goodbye;
  operation_push(L, op);
  verdict_push_error(L, x, found);
  compat_setslot(L, -2, PROMISE_ERROR);
  goodbye = provider_exchange(who, "GET", jsdo_form_logout);
  identity_reset(who);
  if (!goodbye) return false;
  operation_must(L, op, operation_send(L, op, goodbye, login_undone));
  return true;
}

static void logged_in (lua_State *L, struct operation *op, struct exchange *x) {
  struct identity *who = provider_of(op)->who;
  struct finding found;
  judge(L, x, who->model, PURPOSE_LOGIN, 0, &found);
  if (found.verdict == VERDICT_ALIVE && who->model == MODEL_FORM_SSO) {
    read_tokens(L, who, x, &found);
    if (found.verdict != VERDICT_ALIVE && undo_login(L, op, x, &found)) return;
  }
  if (found.verdict == VERDICT_ALIVE)
    who->logged_in = true;
  else
    identity_reset(who);
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static struct exchange *login_exchange (struct identity *who, const struct credentials *as) {
  struct exchange *x;
  if (who->model != MODEL_FORM && who->model != MODEL_FORM_SSO)
    return provider_exchange(who, "GET", jsdo_login_target);
  x = provider_exchange(who, "POST",
                        who->model == MODEL_FORM ? jsdo_form_login
                                                 : "/static/auth/j_spring_security_check?OECP=yes");
  if (x && !jsdo_fill_form(x, as)) {
    exchange_free(x);
    return NULL;
  }
  return x;
}

static bool prove (lua_State *L, struct operation *op, const struct credentials *as) {
  struct identity *who = provider_of(op)->who;
  return session_hold_credentials(who, as) && operation_send(L, op, login_exchange(who, as), logged_in);
}

static bool prove_again (lua_State *L, struct operation *op) {
  return prove(L, op, retry_credentials(op));
}

static bool prepare_retry (const struct provider *p, struct operation *op, const struct credentials *as) {
  if (!p->retry) return true;
  op->begin = prove_again;
  return retry_attach(op, p->retry, 0, p->who->transport) && retry_keep_credentials(op, as);
}

static int provider_login (lua_State *L) {
  struct provider *p = provider_check(L, 1);
  struct operation *op;
  struct credentials as;
  session_check_credentials(L, 2, p->who->model);
  lua_settop(L, 3);
  as = credentials_read(L);
  op = new_operation(L, 1, "login");
  if (p->who->logged_in)
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE,
                     "the provider is logged in already: call logout first");
  else if (p->login)
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE, "another login of this provider is under way");
  else {
    identity_reset(p->who);
    p->login = op;
    operation_must(L, op, prepare_retry(p, op, &as) && prove(L, op, &as));
  }
  return 1;
}

/* Sessions of the provider */

/* Says why `op` must not go on now that the refresh is over; NULL: it may. */
static const char *why_not (const struct operation *op, const struct identity *who) {
  if (operation_signer(op) != who) return "the session was logged out while it waited for a new access token";
  if (who->logged_in) return NULL;
  return "the access token could not be refreshed";
}

/* The result as if the server had refused the request: a ping's is a boolean. */
static enum result refused_result (const struct operation *op, const struct identity *who) {
  if (!strcmp(op->verb, "ping")) return RESULT_FALSE;
  return operation_signer(op) == who ? RESULT_EXPIRED_TOKEN : RESULT_GENERAL_FAILURE;
}

/* After a refresh that failed for a passing reason the requests try the old token. */
static void release_waiting (lua_State *L, const struct identity *who) {
  struct operation *op, *next;
  for (op = who->loop->operations; op; op = next) {
    const char *why = op->awaits == who ? why_not(op, who) : NULL;
    next = op->later;
    if (op->awaits != who) continue;
    if (why && !op->abort_kind) {
      op->abort_kind = operation_signer(op) == who ? "expired" : "cancelled";
      op->abort_result = refused_result(op, who);
      if (operation_signer(op) == who) op->abort_hint = log_in_again;
      op->abort_message = why;
    }
    operation_resume(L, op);
  }
}

static void left (lua_State *L, struct operation *op) {
  struct identity *who = provider_of(op)->who;
  if (provider_of(op)->login == op) provider_of(op)->login = NULL;
  if (!who || !who->tokens || who->tokens->refreshing != op) return;
  who->tokens->refreshing = NULL;
  release_waiting(L, who);
}

/* The login that the refresh belonged to is over. */
static void abandon_refresh (lua_State *L, struct identity *who) {
  struct operation *op = identity_tokens(who)->refreshing;
  if (!op) return;
  operation_abort(op, "cancelled", "the provider was logged out");
  who->tokens->refreshing = NULL;
  release_waiting(L, who);
}

/* Collects the sessions in a table first: notifying them may make or end others. */
static int push_sessions_of (lua_State *L, const struct identity *who) {
  int n = 0, list;
  lua_newtable(L);
  list = lua_gettop(L);
  loop_table(L, LOOP_SESSIONS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const struct session *s = session_test(L, -1);
    if (s && s->who == who)
      lua_rawseti(L, list, ++n);
    else
      lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return n;
}

void provider_expire_sessions (lua_State *L, const struct identity *who, long status) {
  struct finding found;
  int i, n = push_sessions_of(L, who);
  memset(&found, 0, sizeof found);
  found.verdict = VERDICT_EXPIRED;
  found.purpose = PURPOSE_CHECK;
  found.reason = REASON_EXPIRED;
  found.fault.status = status;
  found.fault.message = status > 0 ? "the server no longer accepts the AuthenticationProvider's tokens"
                                   : "the AuthenticationProvider was logged out";
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, i);
    session_transition(L, -1, &found);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void logged_out (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  judge(L, x, provider_of(op)->who->model, PURPOSE_LOGOUT, 401, &found);
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static int provider_logout (lua_State *L) {
  struct provider *p = provider_check(L, 1);
  struct operation *op;
  bool tell = p->who->logged_in && (p->who->model == MODEL_FORM || p->who->model == MODEL_FORM_SSO);
  lua_settop(L, 1);
  op = new_operation(L, 1, "logout");
  if (tell)
    operation_must(L, op,
                   operation_send(L, op, provider_exchange(p->who, "GET", jsdo_form_logout), logged_out));
  else
    operation_defer(L, op, conclude_at_once);
  if (p->login) operation_abort(p->login, "cancelled", "the provider was logged out");
  identity_reset(p->who);
  abandon_refresh(L, p->who);
  provider_expire_sessions(L, p->who, -1);
  return 1;
}

/* Refreshing */

static void refreshed (lua_State *L, struct operation *op, struct exchange *x) {
  struct identity *who = provider_of(op)->who;
  struct finding found;
  judge(L, x, who->model, PURPOSE_REFRESH, 0, &found);
  if (found.verdict == VERDICT_ALIVE) read_tokens(L, who, x, &found);
  who->refresh_failed = found.verdict != VERDICT_ALIVE;
  if (who->refresh_failed) identity_ripen(who, 0); /* only a 401 refreshes it again */
  if (found.verdict == VERDICT_REFUSED) {
    identity_reset(who);
    provider_expire_sessions(L, who, found.fault.status);
  }
  session_note_identity(L, who);
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static bool add (struct buffer *b, const char *text, size_t length) {
  return buffer_add(b, text, length) == BUFFER_OK;
}

/* A refresh token is opaque, but must be a JSON string. */
static bool add_quoted (struct buffer *b, const char *text, size_t length) {
  size_t i;
  bool ok = add(b, "\"", 1);
  for (i = 0; i < length; i++) {
    char code[8];
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') ok = ok && add(b, "\\", 1);
    if (c < ' ')
      ok = ok && add(b, code, (size_t)snprintf(code, sizeof code, "\\u%04x", c));
    else
      ok = ok && add(b, text + i, 1);
  }
  return ok && add(b, "\"", 1);
}

static struct exchange *refresh_exchange (struct identity *who) {
  static const char head[] = "{\"token_type\":\"oecp\",\"refresh_token\":";
  const struct tokens *t = identity_tokens(who);
  struct exchange *x = provider_exchange(who, "POST", token_path);
  struct buffer *body;
  if (!x) return NULL;
  body = &x->request.body;
  x->request.has_body = true;
  if (header_list_set(x->request.headers, "Content-Type", 12, "application/json", 16) == HEADER_OK &&
      header_list_set(x->request.headers, "Cache-Control", 13, "max-age=0", 9) == HEADER_OK &&
      add(body, head, sizeof head - 1) && add_quoted(body, t->refresh, t->refresh_size - 1) &&
      add(body, "}", 1))
    return x;
  exchange_free(x);
  return NULL;
}

/* Pushes the promise of the pending refresh, begun if there is none. */
static void push_refresh (lua_State *L, struct provider *p, int index) {
  struct operation *op = identity_tokens(p->who)->refreshing;
  if (op) {
    operation_push(L, op);
    return;
  }
  op = new_operation(L, index, "refresh");
  p->who->tokens->refreshing = op;
  operation_must(L, op, operation_send(L, op, refresh_exchange(p->who), refreshed));
}

static int provider_refresh (lua_State *L) {
  struct provider *p = provider_check(L, 1);
  lua_settop(L, 1);
  if (identity_can_refresh(p->who))
    push_refresh(L, p, 1);
  else
    operation_refuse(L, new_operation(L, 1, "refresh"), "auth", RESULT_GENERAL_FAILURE,
                     p->who->logged_in ? "there is no refresh token" : "the provider is not logged in");
  return 1;
}

/* Argument: a session's operation. A catalog's own provider may have no owner any more. */
static int begin_refresh (lua_State *L) {
  const struct operation *op = lua_touserdata(L, 1);
  struct identity *who = operation_signer(op);
  struct provider *p;
  operation_push_session(L, op);
  session_getvalue(L, -1, SESSION_PROVIDER);
  p = provider_test(L, -1);
  if (!p || p->who != who) {
    lua_pushstring(L, uri_text(who->uri));
    p = provider_push(L, who, -1);
  }
  push_refresh(L, p, lua_gettop(L));
  promise_mark_looked_at(L, -1);
  return 0;
}

static bool refreshing (lua_State *L, struct operation *op) {
  const struct identity *who = operation_signer(op);
  if (identity_tokens(who)->refreshing) return true;
  if (!lua_checkstack(L, LUA_MINSTACK)) return false;
  lua_pushcfunction(L, begin_refresh);
  lua_pushlightuserdata(L, op);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  return identity_tokens(who)->refreshing != NULL;
}

/* Only requests to the session's own server carry the token. */
static bool is_signed (const struct exchange *x) {
  return x->request.jar != NULL;
}

bool provider_holds (lua_State *L, struct operation *op, struct exchange *x) {
  const struct identity *who = operation_signer(op);
  if (!who || !is_signed(x) || who->model < MODEL_FORM_SSO) return false;
  if (who->model == MODEL_BEARER) return token_provider_holds(L, op, x);
  if (!identity_tokens(who)->refreshing && !identity_refresh_due(who, clock_now())) return false;
  if (!refreshing(L, op)) return false;
  op->awaits = who;
  return true;
}

struct exchange *provider_again (struct exchange *x) {
  struct exchange *copy = engine_new_exchange(x->engine);
  const struct allocator *memory;
  if (!copy) return NULL;
  memory = copy->request.body.memory;
  copy->request = x->request;
  copy->request.body.memory = memory;
  copy->arrived = x->arrived;
  copy->wanted = x->wanted;
  copy->progressed = x->progressed;
  copy->tag = x->tag;
  copy->mark = x->mark;
  memset(&x->request, 0, sizeof x->request);
  buffer_init(&x->request.body, x->response.body.memory, 0);
  return copy;
}

/* True if there is another token than the one that `x` carried, or one can be got. */
static bool has_another_token (lua_State *L, struct operation *op, const struct exchange *x) {
  const struct identity *who = operation_signer(op);
  if (x->mark >> 1 != who->generation) return identity_tokens(who)->access != NULL;
  return who->automatic && identity_can_refresh(who) && refreshing(L, op);
}

bool provider_retries (lua_State *L, struct operation *op, struct exchange *x) {
  const struct identity *who = operation_signer(op);
  struct exchange *copy;
  if (!who || who->model < MODEL_FORM_SSO || !is_signed(x)) return false;
  if (who->model == MODEL_BEARER) return token_provider_retries(L, op, x);
  if (x->mark & 1) return false;
  if (x->response.failure != FAILURE_NONE || !jsdo_says_expired_token(x)) return false;
  if (!has_another_token(L, op, x)) return false;
  if (x->request.upload && !upload_can_begin(x->request.upload)) return false; /* as judge_token says */
  copy = provider_again(x);
  if (!copy) return luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; seldom */
  copy->mark |= 1;
  operation_hold(op, copy, op->step);
  if (identity_tokens(who)->refreshing)
    op->awaits = who;
  else
    operation_resume(L, op);
  return true;
}

/* Properties */

static int has_client_credentials (lua_State *L) {
  const struct identity *who = provider_check(L, 1)->who;
  lua_pushboolean(L, who->logged_in);
  return 1;
}

static int has_refresh_token (lua_State *L) {
  const struct identity *who = provider_check(L, 1)->who;
  lua_pushboolean(L, who->logged_in && identity_tokens(who)->refresh);
  return 1;
}

/* Upvalue: the methods. */
static int provider_index (lua_State *L) {
  const struct identity *who = provider_check(L, 1)->who;
  const char *key;
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (!strcmp(key, "uri"))
    compat_getslot(L, 1, PROVIDER_URI);
  else if (!strcmp(key, "authenticationModel"))
    lua_pushstring(L, model_name(who->model));
  else if (!strcmp(key, "automaticTokenRefresh"))
    lua_pushboolean(L, who->automatic);
  else {
    static const char *const names[] = {"uri", "authenticationModel", "automaticTokenRefresh", NULL};
    lua_newtable(L);
    fields_add(L, names);
    fields_add_keys(L, lua_upvalueindex(1));
    return fields_missing(L, "an AuthenticationProvider", NULL);
  }
  return 1;
}

static int provider_newindex (lua_State *L) {
  struct identity *who = provider_check(L, 1)->who;
  const char *key = luaL_tolstring(L, 2, NULL);
  if (!strcmp(key, "uri") || !strcmp(key, "authenticationModel"))
    return luaL_error(L, "provider.%s is read-only", key);
  if (strcmp(key, "automaticTokenRefresh"))
    return luaL_error(L, "an AuthenticationProvider has no property '%s'", key);
  if (!lua_isboolean(L, 3))
    return luaL_error(L, "provider.automaticTokenRefresh: expected a boolean, got %s", luaL_typename(L, 3));
  who->automatic = lua_toboolean(L, 3);
  return 0;
}

static int provider_tostring (lua_State *L) {
  const struct identity *who = ((const struct provider *)userdata_check(L, 1, TYPE_PROVIDER))->who;
  if (!who) {
    lua_pushliteral(L, PROVIDER_TYPE ": closed");
    return 1;
  }
  lua_pushfstring(L, PROVIDER_TYPE ": %s, %s, %s", uri_public_text(who->uri), model_name(who->model),
                  who->logged_in ? "logged in" : "not logged in");
  return 1;
}

void provider_register (lua_State *L) {
  static const luaL_Reg meta[] = {{"__gc", provider_gc}, {"__tostring", provider_tostring}, {NULL, NULL}};
  static const luaL_Reg access[] = {
      {"__index", provider_index}, {"__newindex", provider_newindex}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"login", provider_login},
                                     {"logout", provider_logout},
                                     {"refresh", provider_refresh},
                                     {"hasClientCredentials", has_client_credentials},
                                     {"hasRefreshToken", has_refresh_token},
                                     {NULL, NULL}};
  lua_pushcfunction(L, provider_new);
  lua_setfield(L, -2, "AuthenticationProvider");
  userdata_new(L, TYPE_PROVIDER, PROVIDER_TYPE);
  luaL_setfuncs(L, meta, 0);
  luaL_newlib(L, methods);
  luaL_setfuncs(L, access, 1);
  lua_pushliteral(L, PROVIDER_TYPE); /* scripts must not call the finaliser */
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
