#include "exchange.h"

#include "engine.h"
#include "failure.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { HEADER_LIMIT = 256 * 1024, TOKEN_LIMIT = 64 * 1024 };

struct exchange *exchange_new (struct engine *engine) {
  const struct allocator *memory = engine_memory(engine);
  struct exchange *x = memory_new(memory, sizeof *x);
  if (!x) return NULL;
  x->engine = engine;
  x->memory = *memory;
  buffer_init(&x->request.body, &x->memory, SIZE_MAX);
  x->request.body.secret = true;
  buffer_init(&x->response.headers, &x->memory, HEADER_LIMIT);
  buffer_init(&x->response.body, &x->memory, SIZE_MAX);
  x->response.headers.secret = x->response.body.secret = true;
  return x;
}

static void release_all (struct exchange *x) {
  struct request *r = &x->request;
  uri_release(r->uri);
  header_list_release(r->headers);
  jar_release(r->jar);
  credentials_release(r->credentials);
  transport_release(r->transport);
  uri_release(x->response.uri);
  r->uri = x->response.uri = NULL;
  r->headers = NULL;
  r->jar = NULL;
  r->credentials = NULL;
  r->transport = NULL;
}

void exchange_orphan (struct exchange *x) {
  release_all(x);
  x->engine = NULL;
  x->handle = NULL;
  x->lane = NULL;
  x->earlier = x->later = NULL;
  x->phase = EXCHANGE_TOLD;
}

/* A response may hold a token or a session's cookie: it is overwritten like the request. */
void exchange_free (struct exchange *x) {
  if (!x) return;
  if (x->phase == EXCHANGE_FLYING || x->phase == EXCHANGE_FINISHED) engine_drop(x->engine, x);
  release_all(x);
  buffer_wipe(&x->request.body);
  buffer_wipe(&x->response.headers);
  buffer_wipe(&x->response.body);
  struct allocator memory = x->memory;
  memory_free(&memory, x, sizeof *x);
}

static void start_hop (struct exchange *x) {
  x->reached = x->block_complete = false;
  x->header_bytes = 0;
  x->sent = 0;
  buffer_clear(&x->response.headers);
  buffer_clear(&x->response.body);
}

void exchange_start (struct exchange *x, double now) {
  struct request *r = &x->request;
  const struct transport *t = r->transport;
  double timeout = r->timeout > 0 ? r->timeout : t->timeout;
  x->stall = r->stall_timeout > 0 ? r->stall_timeout : t->stall_timeout;
  x->started = x->active = now;
  x->deadline = timeout > 0 ? now + timeout : 0;
  x->method = r->method;
  x->sends_body = r->has_body;
  x->response.body.limit = t->max_response < SIZE_MAX / 2 ? t->max_response : SIZE_MAX / 2;
  x->response.uri = uri_keep(r->uri);
  start_hop(x);
}

static bool took (struct exchange *x, enum buffer_result result) {
  if (result == BUFFER_NO_MEMORY) failure_note(x, FAILURE_MEMORY, NULL, "no memory for the response");
  return result == BUFFER_OK;
}

/* `start` begins with a letter. Nearly every line differs in that: no call for those. */
static bool begins_with (const char *line, size_t length, const char *start, size_t start_length) {
  return length >= start_length && (line[0] | 0x20) == (start[0] | 0x20) &&
         strncasecmp(line, start, start_length) == 0;
}

static bool is_blank_line (const char *line, size_t length) {
  return length > 0 && (line[0] == '\r' || line[0] == '\n');
}

static void note_type (struct exchange *x, const char *line, size_t length) {
  size_t at = strlen("content-type:");
  while (at < length && (line[at] == ' ' || line[at] == '\t'))
    at++;
  while (length > at && strchr(" \t\r\n", line[length - 1]))
    length--;
  x->response.type_at = x->response.headers.length + at;
  x->response.type_length = length - at;
}

static unsigned initial (const char *name) {
  return 1u << (*name & 0x1f);
}

bool exchange_find_header (const struct exchange *x, const char *name, struct header_line *line) {
  const struct buffer *block = &x->response.headers;
  return x->response.initials & initial(name) && header_find(block->data, block->length, name, line);
}

bool exchange_has_type (const struct exchange *x, const char *type) {
  size_t length = strlen(type);
  return x->response.type_length >= length &&
         strncasecmp(x->response.headers.data + x->response.type_at, type, length) == 0;
}

bool exchange_begins_answer (const char *line, size_t length) {
  return begins_with(line, length, "HTTP/", 5);
}

/* Interim responses and a proxy's answers come first, trailers last; only the block between them is kept. */
bool exchange_take_header (struct exchange *x, const char *line, size_t length) {
  if (x->stall > 0) x->active = clock_now();
  x->header_bytes += length;
  if (x->header_bytes > HEADER_LIMIT) {
    failure_note(x, FAILURE_PROTOCOL, NULL, "the response's headers pass %d KiB", HEADER_LIMIT / 1024);
    return false;
  }
  if (exchange_begins_answer(line, length)) {
    buffer_clear(&x->response.headers);
    x->response.type_length = x->response.initials = 0;
    x->block_complete = false;
  }
  if (x->block_complete) return true;
  x->block_complete = is_blank_line(line, length);
  if (length) x->response.initials |= initial(line);
  if (x->request.jar && begins_with(line, length, "set-cookie:", 11)) jar_note_cookie(x->request.jar, length);
  if (!x->response.type_length && begins_with(line, length, "content-type:", 13)) note_type(x, line, length);
  return took(x, buffer_add(&x->response.headers, line, length));
}

bool exchange_take_body (struct exchange *x, const char *data, size_t length) {
  struct buffer *body = &x->response.body;
  if (x->stall > 0) x->active = clock_now();
  if (body->length > TOKEN_LIMIT)
    body->secret = false; /* no answer with a token is so large; realloc is cheaper */
  enum buffer_result result = buffer_add(body, data, length);
  if (result == BUFFER_FULL)
    failure_note(x, FAILURE_TOO_BIG, NULL, "the response's body passes %zu bytes", body->limit);
  return took(x, result);
}

bool exchange_is_answered (struct exchange *x) {
  long status = x->response.status;
  if (status >= 200 && x->block_complete) return true;
  if (status >= 100 || !x->response.headers.length)
    failure_note(x, FAILURE_CONNECT, NULL,
                 "the connection was closed before the response's headers were complete");
  else
    failure_note(x, FAILURE_PROTOCOL, NULL, "the response's status is %ld", status);
  return false;
}

static bool is_redirect (long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void note_bad_target (struct exchange *x, const char *why) {
  if (why == uri_no_memory)
    failure_note(x, FAILURE_MEMORY, NULL, "no memory for the redirect");
  else
    failure_note(x, FAILURE_REDIRECT, "the server's Location header must be corrected",
                 "the URI that the server redirects to %s", why);
}

static void note_foreign_target (struct exchange *x, const struct uri *target) {
  bool upgrade = !uri_is_https(x->response.uri) && uri_is_https(target);
  failure_note(x, FAILURE_REDIRECT, upgrade ? "the server wants https: use the https URI" : NULL,
               "redirected out of the origin, to %s", uri_public_text(target));
}

/* Notes why not, if not. */
static struct uri *find_target (struct exchange *x, const struct header_line *location) {
  const char *why = NULL;
  struct uri *from = x->response.uri, *to = uri_resolve(from, location->value, location->value_length, &why);
  if (to && uri_same_origin(from, to)) return to;
  if (to)
    note_foreign_target(x, to);
  else
    note_bad_target(x, why);
  uri_release(to);
  return NULL;
}

/* It spoke of the body that is not sent again. The list itself may be shared. */
static void drop_content_type (struct exchange *x) {
  static const char name[] = "Content-Type";
  struct header_list *lines = x->request.headers, *copy;
  if (!lines || !header_list_has(lines, name) || !(copy = header_list_copy(lines))) return;
  header_list_remove(copy, name, sizeof name - 1);
  header_list_release(lines);
  x->request.headers = copy;
}

/* As every browser does it; RFC 9110, 15.4. */
static void change_method (struct exchange *x) {
  long status = x->response.status;
  bool head = strcmp(x->method, "HEAD") == 0, post = strcmp(x->method, "POST") == 0;
  if (head || status == 307 || status == 308) return;
  if (status != 303 && !post) return;
  x->method = "GET";
  x->sends_body = false;
  drop_content_type(x);
}

bool exchange_redirect (struct exchange *x) {
  struct response *r = &x->response;
  int most = x->request.transport->max_redirects;
  struct header_line location;
  if (!is_redirect(r->status) || most < 0) return false;
  if (!exchange_find_header(x, "Location", &location)) return false;
  if (r->redirects >= most) {
    failure_note(x, FAILURE_REDIRECT, "raise the maxRedirects option if this is no loop",
                 "more than %d redirects", most);
    return false;
  }
  struct uri *target = find_target(x, &location);
  if (target && x->hopping && !x->hopping(x)) {
    failure_note(x, FAILURE_MEMORY, NULL, "no memory for the redirect");
    uri_release(target);
    return false;
  }
  if (!target) return false;
  uri_release(r->uri);
  r->uri = target;
  r->redirects++;
  change_method(x);
  start_hop(x);
  r->status = 0;
  return true;
}
