#include "check.h"
#include "client.h"
#include "groups.h"
#include "net/curl_failure.h"
#include "net/engine_state.h"
#include "net/record.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void check_failure (struct exchange *x, enum failure expected, const char *detail) {
  if (!CHECK(x->response.failure == expected && detail_has(x, detail)))
    printf("  %s: %s (%s)\n", curl_failure_name(x->response.failure), x->response.detail,
           x->response.hint ? x->response.hint : "");
  if (expected != FAILURE_CANCELLED) CHECK(x->response.hint != NULL);
  exchange_free(x);
}

static void check_body (struct exchange *x, const char *text) {
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 200 && body_has(x, text));
  exchange_free(x);
}

static bool adds_up (const struct hop *hop) {
  double sum = hop->queued + hop->resolve + hop->connect + hop->tls + hop->wait + hop->receive;
  return sum > hop->total - 1e-6 && sum < hop->total + 1e-6;
}

/* `reused`: a new connection takes time and a kept one none. */
static void check_hop (const struct hop *hop, const char *method, const char *path, long status,
                       bool reused) {
  CHECK(!strcmp(hop->method, method) && strstr(uri_text(hop->uri), path) && hop->status == status);
  CHECK(hop->tries == 1 && hop->reused == reused && (hop->connect > 0) == !reused && adds_up(hop));
}

void connections_are_kept (void) {
  client_open(NULL);
  struct exchange *x = request_new("/echo");
  struct uri *u = uri_keep(x->request.uri);
  run(x);
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 200 &&
        body_has(x, "GET /echo HTTP/1.1\r\n"));
  CHECK(x->response.timing.total > 0 && x->response.timing.first_byte > 0 && x->response.uri == u);
  struct hop hop;
  exchange_last_hop(x, &hop);
  check_hop(&hop, "GET", "/echo", 200, false);
  CHECK(!x->response.hops && hop.received == x->response.body.length && !hop.sent && hop.begun == x->started);
  exchange_free(x);
  for (int i = 0; i < 20; i++) {
    x = request_new("/echo");
    uri_release(x->request.uri);
    x->request.uri = uri_keep(u);
    run(x);
    CHECK(x->response.status == 200);
    exchange_free(x);
  }
  uri_release(u);
  CHECK(raw_server_accepted(server) == 1 && raw_server_requests(server) == 21 && reported == 21);
  client_close();
}

static void check_method (const char *method, const char *body, const char *expected) {
  char last[1024];
  struct exchange *x = request_new("/echo");
  if (body) request_body(x, body);
  x->request.method = method;
  run(x);
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 200);
  raw_server_last(server, last, sizeof last);
  if (!CHECK(strncmp(last, method, strlen(method)) == 0 && strstr(last, expected))) puts(last);
  CHECK(!strstr(last, "Expect"));
  exchange_free(x);
}

static void check_large_body (void) {
  static char text[(2 << 20) + 1];
  struct exchange *x = request_new("/big?2");
  memset(text, 'b', sizeof text - 1);
  request_body(x, text);
  request_header(x, "X-A", "b");
  run(x);
  CHECK(x->response.status == 200);
  exchange_free(x);
  static char last[(2 << 20) + 4096];
  raw_server_last(server, last, sizeof last);
  CHECK(!strstr(last, "Expect") && strstr(last, "X-A: b\r\n") && strlen(last) > sizeof text);
}

void methods_and_bodies_arrive (void) {
  client_open(NULL);
  check_method("GET", NULL, "\r\n\r\n");
  check_method("POST", "a=b", "Content-Length: 3\r\n");
  check_method("POST", NULL, "Content-Length: 0\r\n");
  check_method("HEAD", NULL, "\r\n\r\n");
  check_method("POST", "", "Content-Length: 0\r\n");
  check_method("HEAD", NULL, "\r\n\r\n");
  check_method("GET", NULL, "\r\n\r\n");
  check_method("PUT", "{}", "Content-Length: 2\r\n");
  check_method("DELETE", NULL, "\r\n\r\n");
  check_method("POST", "\xc3\xa4", "\r\n\r\n\xc3\xa4");
  check_method("PUT", NULL, "Content-Length: 0\r\n");
  check_method("PATCH", "x", "Content-Length: 1\r\n");
  check_method("OPTIONS", NULL, "\r\n\r\n");
  check_large_body();
  check_method("GET", NULL, "\r\n\r\n");
  CHECK(raw_server_accepted(server) == 1);
  client_close();
}

void responses_are_read (void) {
  struct header_line line;
  client_open(NULL);
  struct exchange *x = get("/interim");
  CHECK(x->response.status == 200 && body_has(x, "ok") && x->response.body.length == 2);
  CHECK(strncmp(x->response.headers.data, "HTTP/1.1 200", 12) == 0);
  CHECK(header_find(x->response.headers.data, x->response.headers.length, "x-last", &line));
  CHECK(!header_find(x->response.headers.data, x->response.headers.length, "x-interim", &line));
  CHECK(!header_find(x->response.headers.data, x->response.headers.length, "x-trailer", &line));
  exchange_free(x);
  x = get("/nowhere");
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 404 && x->response.body.length == 0);
  exchange_free(x);
  x = get("/not-modified");
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 304);
  exchange_free(x);
  x = get("/no-location");
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 302 && body_has(x, "no"));
  exchange_free(x);
  client_close();
}

static void check_redirect_out (void) {
  char path[128];
  snprintf(path, sizeof path, "/to/302?http://127.0.0.1:%d/echo;a=1?token=secret",
           raw_server_port(other_server));
  struct exchange *x = get(path);
  CHECK(x->response.may_have_arrived && !detail_has(x, "secret") && !detail_has(x, "a=1") &&
        x->response.status == 302);
  check_failure(x, FAILURE_REDIRECT, "/echo");
  CHECK(raw_server_accepted(other_server) == 0);
  snprintf(path, sizeof path, "/to/302?https://127.0.0.1:%d/echo", raw_server_port(server));
  x = get(path);
  CHECK(strstr(x->response.hint, "use the https URI"));
  check_failure(x, FAILURE_REDIRECT, "https://");
}

static bool cannot_hop (struct exchange *x) {
  (void)x;
  return false;
}

/* The owner runs out of memory for the next hop's headers. */
static void check_hop_refused (void) {
  struct exchange *x = request_new("/to/302/echo");
  x->hopping = cannot_hop;
  run(x);
  CHECK(x->response.redirects == 0 && x->response.status == 302);
  CHECK(x->response.failure == FAILURE_MEMORY && detail_has(x, "no memory for the redirect"));
  exchange_free(x);
}

static void hops_are_kept (void) {
  struct exchange *x = request_new("/to/302/to/307/echo"), *later;
  request_body(x, "a=b");
  x->request.method = "POST";
  run(x);
  struct kept_hop *hops = exchange_take_hops(x);
  exchange_free(x);
  later = get("/echo");
  hop_join(&later->response.hops, hops);
  hops = exchange_take_hops(later);
  exchange_free(later);
  struct kept_hop *third = hops->earlier, *second = third->earlier, *first = second->earlier;
  check_hop(&first->hop, "POST", "/to/302", 302, false);
  check_hop(&second->hop, "GET", "/to/307", 307, true);
  check_hop(&third->hop, "GET", "/echo", 200, true);
  CHECK(first->hop.sent == 3 && !second->hop.sent && third->hop.received > 0 && !first->earlier);
  CHECK(first->hop.begun < second->hop.begun && third->hop.begun < hops->hop.begun);
  for (int i = 0; i < 100; i++)
    hop_keep(engine_memory(engine), &hops, &hops->hop);
  int count = 0;
  for (struct kept_hop *hop = hops; hop; hop = hop->earlier)
    count++;
  CHECK(count == 64);
  hop_free_all(engine_memory(engine), &hops);
}

void redirects_stay_in_the_origin (void) {
  client_open(NULL);
  hops_are_kept();
  struct exchange *x = get("/to/302/to/301/echo");
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 200 && x->response.redirects == 2);
  CHECK(body_has(x, "GET /echo ") && strstr(uri_text(x->response.uri), "/echo"));
  exchange_free(x);
  x = get("/to/302/nothing");
  CHECK(x->response.redirects == 1 && !exchange_has_type(x, "text/html"));
  check_failure(x, FAILURE_CONNECT, "");
  check_redirect_out();
  check_hop_refused();
  check_failure(get("/to/302?ftp://127.0.0.1/"), FAILURE_REDIRECT, "is not http or https");
  check_failure(get("/to/302?http://u:p@127.0.0.1/"), FAILURE_REDIRECT, "user name or password");
  x = get("/loop");
  CHECK(x->response.redirects == 5);
  check_failure(x, FAILURE_REDIRECT, "more than 5 redirects");
  x = request_new("/loop");
  x->request.transport->max_redirects = -1;
  run(x);
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 302);
  exchange_free(x);
  client_close();
}

static void check_message (struct message *m, const char *request, const char *response, const char *body) {
  CHECK(m != NULL);
  if (!m) return;
  CHECK(m->request.data && strncmp(m->request.data, request, strlen(request)) == 0);
  CHECK(m->response.data && strncmp(m->response.data, response, strlen(response)) == 0);
  CHECK(!body || (m->received.data && strstr(m->received.data, body)));
  CHECK(m->peer_port == raw_server_port(server) && strcmp(m->peer, "127.0.0.1") == 0 && m->time > 1e9);
  message_free(engine_recorder(engine), m);
}

/* Messages that nothing takes are freed with the engine. */
void exchanges_are_recorded (void) {
  struct record_options options = {.lines = true, .messages = true, .message_bodies = 1000};
  client_open(NULL);
  struct recorder *r = engine_recorder(engine);
  recorder_set(r, &options);
  exchange_free(get("/to/302/echo?token=hush"));
  check_message(recorder_take(r), "GET /to/302/echo?token=***", "HTTP/1.1 302", NULL);
  check_message(recorder_take(r), "GET /echo?token=***", "HTTP/1.1 200", "GET /echo?token=***");
  CHECK(!recorder_take(r) && !strstr(r->lines.data, "hush") &&
        strstr(r->lines.data, "\n> GET /echo?token=***"));
  exchange_free(get("/echo"));
  CHECK(r->messages != NULL);
  recorder_set(r, NULL);
  CHECK(!r->on);
  client_close();
}

static void check_redirected (const char *method, const char *body, const char *path, const char *expected) {
  char last[1024];
  struct exchange *x = request_new(path);
  if (body) {
    request_body(x, body);
    request_header(x, "Content-Type", "text/special");
  }
  x->request.method = method;
  run(x);
  CHECK(x->response.failure == FAILURE_NONE && x->response.redirects == 1);
  raw_server_last(server, last, sizeof last);
  if (!CHECK(strncmp(last, expected, strlen(expected)) == 0)) puts(last);
  bool bodiless = strncmp(expected, "GET", 3) == 0 || !body;
  CHECK(bodiless ? !strstr(last, "Content-Length") : strstr(last, "\r\n\r\na=b") != NULL);
  CHECK(bodiless == !strstr(last, "Content-Type"));
  exchange_free(x);
}

void redirects_change_the_method (void) {
  client_open(NULL);
  check_redirected("POST", "a=b", "/to/301/echo", "GET /echo");
  check_redirected("POST", "a=b", "/to/302/echo", "GET /echo");
  check_redirected("POST", "a=b", "/to/303/echo", "GET /echo");
  check_redirected("POST", "a=b", "/to/307/echo", "POST /echo");
  check_redirected("POST", "a=b", "/to/308/echo", "POST /echo");
  check_redirected("PUT", "a=b", "/to/302/echo", "PUT /echo");
  check_redirected("PUT", "a=b", "/to/303/echo", "GET /echo");
  check_redirected("HEAD", NULL, "/to/303/echo", "HEAD /echo");
  check_redirected("DELETE", NULL, "/to/303/echo", "GET /echo");
  client_close();
}

static void check_cut (const char *path, const char *detail) {
  struct exchange *x = request_new(path);
  request_body(x, "a=b");
  run(x);
  CHECK(x->response.may_have_arrived);
  check_failure(x, FAILURE_CONNECT, detail);
}

void cut_responses_fail (void) {
  client_open(NULL);
  check_cut("/truncated", "90 bytes");
  check_cut("/truncated-chunks", "");
  check_cut("/cut", "");
  check_cut("/cut-headers", "headers were complete");
  check_cut("/interim-only", "");
  check_cut("/nothing", "");
  check_cut("/reset", "reset");
  struct exchange *x = get("/truncated");
  CHECK(x->response.status == 200);
  exchange_free(x);
  client_close();
}

/* How many requests the server receives for this one, which uses a kept connection. */
static unsigned count_sendings (struct exchange *x) {
  exchange_free(get("/echo"));
  unsigned before = raw_server_requests(server);
  run(x);
  return raw_server_requests(server) - before;
}

static void check_once (const char *path, unsigned sendings) {
  struct exchange *x = request_new(path);
  request_body(x, "a=b");
  x->request.once = true;
  CHECK(count_sendings(x) == sendings && x->response.may_have_arrived);
  CHECK(x->response.hint && strstr(x->response.hint, "before it is sent again"));
  check_failure(x, FAILURE_CONNECT, "the kept connection was closed before an answer came");
}

void some_requests_are_sent_once (void) {
  client_open(&(struct engine_limits){.idle_handles = 1});
  for (int i = 0; i < 10; i++) {
    check_once("/fresh-only", 1);
    struct exchange *x = request_new("/fresh-only");
    CHECK(count_sendings(x) == 2 && x->response.failure == FAILURE_NONE && x->response.status == 200);
    exchange_free(x);
  }
  check_once("/to/307/fresh-only", 2);
  struct exchange *x = request_new("/to/307/echo");
  request_body(x, "a=b");
  x->request.once = true;
  CHECK(count_sendings(x) == 2 && body_has(x, "POST /echo "));
  exchange_free(x);
  client_close();
}

/* Also after the handle had found its kept connection closed. */
void cut_connections_are_replaced_once (void) {
  client_open(&(struct engine_limits){.idle_handles = 1});
  for (int i = 0; i < 6; i++) {
    exchange_free(get(i % 2 ? "/close-later" : "/echo"));
    struct exchange *x = request_new("/nothing");
    CHECK(count_sendings(x) == 2 && x->response.may_have_arrived && !x->response.reused);
    check_failure(x, FAILURE_CONNECT, "");
  }
  client_close();
}

/* A port without a listener, which stays so while the socket holds it. */
static int hold_port (int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int holder = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(holder >= 0 && !bind(holder, (struct sockaddr *)&address, size));
  CHECK(!getsockname(holder, (struct sockaddr *)&address, &size));
  *port = ntohs(address.sin_port);
  return holder;
}

static struct exchange *request_port (int port) {
  char text[64];
  const char *why;
  struct exchange *x = request_new("/");
  int length = snprintf(text, sizeof text, "http://127.0.0.1:%d/?secret", port);
  uri_release(x->request.uri);
  x->request.uri = uri_parse(&checked_memory, text, (size_t)length, &why);
  return x;
}

/* A server for one connection at a time, which this thread serves between two steps. */
static int listen_once (int *port) {
  int listener = hold_port(port);
  CHECK(!listen(listener, 0));
  return listener;
}

static struct exchange *request_soon (int port) {
  struct exchange *x = request_port(port);
  x->request.transport->connect_timeout = 0.3;
  return x;
}

static void serve (int listener, int *connection, int port) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  char request[1024];
  struct exchange *x = request_soon(port);
  submit(x);
  engine_step(engine, 0, 0, NULL);
  if (*connection < 0) *connection = accept(listener, NULL, NULL);
  while (recv(*connection, request, sizeof request, MSG_DONTWAIT) <= 0)
    engine_step(engine, 0.1, 0, NULL);
  CHECK(send(*connection, answer, sizeof answer - 1, 0) == sizeof answer - 1);
  await(x);
  CHECK(x->response.failure == FAILURE_NONE && x->response.status == 200);
  exchange_free(x);
}

/* While the queue is full, a new connection gets no answer. */
static void fill_queue (int port, int queue[], int places) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((in_port_t)port)};
  for (int i = 0; i < places; i++) {
    queue[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(queue[i], (struct sockaddr *)&address, sizeof address);
  }
}

/* libcurl closes the connection, so the next request finds none. */
static void cancel_one (int port) {
  struct exchange *x = request_soon(port);
  submit(x);
  engine_step(engine, 0, 0, NULL);
  engine_cancel(engine, x);
  await(x);
  exchange_free(x);
}

void new_connections_have_their_limit (void) {
  enum { PLACES = 4 };
  int port, connection = -1, queue[PLACES];
  client_open(&(struct engine_limits){.idle_handles = 1});
  int listener = listen_once(&port);
  for (int i = 0; i < 2; i++)
    serve(listener, &connection, port); /* the second request shows that connections are kept */
  cancel_one(port);
  close(connection);
  fill_queue(port, queue, PLACES);
  struct exchange *x = request_soon(port);
  x->request.timeout = 5;
  run(x);
  CHECK(!x->response.may_have_arrived && strstr(x->response.hint, "connectTimeout"));
  check_failure(x, FAILURE_TIMEOUT, "");
  for (int i = 0; i < PLACES; i++)
    close(queue[i]);
  close(listener);
  client_close();
}

/* A handle that had to send a request twice is renewed. */
void renewed_handles_have_their_limit (void) {
  enum { PLACES = 4 };
  int port, queue[PLACES];
  client_open(&(struct engine_limits){.idle_handles = 1});
  int listener = listen_once(&port);
  fill_queue(port, queue, PLACES);
  struct exchange *x = request_new("/fresh-only");
  x->request.transport->connect_timeout = 0.3;
  CHECK(count_sendings(x) == 2);
  exchange_free(x);
  x = request_soon(port);
  x->request.timeout = 3;
  run(x);
  CHECK(strstr(x->response.hint, "connectTimeout"));
  check_failure(x, FAILURE_TIMEOUT, "");
  for (int i = 0; i < PLACES; i++)
    close(queue[i]);
  close(listener);
  client_close();
}

void handles_are_kept_up_to_their_limit (void) {
  for (size_t limit = 0; limit < 3; limit++) {
    client_open(&(struct engine_limits){.idle_handles = limit});
    struct exchange *all[4];
    for (int i = 0; i < 4; i++)
      submit(all[i] = request_new("/echo"));
    for (int i = 0; i < 4; i++) {
      await(all[i]);
      exchange_free(all[i]);
    }
    CHECK(engine->pool.count == limit);
    client_close();
  }
}

void bad_responses_fail (void) {
  client_open(NULL);
  check_failure(get("/garbage"), FAILURE_PROTOCOL, "");
  check_failure(get("/no-status"), FAILURE_PROTOCOL, "");
  check_failure(get("/bad-chunks"), FAILURE_PROTOCOL, "");
  check_failure(get("/not-gzip"), FAILURE_PROTOCOL, "");
  check_failure(get("/flood"), FAILURE_PROTOCOL, "headers pass 256 KiB");
  check_failure(get("/interim-flood"), FAILURE_PROTOCOL, "headers pass 256 KiB");
  check_failure(get("/long-line"), FAILURE_PROTOCOL, "");
  client_close();
}

/*
** libcurl would append the line to the last one on that handle. Before 7.83 and since 8.3 it drops the blank.
*/
void first_header_lines_stand_alone (void) {
  unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  bool tolerated = version < 0x075300 || version >= 0x080300;
  client_open(&(struct engine_limits){.idle_handles = 1});
  check_body(get("/echo"), "GET /echo");
  for (int i = 0; i < 2; i++) {
    if (tolerated)
      check_body(get("/blank-first"), "ok");
    else
      check_failure(get("/blank-first"), FAILURE_PROTOCOL, "");
    check_body(get("/long-first"), "ok");
  }
  client_close();
}

static void check_tls_failure (void) {
  char text[64];
  const char *why;
  struct exchange *x = request_new("/");
  int length = snprintf(text, sizeof text, "https://127.0.0.1:%d/", raw_server_port(server));
  uri_release(x->request.uri);
  x->request.uri = uri_parse(&checked_memory, text, (size_t)length, &why);
  x->request.transport->timeout = 0.3; /* the server waits for a complete request */
  run(x);
  CHECK(!x->response.may_have_arrived);
  check_failure(x, FAILURE_TIMEOUT, "");
  x = request_new("/");
  CHECK(transport_set(x->request.transport, &x->request.transport->cert_file, "/nowhere/at-all.pem"));
  uri_release(x->request.uri);
  x->request.uri = uri_parse(&checked_memory, text, (size_t)length, &why);
  run(x);
  CHECK(strstr(x->response.hint, "clientCertificate"));
  check_failure(x, FAILURE_TLS, "");
  x = request_new("/");
  CHECK(transport_set(x->request.transport, &x->request.transport->ca_file, "/nowhere/at-all.pem"));
  uri_release(x->request.uri);
  x->request.uri = uri_parse(&checked_memory, text, (size_t)length, &why);
  run(x);
  CHECK(strstr(x->response.hint, "caFile"));
  check_failure(x, FAILURE_TLS, "");
}

/* libcurl would send this invalid option. */
static void check_bad_option (void) {
  struct exchange *x = request_new("/echo");
  CHECK(transport_set(x->request.transport, &x->request.transport->user_agent, "a\r\nX-Evil: b"));
  run(x);
  CHECK(!x->response.may_have_arrived && strstr(x->response.hint, "userAgent"));
  check_failure(x, FAILURE_PROTOCOL, "");
}

void connecting_fails (void) {
  client_open(NULL);
  check_bad_option();
  int port, holder = hold_port(&port);
  struct exchange *x = request_port(port);
  request_body(x, "a=b");
  run(x);
  CHECK(!x->response.may_have_arrived && x->response.status == 0 && strstr(x->response.hint, "port"));
  check_failure(x, FAILURE_CONNECT, "onnect");
  close(holder);
  check_tls_failure();
  x = get("/echo");
  CHECK(x->response.status == 200);
  exchange_free(x);
  client_close();
}

/* A listener with a full queue: a connect to it never ends. */
static int full_listener (int fds[4]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  fds[0] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(fds[0], (struct sockaddr *)&address, sizeof address) == 0 && listen(fds[0], 0) == 0);
  getsockname(fds[0], (struct sockaddr *)&address, &size);
  for (int i = 1; i < 4; i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(fds[i], (struct sockaddr *)&address, sizeof address);
  }
  return ntohs(address.sin_port);
}

static void check_connect_timeout (void) {
  int fds[4];
  struct exchange *x = request_port(full_listener(fds));
  x->request.transport->stall_timeout = 0.05; /* counts from the request */
  run(x);
  CHECK(!x->response.may_have_arrived && strstr(x->response.hint, "connectTimeout"));
  check_failure(x, FAILURE_TIMEOUT, "");
  for (int i = 0; i < 4; i++)
    close(fds[i]);
}

/* After the request no byte moves: a stall is noticed before twice its time. */
static void check_stall_time (const char *body) {
  struct exchange *x = request_new("/silent");
  if (body) request_body(x, body);
  x->request.stall_timeout = 1;
  x->request.timeout = 1.9;
  run(x);
  check_failure(x, FAILURE_STALL, "1 seconds");
}

void limits_of_time_hold (void) {
  client_open(NULL);
  check_stall_time(NULL);
  check_stall_time("a=b");
  struct exchange *x = request_new("/silent");
  x->request.timeout = 0.2;
  run(x);
  CHECK(x->response.may_have_arrived && x->response.timing.total >= 0.2 &&
        strstr(x->response.hint, "timeout"));
  check_failure(x, FAILURE_TIMEOUT, "0.2 seconds");
  x = request_new("/stall");
  x->request.transport->stall_timeout = 0.2;
  run(x);
  CHECK(x->response.status == 200 && strstr(x->response.hint, "stallTimeout"));
  check_failure(x, FAILURE_STALL, "after 10 bytes");
  x = request_new("/to/302/stall");
  x->request.transport->timeout = 0.2;
  x->request.stall_timeout = 1000;
  run(x);
  check_failure(x, FAILURE_TIMEOUT, "with 10 bytes");
  check_connect_timeout();
  client_close();
}

static struct exchange *limited (const char *path, size_t most) {
  struct exchange *x = request_new(path);
  x->request.transport->max_response = most;
  run(x);
  return x;
}

void limits_of_size_hold (void) {
  client_open(NULL);
  struct exchange *x = limited("/big?100000", 100000);
  CHECK(x->response.failure == FAILURE_NONE && x->response.body.length == 100000);
  exchange_free(x);
  x = limited("/big?100001", 100000);
  CHECK(strstr(x->response.hint, "maxResponseSize") && x->response.body.length <= 100000);
  check_failure(x, FAILURE_TOO_BIG, "100000");
  x = limited("/bomb", 100000);
  CHECK(x->response.body.capacity <= 100001);
  check_failure(x, FAILURE_TOO_BIG, "100000");
  x = limited("/gzip", 5);
  CHECK(x->response.failure == FAILURE_NONE && body_has(x, "hello"));
  exchange_free(x);
  client_close();
}

static struct exchange *get_by_proxy (const char *proxy) {
  struct exchange *x = request_new("/echo");
  if (proxy) CHECK(transport_set(x->request.transport, &x->request.transport->proxy, proxy));
  run(x);
  return x;
}

static void check_environment_proxy (int dead_port) {
  char proxy[64];
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", dead_port);
  setenv("http_proxy", proxy, 1);
  struct exchange *x = get_by_proxy(NULL);
  CHECK(strstr(x->response.hint, "environment variable http_proxy: pass proxy = false"));
  check_failure(x, FAILURE_PROXY, "");
  x = request_new("/echo");
  x->request.transport->no_proxy = true;
  run(x);
  CHECK(x->response.status == 200);
  exchange_free(x);
  unsetenv("http_proxy");
  x = get("/echo");
  CHECK(x->response.status == 200);
  exchange_free(x);
}

void proxies_are_used_and_blamed (void) {
  char proxy[64], last[1024];
  int dead, holder = hold_port(&dead);
  client_open(NULL);
  snprintf(proxy, sizeof proxy, "http://u:hush@127.0.0.1:%d", raw_server_port(other_server));
  struct exchange *x = get_by_proxy(proxy);
  CHECK(x->response.status == 200 && body_has(x, "GET http://127.0.0.1:"));
  exchange_free(x);
  x = get("/echo");
  raw_server_last(server, last, sizeof last);
  CHECK(raw_server_requests(server) == 1 && !strstr(last, "Proxy-"));
  exchange_free(x);
  snprintf(proxy, sizeof proxy, "http://localhost:%d", dead);
  check_failure(get_by_proxy(proxy), FAILURE_PROXY, "");
  x = get_by_proxy("bad://u:hush@127.0.0.1:1");
  CHECK(!detail_has(x, "hush"));
  check_failure(x, FAILURE_PROXY, "");
  check_environment_proxy(dead);
  close(holder);
  client_close();
}
