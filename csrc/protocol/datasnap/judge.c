/*
** judge: decides what a DataSnap server's response says: of the session, by the header Pragma; of the call,
** by status and body.
*/
#include "net/ascii.h"
#include "net/carried.h"
#include "net/curl_failure.h"
#include "net/system.h"
#include "protocol/datasnap/datasnap.h"
#include "runtime/json.h"
#include "session/protocol.h"

#include <stdlib.h>
#include <string.h>

/* Pragma */

struct span {
  const char *text; /* borrowed */
  size_t length;
};

static bool is_blank (char c) {
  return c == ' ' || c == '\t';
}

static struct span trimmed (const char *text, size_t length) {
  struct span span = {text, length};
  while (span.length && is_blank(*span.text)) {
    span.text++;
    span.length--;
  }
  while (span.length && is_blank(span.text[span.length - 1]))
    span.length--;
  return span;
}

static bool is_named (struct span span, const char *name) {
  return span.length == strlen(name) && ascii_same_start(span.text, name, span.length);
}

/* Converts milliseconds to seconds; 0: not a number. */
static double read_milliseconds (struct span span) {
  enum { MOST_DIGITS = 15 };
  double value = 0;
  size_t i;
  if (span.length > MOST_DIGITS) return 0;
  for (i = 0; i < span.length; i++) {
    if (span.text[i] < '0' || span.text[i] > '9') return 0;
    value = value * 10 + (span.text[i] - '0');
  }
  return value / 1000;
}

/* Reads one "name=value" of the header, which may hold others. */
static void read_item (struct finding *found, const char *text, size_t length) {
  const char *equals = memchr(text, '=', length);
  struct span name, value;
  if (!equals) return;
  name = trimmed(text, (size_t)(equals - text));
  value = trimmed(equals + 1, length - (size_t)(equals + 1 - text));
  if (is_named(name, "dssession")) {
    found->session_id = value.text;
    found->session_id_length = value.length;
  } else if (is_named(name, "dssessionexpires"))
    found->lifetime = read_milliseconds(value);
}

/* An id without a time never expires. An empty id means that there is no session. */
static void read_pragma (const struct exchange *x, struct finding *found) {
  const struct buffer *headers = &x->response.headers;
  struct header_line line;
  size_t at = 0;
  while (header_next(headers->data, headers->length, &at, &line)) {
    size_t i = 0, n;
    if (line.name_length != 6 || !ascii_same_start(line.name, "Pragma", 6)) continue;
    for (; i < line.value_length; i += n + 1) {
      const char *comma = memchr(line.value + i, ',', line.value_length - i);
      n = comma ? (size_t)(comma - line.value) - i : line.value_length - i;
      read_item(found, line.value + i, n);
    }
  }
  if (found->session_id) cookie_jar_note_secret(x->request.jar);
  found->has_lifetime = found->session_id != NULL;
  if (!found->session_id_length) found->lifetime = 0;
}

/* Bodies */

/* The first byte that is not white space; 0: there is none. */
static char first_of (const struct exchange *x) {
  const struct buffer *body = &x->response.body;
  size_t i = 0;
  while (i < body->length && strchr(" \t\r\n", body->data[i]))
    i++;
  return (char)(i < body->length ? body->data[i] : 0);
}

bool datasnap_says_json (const struct exchange *x) {
  return exchange_has_type(x, "application/json") || exchange_has_type(x, "application/rest");
}

/* Older servers send all types as text/html; a stream of bytes is never JSON. */
static bool may_be_json (const struct exchange *x) {
  char first = first_of(x);
  if (exchange_has_type(x, "application/octet-stream")) return false;
  return first == '{' || first == '[' || datasnap_says_json(x);
}

bool datasnap_push_value (lua_State *L, const struct exchange *x) {
  const struct buffer *body = &x->response.body;
  bool decoded;
  if (!body->length) {
    lua_pushboolean(L, true);
    return true;
  }
  lua_pushlstring(L, body->data, body->length);
  if (!may_be_json(x)) return true;
  lua_pushvalue(L, -1);
  decoded = json_decode(L);
  lua_remove(L, decoded ? -2 : -1);
  return decoded || !first_of(x) || !datasnap_says_json(x);
}

void datasnap_blame_body (struct finding *found, const char *what) {
  verdict_blame(found, VERDICT_NEUTRAL, "protocol", NULL, what, NULL);
  if (found->session_id) found->stands = true;
}

static bool holds (const struct exchange *x, const char *text) {
  const struct buffer *body = &x->response.body;
  return body->length && memmem(body->data, body->length, text, strlen(text)) != NULL;
}

/*
** Pushes the value of a key of a body that is an object; `quoted` is the key in quotes. False, and nothing
** pushed: there is none.
*/
static bool push_member (lua_State *L, const struct exchange *x, const char *key, const char *quoted) {
  int top = lua_gettop(L);
  if (first_of(x) != '{' || !may_be_json(x) || !holds(x, quoted)) return false;
  lua_pushlstring(L, x->response.body.data, x->response.body.length);
  if (json_decode(L) && lua_istable(L, -1) && lua_getfield(L, -1, key) != LUA_TNIL) {
    lua_remove(L, -2);
    return true;
  }
  lua_settop(L, top);
  return false;
}

static bool says_expired (lua_State *L, const struct exchange *x) {
  bool says = x->response.status == 403 && push_member(L, x, "SessionExpired", "\"SessionExpired\"");
  if (says) lua_pop(L, 1);
  return says;
}

/* Only a response that begins so may be an error in spite of its status, and is worth a second decoding. */
static bool begins_with_error (const struct exchange *x) {
  static const char key[] = "\"error\"";
  const struct buffer *body = &x->response.body;
  size_t i = 0;
  if (first_of(x) != '{') return false;
  while (i < body->length && strchr(" \t\r\n{", body->data[i]))
    i++;
  return body->length - i >= sizeof key - 1 && !memcmp(body->data + i, key, sizeof key - 1);
}

/* Copies one line of the server's text, as much of it as fits in a message. */
static void tidy (char *to, size_t size, const char *text, size_t length) {
  size_t n = length < size ? length : size - 1, i;
  while (n < length && n && ((unsigned char)text[n] & 0xC0) == 0x80) /* never inside a character */
    n--;
  for (i = 0; i < n; i++)
    to[i] = (char)((unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i]);
  to[n] = 0;
}

/*
** True if the body is {"error": text} and has no other key: a method's result may have that key beside
** others.
*/
static bool is_error (lua_State *L, const struct exchange *x) {
  int top = lua_gettop(L);
  bool is = false;
  if (!begins_with_error(x) || !may_be_json(x)) return false;
  lua_pushlstring(L, x->response.body.data, x->response.body.length);
  if (json_decode(L) && lua_istable(L, -1)) {
    lua_pushnil(L);
    is = lua_next(L, top + 1) && lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) > 0;
    lua_settop(L, top + 2 - !is);
    is = is && !lua_next(L, top + 1);
  }
  lua_settop(L, top);
  return is;
}

/* Copies the text of the server's error. False: the body is none. */
static bool read_error (lua_State *L, const struct exchange *x, char *to, size_t size) {
  static const char wordless[] = "the server's method failed";
  size_t length = 0;
  const char *text;
  if (x->response.status < 400 && !is_error(L, x)) return false;
  if (!push_member(L, x, "error", "\"error\"")) return false;
  text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : "";
  if (length && carried_is_in(x, text, length)) length = 0;
  tidy(to, size, length ? text : wordless, length ? length : sizeof wordless - 1);
  lua_pop(L, 1);
  return true;
}

/* True if the body is {"result": ["a name"]}. */
static bool is_platform (lua_State *L, const struct exchange *x) {
  bool is = false;
  int top = lua_gettop(L);
  if (x->response.status == 200 && push_member(L, x, "result", "\"result\"") && lua_istable(L, -1)) {
    lua_rawgeti(L, -1, 1);
    is = lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) > 0;
  }
  lua_settop(L, top);
  return is;
}

/* Addresses */

/* The address of a call's class and method, without parameters, which may be secrets. */
static struct uri *without_parameters (const struct session *s, const struct uri *uri) {
  const struct datasnap *w = s->data;
  const char *text = uri_text(uri), *end = text + datasnap_length(w->rest), *why;
  int slashes = 0;
  if (!uri_within(w->rest, uri)) return uri_keep((struct uri *)uri);
  while (*end && *end != '?' && slashes < 3)
    slashes += *end++ == '/';
  return uri_parse(&s->loop->memory, text, (size_t)(end - text), &why);
}

/* Out of memory: serviceURI is shown instead. */
static const struct uri *shown_address (struct session *s, const struct uri *uri) {
  struct datasnap *w = s->data;
  struct uri *shown = without_parameters(s, uri);
  uri_release(w->shown);
  w->shown = shown;
  return shown ? shown : s->service;
}

void datasnap_judge_call (lua_State *L, struct operation *op, const struct exchange *x,
                          struct finding *found) {
  verdict_judge(L, op, x, PURPOSE_REQUEST, found);
  if (x->response.failure == FAILURE_NONE) return;
  found->fault.uri = shown_address(op->session, x->request.uri);
  verdict_say(found, "%s: %s%s%s", uri_public_text(found->fault.uri), curl_failure_name(x->response.failure),
              x->response.detail[0] ? ": " : "", x->response.detail);
}

/* Judging */

static void blame (struct finding *found, const char *kind, const char *what, const char *hint) {
  verdict_blame(found, VERDICT_NEUTRAL, kind, NULL, what, hint);
  found->stands = found->session_id != NULL;
}

static bool has_credentials (const struct session *s) {
  return s->who && s->who->credentials;
}

/* The server made no session. */
static void judge_unknown (const struct session *s, struct finding *found) {
  bool known = has_credentials(s);
  blame(found, "auth",
        known ? "the server did not accept the user name or password"
              : "the server wants a user name and password",
        known ? NULL : "call login with a user name and a password");
  found->fault.result = RESULT_AUTHENTICATION_FAILURE;
}

static bool is_away (long status) {
  return status == 404 || status == 410 || status == 502 || status == 503 || status == 504;
}

static void judge_away (struct finding *found) {
  long status = found->fault.status;
  bool missing = status == 404 || status == 410;
  verdict_blame(found, VERDICT_ABSENT, "offline", REASON_APPLICATION,
                missing ? "no DataSnap server answers there" : "the DataSnap server is not available",
                missing ? "check serviceURI and dscontext, and that the server is started" : NULL);
  found->fault.retryable = true;
}

/* Something other than a DataSnap server answered. */
static void judge_stranger (struct finding *found, const char *text) {
  bool page = found->fault.status < 400 && !text;
  verdict_blame(found, VERDICT_BROKEN, page ? "protocol" : "http",
                found->purpose == PURPOSE_PING ? REASON_APPLICATION : NULL,
                text ? text : "not an answer of a DataSnap server",
                page ? "check serviceURI and dscontext, and proxies before the server" : NULL);
}

/*
** Judges the response to GetPlatformName, for any purpose. An id proves that the server took the credentials.
*/
static void judge_platform (lua_State *L, const struct session *s, const struct exchange *x,
                            struct finding *found) {
  char text[256];
  long status = found->fault.status;
  const char *said = read_error(L, x, text, sizeof text) ? text : NULL;
  bool ping = found->purpose == PURPOSE_PING;
  if (is_platform(L, x) || (!ping && found->session_id))
    found->verdict = VERDICT_ALIVE;
  else if (found->session_id)
    blame(found, status < 400 ? "protocol" : "http", said ? said : "not an answer to a ping", NULL);
  else if (status == 401 || status == 403) {
    judge_unknown(s, found);
    if (found->purpose == PURPOSE_LOGIN) found->verdict = VERDICT_REFUSED;
  } else if (is_away(status))
    judge_away(found);
  else
    judge_stranger(found, said);
  if (!ping) return;
  found->fault.retryable = found->verdict != VERDICT_NEUTRAL;
  if (found->verdict == VERDICT_ALIVE && s->device_offline)
    verdict_blame(found, VERDICT_NEUTRAL, "offline", REASON_DEVICE,
                  "the host says that this device has no network", NULL);
}

static const char *refusal (long status) {
  switch (status) {
  case 400: return "malformed: expected the address of something in the cache";
  case 409: return "the server does not understand a request filter";
  default: return verdict_refusal(status);
  }
}

static void judge_call (lua_State *L, const struct session *s, const struct exchange *x,
                        struct finding *found) {
  char text[256];
  long status = found->fault.status;
  bool error = read_error(L, x, text, sizeof text);
  if (status < 400 && !error)
    found->verdict = VERDICT_ALIVE;
  else if (status == 401 || (status == 403 && !error && !found->session_id))
    judge_unknown(s, found);
  else if (status == 403)
    blame(found, "auth", error ? text : "this user is not allowed to do that", NULL);
  else if (status == 501 && uri_within(((const struct datasnap *)s->data)->batch, x->request.uri))
    blame(found, "http", "the server does not support batches: only the oldest servers do",
          "call the methods one by one");
  else {
    blame(found, "http", error ? text : refusal(status), NULL);
    found->fault.retryable = status == 429 || status == 502 || status == 503 || status == 504;
  }
}

/* Responses of the cache and to batches name no session, but the server has renewed it for them. */
static void renew_silently (const struct session *s, const struct exchange *x, struct finding *found) {
  const struct datasnap *w = s->data;
  bool silent = uri_within(w->cache, x->request.uri) || uri_within(w->batch, x->request.uri);
  if (!silent || found->session_id || !w->id || found->fault.status != 200) return;
  found->stands = true;
  if (w->lifetime <= 0) return;
  found->has_lifetime = true;
  found->lifetime = w->lifetime;
}

static void judge_logout (struct finding *found) {
  if (found->fault.status == 200)
    found->verdict = VERDICT_ALIVE;
  else
    verdict_blame(found, VERDICT_BROKEN, "http", NULL,
                  "the server may not have ended the session; it is ended here", NULL);
}

void datasnap_judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                     struct finding *found) {
  verdict_begin(found, x, purpose);
  found->fault.uri = shown_address(s, x->response.uri);
  if (uri_within(s->service, x->response.uri)) read_pragma(x, found);
  if (says_expired(L, x)) {
    verdict_blame(found, VERDICT_EXPIRED, "expired", REASON_EXPIRED, "the server has ended the session",
                  "the next call begins a new one");
    found->fault.result = RESULT_AUTHENTICATION_FAILURE;
  } else if (purpose == PURPOSE_LOGOUT)
    judge_logout(found);
  else if (purpose == PURPOSE_REQUEST || purpose == PURPOSE_CATALOG) {
    judge_call(L, s, x, found);
    renew_silently(s, x, found);
  } else
    judge_platform(L, s, x, found);
}
