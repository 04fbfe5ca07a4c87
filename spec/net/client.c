#include "client.h"

#include "check.h"
#include "net/timers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct engine *engine;
struct raw_server *server, *other_server;
struct cookie_jars jars;
unsigned reported;

void client_open (const struct engine_limits *limits) {
  reported = 0;
  server = raw_server_start();
  other_server = raw_server_start();
  cookie_jars_init(&jars, &checked_memory, 1);
  engine = engine_new(limits, &checked_memory);
  CHECK(engine != NULL);
}

void client_close (void) {
  engine_free(engine);
  engine = NULL;
  cookie_jars_cleanup(&jars);
  raw_server_stop(server);
  raw_server_stop(other_server);
}

struct uri *server_uri (const struct raw_server *s, const char *path) {
  char text[512];
  const char *why = "";
  int length = snprintf(text, sizeof text, "http://127.0.0.1:%d%s", raw_server_port(s), path);
  struct uri *u = uri_parse(&checked_memory, text, (size_t)length, &why);
  CHECK(u != NULL);
  return u;
}

static void on_finished (struct exchange *x, void *context) {
  (void)x, (void)context;
  reported++;
}

struct exchange *request_new (const char *path) {
  struct exchange *x = engine_new_exchange(engine);
  if (!x) abort();
  x->request.method = "GET";
  x->request.uri = server_uri(server, path);
  x->request.transport = transport_new(&checked_memory);
  x->finished = on_finished;
  return x;
}

void request_body (struct exchange *x, const char *text) {
  x->request.method = "POST";
  x->request.has_body = true;
  CHECK(buffer_add(&x->request.body, text, strlen(text)) == BUFFER_OK);
}

void request_header (struct exchange *x, const char *name, const char *value) {
  if (!x->request.headers) x->request.headers = header_list_new(&checked_memory);
  CHECK(header_list_set(x->request.headers, name, strlen(name), value, strlen(value)) == HEADER_OK);
}

void submit (struct exchange *x) {
  CHECK(engine_submit(engine, x));
  CHECK(x->phase != EXCHANGE_REPORTED);
}

void await (struct exchange *x) {
  while (x->phase != EXCHANGE_REPORTED)
    engine_step(engine, -1, 0, NULL);
}

static const double longest_wait = 60; /* seconds: a loaded machine too needs far fewer */

static void need_before (double end, const char *what) {
  if (clock_now() < end) return;
  fprintf(stderr, "net_spec: waited too long for %s\n", what);
  exit(2);
}

void await_requests (unsigned count) {
  double end = clock_now() + longest_wait;
  while (raw_server_requests(server) < count) {
    need_before(end, "requests");
    engine_step(engine, 0.005, 0, NULL);
  }
}

void await_count (unsigned (*count)(void), unsigned least) {
  double end = clock_now() + longest_wait;
  while (count() < least) {
    need_before(end, "a count");
    poll(NULL, 0, 1);
  }
}

void run (struct exchange *x) {
  submit(x);
  await(x);
}

struct exchange *get (const char *path) {
  struct exchange *x = request_new(path);
  run(x);
  return x;
}

bool is_connection (int fd) {
  struct sockaddr_in peer = {0};
  socklen_t size = sizeof peer;
  return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
         ntohs(peer.sin_port) == raw_server_port(server);
}

unsigned count_connections (bool readable) {
  unsigned found = 0;
  for (int fd = 0; fd < 256; fd++) {
    struct pollfd p = {fd, POLLIN, 0};
    if (is_connection(fd)) found += !readable || poll(&p, 1, 0) == 1;
  }
  return found;
}

bool body_has (const struct exchange *x, const char *text) {
  return x->response.body.data && strstr(x->response.body.data, text);
}

bool detail_has (const struct exchange *x, const char *text) {
  return strstr(x->response.detail, text) != NULL;
}
