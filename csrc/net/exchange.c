#include "net/exchange.h"

#include "net/ascii.h"
#include "net/curl_failure.h"
#include "net/exchange_internal.h"
#include "net/record.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

enum { HEADER_LIMIT = 256 * 1024, TOKEN_LIMIT = 64 * 1024 };

struct exchange *exchange_new (const struct allocator *memory, struct engine *engine,
                               const struct exchange_calls *calls) {
  struct exchange_block *block = memory_new(memory, sizeof *block);
  struct exchange *x;
  if (!block) return NULL;
  x = &block->exchange;
  x->run = &block->run;
  x->engine = engine;
  x->run->calls = calls;
  x->run->memory = *memory;
  buffer_init(&x->request.body, &x->run->memory, SIZE_MAX);
  x->request.body.secret = true;
  buffer_init(&x->response.headers, &x->run->memory, HEADER_LIMIT);
  buffer_init(&x->response.body, &x->run->memory, SIZE_MAX);
  x->response.headers.secret = x->response.body.secret = true;
  return x;
}

static void release_all (struct exchange *x) {
  struct request *r = &x->request;
  uri_release(r->uri);
  uri_release(r->home);
  header_list_release(r->headers);
  cookie_jar_release(r->jar);
  basic_auth_release(r->credentials);
  transport_release(r->transport);
  upload_free(r->upload);
  uri_release(x->response.uri);
  hop_free_all(&x->run->memory, &x->response.hops);
  record_free(x->run->record);
  x->run->record = NULL;
  r->uri = r->home = x->response.uri = NULL;
  r->headers = NULL;
  r->jar = NULL;
  r->credentials = NULL;
  r->transport = NULL;
  r->upload = NULL;
}

void exchange_orphan (struct exchange *x) {
  release_all(x);
  x->engine = NULL;
  x->run->handle = NULL;
  x->run->host = NULL;
  x->run->earlier = x->run->later = NULL;
  x->run->owed = x->run->hungry = x->run->starved = false;
  x->phase = EXCHANGE_REPORTED;
}

/* Overwrites both bodies: a response too may hold a token or a session's cookie. */
void exchange_drop_bodies (struct exchange *x) {
  buffer_wipe(&x->request.body);
  buffer_wipe(&x->response.body);
}

void exchange_free (struct exchange *x) {
  if (!x) return;
  if (x->phase == EXCHANGE_PENDING || x->phase == EXCHANGE_FINISHED) x->run->calls->drop(x);
  release_all(x);
  exchange_drop_bodies(x);
  buffer_wipe(&x->response.headers);
  struct allocator memory = x->run->memory;
  memory_free(&memory, x, sizeof(struct exchange_block));
}

static void begin_block (struct exchange *x) {
  buffer_clear(&x->response.headers);
  x->response.type_length = x->response.initials = 0;
  x->run->promised = -1;
  x->run->block_complete = x->run->odd_encoding = false;
}

static void begin_progress (struct exchange *x) {
  long long size = exchange_to_send(x);
  x->progress = (struct progress){0, size < LLONG_MAX ? size : -1, 0, -1};
}

static void start_hop (struct exchange *x) {
  begin_block(x);
  x->run->reached = x->run->dropped = false;
  x->run->refusals = 0;
  x->run->header_bytes = 0;
  x->run->rooms = 0;
  x->run->sent = 0;
  x->run->began_body = x->run->flows = false;
  if (x->progressed) begin_progress(x);
  buffer_clear(&x->response.body);
}

/* A body that may be long has a limit for each wait for bytes instead of one for the whole. */
static void limit_waits (struct exchange *x) {
  struct exchange_run *run = x->run;
  if (run->stall <= 0 && run->deadline > 0) run->stall = run->deadline - x->started;
  run->deadline = 0;
}

void exchange_start (struct exchange *x, double now) {
  struct request *r = &x->request;
  const struct transport *t = r->transport;
  double timeout = r->hangs ? 0 : r->timeout > 0 ? r->timeout : t->timeout;
  x->run->stall = r->hangs ? 0 : r->stall_timeout > 0 ? r->stall_timeout : t->stall_timeout;
  x->started = x->run->begun = x->run->active = now;
  x->run->deadline = timeout > 0 ? now + timeout : 0;
  x->run->method = r->method;
  x->run->sends_body = r->has_body;
  if (r->upload) limit_waits(x);
  size_t most = r->most ? r->most : t->max_response;
  x->response.body.limit = most < SIZE_MAX / 2 ? most : SIZE_MAX / 2;
  x->response.uri = uri_keep(r->uri);
  start_hop(x);
}

static bool took (struct exchange *x, enum buffer_result result) {
  if (result == BUFFER_NO_MEMORY) curl_failure_note(x, FAILURE_MEMORY, NULL, "no memory for the response");
  return result == BUFFER_OK;
}

static bool is_blank (char c) {
  return c == ' ' || c == '\t';
}

static bool is_same (const char *line, const char *name, size_t length) {
  return !memcmp(line, name, length) || ascii_same_start(line, name, length);
}

/*
** `name` begins with a letter, which most lines differ in; most others have the usual spelling: both save
** the call.
*/
#define BEGINS(line, length, name, name_length)                                                              \
  ((length) >= (name_length) && ((line)[0] | 0x20) == ((name)[0] | 0x20) && is_same(line, name, name_length))

/* `name` is a literal. */
#define IS_NAMED(line, length, name) BEGINS(line, length, name, sizeof(name) - 1)

/* A blank, or the end of a line. */
static bool is_space (char c) {
  return is_blank(c) || c == '\r' || c == '\n';
}

static bool is_blank_line (const char *line, size_t length) {
  return length > 0 && (line[0] == '\r' || line[0] == '\n');
}

/* The value, without surrounding blanks, of the block's last line, which begins at `start`. */
static void find_value (const struct buffer *block, size_t start, size_t name_length, size_t *at,
                        size_t *length) {
  size_t end = block->length;
  *at = start + name_length;
  while (*at < end && is_blank(block->data[*at]))
    ++*at;
  while (end > *at && is_space(block->data[end - 1]))
    end--;
  *length = end - *at;
}

static void note_type (struct exchange *x, size_t start) {
  struct response *r = &x->response;
  find_value(&r->headers, start, strlen("content-type:"), &r->type_at, &r->type_length);
}

static bool is_between (char c) {
  return c == ',' || is_space(c);
}

/* The next element of a comma-separated list. False: there is none. */
static bool next_element (const char **text, size_t *length, const char *end) {
  while (*text < end && is_between(**text))
    ++*text;
  for (*length = 0; *text + *length < end && !is_between((*text)[*length]);)
    ++*length;
  return *length > 0;
}

/* -1: not a number; libcurl decides what to do with it. */
static long long number_of (const char *digits, size_t length) {
  long long number = 0;
  for (size_t i = 0; i < length; i++) {
    if (digits[i] < '0' || digits[i] > '9') return -1;
    number = number > LLONG_MAX / 10 - 1 ? LLONG_MAX / 10 : number * 10 + (digits[i] - '0');
  }
  return number;
}

/*
** False if the lengths differ. libcurl takes the last one and a proxy perhaps the first: one response would
** be read as two.
*/
static bool note_length (struct exchange *x, const char *line, size_t length) {
  const char *text = line + strlen("content-length:"), *end = line + length;
  for (size_t size; next_element(&text, &size, end); text += size) {
    long long number = number_of(text, size);
    if (number < 0) continue;
    if (x->run->promised >= 0 && x->run->promised != number) {
      curl_failure_note(x, FAILURE_PROTOCOL, "the server, or somebody on the way to it, must be corrected",
                        "the response has two different Content-Length lines");
      return false;
    }
    x->run->promised = number;
  }
  return true;
}

/* True for an encoding that libcurl may be built with. */
static bool is_encoding (const char *name, size_t length) {
  static const char *const names[] = {"gzip", "x-gzip", "deflate", "br", "zstd", "identity", "none"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strlen(names[i]) == length && ascii_same_start(names[i], name, length)) return true;
  return false;
}

static void note_encoding (struct exchange *x, const char *line, size_t length) {
  const char *text = line + strlen("content-encoding:"), *end = line + length;
  for (size_t size; next_element(&text, &size, end); text += size)
    x->run->odd_encoding = x->run->odd_encoding || !is_encoding(text, size);
}

static unsigned initial (const char *name) {
  return 1u << (*name & 0x1f);
}

bool exchange_find_header (const struct exchange *x, const char *name, struct header_line *line) {
  const struct buffer *block = &x->response.headers;
  return x->response.initials & initial(name) && header_find(block->data, block->length, name, line);
}

bool exchange_has_type (const struct exchange *x, const char *type) {
  const struct response *r = &x->response;
  if (!r->type_length) return false;
  return BEGINS(r->headers.data + r->type_at, r->type_length, type, strlen(type));
}

/* The size of the line that begins at `line`, with its end. */
static size_t line_size (const char *line, size_t left) {
  const char *feed = memchr(line, '\n', left);
  return feed ? (size_t)(feed - line) + 1 : left;
}

/* Adds the block's lines, but those of that name, and not the blank line that ends it. */
static bool add_others (struct buffer *to, const struct buffer *block, const char *name, size_t length) {
  size_t size;
  for (size_t at = 0; at < block->length && !is_blank_line(block->data + at, 1); at += size) {
    const char *line = block->data + at;
    size = line_size(line, block->length - at);
    bool named = size > length && line[length] == ':' && ascii_same_start(line, name, length);
    if (!named && buffer_add(to, line, size) != BUFFER_OK) return false;
  }
  return true;
}

static bool add_line (struct buffer *to, const char *name, size_t name_length, const char *value,
                      size_t length) {
  return buffer_add(to, name, name_length) == BUFFER_OK && buffer_add(to, ": ", 2) == BUFFER_OK &&
         buffer_add(to, value, length) == BUFFER_OK && buffer_add(to, "\r\n", 2) == BUFFER_OK;
}

/* Replaces the header block and what is noted of it. */
static void take_block (struct response *r, const struct buffer *block) {
  struct header_line line;
  buffer_cleanup(&r->headers);
  r->headers = *block;
  r->initials = 0;
  for (size_t at = 0; at < block->length; at += line_size(block->data + at, block->length - at))
    r->initials |= initial(block->data + at);
  bool found = header_find(block->data, block->length, "Content-Type", &line);
  r->type_at = found ? (size_t)(line.value - block->data) : 0;
  r->type_length = found ? line.value_length : 0;
}

enum header_result exchange_change_header (struct exchange *x, const char *name, size_t name_length,
                                           const char *value, size_t value_length) {
  struct buffer block;
  if (!header_is_name(name, name_length)) return HEADER_BAD_NAME;
  if (value && !header_is_value(value, value_length)) return HEADER_BAD_VALUE;
  buffer_init(&block, x->response.headers.memory, SIZE_MAX / 2);
  block.secret = x->response.headers.secret;
  if (add_others(&block, &x->response.headers, name, name_length) &&
      (!value || add_line(&block, name, name_length, value, value_length)) &&
      buffer_add(&block, "\r\n", 2) == BUFFER_OK) {
    take_block(&x->response, &block);
    return HEADER_OK;
  }
  /* GCOVR_EXCL_START: out of memory; seldom in a short run */
  buffer_cleanup(&block);
  return HEADER_NO_MEMORY;
  /* GCOVR_EXCL_STOP */
}

bool exchange_begins_answer (const char *line, size_t length) {
  return IS_NAMED(line, length, "HTTP/");
}

/* A line whose name begins with "Content-". */
static bool note_content (struct exchange *x, size_t start) {
  const char *line = x->response.headers.data + start, *rest = line + strlen("Content-");
  size_t length = x->response.headers.length - start, left = length - strlen("Content-");
  if (!x->response.type_length && IS_NAMED(rest, left, "Type:")) note_type(x, start);
  if (IS_NAMED(rest, left, "Encoding:")) note_encoding(x, line, length);
  return !IS_NAMED(rest, left, "Length:") || note_length(x, line, length);
}

/* Notes what the block's last line, which begins at `start`, says. False: a failure is noted. */
static bool note_line (struct exchange *x, size_t start) {
  const char *line = x->response.headers.data + start;
  size_t length = x->response.headers.length - start;
  unsigned letter = initial(line);
  x->response.initials |= letter;
  if (letter == initial("s") && x->request.jar && IS_NAMED(line, length, "Set-Cookie:"))
    cookie_jar_note_cookie(x->request.jar, length);
  return !IS_NAMED(line, length, "Content-") || note_content(x, start);
}

/* The name of a header that libcurl acts on before its continuation line comes. NULL: it is none of these. */
static const char *name_of_cut (const char *line, size_t length) {
  static const char *const names[] = {
      "Set-Cookie:", "Content-Length:", "Transfer-Encoding:", "Content-Encoding:", "Connection:"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (BEGINS(line, length, names[i], strlen(names[i]))) return names[i];
  return NULL;
}

static size_t start_of_last (const struct buffer *block) {
  size_t at = block->length - 1;
  while (at && block->data[at - 1] != '\n')
    at--;
  return at;
}

/* Joins a continuation line to the last line: RFC 9112, 5.2. False: a failure is noted. */
static bool unfold (struct exchange *x, const char *line, size_t length) {
  struct buffer *block = &x->response.headers;
  size_t start = start_of_last(block), end = block->length;
  const char *cut = name_of_cut(block->data + start, end - start);
  if (cut) {
    curl_failure_note(x, FAILURE_PROTOCOL, "the server must send the header in one line",
                      "the response's header %.*s goes on in the next line", (int)strlen(cut) - 1, cut);
    return false;
  }
  while (end > start && is_space(block->data[end - 1]))
    end--;
  while (length && is_blank(*line))
    line++, length--;
  buffer_cut(block, end);
  if (!took(x, buffer_add(block, " ", 1)) || !took(x, buffer_add(block, line, length))) return false;
  if (IS_NAMED(block->data + start, block->length - start, "content-type:")) note_type(x, start);
  return true;
}

/*
** Interim responses and a proxy's responses come first, trailers last; only the block between them is kept.
*/
bool exchange_take_header (struct exchange *x, const char *line, size_t length) {
  struct buffer *block = &x->response.headers;
  size_t start;
  if (x->run->stall > 0) x->run->active = clock_now();
  x->run->header_bytes += length;
  if (x->run->header_bytes > HEADER_LIMIT) {
    curl_failure_note(x, FAILURE_PROTOCOL, headers_hint, "the response's headers pass %d KiB",
                      HEADER_LIMIT / 1024);
    return false;
  }
  if (exchange_begins_answer(line, length)) begin_block(x);
  if (x->run->block_complete) return true;
  x->run->block_complete = is_blank_line(line, length);
  if (length && is_blank(*line) && block->length) return unfold(x, line, length);
  start = block->length;
  if (!took(x, buffer_add(block, line, length))) return false;
  return !length || note_line(x, start);
}

/* The bytes of a body that may all be needed to judge it. */
static size_t reserve_of (const struct exchange *x) {
  const struct request *r = &x->request;
  bool may_tell =
      r->telling_type ? exchange_has_type(x, r->telling_type) : !exchange_has_type(x, "text/event-stream");
  if (!may_tell) return 0;
  return r->telling < r->window ? r->telling : r->window - 1;
}

/*
** A body that flows has no limit of size but `most`.
*/
static void begin_body (struct exchange *x, long status) {
  struct exchange_run *run = x->run;
  run->began_body = true;
  run->flows = x->request.window > 0 && status >= 200 && status < 300 && !exchange_has_type(x, "text/html");
  if (!run->flows) return;
  limit_waits(x);
  run->active = clock_now();
  run->reserved = reserve_of(x);
  x->response.status = status;
  x->response.body.limit = SIZE_MAX / 2;
}

static enum exchange_taking stop (struct exchange *x, enum failure failure, const char *why, size_t number) {
  curl_failure_note(x, failure, NULL, why, number);
  return EXCHANGE_STOPS;
}

static enum exchange_taking take_flow (struct exchange *x, const char *data, size_t length) {
  struct buffer *body = &x->response.body;
  struct exchange_run *run = x->run;
  if (x->response.failure != FAILURE_NONE) return EXCHANGE_STOPS; /* what was paused could not be taken */
  if (body->length >= x->request.window) {
    run->paused = true;
    return EXCHANGE_PAUSES;
  }
  run->flowed += length;
  if (x->request.most && run->flowed > x->request.most)
    return stop(x, FAILURE_TOO_BIG, "the response's body passes %zu bytes", x->request.most);
  body->secret = false;
  if (!took(x, buffer_add(body, data, length))) return EXCHANGE_STOPS;
  if (run->owed || body->length <= run->reserved) return EXCHANGE_TOOK;
  run->reserved = 0;
  run->owed = run->calls->arrive(x);
  return run->owed ? EXCHANGE_TOOK : stop(x, FAILURE_MEMORY, "no memory for the response", 0);
}

enum exchange_taking exchange_take_body (struct exchange *x, const char *data, size_t length, long status) {
  struct buffer *body = &x->response.body;
  if (x->run->stall > 0) x->run->active = clock_now();
  if (!x->run->began_body) begin_body(x, status);
  if (x->run->flows) return take_flow(x, data, length);
  if (body->length > TOKEN_LIMIT)
    body->secret = false; /* no response with a token is so large; realloc is cheaper */
  enum buffer_result result = buffer_add(body, data, length);
  if (result == BUFFER_FULL)
    curl_failure_note(x, FAILURE_TOO_BIG, NULL, "the response's body passes %zu bytes", body->limit);
  return took(x, result) ? EXCHANGE_TOOK : EXCHANGE_STOPS;
}

bool exchange_is_answered (struct exchange *x) {
  long status = x->response.status;
  if (status >= 200 && x->run->block_complete) return true;
  if (status >= 100 || !x->response.headers.length)
    curl_failure_note(x, FAILURE_CONNECT, NULL,
                      "the connection was closed before the response's headers were complete");
  /* GCOVR_EXCL_START: libcurl takes a status below 100 for no HTTP */
  else
    curl_failure_note(x, FAILURE_PROTOCOL, NULL, "the response's status is %ld", status);
  /* GCOVR_EXCL_STOP */
  return false;
}

static bool is_redirect (long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void note_bad_target (struct exchange *x, const char *why) {
  if (why == uri_no_memory)
    curl_failure_note(x, FAILURE_MEMORY, NULL, "no memory for the redirect");
  else
    curl_failure_note(x, FAILURE_REDIRECT, "the server's Location header must be corrected",
                      "the URI that the server redirects to %s", why);
}

static void note_foreign_target (struct exchange *x, const struct uri *target) {
  bool upgrade = !uri_is_https(x->response.uri) && uri_is_https(target);
  curl_failure_note(x, FAILURE_REDIRECT, upgrade ? "the server wants https: use the https URI" : NULL,
                    "redirected out of the origin, to %s", uri_public_text(target));
}

/* NULL: a failure is noted. */
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

/* Replaces the list, which may be shared, by a copy without the line. False: out of memory. */
static bool drop_line (struct exchange *x, const char *name) {
  struct header_list *lines = x->request.headers, *copy;
  if (!lines || !header_list_has(lines, name)) return true;
  copy = header_list_copy(lines);
  if (!copy) return false;
  header_list_remove(copy, name, strlen(name));
  header_list_release(lines);
  x->request.headers = copy;
  return true;
}

/* As browsers do; RFC 9110, 15.4. False: out of memory. */
static bool change_method (struct exchange *x) {
  long status = x->response.status;
  bool head = strcmp(x->run->method, "HEAD") == 0, post = strcmp(x->run->method, "POST") == 0;
  if (head || status == 307 || status == 308) return true;
  if (status != 303 && !post) return true;
  x->run->method = "GET";
  x->run->sends_body = false;
  return drop_line(x, "Content-Type"); /* it described the body, which is not sent again */
}

/* False: out of memory. */
static bool prepare_hop (struct exchange *x, const struct uri *target) {
  const struct request *r = &x->request;
  if (r->home && !uri_within(r->home, target) && !drop_line(x, r->homely)) return false;
  return (!x->hopping || x->hopping(x)) && change_method(x);
}

long long exchange_to_send (const struct exchange *x) {
  const struct request *r = &x->request;
  if (!x->run->sends_body) return 0;
  return r->upload ? upload_size(r->upload) : (long long)r->body.length;
}

bool exchange_is_spent (const struct exchange *x) {
  return x->run->sends_body && x->request.upload && !upload_can_begin(x->request.upload);
}

void exchange_note_spent (struct exchange *x) {
  curl_failure_note(x, FAILURE_CONNECT, upload_spent_hint, "the connection was closed before an answer came");
}

bool exchange_undecode (struct exchange *x) {
  if (!x->run->odd_encoding || x->run->undecoded || x->request.once || exchange_is_spent(x)) return false;
  /* GCOVR_EXCL_START: run from libcurl 8.1 on */
  x->run->undecoded = true;
  start_hop(x);
  return true;
  /* GCOVR_EXCL_STOP */
}

/* Moves *at forward to `to`. Returns by how much; 0: it has passed that. */
static double pass (double *at, double to) {
  double from = *at;
  if (to > from) *at = to;
  return *at - from;
}

/* libcurl's times, each from the start of the hop, as times that follow each other. */
static void set_times (struct hop *hop, const struct timing *t) {
  double at = 0, ready = pass(&at, t->ready);
  hop->resolve = pass(&at, t->resolve);
  hop->connect = pass(&at, t->connect);
  hop->tls = pass(&at, t->tls);
  hop->wait = pass(&at, t->first_byte > 0 ? t->first_byte : t->transfer);
  hop->receive = pass(&at, t->transfer);
  hop->queued = ready + (hop->total > at ? hop->total - at : 0);
}

static size_t bytes_sent (const struct exchange *x) {
  if (!x->run->sends_body) return 0;
  return x->request.upload ? x->response.uploaded : x->request.body.length;
}

/* `end`: of clock_now. */
static void describe_hop (const struct exchange *x, struct hop *hop, double end) {
  const struct response *r = &x->response;
  *hop = (struct hop){.method = x->run->method,
                      .uri = r->uri,
                      .status = r->status,
                      .begun = x->run->begun,
                      .total = end - x->run->begun,
                      .sent = bytes_sent(x),
                      .received = r->received,
                      .tries = r->tries,
                      .reused = r->reused};
  set_times(hop, &r->timing);
}

void exchange_last_hop (const struct exchange *x, struct hop *hop) {
  describe_hop(x, hop, x->started + x->response.timing.total);
}

struct kept_hop *exchange_take_hops (struct exchange *x) {
  struct kept_hop *hops;
  struct hop last;
  if (x->response.uri) { /* it was submitted */
    exchange_last_hop(x, &last);
    hop_keep(&x->run->memory, &x->response.hops, &last);
  }
  hops = x->response.hops;
  x->response.hops = NULL;
  return hops;
}

static void end_hop (struct exchange *x) {
  struct hop hop;
  double now = clock_now();
  x->response.received = x->response.body.length;
  describe_hop(x, &hop, now);
  hop_keep(&x->run->memory, &x->response.hops, &hop);
  record_end(x, &hop);
  x->run->begun = now;
  x->response.timing = (struct timing){0};
}

bool exchange_redirect (struct exchange *x) {
  struct response *r = &x->response;
  int most = x->request.transport->max_redirects;
  struct header_line location;
  if (!is_redirect(r->status) || most < 0) return false;
  if (!exchange_find_header(x, "Location", &location)) return false;
  if (r->redirects >= most) {
    curl_failure_note(x, FAILURE_REDIRECT, "raise the maxRedirects option if this is no loop",
                      "more than %d redirects", most);
    return false;
  }
  struct uri *target = find_target(x, &location);
  if (target) end_hop(x);
  if (target && !prepare_hop(x, target)) {
    curl_failure_note(x, FAILURE_MEMORY, NULL, "no memory for the redirect");
    uri_release(target);
    return false;
  }
  if (!target) return false;
  if (exchange_is_spent(x)) {
    curl_failure_note(x, FAILURE_REDIRECT, upload_spent_hint, "redirected to %s", uri_public_text(target));
    uri_release(target);
    return false;
  }
  uri_release(r->uri);
  r->uri = target;
  r->redirects++;
  start_hop(x);
  r->status = 0;
  return true;
}
