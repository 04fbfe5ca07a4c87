#include "raw_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 64, REQUEST_SIZE = 4 << 20 };

struct connection {
  int fd;
  char *text; /* owned; the request so far */
  size_t length;
  unsigned served;
};

struct raw_server {
  pthread_t thread;
  pthread_mutex_t lock; /* guards what the test reads, and the list of connections */
  int listener, wake[2], port;
  struct connection connections[MOST];
  size_t count;
  unsigned accepted, requests, open;
  char *last; /* owned */
};

static void die (const char *what) {
  perror(what);
  exit(2);
}

static void put (int fd, const char *data, size_t length) {
  while (length) {
    ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
    if (n <= 0) return;
    data += n;
    length -= (size_t)n;
  }
}

static void say (int fd, const char *text) {
  put(fd, text, strlen(text));
}

static void answer (int fd, const char *headers, const char *body, size_t length) {
  char head[1024];
  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n", headers, length);
  say(fd, head);
  put(fd, body, length);
}

enum after { KEEP, CLOSE, RESET };

struct request_text {
  const char *text, *path; /* the path in the text, up to a blank */
  size_t length;
  unsigned earlier; /* requests on this connection */
};

static enum after echo (int fd, const struct request_text *r) {
  if (strncmp(r->text, "HEAD ", 5) == 0)
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  else
    answer(fd, "", r->text, r->length);
  return KEEP;
}

static enum after set_cookie (int fd, const struct request_text *r) {
  (void)r;
  answer(fd, "Set-Cookie: id=secret-cookie; Path=/\r\n", "ok", 2);
  return KEEP;
}

/* /to/302/x/y redirects to /x/y, /to/302?where redirects to `where` */
static enum after redirect (int fd, const struct request_text *r) {
  char head[1024], where[512] = "";
  const char *rest = r->path + 7;
  sscanf(rest[0] == '?' ? rest + 1 : rest, "%511s", where);
  snprintf(head, sizeof head,
           "HTTP/1.1 %.3s Moved\r\nLocation: %s\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nmoved",
           r->path + 4, where);
  say(fd, head);
  return KEEP;
}

static enum after loop (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 302 Found\r\nLocation: loop\r\nContent-Length: 0\r\n\r\n");
  return KEEP;
}

static enum after no_location (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nno");
  return KEEP;
}

static enum after not_modified (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 304 Not Modified\r\nLocation: /echo\r\n\r\n");
  return KEEP;
}

static enum after truncated (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
  return CLOSE;
}

static enum after truncated_chunks (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n0123456789");
  return CLOSE;
}

static enum after bad_chunks (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0123456789");
  return CLOSE;
}

static enum after cut (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 O");
  return CLOSE;
}

static enum after cut_headers (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Le");
  return CLOSE;
}

static enum after interim_only (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 100 Continue\r\n\r\n");
  return CLOSE;
}

static enum after no_status (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 000 OK\r\n\r\n");
  return CLOSE;
}

static enum after nothing (int fd, const struct request_text *r) {
  (void)fd, (void)r;
  return CLOSE;
}

static enum after reset (int fd, const struct request_text *r) {
  (void)fd, (void)r;
  return RESET;
}

static enum after silent (int fd, const struct request_text *r) {
  (void)fd, (void)r;
  return KEEP;
}

static enum after stall (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
  return KEEP;
}

static enum after garbage (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "220 mail.example ESMTP ready\r\n");
  return CLOSE;
}

static enum after blank_first (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 OK\r\n X: 1\r\nContent-Length: 2\r\n\r\nok");
  return KEEP;
}

/* Sends blanks at each place where a buffer may end. */
static enum after long_first (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 OK\r\nX:");
  for (int i = 0; i < 40000; i += 10)
    say(fd, "          ");
  say(fd, "x\r\nContent-Length: 2\r\n\r\nok");
  return KEEP;
}

/* Promises to keep the connection, and closes it. */
static enum after close_later (int fd, const struct request_text *r) {
  (void)r;
  answer(fd, "", "ok", 2);
  return CLOSE;
}

/* Answers the first request of a connection; closes it without an answer on a later one. */
static enum after fresh_only (int fd, const struct request_text *r) {
  return r->earlier ? CLOSE : echo(fd, r);
}

static enum after big (int fd, const struct request_text *r) {
  size_t length = (size_t)strtol(r->path + sizeof "/big?" - 1, NULL, 10);
  char *body = malloc(length + 1);
  if (!body) die("malloc");
  memset(body, 'x', length);
  answer(fd, "", body, length);
  free(body);
  return KEEP;
}

/*
** Some versions of libcurl also limit the number of lines: with lines this long our limit of bytes comes
** first.
*/
#define LONG_VALUE "0123456789012345678901234567890123456789012345678901234567890123456789"

static enum after flood (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 20000; i++)
    say(fd, "X-Flood: " LONG_VALUE "\r\n");
  return CLOSE;
}

static enum after interim_flood (int fd, const struct request_text *r) {
  (void)r;
  for (int i = 0; i < 20000; i++)
    say(fd, "HTTP/1.1 103 Early Hints\r\nLink: </" LONG_VALUE ">\r\n\r\n");
  return CLOSE;
}

static enum after long_line (int fd, const struct request_text *r) {
  char blanks[1024];
  (void)r;
  memset(blanks, 'x', sizeof blanks);
  say(fd, "HTTP/1.1 200 OK\r\nX-Long: ");
  for (int i = 0; i < 1024; i++)
    put(fd, blanks, sizeof blanks);
  return CLOSE;
}

static enum after interim (int fd, const struct request_text *r) {
  (void)r;
  say(fd, "HTTP/1.1 103 Early Hints\r\nX-Interim: yes\r\n\r\n");
  say(fd, "HTTP/1.1 200 OK\r\nX-Last: yes\r\nTransfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n\r\n");
  say(fd, "2\r\nok\r\n0\r\nX-Trailer: yes\r\n\r\n");
  return KEEP;
}

static enum after not_gzip (int fd, const struct request_text *r) {
  (void)r;
  answer(fd, "Content-Encoding: gzip\r\n", "this is not gzip", 16);
  return KEEP;
}

struct bits {
  unsigned char data[1 << 17];
  size_t count;
};

/* Deflate packs numbers from the low bit and Huffman codes from their high bit. Adds a Huffman code. */
static void add_code (struct bits *b, unsigned code, int length) {
  while (length-- > 0) {
    if (code >> length & 1) b->data[b->count / 8] |= (unsigned char)(1 << b->count % 8);
    b->count++;
  }
}

/* 16 MiB of zeros in 100 KiB, without an end: RFC 1951, fixed codes, one literal and its repetitions. */
static enum after bomb (int fd, const struct request_text *r) {
  static const char head[] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, 3};
  static struct bits b;
  (void)r;
  memset(&b, 0, sizeof b);
  memcpy(b.data, head, sizeof head);
  b.count = sizeof head * 8;
  add_code(&b, 2, 3);    /* not the last block; fixed codes */
  add_code(&b, 0x30, 8); /* a zero */
  for (int i = 0; i < (16 << 20) / 258; i++) {
    add_code(&b, 0xc5, 8); /* 258 times the byte */
    add_code(&b, 0, 5);    /* before */
  }
  answer(fd, "Content-Encoding: gzip\r\n", (const char *)b.data, (b.count + 7) / 8);
  return KEEP;
}

static enum after gzip (int fd, const struct request_text *r) {
  static const unsigned char hello[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,
                                        3,    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
                                        0xa6, 0x10, 0x36, 5,    0,    0,    0};
  (void)r;
  answer(fd, "Content-Encoding: gzip\r\n", (const char *)hello, sizeof hello);
  return KEEP;
}

static const struct {
  const char *path;
  enum after (*serve)(int fd, const struct request_text *r);
} routes[] = {
    {"/echo", echo},
    {"/cookie", set_cookie},
    {"/to/", redirect},
    {"/loop", loop},
    {"/no-location", no_location},
    {"/not-modified", not_modified},
    {"/truncated-chunks", truncated_chunks},
    {"/truncated", truncated},
    {"/bad-chunks", bad_chunks},
    {"/cut-headers", cut_headers},
    {"/cut", cut},
    {"/interim-only", interim_only},
    {"/no-status", no_status},
    {"/nothing", nothing},
    {"/reset", reset},
    {"/silent", silent},
    {"/stall", stall},
    {"/garbage", garbage},
    {"/blank-first", blank_first},
    {"/long-first", long_first},
    {"/close-later", close_later},
    {"/fresh-only", fresh_only},
    {"/big?", big},
    {"/flood", flood},
    {"/interim-flood", interim_flood},
    {"/long-line", long_line},
    {"/interim", interim},
    {"/not-gzip", not_gzip},
    {"/bomb", bomb},
    {"/gzip", gzip},
};

/* A request to a proxy holds a whole URI. */
static const char *path_of (const char *text) {
  const char *target = strchr(text, ' ') + 1;
  if (strncmp(target, "http://", 7) == 0) target += 7 + strcspn(target + 7, "/");
  return target;
}

static enum after serve (int fd, const struct request_text *r) {
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
    if (strncmp(r->path, routes[i].path, strlen(routes[i].path)) == 0) return routes[i].serve(fd, r);
  say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  return KEEP;
}

/* The length of a complete request; 0: incomplete. */
static size_t request_length (const struct connection *c) {
  const char *end = strstr(c->text, "\r\n\r\n"), *field = strcasestr(c->text, "\r\nContent-Length:");
  if (!end) return 0;
  size_t body = field && field < end ? (size_t)strtol(field + 17, NULL, 10) : 0;
  size_t length = (size_t)(end - c->text) + 4 + body;
  return c->length >= length ? length : 0;
}

static void note_request (struct raw_server *s, const struct request_text *r) {
  pthread_mutex_lock(&s->lock);
  s->requests++;
  free(s->last);
  s->last = strndup(r->text, r->length);
  pthread_mutex_unlock(&s->lock);
}

static void close_connection (struct raw_server *s, size_t i, bool reset_it) {
  struct connection *c = &s->connections[i];
  struct linger now = {1, 0};
  pthread_mutex_lock(&s->lock);
  if (reset_it) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(c->fd);
  free(c->text);
  *c = s->connections[--s->count];
  s->open--;
  pthread_mutex_unlock(&s->lock);
}

/* False: the connection has ended. */
static bool read_some (struct raw_server *s, size_t i) {
  struct connection *c = &s->connections[i];
  ssize_t n = recv(c->fd, c->text + c->length, REQUEST_SIZE - 1 - c->length, 0);
  if (n > 0) {
    c->length += (size_t)n;
    c->text[c->length] = '\0';
    return true;
  }
  close_connection(s, i, false);
  return false;
}

static void serve_connection (struct raw_server *s, size_t i) {
  if (!read_some(s, i)) return;
  struct connection *c = &s->connections[i];
  size_t length = request_length(c);
  if (!length) return;
  struct request_text r = {c->text, path_of(c->text), length, c->served++};
  note_request(s, &r);
  enum after after = serve(c->fd, &r);
  memmove(c->text, c->text + length, c->length - length + 1);
  c->length -= length;
  if (after != KEEP) close_connection(s, i, after == RESET);
}

static void accept_one (struct raw_server *s) {
  int one = 1, fd = accept(s->listener, NULL, NULL);
  if (fd < 0) return;
  if (s->count == MOST) {
    close(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  char *text = calloc(1, REQUEST_SIZE);
  if (!text) die("calloc");
  pthread_mutex_lock(&s->lock);
  s->connections[s->count++] = (struct connection){.fd = fd, .text = text};
  s->accepted++;
  s->open++;
  pthread_mutex_unlock(&s->lock);
}

static void *work (void *ud) {
  struct raw_server *s = ud;
  for (;;) {
    struct pollfd fds[MOST + 2] = {{s->wake[0], POLLIN, 0}, {s->listener, POLLIN, 0}};
    size_t count = s->count;
    for (size_t i = 0; i < count; i++)
      fds[i + 2] = (struct pollfd){s->connections[i].fd, POLLIN, 0};
    if (poll(fds, count + 2, -1) < 0 && errno != EINTR) die("poll");
    if (fds[0].revents) return NULL;
    for (size_t i = count; i-- > 0;) /* from the end: close moves the last one into the gap */
      if (fds[i + 2].revents) serve_connection(s, i);
    if (fds[1].revents) accept_one(s);
  }
}

static void listen_anywhere (struct raw_server *s) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  s->listener = socket(AF_INET, SOCK_STREAM, 0);
  if (s->listener < 0) die("socket");
  if (bind(s->listener, (struct sockaddr *)&address, sizeof address)) die("bind");
  if (listen(s->listener, MOST)) die("listen");
  getsockname(s->listener, (struct sockaddr *)&address, &size);
  s->port = ntohs(address.sin_port);
}

struct raw_server *raw_server_start (void) {
  struct raw_server *s = calloc(1, sizeof *s);
  if (!s || pipe(s->wake)) die("raw_server");
  listen_anywhere(s);
  pthread_mutex_init(&s->lock, NULL);
  if (pthread_create(&s->thread, NULL, work, s)) die("pthread_create");
  return s;
}

void raw_server_stop (struct raw_server *s) {
  close(s->wake[1]);
  pthread_join(s->thread, NULL);
  while (s->count)
    close_connection(s, 0, false);
  close(s->listener);
  close(s->wake[0]);
  pthread_mutex_destroy(&s->lock);
  free(s->last);
  free(s);
}

int raw_server_port (const struct raw_server *s) {
  return s->port;
}

static unsigned read_count (struct raw_server *s, const unsigned *count) {
  pthread_mutex_lock(&s->lock);
  unsigned n = *count;
  pthread_mutex_unlock(&s->lock);
  return n;
}

unsigned raw_server_accepted (struct raw_server *s) {
  return read_count(s, &s->accepted);
}

unsigned raw_server_requests (struct raw_server *s) {
  return read_count(s, &s->requests);
}

unsigned raw_server_open (struct raw_server *s) {
  return read_count(s, &s->open);
}

void raw_server_last (struct raw_server *s, char *to, size_t size) {
  pthread_mutex_lock(&s->lock);
  snprintf(to, size, "%s", s->last ? s->last : "");
  pthread_mutex_unlock(&s->lock);
}

void raw_server_say (struct raw_server *s, const char *text) {
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->count; i++)
    say(s->connections[i].fd, text);
  pthread_mutex_unlock(&s->lock);
}
