/*
** wording: writes requests and reads responses. The connect is the URL that the vendor documents; all other
** requests follow a convention of this library, which no PROIV server is known to speak.
*/
#include "net/form.h"
#include "protocol/proiv/proiv.h"
#include "runtime/json.h"
#include "runtime/loop.h"
#include "runtime/response.h"
#include "session/protocol.h"

#include <string.h>

int proiv_push (lua_State *L, const struct session *s, const char *field) {
  int top = lua_gettop(L);
  session_push(L, s);
  if (lua_isnil(L, -1) || session_getvalue(L, -1, SESSION_DATA) != LUA_TTABLE)
    lua_pushnil(L); /* GCOVR_EXCL_LINE: a pending operation keeps its session */
  else
    lua_getfield(L, -1, field);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  return lua_type(L, -1);
}

/* Requests */

static bool add_type (struct exchange *x) {
  struct header_list *lines = header_list_copy(x->request.headers);
  if (!lines) return false;
  header_list_release(x->request.headers);
  x->request.headers = lines;
  x->request.has_body = true;
  return header_list_set(lines, "Content-Type", 12, FORM_TYPE, sizeof FORM_TYPE - 1) == HEADER_OK;
}

static struct exchange *post (lua_State *L, struct session *s) {
  const struct proiv *p = s->data;
  struct exchange *x = session_exchange(L, s, "POST", uri_keep(p->address));
  if (!x || add_type(x)) return x;
  exchange_free(x);
  return NULL;
}

/* Takes a buffer's content as the query. */
static struct uri *add_query (const struct session *s, const struct uri *base, const struct buffer *query) {
  const char *text = uri_text(base), *why;
  struct buffer whole;
  struct uri *uri = NULL;
  buffer_init(&whole, &s->loop->memory, (size_t)-1);
  whole.secret = true;
  if (buffer_add(&whole, text, strlen(text)) == BUFFER_OK &&
      buffer_add(&whole, strchr(text, '?') ? "&" : "?", 1) == BUFFER_OK &&
      buffer_add(&whole, query->data, query->length) == BUFFER_OK)
    uri = uri_parse(&s->loop->memory, whole.data, whole.length, &why);
  buffer_wipe(&whole);
  return uri;
}

/*
** Writes the fields in the vendor's order; documented ones are always there. The table of details is on top.
*/
static bool add_details (lua_State *L, const struct credentials *as, const struct credentials *secret,
                         struct buffer *form) {
  static const struct {
    const char *field, *name;
    bool always;
  } details[] = {
      {"sessionType", "SessionType", true}, {"hostname", "Hostname", true}, {"port", "Port", true},
      {"username", "Username", true},       {"password", "Password", true}, {"command", "Command", false},
      {"resourceURL", "ResourceURL", false}};
  const struct credentials *given = as->password ? as : secret;
  bool ok = true;
  size_t i, length;
  for (i = 0; ok && i < sizeof details / sizeof *details; i++) {
    const char *text;
    lua_getfield(L, -1, details[i].field);
    text = lua_tolstring(L, -1, &length);
    if (!strcmp(details[i].field, "password") && given) {
      text = given->password;
      length = given->password_length;
    } else if (!strcmp(details[i].field, "username") && as->user) {
      text = as->user;
      length = as->user_length;
    }
    if (text || details[i].always) ok = form_add(form, details[i].name, text ? text : "", text ? length : 0);
    lua_pop(L, 1);
  }
  return ok;
}

/* Arguments, light userdata: the session, the login, the buffer. Returns true; false: out of memory. */
static int fill_connect (lua_State *L) {
  const struct session *s = lua_touserdata(L, 1);
  const struct proiv *p = s->data;
  struct buffer *form = lua_touserdata(L, 3);
  const char *service;
  size_t length;
  bool ok;
  if (proiv_push(L, s, "data") != LUA_TTABLE)
    ok = false; /* GCOVR_EXCL_LINE: a pending operation keeps its session */
  else if (p->is_explicit)
    ok = add_details(L, lua_touserdata(L, 2), p->secret, form);
  else {
    lua_getfield(L, -1, "service");
    service = lua_tolstring(L, -1, &length);
    ok = service && form_add(form, "SESSION_NAME", service, length);
  }
  lua_pushboolean(L, ok);
  return 1;
}

/* Raises nothing: C owns the buffer. */
static bool connect_filled (lua_State *L, struct session *s, const struct credentials *as,
                            struct buffer *form) {
  bool ok;
  lua_pushcfunction(L, fill_connect);
  lua_pushlightuserdata(L, s);
  lua_pushlightuserdata(L, (void *)as);
  lua_pushlightuserdata(L, form);
  ok = lua_pcall(L, 3, 1, 0) == LUA_OK && lua_toboolean(L, -1);
  lua_pop(L, 1);
  return ok;
}

static struct exchange *connect_by_get (lua_State *L, struct session *s, const struct credentials *as) {
  const struct proiv *p = s->data;
  struct exchange *x = NULL;
  struct buffer query;
  buffer_init(&query, &s->loop->memory, (size_t)-1);
  query.secret = true;
  if (connect_filled(L, s, as, &query)) x = session_exchange(L, s, "GET", add_query(s, p->address, &query));
  buffer_wipe(&query);
  return x;
}

/* Sent twice it might open two sessions. */
struct exchange *proiv_connect (lua_State *L, struct session *s, const struct credentials *as) {
  const struct proiv *p = s->data;
  struct exchange *x;
  if (!p->is_explicit || p->explicit_by_get)
    x = connect_by_get(L, s, as);
  else {
    x = post(L, s);
    if (x && !connect_filled(L, s, as, &x->request.body)) {
      /* GCOVR_EXCL_START: out of memory; the torture connects to a service by name */
      exchange_free(x);
      return NULL;
      /* GCOVR_EXCL_STOP */
    }
  }
  if (x) x->request.once = true;
  return x;
}

/* The key that names the session: the server's, or the session's own, which stays on the stack. */
static const char *push_key (lua_State *L, struct session *s, size_t *length) {
  const struct proiv *p = s->data;
  *length = p->key_size ? p->key_size - 1 : 0;
  if (p->key) return p->key;
  session_push(L, s);
  active_session_push_key(L, -1);
  return lua_tolstring(L, -1, length);
}

/* The key comes first: making it may raise. */
struct exchange *proiv_act (lua_State *L, struct session *s, const char *action) {
  int top = lua_gettop(L);
  size_t length;
  const char *key = push_key(L, s, &length);
  struct exchange *x = post(L, s);
  if (x && !(form_add(&x->request.body, "ACTION", action, strlen(action)) &&
             form_add(&x->request.body, "SESSION_KEY", key, length))) {
    /* GCOVR_EXCL_START: out of memory; seldom in a short run */
    exchange_free(x);
    x = NULL;
    /* GCOVR_EXCL_STOP */
  }
  lua_settop(L, top);
  return x;
}

/* Answers */

/* Leaves the text of that member of the JSON body on the stack, or nil. */
static const char *push_member (lua_State *L, const struct exchange *x, const char *name) {
  const struct buffer *body = &x->response.body;
  int top = lua_gettop(L);
  size_t i = 0;
  while (i < body->length && strchr(" \t\r\n", body->data[i]))
    i++;
  if (i == body->length || body->data[i] != '{') {
    lua_pushnil(L);
    return NULL;
  }
  lua_pushlstring(L, body->data, body->length);
  if (json_decode(L) && lua_istable(L, -1) && lua_getfield(L, -1, name) == LUA_TSTRING)
    lua_replace(L, top + 1);
  else {
    lua_pushnil(L);
    lua_replace(L, top + 1);
  }
  lua_settop(L, top + 1);
  return lua_tostring(L, -1);
}

bool proiv_set_key (struct session *s, const char *key, size_t length) {
  struct proiv *p = s->data;
  proiv_forget_key(s);
  p->key = memory_new(&s->loop->memory, length + 1);
  if (!p->key) return false;
  p->key_size = length + 1;
  memcpy(p->key, key, length);
  return true;
}

bool proiv_is_key_too_long (lua_State *L, const struct exchange *x) {
  size_t length = 0;
  push_member(L, x, "sessionKey");
  lua_tolstring(L, -1, &length);
  lua_pop(L, 1);
  return length > PROIV_MOST_KEY;
}

bool proiv_take_key (lua_State *L, struct session *s, const struct exchange *x) {
  size_t length;
  bool ok = true;
  push_member(L, x, "sessionKey");
  if (lua_tolstring(L, -1, &length) && length) ok = proiv_set_key(s, lua_tostring(L, -1), length);
  lua_pop(L, 1);
  return ok;
}

bool proiv_answer_of (const char *word, enum proiv_answer *answer) {
  static const char *const words[] = {"running", "stopping", "refused", "ended", "lost", NULL};
  int i;
  for (i = 0; word && words[i]; i++)
    if (!strcmp(words[i], word)) {
      *answer = (enum proiv_answer)i;
      return true;
    }
  return false;
}

static enum proiv_answer read_state (lua_State *L, const struct exchange *x) {
  enum proiv_answer answer = PROIV_SAYS_NOTHING;
  const char *state = push_member(L, x, "state");
  if (!state) answer = PROIV_SAYS_RUNNING;
  proiv_answer_of(state, &answer);
  lua_pop(L, 1);
  return answer;
}

static enum proiv_answer classify (lua_State *L, const struct exchange *x) {
  long status = x->response.status;
  if (status >= 200 && status <= 299) return read_state(L, x);
  if (status >= 500) return PROIV_SAYS_LATER;
  switch (status) {
  case 401:
  case 403:
  case 404:
  case 410: return PROIV_SAYS_LOST;
  case 409: return PROIV_SAYS_REFUSED;
  default: return PROIV_SAYS_NOTHING;
  }
}

/*
** Arguments: the function, the exchange and the answer to fill in, both light userdata. Returns true: it was
** filled in.
*/
static int ask_classify (lua_State *L) {
  enum proiv_answer *answer = lua_touserdata(L, 3);
  const char *word;
  lua_pushvalue(L, 1);
  response_push(L, lua_touserdata(L, 2));
  lua_getfield(L, 5, "status");
  lua_getfield(L, 5, "headers");
  lua_getfield(L, 5, "body");
  lua_remove(L, 5);
  lua_call(L, 3, 1);
  if (lua_isnil(L, -1)) {
    lua_pushboolean(L, false);
    return 1;
  }
  word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  if (!proiv_answer_of(word, answer))
    return luaL_error(L, "transport: classify: expected a state or nil, got %s", luaL_tolstring(L, -1, NULL));
  lua_pushboolean(L, true);
  return 1;
}

/* Pushes the transport's function of that name. False, and nothing pushed: there is none. */
static bool push_classify (lua_State *L, const struct session *s) {
  if (proiv_push(L, s, "transport") == LUA_TTABLE && lua_getfield(L, -1, "classify") == LUA_TFUNCTION) {
    lua_remove(L, -2);
    return true;
  }
  return false;
}

enum proiv_answer proiv_classify (lua_State *L, struct session *s, const struct exchange *x) {
  enum proiv_answer answer = PROIV_SAYS_NOTHING;
  int top = lua_gettop(L);
  bool said = false;
  lua_pushcfunction(L, ask_classify);
  if (push_classify(L, s)) {
    lua_pushlightuserdata(L, (void *)x);
    lua_pushlightuserdata(L, &answer);
    said = true;
    if (lua_pcall(L, 3, 1, 0) != LUA_OK)
      loop_report(L);
    else
      said = lua_toboolean(L, -1);
  }
  lua_settop(L, top);
  return said ? answer : classify(L, x);
}
