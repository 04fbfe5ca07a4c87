/*
** The life of an AuthenticationProvider: login proves the user to one web application (form_sso gets tokens for others
** by it); sessions then show what it holds; a token is refreshed once for all who wait for it; logout forgets.
*/
#include "provider.h"

#include "jsdo.h"
#include "json.h"
#include "options.h"

#include <string.h>

static const char token_path[] = "/static/auth/token?op=refresh";

/* Of a token's life, the part after which it is refreshed in advance; the reference's figure. */
static const double ripe = 0.75;

struct provider *provider_test (lua_State *L, int index) {
  return luaL_testudata(L, index, PROVIDER_TYPE);
}

struct provider *provider_check (lua_State *L, int index) {
  return luaL_checkudata(L, index, PROVIDER_TYPE);
}

struct provider *provider_push (lua_State *L, struct identity *who, int uri) {
  struct provider *p;
  uri = lua_absindex(L, uri);
  p = compat_newuserdata(L, sizeof *p, PROVIDER_SLOTS);
  memset(p, 0, sizeof *p);
  luaL_setmetatable(L, PROVIDER_TYPE);
  p->loop = who->loop;
  p->who = identity_keep(who);
  lua_pushvalue(L, uri);
  compat_setslot(L, -2, PROVIDER_URI);
  return p;
}

static const char *const own_options[] = {"uri",
                                          "authenticationModel",
                                          "automaticTokenRefresh",
                                          "connectTimeout",
                                          "timeout",
                                          "stallTimeout",
                                          "maxResponseSize",
                                          "maxRedirects",
                                          "insecure",
                                          "proxy",
                                          "caFile",
                                          "caPath",
                                          "clientCertificate",
                                          "clientKey",
                                          "clientKeyPassword",
                                          "userAgent",
                                          NULL};

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
  options_check(L, 1, "datasession.AuthenticationProvider", own_options, NULL);
  if (lua_getfield(L, 1, "authenticationModel") == LUA_TNIL)
    return luaL_error(L, "option 'authenticationModel': expected %s, got nil", models);
  model = session_model_option(L, 1, models);
  automatic = options_boolean(L, 1, "automaticTokenRefresh", true);
  loop_engine(L, loop);
  lua_settop(L, 1);
  p = compat_newuserdata(L, sizeof *p, PROVIDER_SLOTS);
  memset(p, 0, sizeof *p);
  luaL_setmetatable(L, PROVIDER_TYPE);
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
  lua_settop(L, 2);
  return 1;
}

static int provider_gc (lua_State *L) {
  struct provider *p = provider_check(L, 1);
  identity_release(p->who);
  p->who = NULL;
  return 0;
}

/* Requests of the provider's own */

static struct exchange *exchange_of (struct identity *who, const char *method, const char *path) {
  struct uri *uri = uri_append(who->uri, path);
  struct exchange *x = uri ? exchange_new(who->loop->engine) : NULL;
  if (!x) {
    uri_release(uri);
    return NULL;
  }
  x->request.method = method;
  x->request.uri = uri;
  x->request.transport = transport_keep(who->transport);
  x->request.headers = header_list_new(&who->loop->memory);
  if (identity_jar(who)) x->request.jar = jar_keep(who->jar);
  if (who->credentials) x->request.credentials = credentials_keep(who->credentials);
  if (x->request.headers && who->jar && jsdo_dress(x->request.headers) &&
      (who->model != MODEL_BEARER || identity_sign(who, x->request.headers)))
    return x;
  exchange_free(x);
  return NULL;
}

/* What the answer to a login, a logout or a refresh says: fine, or a fault. `fine` is a second good status, or 0. */
static void judge (lua_State *L, const struct exchange *x, enum purpose purpose, long fine,
                   struct finding *found) {
  long status = jsdo_real_status(L, x, purpose);
  bool page = purpose == PURPOSE_LOGIN && jsdo_is_login_page(x, purpose);
  if (x->response.failure != FAILURE_NONE) {
    finding_failure(found, x, purpose);
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
  found->verdict = VERDICT_BROKEN;
  found->fault.retryable = status >= 500;
  if (page || status == 401) {
    found->verdict = VERDICT_REFUSED;
    found->fault.kind = "auth";
    found->fault.result = RESULT_AUTHENTICATION_FAILURE;
  }
  finding_say(found, "HTTP %ld from %s: the server %s", status, uri_public_text(x->response.uri),
              found->verdict == VERDICT_REFUSED ? "did not accept the credentials" : "did not do it");
}

/* Tokens */

static void push_text_field (lua_State *L, const char *name) {
  if (lua_getfield(L, -1, name) != LUA_TSTRING) {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
}

/* The value on top is the server's answer; false, with the reason: it gives no token. Leaves things on the stack. */
static bool take_tokens (lua_State *L, struct identity *who, const char **why) {
  size_t length, refresh_length;
  const char *token, *refresh;
  double life;
  bool ok;
  *why = "the server's answer is no JSON object";
  if (!lua_istable(L, -1)) return false;
  lua_getfield(L, -1, "expires_in");
  life = lua_tonumber(L, -1);
  lua_pop(L, 1);
  push_text_field(L, "access_token");
  token = lua_tolstring(L, -1, &length);
  lua_insert(L, -2);
  push_text_field(L, "refresh_token");
  refresh = lua_tolstring(L, -1, &refresh_length);
  *why = "the server's answer holds no access_token";
  ok = length > 0 && !strpbrk(token, "\r\n");
  if (ok) {
    *why = "not enough memory";
    ok = identity_set_token(who, token, length) && identity_set_refresh_token(who, refresh, refresh_length);
    who->refresh_at = life > 0 ? clock_now() + life * ripe : 0;
  }
  return ok;
}

/* For the answer of a token service; `found` is made a fault when it gives none. Leaves nothing on the stack. */
static void read_tokens (lua_State *L, struct identity *who, const struct exchange *x,
                         struct finding *found) {
  const char *why;
  int top = lua_gettop(L);
  lua_pushlstring(L, x->response.body.data ? x->response.body.data : "", x->response.body.length);
  if (!json_decode(L)) lua_pushnil(L);
  if (!take_tokens(L, who, &why)) {
    found->verdict = VERDICT_BROKEN;
    found->fault.kind = "protocol";
    finding_say(found, "HTTP %ld from %s: %s", found->fault.status, uri_public_text(x->response.uri), why);
  }
  lua_settop(L, top);
}

/* Verbs */

static void logged_in (lua_State *L, struct operation *op, struct exchange *x) {
  struct identity *who = op->provider->who;
  struct finding found;
  judge(L, x, PURPOSE_LOGIN, 0, &found);
  if (found.verdict == VERDICT_ALIVE && who->model == MODEL_FORM_SSO) read_tokens(L, who, x, &found);
  if (found.verdict == VERDICT_ALIVE)
    who->logged_in = true;
  else
    identity_reset(who);
  finding_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static struct exchange *login_exchange (lua_State *L, struct identity *who) {
  struct exchange *x;
  if (who->model != MODEL_FORM && who->model != MODEL_FORM_SSO)
    return exchange_of(who, "GET", jsdo_login_target);
  x = exchange_of(who, "POST",
                  who->model == MODEL_FORM ? jsdo_form_login
                                           : "/static/auth/j_spring_security_check?OECP=yes");
  if (x && !jsdo_fill_form(L, x)) {
    exchange_free(x);
    return NULL;
  }
  return x;
}

static int provider_login (lua_State *L) {
  struct provider *p = provider_check(L, 1);
  struct operation *op;
  session_check_credentials(L, p->who->model);
  lua_settop(L, 3);
  op = operation_new(L, 1, "login");
  if (p->who->logged_in)
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE,
                     "the provider is logged in already: call logout first");
  else if (p->login)
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE, "another login of this provider is under way");
  else {
    identity_reset(p->who);
    p->login = op;
    operation_must(L, op,
                   session_hold_credentials(L, p->who) &&
                       operation_send(L, op, login_exchange(L, p->who), logged_in));
  }
  return 1;
}

static void logged_out (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  judge(L, x, PURPOSE_LOGOUT, 401, &found);
  finding_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static int provider_logout (lua_State *L) {
  struct provider *p = provider_check(L, 1);
  struct operation *op;
  bool tell = p->who->logged_in && (p->who->model == MODEL_FORM || p->who->model == MODEL_FORM_SSO);
  lua_settop(L, 1);
  op = operation_new(L, 1, "logout");
  if (tell)
    operation_must(L, op, operation_send(L, op, exchange_of(p->who, "GET", jsdo_form_logout), logged_out));
  else
    operation_defer(L, op, conclude_at_once);
  if (p->login) operation_abort(p->login, "cancelled", "the provider was logged out");
  identity_reset(p->who);
  return 1;
}

/* Refreshing */

static bool is_waiting (const struct operation *op) {
  const struct exchange *x;
  for (x = op->exchanges; x; x = x->next)
    if (x->phase == EXCHANGE_FRESH) return true;
  return false;
}

/* A refused refresh ends the waiting requests; one that failed for a passing reason lets them try with the old token. */
static void release_waiting (lua_State *L, struct identity *who, bool refused) {
  struct operation *op, *next;
  for (op = who->loop->operations; op; op = next) {
    next = op->later;
    if (!op->session || op->session->who != who) continue;
    if (refused && is_waiting(op)) {
      op->abort_kind = "expired";
      op->abort_result = RESULT_EXPIRED_TOKEN;
      op->abort_message =
          "the token service refused to refresh the access token: log the AuthenticationProvider in again";
    }
    operation_resume(L, op);
  }
}

/* Each session of the identity has expired with it. */
static void expire_sessions (lua_State *L, const struct identity *who) {
  struct finding found;
  memset(&found, 0, sizeof found);
  found.verdict = VERDICT_EXPIRED;
  found.purpose = PURPOSE_CHECK;
  found.reason = REASON_EXPIRED;
  found.fault.status = 401;
  loop_table(L, LOOP_SESSIONS);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const struct session *s = session_test(L, -1);
    if (s && s->who == who) session_transition(L, -1, &found);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void refreshed (lua_State *L, struct operation *op, struct exchange *x) {
  struct identity *who = op->provider->who;
  struct finding found;
  bool refused;
  judge(L, x, PURPOSE_REFRESH, 0, &found);
  if (found.verdict == VERDICT_ALIVE) read_tokens(L, who, x, &found);
  refused = found.verdict == VERDICT_REFUSED;
  if (found.verdict != VERDICT_ALIVE)
    who->refresh_at = 0; /* not again by the clock alone: a 401 will ask for it */
  if (refused) {
    identity_reset(who);
    expire_sessions(L, who);
  }
  who->refresh = NULL;
  release_waiting(L, who, refused);
  finding_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static bool add (struct buffer *b, const char *text, size_t length) {
  return buffer_add(b, text, length) == BUFFER_OK;
}

/* A refresh token is opaque, but a JSON string all the same. */
static bool add_quoted (struct buffer *b, const char *text, size_t length) {
  size_t i;
  bool ok = add(b, "\"", 1);
  for (i = 0; i < length; i++) {
    if (text[i] == '"' || text[i] == '\\') ok = ok && add(b, "\\", 1);
    ok = ok && add(b, text + i, 1);
  }
  return ok && add(b, "\"", 1);
}

static struct exchange *refresh_exchange (struct identity *who) {
  static const char head[] = "{\"token_type\":\"oecp\",\"refresh_token\":";
  struct exchange *x = exchange_of(who, "POST", token_path);
  struct buffer *body;
  if (!x) return NULL;
  body = &x->request.body;
  x->request.has_body = true;
  if (header_list_set(x->request.headers, "Content-Type", 12, "application/json", 16) == HEADER_OK &&
      header_list_set(x->request.headers, "Cache-Control", 13, "max-age=0", 9) == HEADER_OK &&
      add(body, head, sizeof head - 1) && add_quoted(body, who->refresh_token, who->refresh_size - 1) &&
      add(body, "}", 1))
    return x;
  exchange_free(x);
  return NULL;
}

/* Pushes the promise of the refresh under way, begun if there is none. */
static void push_refresh (lua_State *L, struct provider *p, int index) {
  struct operation *op = p->who->refresh;
  if (op) {
    operation_push(L, op);
    return;
  }
  op = operation_new(L, index, "refresh");
  p->who->refresh = op;
  operation_must(L, op, operation_send(L, op, refresh_exchange(p->who), refreshed));
}

static int provider_refresh (lua_State *L) {
  struct provider *p = provider_check(L, 1);
  lua_settop(L, 1);
  if (identity_can_refresh(p->who))
    push_refresh(L, p, 1);
  else
    operation_refuse(L, operation_new(L, 1, "refresh"), "auth", RESULT_GENERAL_FAILURE,
                     p->who->logged_in ? "there is no refresh token" : "the provider is not logged in");
  return 1;
}

/* Argument: a session's operation. */
static int begin_refresh (lua_State *L) {
  const struct operation *op = lua_touserdata(L, 1);
  struct provider *p;
  operation_push_session(L, op);
  compat_getslot(L, -1, SESSION_PROVIDER);
  p = provider_test(L, -1);
  if (!p) return 0;
  push_refresh(L, p, lua_gettop(L));
  ((struct promise *)lua_touserdata(L, -1))->looked_at = true;
  return 0;
}

static bool refreshing (lua_State *L, struct operation *op) {
  struct identity *who = op->session->who;
  if (who->refresh) return true;
  if (!lua_checkstack(L, LUA_MINSTACK)) return false;
  lua_pushcfunction(L, begin_refresh);
  lua_pushlightuserdata(L, op);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  return who->refresh != NULL;
}

/* Only what went to the session's own server shows who it is. */
static bool is_signed (const struct exchange *x) {
  return x->request.jar != NULL;
}

bool provider_holds (lua_State *L, struct operation *op, struct exchange *x) {
  struct identity *who = op->session->who;
  if (!who || !is_signed(x) || who->model != MODEL_FORM_SSO) return false;
  if (!who->refresh && !identity_refresh_due(who, clock_now())) return false;
  return refreshing(L, op);
}

/* The same request, for another try. NULL: no memory. */
static struct exchange *again (struct exchange *x) {
  struct exchange *copy = exchange_new(x->engine);
  const struct allocator *memory;
  if (!copy) return NULL;
  memory = copy->request.body.memory;
  copy->request = x->request;
  copy->request.body.memory = memory;
  copy->tag = x->tag;
  copy->mark = x->mark | 1;
  memset(&x->request, 0, sizeof x->request);
  buffer_init(&x->request.body, x->response.body.memory, 0);
  return copy;
}

bool provider_retries (lua_State *L, struct operation *op, struct exchange *x) {
  struct identity *who = op->session ? op->session->who : NULL;
  struct exchange *copy;
  bool stale;
  if (!who || !identity_can_refresh(who) || !who->automatic || !is_signed(x) || x->mark & 1) return false;
  if (x->response.failure != FAILURE_NONE || !jsdo_says_expired_token(x)) return false;
  stale = x->mark >> 1 != (who->generation << 1) >> 1;
  if (!stale && !refreshing(L, op)) return false;
  copy = again(x);
  if (!copy) luaL_error(L, "not enough memory");
  operation_hold(op, copy, op->step);
  if (stale && !who->refresh) operation_resume(L, op);
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
  lua_pushboolean(L, who->logged_in && who->refresh_token);
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
  else
    lua_pushnil(L);
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
  const struct identity *who = provider_check(L, 1)->who;
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
  luaL_newmetatable(L, PROVIDER_TYPE);
  luaL_setfuncs(L, meta, 0);
  luaL_newlib(L, methods);
  luaL_setfuncs(L, access, 1);
  lua_pop(L, 1);
}
