#include "catalog/revalidate.h"

#include "net/ascii.h"
#include "session/hooks.h"
#include "session/observer.h"
#include "session/operation.h"
#include "session/session.h"

#include <string.h>

static void add_text (luaL_Buffer *b, const char *text) {
  luaL_addstring(b, text ? text : "");
  luaL_addchar(b, 0);
}

/*
** True if the transport verifies certificates, shows none and uses no proxy: others may get another response.
*/
static bool is_usual (const struct transport *t) {
  return !t->insecure && !t->cert_file && !t->proxy;
}

/* Pushes the logged-in user, "" for anonymous; or nil. The session is at `index`. */
static void push_user (lua_State *L, int index, const struct session *s) {
  enum model model = s->who ? s->who->model : s->model;
  bool accepted = s->who && s->who->logged_in && s->phase == PHASE_AUTHORIZED;
  if (model == MODEL_ANONYMOUS)
    lua_pushliteral(L, "");
  else if (accepted && (model == MODEL_BASIC || model == MODEL_FORM))
    session_getvalue(L, index, SESSION_USER);
  else
    lua_pushnil(L);
}

/* Pushes the key. The user is on top, above the context properties. Both are preceded by their lengths. */
static void push_own_key (lua_State *L, const struct session *s, const struct uri *uri) {
  const struct transport *t = s->transport;
  luaL_Buffer b;
  lua_pushfstring(L, "%s %I ", model_name(s->who ? s->who->model : s->model), (LUAI_UACINT)lua_rawlen(L, -1));
  lua_insert(L, -3);
  lua_concat(L, 2);
  lua_concat(L, 2);
  luaL_buffinit(L, &b);
  add_text(&b, uri_text(uri));
  add_text(&b, uri_text(s->who ? s->who->uri : s->service));
  add_text(&b, t->ca_file);
  add_text(&b, t->ca_path);
  add_text(&b, t->crl_file);
  add_text(&b, t->pinned_key);
  add_text(&b, t->user_agent);
  luaL_pushresult(&b);
  lua_insert(L, -2);
  lua_concat(L, 2);
}

void revalidate_push_key (lua_State *L, const struct operation *op, const struct uri *uri) {
  const struct session *s = op->session;
  int top = lua_gettop(L);
  bool own = uri_same_origin(s->service, uri);
  if (op->apart || s->has_on_open || observer_is_set(op) || !is_usual(s->transport)) {
    lua_pushnil(L);
    return;
  }
  operation_push_session(L, op);
  if (!session_hooks(L)->context.push_text(L, top + 1)) lua_error(L);
  if (!own || lua_isnil(L, -1)) {
    lua_settop(L, top + 1);
    lua_pushliteral(L, "");
  }
  if (own)
    push_user(L, top + 1, s);
  else
    lua_pushliteral(L, "-");
  if (!lua_isnil(L, -1)) push_own_key(L, s, uri);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

static bool set_line (struct header_list *lines, const char *name, const char *value) {
  return !value || header_list_set(lines, name, strlen(name), value, strlen(value)) == HEADER_OK;
}

bool revalidate_ask (struct exchange *x, const char *etag, const char *modified) {
  struct header_list *lines;
  if (!etag && !modified) return true;
  lines = header_list_copy(x->request.headers);
  if (lines && set_line(lines, "If-None-Match", etag) && set_line(lines, "If-Modified-Since", modified)) {
    header_list_release(x->request.headers);
    x->request.headers = lines;
    return true;
  }
  header_list_release(lines);
  return false;
}

static bool find (const struct exchange *x, const char *name, struct header_line *line) {
  return exchange_find_header(x, name, line) && line->value_length > 0 &&
         header_is_value(line->value, line->value_length);
}

static void set_field (lua_State *L, const char *name, const struct header_line *line) {
  lua_pushlstring(L, line->value, line->value_length);
  lua_setfield(L, -2, name);
}

void revalidate_push_validators (lua_State *L, const struct exchange *x) {
  struct header_line etag, modified;
  bool has_etag = find(x, "ETag", &etag), has_modified = find(x, "Last-Modified", &modified);
  if (!has_etag && !has_modified) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 2);
  if (has_etag) set_field(L, "etag", &etag);
  if (has_modified) set_field(L, "lastModified", &modified);
}

/* True if the header is the same, or absent, in every catalog's request. */
static bool is_alike (const char *name, size_t length) {
  static const char *const names[] = {"Accept",
                                      "Accept-Encoding",
                                      "Accept-Language",
                                      "Origin",
                                      "User-Agent",
                                      "Access-Control-Request-Method",
                                      "Access-Control-Request-Headers"};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (strlen(names[i]) == length && ascii_same_start(names[i], name, length)) return true;
  return !length;
}

/* Reads the next element of a list from `*at` on. False: at the end. */
static bool next_element (const struct header_line *line, size_t *at, const char **element, size_t *length) {
  const char *p = line->value + *at, *end = line->value + line->value_length, *stop;
  if (p >= end) return false;
  stop = memchr(p, ',', (size_t)(end - p));
  if (!stop) stop = end;
  *at = (size_t)(stop - line->value) + 1;
  while (p < stop && (*p == ' ' || *p == '\t'))
    p++;
  while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t'))
    stop--;
  *element = p;
  *length = (size_t)(stop - p);
  return true;
}

static bool line_allows (const struct header_line *line) {
  size_t at = 0, length;
  const char *element;
  bool vary = line->name_length == 4 && ascii_same_start(line->name, "Vary", 4);
  bool control = line->name_length == 13 && ascii_same_start(line->name, "Cache-Control", 13);
  if (!vary && !control) return true;
  while (next_element(line, &at, &element, &length)) {
    if (vary && !is_alike(element, length)) return false;
    if (control && length == 8 && ascii_same_start(element, "no-store", 8)) return false;
  }
  return true;
}

bool revalidate_reusable (const struct exchange *x) {
  const struct buffer *headers = &x->response.headers;
  struct header_line line;
  size_t at = 0;
  if (x->response.redirects) return false;
  while (header_next(headers->data, headers->length, &at, &line))
    if (!line_allows(&line)) return false;
  return true;
}

/* Returns a tag without its mark of weakness: a 304 may answer a strong or a weak tag. */
static const char *opaque (const char *tag, size_t *length) {
  if (*length < 2 || memcmp(tag, "W/", 2)) return tag;
  *length -= 2;
  return tag + 2;
}

bool revalidate_confirms (lua_State *L, const struct exchange *x) {
  struct header_line line;
  size_t length, known_length;
  const char *tag, *known;
  bool same;
  if (x->response.redirects) return false;
  if (!find(x, "ETag", &line)) return true;
  lua_getfield(L, -1, "etag");
  known = lua_tolstring(L, -1, &known_length);
  length = line.value_length;
  tag = opaque(line.value, &length);
  if (known) known = opaque(known, &known_length);
  same = !known || (length == known_length && !memcmp(tag, known, length));
  lua_pop(L, 1);
  return same;
}
