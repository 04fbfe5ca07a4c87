/*
** The life of a session: it is made bound to one application; login proves who it is; from then on answers say
** whether it is alive, and session_transition alone turns what they say into state and events; logout
** forgets, invalidate ends for good, and being collected frees without a word to the server.
*/
#include "session.h"

#include "context.h"
#include "events.h"
#include "options.h"
#include "persistence.h"
#include "protocol.h"
#include "provider.h"

#include <stddef.h>
#include <string.h>

struct session *session_test (lua_State *L, int index) {
  return luaL_testudata(L, index, SESSION_TYPE);
}

struct session *session_check (lua_State *L, int index) {
  return luaL_checkudata(L, index, SESSION_TYPE);
}

void session_push (lua_State *L, const struct session *s) {
  loop_table(L, LOOP_SESSIONS);
  lua_rawgetp(L, -1, s);
  lua_remove(L, -2);
}

bool session_connected (const struct session *s) {
  return s->phase == PHASE_AUTHORIZED && s->online && !s->device_offline;
}

/* Making */

static const char *const known_options[] = {TRANSPORT_OPTIONS,
                                            "serviceURI",
                                            "authenticationModel",
                                            "protocol",
                                            "pingInterval",
                                            "timeStamp",
                                            "context",
                                            "onOpenRequest",
                                            "authProvider",
                                            "name",
                                            "storage",
                                            "keepTokens",
                                            NULL};

static const char *const later_options[] = {"reconnect", "keepCredentials", "cookiePolicy", NULL};

void session_push_option_names (lua_State *L) {
  int i;
  lua_newtable(L);
  for (i = 0; known_options[i]; i++) {
    lua_pushstring(L, known_options[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void check_protocol (lua_State *L, int index) {
  const char *name = options_string(L, index, "protocol", NULL);
  if (name && strcmp(name, protocol_jsdo.name))
    luaL_error(L, "option 'protocol': '%s' is not supported yet: expected \"jsdo\"", name);
  lua_pop(L, 1);
}

enum model session_model_option (lua_State *L, int index, const char *expected) {
  enum model model = MODEL_ANONYMOUS;
  char name[32];
  size_t length, i;
  const char *given = options_string(L, index, "authenticationModel", &length);
  if (given) {
    for (i = 0; i < length && i < sizeof name - 1; i++)
      name[i] = (char)(given[i] >= 'A' && given[i] <= 'Z' ? given[i] + 32 : given[i]);
    name[i] = 0;
    if (!model_of(name, &model) || !strstr(expected, lua_pushfstring(L, "\"%s\"", name)))
      luaL_error(L, "option 'authenticationModel': expected %s, got '%s'", expected, given);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return model;
}

/* Leaves the URI as the user shall see it, without trailing slashes, on the stack. */
struct uri *session_uri_option (lua_State *L, struct loop *loop, int index, const char *name) {
  size_t length;
  const char *text = options_string(L, index, name, &length), *why;
  struct uri *uri;
  if (!text || !length) {
    luaL_error(L, "option '%s': expected the URI of a web application, got %s", name,
               text ? "an empty string" : "nil");
    return NULL;
  }
  while (length && text[length - 1] == '/')
    length--;
  if (memchr(text, '?', length) || memchr(text, '#', length))
    luaL_error(L, "option '%s': expected the root of a web application, got a URI with a query or fragment",
               name);
  text = lua_pushlstring(L, text, length);
  lua_remove(L, -2);
  uri = uri_parse(&loop->memory, text, length, &why);
  if (!uri) luaL_error(L, "option '%s': the URI %s", name, why);
  return uri;
}

static void timer_fired (struct timer *timer, void *context);

static void enlist (lua_State *L, struct session *s, int index) {
  loop_table(L, LOOP_SESSIONS);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, s);
  lua_pop(L, 1);
}

void session_begin_authorized (struct session *s, long status) {
  s->phase = PHASE_AUTHORIZED;
  s->login_result = RESULT_SUCCESS;
  s->login_status = status;
  s->admitted = true;
}

/*
** A provider that has logged in makes the session's own login unnecessary: it counts as logged in, and as connected once a
** server says so. The option is at 1, the session at 2.
*/
static void take_provider (lua_State *L, struct session *s) {
  struct provider *provider;
  enum model wanted = s->model == MODEL_SSO ? MODEL_FORM_SSO : s->model;
  if (lua_getfield(L, 1, "authProvider") == LUA_TNIL) {
    if (s->model == MODEL_SSO && !s->who)
      luaL_error(L, "option 'authProvider': an sso session needs an AuthenticationProvider");
    lua_pop(L, 1);
    return;
  }
  provider = provider_test(L, -1);
  if (!provider)
    luaL_error(L, "option 'authProvider': expected an AuthenticationProvider, got %s", luaL_typename(L, -1));
  else if (!provider->who)
    luaL_error(L, "option 'authProvider': it is closed");
  else if (provider->who->model != wanted)
    luaL_error(L, "option 'authProvider': its model is %s, which does not fit a session of model %s",
               model_name(provider->who->model), model_name(s->model));
  else if (!provider->who->logged_in)
    luaL_error(L, "option 'authProvider': it is not logged in: call its login first");
  else {
    s->who = identity_keep(provider->who);
    session_begin_authorized(s, -1);
  }
  compat_setslot(L, 2, SESSION_PROVIDER);
}

/* context and onOpenRequest; the options are at 1, the session at 2. */
static void check_callbacks (lua_State *L, struct session *s) {
  int type = lua_getfield(L, 1, "context");
  if (type == LUA_TTABLE) {
    lua_pushcfunction(L, context_set);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    lua_call(L, 2, 0);
  } else if (type != LUA_TNIL)
    luaL_error(L, "option 'context': expected a table, got %s", lua_typename(L, type));
  lua_pop(L, 1);
  type = lua_getfield(L, 1, "onOpenRequest");
  if (type != LUA_TNIL && type != LUA_TFUNCTION)
    luaL_error(L, "option 'onOpenRequest': expected a function, got %s", lua_typename(L, type));
  s->has_on_open = type == LUA_TFUNCTION;
  compat_setslot(L, 2, SESSION_ON_OPEN);
}

int session_new (lua_State *L) {
  struct loop *loop = loop_get(L);
  struct session *s;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  options_check(L, 1, "datasession.new", known_options, later_options);
  check_protocol(L, 1);
  loop_engine(L, loop);
  s = compat_newuserdata(L, sizeof *s, SESSION_SLOTS);
  memset(s, 0, sizeof *s);
  s->loop = loop;
  s->protocol = &protocol_jsdo;
  s->timer.fired = timer_fired;
  s->login_result = RESULT_NONE;
  luaL_setmetatable(L, SESSION_TYPE);
  s->model = session_model_option(L, 1, "\"anonymous\", \"basic\", \"form\", \"sso\" or \"bearer\"");
  s->ping_interval = options_number(L, 1, "pingInterval", 0, 0);
  s->time_stamp = options_boolean(L, 1, "timeStamp", false);
  s->device_offline = loop->device_offline;
  check_callbacks(L, s);
  s->transport = transport_from_options(L, loop, 1);
  s->service = session_uri_option(L, loop, 1, "serviceURI");
  compat_setslot(L, 2, SESSION_URI);
  if (s->transport->insecure) {
    lua_pushfstring(L, "datasession: certificates are not verified for %s (insecure = true)",
                    uri_public_text(s->service));
    compat_warn(L, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  persistence_open(L, s);
  take_provider(L, s);
  s->number = ++loop->sessions;
  enlist(L, s, 2);
  return 1;
}

/* What every exchange carries */

static struct header_list *new_headers (lua_State *L, struct session *s, bool own) {
  struct header_list *lines = header_list_new(&s->loop->memory);
  if (lines && s->protocol->dress(lines) && (!own || s->protocol->sign(L, s, lines))) return lines;
  header_list_release(lines);
  return NULL;
}

static struct header_list *own_headers (lua_State *L, struct session *s) {
  if (s->headers && s->signed_for != s->who->generation) {
    header_list_release(s->headers);
    s->headers = NULL;
  }
  if (!s->headers) s->headers = new_headers(L, s, true);
  s->signed_for = s->who->generation;
  return s->headers ? header_list_keep(s->headers) : NULL;
}

static bool introduce (lua_State *L, struct session *s, struct request *request) {
  if (!s->who) s->who = identity_new(s->loop, s->model, s->service, s->transport);
  if (!s->who || !identity_jar(s->who)) return false;
  request->jar = jar_keep(s->who->jar);
  if (s->who->credentials) request->credentials = credentials_keep(s->who->credentials);
  request->headers = own_headers(L, s);
  return request->headers != NULL;
}

bool session_sign_again (const struct identity *who, struct exchange *x) {
  struct header_list *lines;
  if (!who) return false;
  if (x->mark >> 1 == who->generation << 1 >> 1) return true;
  lines = x->request.headers ? header_list_copy(x->request.headers) : NULL;
  if (!lines) return false;
  header_list_release(x->request.headers);
  x->request.headers = lines;
  x->mark = (x->mark & 1) | who->generation << 1;
  return identity_sign(who, lines);
}

struct exchange *session_exchange_as (struct session *s, struct identity *who, const char *method,
                                      struct uri *uri) {
  struct exchange *x = uri ? exchange_new(s->loop->engine) : NULL;
  if (!x) {
    uri_release(uri);
    return NULL;
  }
  x->request.method = method;
  x->request.uri = uri;
  x->request.transport = transport_keep(s->transport);
  x->mark = who->generation << 1;
  if (who->credentials) x->request.credentials = credentials_keep(who->credentials);
  if (identity_jar(who)) x->request.jar = jar_keep(who->jar);
  x->request.headers = header_list_new(&s->loop->memory);
  if (x->request.jar && x->request.headers && s->protocol->dress(x->request.headers) &&
      identity_sign(who, x->request.headers))
    return x;
  exchange_free(x);
  return NULL;
}

struct exchange *session_exchange (lua_State *L, struct session *s, const char *method, struct uri *uri) {
  struct exchange *x;
  uri = session_address(L, s, uri);
  x = uri ? exchange_new(s->loop->engine) : NULL;
  if (!x) {
    uri_release(uri);
    return NULL;
  }
  x->request.method = method;
  x->request.uri = uri;
  x->request.transport = transport_keep(s->transport);
  x->mark = s->who ? s->who->generation << 1 : 0;
  if (uri_same_origin(s->service, uri) ? introduce(L, s, &x->request)
                                       : (x->request.headers = new_headers(L, s, false)) != NULL)
    return x;
  exchange_free(x);
  return NULL;
}

/* State */

/* A provider may serve others: it stays as it is. The last reference wipes. */
static void forget_identity (lua_State *L, int index, struct session *s) {
  identity_release(s->who);
  s->who = NULL;
  lua_pushnil(L);
  compat_setslot(L, index, SESSION_PROVIDER);
  lua_pushnil(L);
  compat_setslot(L, index, SESSION_PROVIDER_USER);
}

/* The header lines are made anew by the next exchange. */
static void set_context_id (lua_State *L, int index, struct session *s, const char *id, size_t length) {
  if (id)
    lua_pushlstring(L, id, length);
  else
    lua_pushnil(L);
  compat_setslot(L, index, SESSION_CONTEXT_ID);
  header_list_release(s->headers);
  s->headers = NULL;
}

static void forget_login (lua_State *L, int index, struct session *s) {
  s->login_result = RESULT_NONE;
  s->login_status = 0;
  s->online = s->admitted = false;
  s->autoping = NULL; /* one in flight is not the next login's */
  s->epoch++;
  forget_identity(L, index, s);
  uri_release(s->ping_uri);
  s->ping_uri = NULL;
  lua_pushnil(L);
  compat_setslot(L, index, SESSION_USER);
  set_context_id(L, index, s, NULL, 0);
  loop_table(L, LOOP_HELD);
  lua_pushvalue(L, index);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* The most recent id stands until another comes: an answer without one says nothing. */
static void take_context_id (lua_State *L, int index, struct session *s, const struct finding *found) {
  size_t length;
  const char *known;
  if (!found->context_id || !found->context_id_length) return;
  compat_getslot(L, index, SESSION_CONTEXT_ID);
  known = lua_tolstring(L, -1, &length);
  if (!known || length != found->context_id_length || memcmp(known, found->context_id, length))
    set_context_id(L, index, s, found->context_id, found->context_id_length);
  lua_pop(L, 1);
}

/* What the server says replaces what there was. */
static void take_properties (lua_State *L, int index, const struct finding *found) {
  if (!found->properties || !context_parse(L, found->properties, found->properties_length)) return;
  context_replace(L, index, -1);
  lua_pop(L, 1);
}

/* What a former login left is not the new one's. */
static void enter (lua_State *L, int index, struct session *s) {
  s->phase = PHASE_FRESH;
  s->epoch++;
  s->online = false;
  set_context_id(L, index, s, NULL, 0);
}

static void refuse_login (struct session *s, enum result result, long status) {
  s->phase = PHASE_FRESH;
  s->login_result = result;
  s->login_status = status;
  s->online = false;
}

/* What was asked before the server let us in may yet be refused. */
static void turn_authorized (struct session *s) {
  if (s->phase != PHASE_AUTHORIZED) s->epoch++;
  s->phase = PHASE_AUTHORIZED;
  s->login_result = RESULT_SUCCESS;
  s->admitted = true;
  if (s->who) s->who->logged_in = true;
}

static void turn_alive (struct session *s, const struct finding *found) {
  if (found->purpose == PURPOSE_CATALOG)
    return; /* a file, which the server may give out whatever else is wrong */
  if (found->purpose == PURPOSE_LOGIN || found->purpose == PURPOSE_CHECK) turn_authorized(s);
  if (s->phase == PHASE_AUTHORIZED && found->purpose != PURPOSE_REQUEST)
    s->login_status = found->fault.status;
  s->online = true;
  s->failures = 0;
}

static void turn_bad (struct session *s, const struct finding *found) {
  bool expired = found->verdict == VERDICT_EXPIRED;
  if (found->purpose == PURPOSE_PING) s->failures++;
  if (found->purpose == PURPOSE_LOGIN)
    refuse_login(s,
                 found->verdict == VERDICT_REFUSED ? RESULT_AUTHENTICATION_FAILURE : RESULT_GENERAL_FAILURE,
                 found->fault.status);
  else if (expired && s->phase == PHASE_AUTHORIZED) {
    s->phase = PHASE_EXPIRED;
    s->login_result = RESULT_AUTHENTICATION_FAILURE;
    s->login_status = found->fault.status;
  } else if (found->reason && !expired)
    s->online = false;
}

static void change (lua_State *L, int index, struct session *s, const struct finding *found) {
  switch (found->verdict) {
  case VERDICT_NEUTRAL: break;
  case VERDICT_ALIVE:
    turn_alive(s, found);
    take_context_id(L, index, s, found);
    take_properties(L, index, found);
    break;
  case VERDICT_ADMITTED:
    s->admitted = true;
    take_context_id(L, index, s, found); /* where there is no cookie, it is what the server knows us by */
    break;
  case VERDICT_DEVICE_LOST:
  case VERDICT_DEVICE_BACK:
    s->device_offline = found->verdict == VERDICT_DEVICE_LOST;
    s->failures = 0;
    break;
  case VERDICT_ENTERING: enter(L, index, s); break;
  case VERDICT_LEFT:
  case VERDICT_INVALIDATED:
    s->phase = found->verdict == VERDICT_LEFT ? PHASE_FRESH : PHASE_INVALID;
    forget_login(L, index, s);
    break;
  default: turn_bad(s, found);
  }
}

static void fire_offline (lua_State *L, int index, const struct finding *found) {
  lua_pushstring(L, found->reason ? found->reason : REASON_SERVER);
  lua_pushnil(L);
  events_fire(L, index, "offline", 2);
}

/* Whoever logs in or out knows it: the reference fires nothing either. An expiry is told even when already offline. */
static void fire (lua_State *L, int index, const struct finding *found, bool connected, bool expired) {
  const struct session *s = lua_touserdata(L, index);
  bool now = session_connected(s);
  if (found->verdict == VERDICT_LEFT || found->verdict == VERDICT_INVALIDATED) return;
  if (now && !connected) {
    lua_pushnil(L);
    events_fire(L, index, "online", 1);
  } else if ((connected && !now) || (s->phase == PHASE_EXPIRED && !expired))
    fire_offline(L, index, found);
}

void session_transition (lua_State *L, int index, const struct finding *found) {
  struct session *s = lua_touserdata(L, index);
  bool connected = session_connected(s), expired = s->phase == PHASE_EXPIRED;
  index = lua_absindex(L, index);
  if (s->phase == PHASE_INVALID || found->verdict == VERDICT_NEUTRAL) return;
  change(L, index, s, found);
  session_arm(L, s);
  persistence_note(L, index);
  fire(L, index, found, connected, expired);
}

/* Verbs */

static void decide (lua_State *L, int index, enum verdict verdict) {
  struct finding found;
  memset(&found, 0, sizeof found);
  found.verdict = verdict;
  session_transition(L, index, &found);
}

static const char refused_invalid[] = "the session was invalidated: make a new one";

static bool refused_ended (lua_State *L, struct operation *op) {
  if (op->session->phase != PHASE_INVALID) return false;
  operation_refuse(L, op, "closed", RESULT_GENERAL_FAILURE, refused_invalid);
  return true;
}

static void check_text (lua_State *L, int index, const char *what) {
  size_t length;
  if (lua_type(L, index) != LUA_TSTRING) luaL_typeerror(L, index, what);
  lua_tolstring(L, index, &length);
  if (!length) luaL_argerror(L, index, lua_pushfstring(L, "%s must not be empty", what));
}

static void check_no_nul (lua_State *L, int index, const char *what) {
  if (strlen(lua_tostring(L, index)) < lua_rawlen(L, index))
    luaL_argerror(L, index, lua_pushfstring(L, "a %s with a NUL byte cannot be sent by HTTP Basic", what));
}

void session_check_credentials (lua_State *L, enum model model) {
  if (model == MODEL_ANONYMOUS || model == MODEL_SSO) return;
  if (model == MODEL_BEARER) {
    check_text(L, 2, "token");
    if (strpbrk(lua_tostring(L, 2), "\r\n") || strlen(lua_tostring(L, 2)) < lua_rawlen(L, 2))
      luaL_argerror(L, 2, "a token holds no line breaks or NUL bytes");
    return;
  }
  check_text(L, 2, "user name");
  check_text(L, 3, "password");
  if (model != MODEL_BASIC) return;
  check_no_nul(L, 2, "user name");
  check_no_nul(L, 3, "password");
  if (strchr(lua_tostring(L, 2), ':'))
    luaL_argerror(L, 2, "a user name with ':' cannot be sent by HTTP Basic");
}

bool session_hold_credentials (lua_State *L, struct identity *who) {
  size_t user_length, password_length;
  const char *user = lua_tolstring(L, 2, &user_length), *password = lua_tolstring(L, 3, &password_length);
  if (who->model == MODEL_BEARER) return identity_set_token(who, user, user_length);
  if (who->model != MODEL_BASIC) return true;
  return identity_set_credentials(who, user, user_length, password, password_length);
}

/* Whom a former login was is nothing to this one. */
static bool become (lua_State *L, struct session *s) {
  forget_identity(L, 1, s);
  s->who = identity_new(s->loop, s->model, s->service, s->transport);
  return s->who && session_hold_credentials(L, s->who);
}

/* login's options: iOSBasicAuthTimeout, in milliseconds, bounds each request of it. */
static double check_login_options (lua_State *L, int index) {
  static const char *const known[] = {"iOSBasicAuthTimeout", NULL};
  if (lua_isnoneornil(L, index)) return 0;
  options_check(L, index, "login", known, NULL);
  return options_number(L, index, "iOSBasicAuthTimeout", 0, 0) / 1000;
}

static void begin_login (lua_State *L, struct session *s, struct operation *op) {
  decide(L, 1, VERDICT_ENTERING);
  op->epoch = s->epoch;
  if (s->model == MODEL_ANONYMOUS || s->model == MODEL_BEARER)
    lua_pushnil(L);
  else
    lua_pushvalue(L, 2);
  compat_setslot(L, 1, SESSION_USER);
  s->login = op;
  operation_must(L, op, become(L, s) && s->protocol->login(L, op));
}

int session_login (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  double limit;
  session_check_credentials(L, s->model);
  limit = check_login_options(L, s->model == MODEL_BEARER ? 3 : 4);
  lua_settop(L, 3);
  op = operation_new(L, 1, "login");
  op->limit = limit;
  if (refused_ended(L, op)) return 1;
  if (s->model == MODEL_SSO)
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE,
                     "an sso session is logged in through its AuthenticationProvider");
  else if (s->phase == PHASE_AUTHORIZED)
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE,
                     "the session is logged in already: call logout first");
  else if (s->login)
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE, "another login of this session is under way");
  else
    begin_login(L, s, op);
  return 1;
}

/* Is there a login to speak of? */
static bool has_login (const struct session *s) {
  return s->phase == PHASE_AUTHORIZED || s->phase == PHASE_EXPIRED;
}

static const char verb_logout[] = "logout", verb_invalidate[] = "invalidate";

static struct operation *take_leave (lua_State *L, struct session *s, const char *verb) {
  struct operation *op = operation_new(L, 1, verb);
  if (s->admitted && s->model != MODEL_SSO)
    operation_must(L, op, s->protocol->logout(L, op));
  else
    operation_defer(L, op, conclude_at_once);
  return op;
}

/*
** Logging out logs the provider out too, but for sso: every other session that goes by it has expired. `who` is only
** compared once it is released.
*/
static void end_login (lua_State *L, struct session *s, enum verdict verdict) {
  struct identity *who = s->model == MODEL_SSO ? NULL : s->who;
  if (who) {
    s->who = NULL;
    identity_reset(who);
    identity_release(who);
  }
  decide(L, 1, verdict);
  if (who) provider_expire_sessions(L, who, -1);
}

int session_logout (lua_State *L) {
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  if (s->model == MODEL_SSO && s->phase != PHASE_INVALID) {
    operation_refuse(
        L, operation_new(L, 1, verb_logout), "auth", RESULT_GENERAL_FAILURE,
        "an sso session is logged out through its AuthenticationProvider; disconnect leaves it alone");
    return 1;
  }
  take_leave(L, s, verb_logout);
  if (s->login) operation_abort(s->login, "cancelled", "the session was logged out");
  end_login(L, s, VERDICT_LEFT);
  return 1;
}

int session_disconnect (lua_State *L) {
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  operation_defer(L, operation_new(L, 1, "disconnect"), conclude_at_once);
  if (s->login) operation_abort(s->login, "cancelled", "the session was disconnected");
  if (s->phase != PHASE_INVALID) decide(L, 1, VERDICT_LEFT);
  return 1;
}

/* All but what tells the server goodbye. */
static void abort_operations (struct session *s) {
  struct operation *op;
  for (op = s->loop->operations; op; op = op->later)
    if (op->session == s && op->verb != verb_logout && op->verb != verb_invalidate)
      operation_abort(op, "closed", "the session was invalidated");
}

int session_invalidate (lua_State *L) {
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  take_leave(L, s, verb_invalidate);
  abort_operations(s);
  end_login(L, s, VERDICT_INVALIDATED);
  return 1;
}

static struct operation *start_ping (lua_State *L, int index, struct session *s) {
  struct operation *op = operation_new(L, index, "ping");
  if (refused_ended(L, op)) return op;
  if (has_login(s))
    operation_must(L, op, s->protocol->ping(L, op));
  else
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE, "the session is not logged in: call login first");
  return op;
}

int session_ping (lua_State *L) {
  struct session *s = session_check(L, 1);
  lua_settop(L, 1);
  start_ping(L, 1, s);
  return 1;
}

int session_is_authorized (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  lua_settop(L, 1);
  op = operation_new(L, 1, "isAuthorized");
  if (refused_ended(L, op)) return 1;
  if (has_login(s))
    operation_must(L, op, s->protocol->check(L, op));
  else
    operation_refuse(L, op, "auth", RESULT_AUTHENTICATION_REQUIRED, "nobody is logged in");
  return 1;
}

void session_login_over (struct session *s) {
  s->login = NULL;
  if (s->phase == PHASE_AUTHORIZED || !s->who) return;
  credentials_release(s->who->credentials);
  s->who->credentials = NULL;
  identity_set_token(s->who, NULL, 0);
}

/* The timer of pingInterval */

/* A number from 0.75 to 1.25, so that a thousand sessions that lost one server do not come back as one. */
static double jitter (struct loop *loop) {
  loop->noise =
      loop->noise * 6364136223846793005u + (unsigned long long)(clock_now() * 1e9) + 1442695040888963407u;
  return 0.75 + (double)(loop->noise >> 40) / (double)(1 << 24) / 2;
}

/* Seconds to the next automatic ping: pingInterval, and up to eight times as long while the server is away. */
static double next_ping (struct session *s) {
  enum { MOST_DOUBLINGS = 3 };
  unsigned doublings = s->failures > MOST_DOUBLINGS ? MOST_DOUBLINGS : s->failures;
  double delay = s->ping_interval / 1000;
  return doublings ? delay * (1 << doublings) * jitter(s->loop) : delay;
}

void session_arm (lua_State *L, struct session *s) {
  (void)L;
  if (!s->loop->engine) return;
  if (s->phase != PHASE_AUTHORIZED || s->ping_interval <= 0 || s->device_offline)
    engine_clear_timer(s->loop->engine, &s->timer);
  else
    engine_set_timer(s->loop->engine, &s->timer, clock_now() + next_ping(s));
}

/* Set again before anything else, so that one ping that cannot start is not the last. */
static int ping_by_timer (lua_State *L) {
  struct session *s = lua_touserdata(L, 1);
  session_push(L, s);
  if (lua_isnil(L, -1)) return 0;
  session_arm(L, s);
  if (s->phase != PHASE_AUTHORIZED || s->autoping) return 0;
  s->autoping = start_ping(L, 2, s);
  s->autoping->promise.looked_at = true;
  return 0;
}

static void timer_fired (struct timer *timer, void *context) {
  lua_State *L = context;
  struct session *s = (struct session *)((char *)timer - offsetof(struct session, timer));
  if (!lua_checkstack(L, LUA_MINSTACK)) return;
  lua_pushcfunction(L, ping_by_timer);
  lua_pushlightuserdata(L, s);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) loop_report(L);
}

/* Ends */

int session_gc (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct engine *engine = s->loop->engine;
  if (s->closed) return 0;
  s->closed = true;
  s->phase = PHASE_INVALID;
  if (engine) engine_clear_timer(engine, &s->timer);
  identity_release(s->who);
  header_list_release(s->headers);
  uri_release(s->ping_uri);
  uri_release(s->service);
  transport_release(s->transport);
  s->who = NULL;
  s->headers = NULL;
  s->ping_uri = s->service = NULL;
  s->transport = NULL;
  return 0;
}

static int closed (lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* In a coroutine of spawn the wait suspends it, like any other await. */
int session_close (lua_State *L) {
  struct session *s = session_check(L, 1);
  double limit = s->transport ? s->transport->timeout : 0;
  lua_settop(L, 1);
  if (s->closed || s->loop->closed || s->phase == PHASE_INVALID) return 0;
  session_invalidate(L);
  lua_getfield(L, -1, "await");
  lua_insert(L, -2);
  lua_pushnumber(L, limit > 0 ? limit : 30);
  lua_callk(L, 2, 0, 0, closed);
  return 0;
}
