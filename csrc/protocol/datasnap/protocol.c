/*
** The life cycle of a session with a DataSnap REST server.
**
** begin    needs no login: the response to any call brings the id of the session that the server has made for
**          it, in the header Pragma: dssession=ID,dssessionexpires=MILLISECONDS, with any status.
** login    sets the credentials, which HTTP Basic then sends with each call, forgets the id, and makes a
**          session by a ping.
** use      each request carries Pragma: dssession=ID; each response renews the deadline.
** ping     GET DSAdmin/GetPlatformName, which needs no right; check is the same.
** end      past its deadline the session forgets the id before the next request. 403 with {"SessionExpired":
**          ...} says that the server has ended the session. Either way the next call begins a new one.
** logout   GET CloseSession; the session forgets the id whatever the server answers. closeSession does the
**          same and keeps the credentials.
*/
#include "session/protocol.h"
#include "protocol/datasnap/datasnap.h"
#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/options.h"

#include <string.h>

/* Making */

/* Pushes "/context", without the slashes around it; "" when it is empty. */
static void push_context (lua_State *L, const char *name, const char *fallback) {
  size_t length;
  const char *text = options_string(L, 1, name, &length);
  if (!text) {
    lua_pop(L, 1);
    lua_pushfstring(L, "/%s", fallback);
    return;
  }
  if (strlen(text) < length || strpbrk(text, "?#"))
    luaL_error(L, "option '%s': expected a part of a path, got one with '?', '#' or NUL", name);
  for (; length && *text == '/'; text++)
    length--;
  while (length && text[length - 1] == '/')
    length--;
  lua_pushliteral(L, "/");
  lua_pushlstring(L, text, length);
  if (length)
    lua_concat(L, 2);
  else {
    lua_pop(L, 2);
    lua_pushliteral(L, "");
  }
  lua_remove(L, -2);
}

size_t datasnap_length (const struct uri *uri) {
  size_t length = strlen(uri_text(uri));
  return length - (uri_text(uri)[length - 1] == '/');
}

/* Appends the text on top, popped, to `base`. */
static struct uri *append (lua_State *L, struct uri *base) {
  struct uri *uri = uri_append(base, lua_tostring(L, -1));
  if (!uri) luaL_error(L, "'%s' cannot be put behind serviceURI: expected a path", lua_tostring(L, -1));
  lua_pop(L, 1);
  return uri;
}

static bool ends_with (const struct uri *uri, const char *end) {
  const char *text = uri_text(uri);
  size_t length = strlen(text), n = strlen(end);
  while (length && text[length - 1] == '/')
    length--;
  return n > 1 && length > n && !memcmp(text + length - n, end, n);
}

/* The library puts them behind serviceURI itself. */
static void refuse_contexts (lua_State *L, const struct session *s) {
  const struct datasnap *w = s->data;
  size_t base = datasnap_length(s->service);
  const char *rest = w->rest ? uri_text(w->rest) + base : "", *root = w->root ? uri_text(w->root) + base : "";
  const char *end = ends_with(s->service, rest) ? rest : ends_with(s->service, root) ? root : NULL;
  if (end) luaL_error(L, "option 'serviceURI': leave '%s' out: the library adds it", end);
}

static void configure (lua_State *L, struct session *s) {
  struct datasnap *w = memory_new(&s->loop->memory, sizeof *w);
  if (!w) {
    luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
    return;                             /* GCOVR_EXCL_LINE: luaL_error does not return */
  }
  s->data = w;
  push_context(L, "dscontext", "datasnap");
  w->root = append(L, s->service);
  push_context(L, "restcontext", "rest");
  w->rest = append(L, w->root);
  push_context(L, "cachecontext", "cache");
  if (!*lua_tostring(L, -1)) { /* the cache needs a path */
    lua_pop(L, 1);
    lua_pushliteral(L, "/cache");
  }
  w->cache = append(L, w->root);
  lua_pushliteral(L, "/json");
  w->batch = append(L, w->root);
  refuse_contexts(L, s);
}

static void release (struct session *s) {
  struct datasnap *w = s->data;
  if (!w) return;
  memory_wipe_free(&s->loop->memory, w->id, w->id_size);
  uri_release(w->root);
  uri_release(w->rest);
  uri_release(w->cache);
  uri_release(w->batch);
  uri_release(w->shown);
  identity_release(w->next);
  memory_free(&s->loop->memory, w, sizeof *w);
  s->data = NULL;
}

/* State */

bool datasnap_hold (struct session *s, const char *id, size_t length) {
  struct datasnap *w = s->data;
  char *copy = length ? memory_new(&s->loop->memory, length + 1) : NULL;
  if (length && !copy) return false;
  if (length) memcpy(copy, id, length);
  memory_wipe_free(&s->loop->memory, w->id, w->id_size);
  w->id = copy;
  w->id_size = length ? length + 1 : 0;
  return true;
}

static bool learn (lua_State *L, int index, struct session *s, const struct finding *found) {
  struct datasnap *w = s->data;
  size_t held = w->id ? w->id_size - 1 : 0;
  (void)index;
  if (!found->session_id) return false;
  w->lifetime = found->lifetime;
  if (held == found->session_id_length && (!held || !memcmp(w->id, found->session_id, held))) return false;
  if (!datasnap_hold(s, found->session_id, found->session_id_length)) luaL_error(L, "not enough memory");
  return true;
}

static void forget (lua_State *L, int index, struct session *s) {
  struct datasnap *w = s->data;
  (void)L, (void)index;
  datasnap_hold(s, NULL, 0);
  w->lifetime = 0;
}

static void push_id (lua_State *L, const struct session *s) {
  const struct datasnap *w = s->data;
  lua_pushstring(L, w ? w->id : NULL);
}

/* Requests */

static bool set_line (struct header_list *lines, const char *name, const char *value) {
  return header_list_set(lines, name, strlen(name), value, strlen(value)) == HEADER_OK;
}

/* The old date keeps caches on the way from answering. */
static bool dress (struct session *s, struct header_list *lines) {
  (void)s;
  return set_line(lines, "Accept", "application/json") &&
         set_line(lines, "Content-Type", "text/plain;charset=UTF-8") &&
         set_line(lines, "If-Modified-Since", "Mon, 1 Oct 1990 05:00:00 GMT");
}

static bool sign (lua_State *L, struct session *s, struct header_list *lines) {
  static const char name[] = "dssession=";
  const struct datasnap *w = s->data;
  struct buffer value;
  bool ok;
  (void)L;
  if (!w->id) return true;
  buffer_init(&value, &s->loop->memory, 1 << 20);
  value.secret = true;
  ok = buffer_add(&value, name, sizeof name - 1) == BUFFER_OK &&
       buffer_add(&value, w->id, w->id_size - 1) == BUFFER_OK &&
       header_list_set(lines, "Pragma", 6, value.data, value.length) != HEADER_NO_MEMORY;
  buffer_wipe(&value);
  return ok;
}

/* Verbs */

static void check_text (lua_State *L, int index, const char *what) {
  size_t length;
  const char *text;
  if (lua_type(L, index) != LUA_TSTRING) luaL_typeerror(L, index, what);
  text = lua_tolstring(L, index, &length);
  if (strlen(text) < length)
    luaL_argerror(L, index, lua_pushfstring(L, "%s with a NUL byte cannot be sent by HTTP Basic", what));
}

/* Accepts no user, or a user with a password, which may be empty. */
static void check_login (lua_State *L, struct session *s) {
  (void)s;
  if (lua_isnoneornil(L, 2)) {
    luaL_argcheck(L, lua_isnoneornil(L, 3), 2, "expected the user name that belongs to the password");
    return;
  }
  check_text(L, 2, "a user name");
  check_text(L, 3, "a password");
  luaL_argcheck(L, *lua_tostring(L, 2), 2, "a user name must not be empty");
  luaL_argcheck(L, !strchr(lua_tostring(L, 2), ':'), 2, "a user name with ':' cannot be sent by HTTP Basic");
}

static void logged_in (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_LOGIN, &found);
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

/* The model follows from the credentials; the identity was made before, with the former model. */
static bool log_in (lua_State *L, struct operation *op, const struct credentials *as) {
  struct session *s = op->session;
  s->model = s->who->model = as->user ? MODEL_BASIC : MODEL_ANONYMOUS;
  return session_hold_credentials(s->who, as) && datasnap_ask_platform(L, op, logged_in);
}

static void checked (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_CHECK, &found);
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static bool check (lua_State *L, struct operation *op) {
  return datasnap_ask_platform(L, op, checked);
}

static void pinged (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_PING, &found);
  verdict_conclude(L, op, x, &found, RESULT_TRUE);
}

static bool ping (lua_State *L, struct operation *op) {
  return datasnap_ask_platform(L, op, pinged);
}

/* Re-establishing: asks whether the server still has the session; else the next call begins another. */

static void still_there (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_CHECK, &found);
  if (found.verdict != VERDICT_EXPIRED) {
    verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
    return;
  }
  verdict_apply(L, op, &found);
  operation_must(L, op, datasnap_ask_platform(L, op, logged_in));
}

static bool reestablish (lua_State *L, struct operation *op, unsigned attempt) {
  const struct datasnap *w = op->session->data;
  (void)attempt;
  operation_push_session(L, op);
  session_lapse(L, lua_gettop(L));
  lua_pop(L, 1);
  return datasnap_ask_platform(L, op, w->id ? still_there : logged_in);
}

static bool can_renew (const struct session *s) {
  (void)s;
  return true;
}

/* Closing */

enum { STAGE_CLOSE = 1 }; /* the user called closeSession and gets the server's response */

static void push_closed (lua_State *L, struct operation *op, const struct exchange *x,
                         const struct finding *found) {
  (void)op;
  if (!datasnap_push_value(L, x) || lua_type(L, -1) == LUA_TSTRING) { /* the web server's own page */
    lua_pop(L, 1);
    lua_pushboolean(L, true);
  }
  error_push_result(L, RESULT_SUCCESS);
  verdict_push_info(L, x, found);
}

/* A session that the server has ended already is what logout wanted. */
static void logged_out (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_LOGOUT, &found);
  verdict_blame_stop(L, op, x, &found);
  if (op->stage == STAGE_CLOSE) {
    verdict_conclude_with(L, op, x, &found, push_closed);
    return;
  }
  if (found.verdict == VERDICT_EXPIRED) found.verdict = VERDICT_ALIVE;
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

static bool is_held (const struct session *s) {
  const struct datasnap *w = s->data;
  return w->id && !(s->expires > 0 && clock_now() >= s->expires);
}

/* Without an id the server would make a session in order to close it. */
static bool logout (lua_State *L, struct operation *op) {
  struct session *s = op->session;
  const struct datasnap *w = s->data;
  if (!is_held(s)) return conclude_later(L, op);
  return operation_send(L, op, session_exchange_brief(L, s, "GET", uri_append(w->rest, "/CloseSession/")),
                        logged_out);
}

static void nothing_closed (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  lua_pushboolean(L, false);
  error_push_result(L, RESULT_SUCCESS);
  lua_newtable(L);
  operation_resolve(L, op);
}

void datasnap_prepare_next (lua_State *L, struct session *s) {
  struct datasnap *w = s->data;
  identity_release(w->next);
  w->next = NULL;
  if (!s->who || !s->who->credentials || s->login || s->phase == PHASE_INVALID) return;
  w->next = identity_new(s->loop, s->model, s->service, s->transport);
  if (!w->next) luaL_error(L, "not enough memory");
  if (w->next) w->next->credentials = basic_auth_keep(s->who->credentials);
}

/*
** After a logout: restores the user, so that the next call makes a session of the same one. Its name is at
** `name`.
*/
static void go_on_as_before (lua_State *L, struct session *s, int name) {
  struct datasnap *w = s->data;
  if (!w->next) return;
  s->who = w->next;
  w->next = NULL;
  lua_pushvalue(L, name);
  session_setvalue(L, 1, SESSION_USER);
}

/*
** closeSession(): logout that resolves with the server's response; false: there was no session. Credentials
** stay.
*/
static int close_session (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  session_lapse(L, 1);
  lua_settop(L, 1);
  session_getvalue(L, 1, SESSION_USER);
  datasnap_prepare_next(L, s);
  lua_pushcfunction(L, session_logout);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  go_on_as_before(L, s, 2);
  op = lua_touserdata(L, -1);
  op->stage = STAGE_CLOSE;
  if (op->step == conclude_at_once) op->step = nothing_closed;
  return 1;
}

/* getSessionID(): nil when no id is held or its deadline has passed; the session then expires. */
static int get_session_id (lua_State *L) {
  const struct session *s = session_check(L, 1);
  session_lapse(L, 1);
  push_id(L, s);
  return 1;
}

static const char *const options[] = {"dscontext", "restcontext", "cachecontext", "sessionCookiePrefix",
                                      NULL};

static const luaL_Reg methods[] = {{"closeSession", close_session},
                                   {"getSessionID", get_session_id},
                                   {"initSessionData", datasnap_init_session_data},
                                   {"cache", datasnap_cache},
                                   {"batch", datasnap_batch},
                                   {"getMethodURL", datasnap_get_method_url},
                                   {"getCacheURL", datasnap_get_cache_url},
                                   {"getURLPrefix", datasnap_get_url_prefix},
                                   {"channel", datasnap_channel},
                                   {NULL, NULL}};

const struct protocol protocol_datasnap = {
    .name = "datasnap",
    .raises = true,
    .options = options,
    .methods = methods,
    .configure = configure,
    .release = release,
    .reconnects = RECONNECT_ASKED,
    .implicit = true,
    .not_run = true,
    .check_login = check_login,
    .login = log_in,
    .check = check,
    .ping = ping,
    .logout = logout,
    .reestablish = reestablish,
    .can_renew = can_renew,
    .invoke = datasnap_invoke,
    .dress = dress,
    .sign = sign,
    .judge = datasnap_judge,
    .telling = USUAL_TELLING,
    .learn = learn,
    .forget = forget,
    .push_id = push_id,
    .push_name = datasnap_push_name,
    .save = datasnap_save,
    .restore = datasnap_restore,
};
