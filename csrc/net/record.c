#include "net/record.h"

#include "net/exchange_internal.h"
#include "net/system.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MOST_LINES = 8 * 1024 * 1024 }; /* bytes between two steps */

struct record {
  struct recorder *recorder; /* borrowed: the engine's */
  struct mask mask;
  struct message *message;           /* owned */
  struct buffer head;                /* a request's header block that has not come whole; secret */
  struct buffer sent, received;      /* the beginnings of the bodies; secret */
  size_t sent_bytes, received_bytes; /* of the bodies */
  bool wrote_sent;                   /* the lines have the request's body */
};

/* The recorder */

void recorder_init (struct recorder *r, const struct allocator *memory) {
  memset(r, 0, sizeof *r);
  r->memory = *memory;
  r->last = &r->messages;
  buffer_init(&r->lines, &r->memory, MOST_LINES);
}

void message_free (const struct recorder *r, struct message *m) {
  if (!m) return;
  buffer_cleanup(&m->uri);
  buffer_cleanup(&m->request);
  buffer_cleanup(&m->response);
  buffer_cleanup(&m->sent);
  buffer_cleanup(&m->received);
  hop_free_all(&r->memory, &m->hop);
  memory_free(&r->memory, m, sizeof *m);
}

struct message *recorder_take (struct recorder *r) {
  struct message *m = r->messages;
  if (!m) return NULL;
  r->messages = m->next;
  if (!r->messages) r->last = &r->messages;
  return m;
}

void recorder_cleanup (struct recorder *r) {
  struct message *m;
  while ((m = recorder_take(r)))
    message_free(r, m);
  buffer_cleanup(&r->lines);
}

void recorder_set (struct recorder *r, const struct record_options *options) {
  r->options = options ? *options : (struct record_options){0};
  r->on = r->options.lines || r->options.messages;
}

/* Lines */

static void add (struct recorder *r, const char *text, size_t length) {
  if (buffer_add(&r->lines, text, length) != BUFFER_OK) r->lost += length;
}

static void add_text (struct recorder *r, const char *text) {
  add(r, text, strlen(text));
}

/* Control characters could steer a terminal. */
static void add_printable (struct recorder *r, const char *text, size_t length) {
  size_t from = 0;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if ((c >= ' ' && c != 0x7f) || c == '\t') continue;
    add(r, text + from, i - from);
    if (c != '\r' || i + 1 < length) add(r, ".", 1);
    from = i + 1;
  }
  add(r, text + from, length - from);
}

/* Before lines of another request than the last ones. */
static void switch_to (struct record *record) {
  struct recorder *r = record->recorder;
  char text[48];
  if (r->current == record->message->number) return;
  r->current = record->message->number;
  snprintf(text, sizeof text, "* request %llu goes on\n", r->current);
  add_text(r, text);
}

static void write_line (struct record *record, const char *sign, const char *text, size_t length) {
  switch_to(record);
  add_text(record->recorder, sign);
  add_printable(record->recorder, text, length);
  add(record->recorder, "\n", 1);
}

/* Writes each line of a masked text. */
static void write_lines (struct record *record, const char *sign, const struct buffer *text) {
  size_t at = 0;
  while (at < text->length) {
    const char *start = text->data + at, *feed = memchr(start, '\n', text->length - at);
    size_t length = feed ? (size_t)(feed - start) : text->length - at;
    write_line(record, sign, start, length);
    at += length + 1;
  }
}

static bool is_text (const struct buffer *body) {
  return !body->length || (!memchr(body->data, '\0', body->length) &&
                           (unsigned char)body->data[0] != 0x1f); /* gzip begins so */
}

static void note_more (struct record *record, size_t bytes, bool text) {
  char line[64];
  if (!bytes) return;
  snprintf(line, sizeof line, text ? "%zu more bytes" : "%zu bytes that are no text", bytes);
  write_line(record, "* ", line, strlen(line));
}

/* The beginning of a body, which has `bytes` bytes in all. */
static void write_body (struct record *record, const char *sign, const struct buffer *body, size_t bytes) {
  const struct record_options *o = &record->recorder->options;
  struct buffer text;
  size_t length = body->length < o->line_bodies ? body->length : o->line_bodies;
  if (!o->lines || !o->line_bodies) return;
  if (!is_text(body)) {
    note_more(record, bytes, false);
    return;
  }
  buffer_init(&text, &record->recorder->memory, SIZE_MAX);
  mask_body(&record->mask, &text, body->data, length);
  write_lines(record, sign, &text);
  buffer_cleanup(&text);
  note_more(record, bytes - length, true);
}

/* A record */

static void clear_message (struct message *m) {
  buffer_clear(&m->request);
  buffer_clear(&m->response);
}

static void init_buffers (struct record *record, const struct allocator *memory) {
  struct message *m = record->message;
  mask_init(&record->mask, memory);
  buffer_init(&record->head, memory, SIZE_MAX);
  buffer_init(&record->sent, memory, SIZE_MAX);
  buffer_init(&record->received, memory, SIZE_MAX);
  record->head.secret = record->sent.secret = record->received.secret = true;
  buffer_init(&m->uri, memory, SIZE_MAX);
  buffer_init(&m->request, memory, SIZE_MAX);
  buffer_init(&m->response, memory, SIZE_MAX);
  buffer_init(&m->sent, memory, SIZE_MAX);
  buffer_init(&m->received, memory, SIZE_MAX);
}

static double time_now (void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct record *new_record (struct recorder *r, const struct exchange *x) {
  struct record *record = memory_new(&r->memory, sizeof *record);
  struct message *m = record ? memory_new(&r->memory, sizeof *m) : NULL;
  if (!m) {
    /* GCOVR_EXCL_START: out of memory; seldom in a short run */
    memory_free(&r->memory, record, sizeof *record);
    return NULL;
    /* GCOVR_EXCL_STOP */
  }
  const char *uri = uri_text(x->response.uri);
  record->recorder = r;
  record->message = m;
  init_buffers(record, &r->memory);
  m->number = ++r->records;
  m->time = time_now();
  if (r->label) r->label(x, &m->label);
  mask_uri(&record->mask, &m->uri, uri, strlen(uri));
  return record;
}

void record_free (struct record *record) {
  if (!record) return;
  struct recorder *r = record->recorder;
  message_free(r, record->message);
  mask_cleanup(&record->mask);
  buffer_wipe(&record->head);
  buffer_wipe(&record->sent);
  buffer_wipe(&record->received);
  memory_free(&r->memory, record, sizeof *record);
}

static void write_time (char *to, size_t size, double time) {
  time_t seconds = (time_t)time;
  struct tm utc;
  gmtime_r(&seconds, &utc);
  snprintf(to, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
           utc.tm_hour, utc.tm_min, utc.tm_sec, (int)((time - (double)seconds) * 1000));
}

static void write_title (struct record *record, const struct exchange *x) {
  struct recorder *r = record->recorder;
  const struct message *m = record->message;
  char text[64];
  r->current = m->number;
  snprintf(text, sizeof text, "* request %llu: ", m->number);
  add_text(r, text);
  add_text(r, x->run->method);
  add_text(r, " ");
  add(r, m->uri.data, m->uri.length);
  if (m->label.session) {
    snprintf(text, sizeof text, ", session %lld", m->label.session);
    add_text(r, text);
  }
  if (m->label.verb) {
    add_text(r, ", ");
    add_text(r, m->label.verb);
  }
  write_time(text, sizeof text, m->time);
  add_text(r, ", ");
  add_text(r, text);
  add_text(r, "\n");
}

void record_begin (struct recorder *r, struct exchange *x) {
  struct record *record = x->run->record;
  /* GCOVR_EXCL_START: a stream that the server refused; run where libcurl multiplexes, from 8.x on */
  if (record) {
    if (r->options.lines) write_line(record, "* ", "sent once more", strlen("sent once more"));
    return;
  }
  /* GCOVR_EXCL_STOP */
  record = x->run->record = new_record(r, x);
  if (record && r->options.lines) write_title(record, x);
}

/* The request */

static bool begins (const char *text, size_t length, const char *start) {
  size_t size = strlen(start);
  return length >= size && memcmp(text, start, size) == 0;
}

static size_t without_end (const char *line, size_t length) {
  while (length && (line[length - 1] == '\n' || line[length - 1] == '\r'))
    length--;
  return length;
}

/* Masks a line of a header block, writes it to the lines, and adds it to `block`, unless that is NULL. */
static void note_header (struct record *record, const char *sign, struct buffer *block, const char *line,
                         size_t length) {
  struct buffer text;
  buffer_init(&text, &record->recorder->memory, SIZE_MAX);
  mask_header(&record->mask, &text, line, without_end(line, length));
  if (record->recorder->options.lines) write_line(record, sign, text.data ? text.data : "", text.length);
  if (block && text.length) {
    buffer_add(block, text.data, text.length);
    buffer_add(block, "\n", 1);
  }
  buffer_cleanup(&text);
}

/* The bodies of a request that is sent once more are those of the last time. */
static void forget_bodies (struct record *record) {
  buffer_clear(&record->sent);
  buffer_clear(&record->received);
  record->sent_bytes = record->received_bytes = 0;
  record->wrote_sent = false;
}

/* `head`: whole, with the empty line. A request to a proxy for a tunnel is no message. */
static void note_request (struct record *record, const char *head, size_t length) {
  bool tunnel = begins(head, length, "CONNECT ");
  size_t at = 0;
  clear_message(record->message);
  forget_bodies(record);
  while (at < length) {
    const char *feed = memchr(head + at, '\n', length - at);
    size_t size = feed ? (size_t)(feed - head) + 1 - at : length - at;
    note_header(record, "> ", tunnel ? NULL : &record->message->request, head + at, size);
    at += size;
  }
}

/* libcurl may pass a block in pieces. */
static void take_head (struct record *record, const char *text, size_t length) {
  struct buffer *head = &record->head;
  if (buffer_add(head, text, length) != BUFFER_OK) return;
  if (head->length < 4 || memcmp(head->data + head->length - 4, "\r\n\r\n", 4) != 0) return;
  note_request(record, head->data, head->length);
  buffer_wipe(head);
}

/* Adds to the beginning of a body. */
static void take_body (const struct record *record, struct buffer *body, size_t *bytes, const char *data,
                       size_t length) {
  const struct record_options *o = &record->recorder->options;
  size_t most = o->line_bodies > o->message_bodies ? o->line_bodies : o->message_bodies;
  size_t room = body->length < most ? most - body->length : 0;
  *bytes += length;
  if (room) buffer_add(body, data, length < room ? length : room);
}

/* The response */

static void write_sent (struct record *record) {
  if (record->wrote_sent) return;
  record->wrote_sent = true;
  write_body(record, "> ", &record->sent, record->sent_bytes);
}

static void take_answer_line (struct record *record, const char *line, size_t length) {
  struct buffer *block = &record->message->response;
  if (exchange_begins_answer(line, length)) {
    write_sent(record);
    buffer_clear(block);
  }
  note_header(record, "< ", block, line, length);
}

/*
** Beginnings of what libcurl logs of connections. Others may hold secrets, such as a cookie or the proxy's
** password, and are left out.
*/
static bool is_harmless (const char *text, size_t length) {
  static const char *const starts[] = {"Trying ",
                                       "Connected to ",
                                       "Re-using ",
                                       "Reusing ",
                                       "ALPN",
                                       "TLSv",
                                       "SSL ",
                                       "SSL:",
                                       "SSL_",
                                       "OpenSSL",
                                       "OpenSSL/",
                                       "GnuTLS",
                                       "Server certificate",
                                       "subject:",
                                       "start date:",
                                       "expire date:",
                                       "subjectAltName",
                                       "issuer:",
                                       "Certificate level",
                                       "using HTTP/",
                                       "Using HTTP",
                                       "HTTP/2 stream ",
                                       "Connection ",
                                       "Closing connection",
                                       "shutting down",
                                       "Could not resolve",
                                       "Resolving ",
                                       "IPv4:",
                                       "IPv6:",
                                       "connect to ",
                                       "Failed to connect",
                                       "Operation timed out",
                                       "Recv failure",
                                       "Send failure",
                                       "Empty reply",
                                       "CONNECT ",
                                       "Establish HTTP",
                                       "Proxy replied",
                                       "Received HTTP",
                                       "transfer closed",
                                       "CAfile",
                                       "CApath",
                                       "Host name",
                                       "Hostname",
                                       "getaddrinfo",
                                       "Could not connect",
                                       "Immediate connect fail",
                                       "REFUSED_STREAM",
                                       "received GOAWAY"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (begins(text, length, starts[i])) return true;
  return false;
}

static void take_note (struct record *record, const char *text, size_t length) {
  struct buffer masked;
  if (!record->recorder->options.lines) return;
  while (length && *text == ' ')
    text++, length--;
  if (!is_harmless(text, length)) return;
  buffer_init(&masked, &record->recorder->memory, SIZE_MAX);
  mask_body(&record->mask, &masked, text, without_end(text, length));
  write_lines(record, "* ", &masked);
  buffer_cleanup(&masked);
}

void record_log (struct record *record, int type, const char *text, size_t length) {
  switch (type) {
  case CURLINFO_TEXT: take_note(record, text, length); break;
  case CURLINFO_HEADER_OUT: take_head(record, text, length); break;
  case CURLINFO_HEADER_IN: take_answer_line(record, text, length); break;
  case CURLINFO_DATA_OUT: take_body(record, &record->sent, &record->sent_bytes, text, length); break;
  default: break; /* response's bodies come by record_body, decoded */
  }
}

void record_body (struct record *record, const char *data, size_t length) {
  take_body(record, &record->received, &record->received_bytes, data, length);
}

void record_peer (struct record *record, const char *address, int port, int local_port) {
  struct message *m = record->message;
  snprintf(m->peer, sizeof m->peer, "%s", address ? address : "");
  m->peer_port = port;
  m->local_port = local_port;
}

/* The end */

static void write_end (struct record *record, const struct hop *hop, const char *failure) {
  char text[128];
  long long tenths = (long long)(hop->total * 1e4 + 0.5);
  write_sent(record);
  write_body(record, "< ", &record->received, record->received_bytes);
  if (failure[0]) write_line(record, "* failed: ", failure, strlen(failure));
  snprintf(text, sizeof text, "ended after %lld.%lld ms, %zu bytes sent, %zu received, %s connection",
           tenths / 10, tenths % 10, hop->sent, hop->received, hop->reused ? "kept" : "new");
  write_line(record, "* ", text, strlen(text));
}

static void mask_into (struct record *record, struct buffer *to, const struct buffer *body) {
  size_t most = record->recorder->options.message_bodies;
  size_t length = body->length < most ? body->length : most;
  if (length) mask_body(&record->mask, to, body->data, length);
}

static void deliver (struct record *record, const struct hop *hop) {
  struct recorder *r = record->recorder;
  struct message *m = record->message;
  hop_keep(&r->memory, &m->hop, hop);
  if (!m->hop) return; /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  mask_into(record, &m->sent, &record->sent);
  mask_into(record, &m->received, &record->received);
  record->message = NULL;
  *r->last = m;
  r->last = &m->next;
}

void record_end (struct exchange *x, const struct hop *hop) {
  struct record *record = x->run->record;
  if (!record) return;
  x->run->record = NULL;
  snprintf(record->message->failure, sizeof record->message->failure, "%s", x->response.detail);
  if (record->recorder->options.lines) write_end(record, hop, x->response.detail);
  if (record->recorder->options.messages) deliver(record, hop);
  record_free(record);
}
