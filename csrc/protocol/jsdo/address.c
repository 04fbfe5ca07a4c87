#include "protocol/jsdo/address.h"

#include "net/ascii.h"
#include "protocol/jsdo/token_provider.h"
#include "runtime/loop.h"
#include "runtime/options.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* In `data`, made on first need: a session that never pinged has none. */
struct address {
  struct uri *ping;    /* owned reference; NULL: unknown */
  struct pong *pong;   /* borrowed: the registry keeps it; NULL: not looked up yet */
  bool time_stamp;     /* each request gets a _ts parameter */
  bool has_context_id; /* SESSION_CONTEXT_ID is not nil */
};

/* The last good response to a ping in this Lua state: a userdata in the registry, at the key's address. */
struct pong {
  size_t length;
  char text[256];
};
static const char pong_key = 0;

static struct address *need (struct session *s) {
  if (!s->data) s->data = memory_new(&s->loop->memory, sizeof(struct address));
  return s->data;
}

static struct address *must (lua_State *L, struct session *s) {
  struct address *a = need(s);
  if (!a) luaL_error(L, "not enough memory");
  return a;
}

void jsdo_release (struct session *s) {
  struct address *a = s->data;
  if (a) uri_release(a->ping);
  memory_free(&s->loop->memory, a, sizeof *a);
  s->data = NULL;
}

/* The option timeStamp */

void jsdo_take_time_stamp (lua_State *L, struct session *s) {
  if (options_boolean(L, 1, "timeStamp", false)) must(L, s)->time_stamp = true;
}

struct uri *jsdo_stamp (struct session *s, struct uri *uri) {
  const struct address *a = s->data;
  char stamp[64];
  const char *why;
  struct uri *stamped;
  struct timespec now;
  size_t length;
  struct buffer text;
  if (!uri || !a || !a->time_stamp) return uri;
  clock_gettime(CLOCK_REALTIME, &now);
  length =
      (size_t)snprintf(stamp, sizeof stamp, "%c_ts=%lld-%ld-%llu", strchr(uri_text(uri), '?') ? '&' : '?',
                       (long long)now.tv_sec / 10, now.tv_nsec, ++s->loop->stamps);
  buffer_init(&text, &s->loop->memory, 1 << 20);
  stamped = NULL;
  if (buffer_add(&text, uri_text(uri), strlen(uri_text(uri))) == BUFFER_OK &&
      buffer_add(&text, stamp, length) == BUFFER_OK)
    stamped = uri_parse(&s->loop->memory, text.data, text.length, &why);
  buffer_cleanup(&text);
  uri_release(uri);
  return stamped;
}

/* The client context id */

static bool is_plain (const char *text) {
  while (ascii_is_alnum(*text) || (*text && strchr("-._~", *text)))
    text++;
  return !*text;
}

/* Pushes the client context id. NULL: the address needs none, since access logs would show it. */
static const char *id_for (lua_State *L, const struct session *s, const struct uri *uri) {
  const char *id;
  session_push(L, s);
  if (lua_isnil(L, -1)) return NULL;
  session_getvalue(L, -1, SESSION_CONTEXT_ID);
  lua_remove(L, -2);
  id = lua_tostring(L, -1);
  if (!id || !*id || !strcmp(id, "0") || !is_plain(id) || !uri_within(s->service, uri)) return NULL;
  if (s->who && s->who->jar && cookie_jar_has_cookies(s->who->jar)) return NULL;
  return ascii_find(uri_text(uri), ";jsessionid=") ? NULL : id;
}

/* Inserts the path parameter before the query of `uri`. NULL: out of memory. */
static struct uri *with_id (const struct session *s, const struct uri *uri, const char *id) {
  static const char name[] = ";JSESSIONID=";
  const char *text = uri_text(uri), *why;
  size_t path = strcspn(text, "?");
  struct uri *made = NULL;
  struct buffer all;
  buffer_init(&all, &s->loop->memory, 1 << 20);
  all.secret = true;
  if (buffer_add(&all, text, path) == BUFFER_OK && buffer_add(&all, name, sizeof name - 1) == BUFFER_OK &&
      buffer_add(&all, id, strlen(id)) == BUFFER_OK &&
      buffer_add(&all, text + path, strlen(text + path)) == BUFFER_OK)
    made = uri_parse(&s->loop->memory, all.data, all.length, &why);
  buffer_wipe(&all);
  return made;
}

struct uri *jsdo_address (lua_State *L, struct session *s, struct uri *uri) {
  const struct address *a = s->data;
  struct uri *made = uri;
  const char *id;
  if (!uri || !a || !a->has_context_id) return uri;
  id = id_for(L, s, uri);
  if (id) {
    made = with_id(s, uri, id);
    uri_release(uri);
  }
  lua_pop(L, 1);
  return made;
}

bool jsdo_learn_context_id (lua_State *L, int index, struct session *s, const struct finding *found) {
  size_t length;
  const char *known;
  bool same;
  if (!found->context_id || !found->context_id_length) return false;
  session_getvalue(L, index, SESSION_CONTEXT_ID);
  known = lua_tolstring(L, -1, &length);
  same = known && length == found->context_id_length && !memcmp(known, found->context_id, length);
  lua_pop(L, 1);
  if (same) return false;
  must(L, s)->has_context_id = true;
  lua_pushlstring(L, found->context_id, found->context_id_length);
  session_setvalue(L, index, SESSION_CONTEXT_ID);
  return true;
}

void jsdo_forget_login (lua_State *L, int index, struct session *s, bool ended) {
  struct address *a = s->data;
  lua_pushnil(L);
  session_setvalue(L, index, SESSION_CONTEXT_ID);
  if (a) a->has_context_id = false;
  if (ended) jsdo_set_ping_uri(s, NULL);
  token_provider_abandon(s);
}

/* The ping service */

struct uri *jsdo_ping_uri (const struct session *s) {
  const struct address *a = s->data;
  return a ? a->ping : NULL;
}

void jsdo_set_ping_uri (struct session *s, struct uri *uri) {
  struct address *a = uri ? need(s) : s->data;
  if (!a) {
    uri_release(uri);
    return;
  }
  uri_release(a->ping);
  a->ping = uri;
}

static struct pong *find_pong (lua_State *L, const struct session *s) {
  struct address *a = s->data;
  struct pong *pong;
  if (a && a->pong) return a->pong;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &pong_key);
  pong = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (a) a->pong = pong;
  return pong;
}

bool jsdo_is_known_pong (lua_State *L, const struct session *s, const struct exchange *x) {
  const struct buffer *body = &x->response.body;
  const struct pong *pong = find_pong(L, s);
  return pong && x->response.status == 200 && body->length && body->length == pong->length &&
         !memcmp(body->data, pong->text, body->length) && exchange_has_type(x, "application/json");
}

void jsdo_remember_pong (lua_State *L, const struct session *s, const struct exchange *x) {
  const struct buffer *body = &x->response.body;
  struct pong *pong;
  if (x->response.status != 200 || !body->length || body->length > sizeof pong->text ||
      !exchange_has_type(x, "application/json"))
    return;
  pong = find_pong(L, s);
  if (!pong) {
    pong = compat_newuserdata(L, sizeof *pong, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &pong_key);
  }
  memcpy(pong->text, body->data, body->length);
  pong->length = body->length;
}

/* The store */

void jsdo_save_fields (lua_State *L, struct session *s) {
  const struct uri *ping = jsdo_ping_uri(s);
  if (!ping) return;
  lua_pushstring(L, uri_public_text(ping));
  lua_setfield(L, -2, "pingURI");
}

void jsdo_restore_fields (lua_State *L, int index, struct session *s) {
  size_t length;
  const char *text, *why;
  struct uri *ping;
  if (session_getvalue(L, index, SESSION_CONTEXT_ID) != LUA_TNIL) must(L, s)->has_context_id = true;
  lua_pop(L, 1);
  lua_getfield(L, -1, "pingURI");
  text = lua_tolstring(L, -1, &length);
  ping = text ? uri_parse(&s->loop->memory, text, length, &why) : NULL;
  if (ping && uri_within(s->service, ping))
    jsdo_set_ping_uri(s, ping);
  else
    uri_release(ping);
  lua_pop(L, 1);
}
