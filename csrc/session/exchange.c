#include "session/exchange.h"

#include "session/identity.h"
#include "session/on_open_request.h"
#include "session/protocol.h"

#include <string.h>

/* Most sessions send the same lines. They share one list, so that a pooled handle keeps its own. */
static struct header_list *share_lines (struct loop *loop, struct header_list *lines) {
  if (loop->lines && header_list_equal(loop->lines, lines)) {
    header_list_release(lines);
    return header_list_keep(loop->lines);
  }
  header_list_release(loop->lines);
  loop->lines = header_list_keep(lines);
  return lines;
}

static struct header_list *new_headers (lua_State *L, struct session *s, bool own) {
  struct header_list *lines = header_list_new(&s->loop->memory);
  if (lines && s->protocol->dress(s, lines) && (!own || s->protocol->sign(L, s, lines)))
    return share_lines(s->loop, lines);
  header_list_release(lines);
  return NULL;
}

/*
** A protocol's `sign` may send requests of the session or log it out; then the lines do not suit the next
** request.
*/
static struct header_list *own_headers (lua_State *L, struct session *s) {
  const struct identity *who = s->who;
  struct header_list *lines;
  if (s->headers && !s->protocol->fresh_lines && s->signed_for == who->generation)
    return header_list_keep(s->headers);
  lines = new_headers(L, s, true);
  header_list_release(s->headers);
  s->headers = NULL;
  s->has_own_line = lines && s->protocol->own_line && header_list_has(lines, s->protocol->own_line);
  if (!lines || s->who != who) return lines;
  s->headers = header_list_keep(lines);
  s->signed_for = who->generation;
  return lines;
}

/* Adds the line that only the session's application may see. False: out of memory. */
static bool keep_home (struct session *s, struct request *request) {
  const char *name = s->protocol->own_line;
  struct header_list *copy;
  if (!s->has_own_line) return true;
  if (uri_within(s->service, request->uri)) {
    request->home = uri_keep(s->service);
    request->homely = name;
    return true;
  }
  copy = header_list_copy(request->headers);
  if (!copy) return false;
  header_list_remove(copy, name, strlen(name));
  header_list_release(request->headers);
  request->headers = copy;
  return true;
}

static bool introduce (lua_State *L, struct session *s, struct request *request) {
  struct identity *who;
  if (!s->who) s->who = identity_new(s->loop, s->model, s->service, s->transport);
  if (!s->who || !identity_jar(s->who)) return false;
  who = identity_keep(s->who);
  request->jar = cookie_jar_keep(who->jar);
  if (who->credentials) request->credentials = basic_auth_keep(who->credentials);
  request->headers = own_headers(L, s);
  identity_release(who);
  return request->headers && keep_home(s, request);
}

/* Marks which token of `who` signs an exchange. The lowest bit is left to protocol/jsdo/provider.c. */
static unsigned mark_of (const struct identity *who) {
  unsigned generation = who->generation;
  return generation << 1;
}

bool session_sign_again (const struct identity *who, struct exchange *x) {
  struct header_list *lines;
  if (!who) return false;
  if (x->mark >> 1 == who->generation) return true;
  lines = x->request.headers ? header_list_copy(x->request.headers) : NULL;
  if (!lines) return false;
  header_list_release(x->request.headers);
  x->request.headers = lines;
  x->mark = (x->mark & 1) | mark_of(who);
  return identity_sign(who, lines);
}

/* Takes the reference of `uri`. NULL: out of memory, or `uri` was NULL. */
static struct exchange *new_exchange (const struct session *s, const char *method, struct uri *uri) {
  struct exchange *x = uri ? engine_new_exchange(s->loop->engine) : NULL;
  if (!x) {
    /* GCOVR_EXCL_START: out of memory; seldom in a short run */
    uri_release(uri);
    return NULL;
    /* GCOVR_EXCL_STOP */
  }
  x->request.method = method;
  x->request.uri = uri;
  x->request.transport = transport_keep(s->transport);
  return x;
}

struct exchange *session_exchange_as (struct session *s, struct identity *who, const char *method,
                                      struct uri *uri) {
  struct exchange *x = new_exchange(s, method, uri);
  if (!x) return NULL;
  x->mark = mark_of(who);
  if (who->credentials) x->request.credentials = basic_auth_keep(who->credentials);
  if (identity_jar(who)) x->request.jar = cookie_jar_keep(who->jar);
  x->request.headers = header_list_new(&s->loop->memory);
  if (x->request.jar && x->request.headers && s->protocol->dress(s, x->request.headers) &&
      identity_sign(who, x->request.headers))
    return x;
  /* GCOVR_EXCL_START: out of memory; seldom in a short run */
  exchange_free(x);
  return NULL;
  /* GCOVR_EXCL_STOP */
}

struct exchange *session_exchange (lua_State *L, struct session *s, const char *method, struct uri *uri) {
  struct exchange *x;
  if (uri && s->protocol->address) uri = s->protocol->address(L, s, uri);
  x = new_exchange(s, method, uri);
  if (!x) return NULL;
  x->mark = s->who ? mark_of(s->who) : 0;
  if (uri_same_origin(s->service, uri) ? introduce(L, s, &x->request)
                                       : (x->request.headers = new_headers(L, s, false)) != NULL)
    return x;
  exchange_free(x);
  return NULL;
}

struct exchange *session_exchange_brief (lua_State *L, struct session *s, const char *method,
                                         struct uri *uri) {
  struct exchange *x = session_exchange(L, s, method, uri);
  if (x) x->request.brief = true;
  return x;
}
