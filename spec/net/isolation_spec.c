#include "check.h"
#include "client.h"
#include "groups.h"
#include "net/curl_failure.h"
#include "net/exchange_internal.h"
#include "net/handle.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* With one handle every request meets the state that the last one left. */
static const struct engine_limits one_handle = {0, 0, 1, false};

static struct exchange *get_with_jar (const char *path, struct cookie_jar *jar) {
  struct exchange *x = request_new(path);
  x->request.jar = cookie_jar_keep(jar);
  run(x);
  CHECK(x->response.failure == FAILURE_NONE);
  return x;
}

static bool sends_cookie (struct cookie_jar *jar) {
  struct exchange *x = get_with_jar("/echo", jar);
  bool yes = body_has(x, "secret-cookie");
  exchange_free(x);
  return yes;
}

void cookies_stay_in_their_jar (void) {
  client_open(&one_handle);
  struct cookie_jar *a = cookie_jar_new(&jars), *b = cookie_jar_new(&jars);
  exchange_free(get_with_jar("/cookie", a));
  CHECK(sends_cookie(a) && !sends_cookie(b) && !sends_cookie(NULL) && sends_cookie(a));
  exchange_free(get_with_jar("/cookie", NULL));
  CHECK(!sends_cookie(b) && !sends_cookie(NULL) && sends_cookie(a));
  engine_forget_jar(engine, a);
  cookie_jar_release(a);
  a = cookie_jar_new(&jars);
  CHECK(!sends_cookie(a) && !sends_cookie(b));
  CHECK(raw_server_accepted(server) == 1);
  engine_forget_jar(engine, a);
  engine_forget_jar(engine, b);
  cookie_jar_release(a);
  cookie_jar_release(b);
  cookie_jar_release(NULL);
  client_close();
}

static void check_forgotten_in_flight (struct cookie_jar *jar) {
  struct exchange *x = request_new("/silent");
  x->request.jar = cookie_jar_keep(jar);
  submit(x);
  engine_step(engine, 0, 0, NULL);
  CHECK(cookie_jar_clear(jar));
  engine_forget_jar(engine, jar);
  engine_cancel(engine, x);
  await(x);
  exchange_free(x);
  cookie_jar_release(jar); /* the last reference: the allocator tells if the handle kept one */
}

void jars_forget (void) {
  client_open(NULL);
  struct cookie_jar *a = cookie_jar_new(&jars);
  CHECK(cookie_jar_clear(a));
  exchange_free(get_with_jar("/cookie", a));
  CHECK(sends_cookie(a) && cookie_jar_clear(a) && !sends_cookie(a)); /* while an idle handle is attached */
  exchange_free(get_with_jar("/cookie", a));
  engine_forget_jar(engine, a);
  CHECK(cookie_jar_clear(a) && !sends_cookie(a)); /* while none is */
  exchange_free(get_with_jar("/cookie", a));
  check_forgotten_in_flight(a);
  client_close();
}

static const char *const lines[] = {"127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\tsecret-1",
                                    "#HttpOnly_127.0.0.1\tFALSE\t/deep\tTRUE\t0\tsid\tsecret-2",
                                    "127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tlasting\tsecret 3=;",
                                    "127.0.0.1\tFALSE\t/\tFALSE\t0\tempty\t"};
enum { LINES = sizeof lines / sizeof *lines };

static bool holds_lines (struct cookie_jar *jar, unsigned count) {
  struct curl_slist *all = NULL, *line;
  unsigned found = 0, i;
  CHECK(cookie_jar_export(jar, "127.0.0.1", &all));
  for (line = all; line; line = line->next, count--)
    for (i = 0; i < LINES; i++)
      if (!strcmp(line->data, lines[i])) found |= 1U << i;
  curl_slist_free_all(all);
  return !count && found == (1U << LINES) - 1;
}

static void import (struct cookie_jar *jar, unsigned more) {
  char line[64];
  for (unsigned i = 0; i < LINES; i++)
    CHECK(cookie_jar_import(jar, "127.0.0.1", lines[i]));
  for (; more; more--) {
    snprintf(line, sizeof line, "127.0.0.1\tFALSE\t/\tFALSE\t0\tmore%u\tx", more);
    CHECK(cookie_jar_import(jar, "127.0.0.1", line));
  }
}

void cookies_come_back_as_they_were (void) {
  client_open(&one_handle);
  struct cookie_jar *a = cookie_jar_new(&jars), *b = cookie_jar_new(&jars), *many = cookie_jar_new(&jars);
  import(a, 0);
  check_fail_at(1, true); /* no memory for a parcel: the cookies stay */
  import(b, 0);
  CHECK(check_has_failed());
  check_fail_at(0, false);
  import(many, 60);
  for (int turn = 0; turn < 3; turn++)
    CHECK(holds_lines(a, LINES) && holds_lines(b, LINES) && holds_lines(many, LINES + 60));
  exchange_free(get_with_jar("/cookie", b));
  CHECK(cookie_jar_clear(a) && !sends_cookie(a) && sends_cookie(b) && holds_lines(b, LINES + 1));
  engine_forget_jar(engine, b);
  import(a, 0);
  CHECK(cookie_jar_clear(b) && !sends_cookie(b) && holds_lines(a, LINES)); /* while they are packed */
  engine_forget_jar(engine, b);
  cookie_jar_release(a);
  cookie_jar_release(b);
  cookie_jar_release(many);
  client_close();
}

/* libcurl exports both cookies, but when it imports them, the expired one removes the other. */
void cookies_that_would_be_lost_stay (void) {
  client_open(&one_handle);
  struct cookie_jar *odd = cookie_jar_new(&jars), *other = cookie_jar_new(&jars);
  struct curl_slist *all = NULL;
  CHECK(cookie_jar_import(odd, "127.0.0.1", "127.0.0.1\t\t/\tTRUE\t2147483647\tsid\tsecret"));
  CHECK(cookie_jar_import(odd, "127.0.0.1", "127.0.0.1\tFALSE\t/\tTRUE\t2\tsid\tx"));
  import(other, 0);
  CHECK(cookie_jar_export(odd, "127.0.0.1", &all) && all);
  curl_slist_free_all(all);
  cookie_jar_release(odd);
  cookie_jar_release(other);
  client_close();
}

static struct exchange *get_as (struct basic_auth *c, const char *path) {
  struct exchange *x = request_new(path);
  x->request.credentials = basic_auth_keep(c);
  run(x);
  CHECK(x->response.failure == FAILURE_NONE);
  return x;
}

static bool sends_authorization (struct basic_auth *c, const char *expected) {
  struct exchange *x = get_as(c, "/echo");
  bool yes = body_has(x, expected);
  exchange_free(x);
  return yes;
}

void credentials_stay_with_their_exchange (void) {
  client_open(&one_handle);
  struct basic_auth *a = basic_auth_new(&checked_memory, "ann", 3, "one:1", 5);
  struct basic_auth *b = basic_auth_new(&checked_memory, "b\xc3\xb6", 3, "", 0);
  struct basic_auth *c = basic_auth_new(&checked_memory, "u", 1, "p\xff?", 3);
  CHECK(sends_authorization(a, "Authorization: Basic YW5uOm9uZTox\r\n"));
  CHECK(!sends_authorization(NULL, "Authorization"));
  CHECK(sends_authorization(b, "Authorization: Basic YsO2Og==\r\n"));
  CHECK(sends_authorization(c, "Authorization: Basic dTpw/z8=\r\n"));
  CHECK(sends_authorization(a, "Authorization: Basic YW5uOm9uZTox\r\n"));
  struct exchange *x = get_as(a, "/to/302/echo");
  CHECK(x->response.redirects == 1 && body_has(x, "Authorization: Basic YW5uOm9uZTox\r\n"));
  exchange_free(x);
  CHECK(!sends_authorization(NULL, "Authorization"));
  x = request_new("/echo");
  x->request.credentials = basic_auth_keep(a);
  request_header(x, "Authorization", "Mine");
  run(x);
  CHECK(body_has(x, "Authorization: Mine\r\n") && !body_has(x, "Authorization: Basic"));
  exchange_free(x);
  CHECK(raw_server_accepted(server) == 1);
  basic_auth_release(a);
  basic_auth_release(b);
  basic_auth_release(c);
  basic_auth_release(NULL);
  check_fail_at(1, true);
  CHECK(basic_auth_new(&checked_memory, "u", 1, "p", 1) == NULL);
  check_fail_at(0, false);
  client_close();
}

static void send_all_there_is (void) {
  struct exchange *x = request_new("/cookie?secret-query");
  request_body(x, "secret-body");
  x->request.method = "PROPFIND";
  request_header(x, "X-Token", "secret-header");
  x->request.jar = cookie_jar_new(&jars);
  x->request.credentials = basic_auth_new(&checked_memory, "ann", 3, "secret", 6);
  CHECK(transport_set(x->request.transport, &x->request.transport->user_agent, "secret-agent"));
  CHECK(transport_set(x->request.transport, &x->request.transport->ca_file, "/nowhere"));
  x->request.transport->insecure = true;
  run(x);
  CHECK(x->response.status == 200);
  struct cookie_jar *jar = cookie_jar_keep(x->request.jar);
  exchange_free(x);
  engine_forget_jar(engine, jar);
  cookie_jar_release(jar);
}

static void check_plain (void) {
  char last[1024];
  struct exchange *x = get("/echo");
  CHECK(x->response.status == 200);
  exchange_free(x);
  raw_server_last(server, last, sizeof last);
  CHECK(strncmp(last, "GET /echo HTTP/1.1\r\n", 20) == 0 && strstr(last, "User-Agent: datasession/"));
  CHECK(!strstr(last, "secret") && !strstr(last, "Authorization") && !strstr(last, "Cookie"));
  CHECK(!strstr(last, "Content-") && !strstr(last, "Referer"));
}

void nothing_is_left_on_a_handle (void) {
  client_open(&one_handle);
  check_plain();
  send_all_there_is();
  check_plain();
  struct exchange *x = request_new("/silent?secret");
  request_body(x, "secret");
  request_header(x, "X-Token", "secret-header");
  submit(x);
  await_requests(raw_server_requests(server) + 1);
  exchange_free(x);
  check_plain();
  client_close();
}

static struct handle_lines ready;
static struct sockets sockets;

/* A handle of no engine. Call sockets_cleanup after it is freed. */
static struct handle *new_handle (void) {
  handle_lines_init(&ready);
  sockets_init(&sockets, &checked_memory);
  return handle_new(&checked_memory, &ready, &sockets);
}

static void prepare_for (struct handle *h, const char *text) {
  struct exchange *x = request_new("/");
  const char *why;
  uri_release(x->request.uri);
  x->request.uri = uri_parse(&checked_memory, text, strlen(text), &why);
  exchange_start(x, clock_now());
  CHECK(handle_prepare(h, x) == CURLE_OK);
  handle_rest(h);
  exchange_free(x);
}

/* libcurl's default CA certificates, which it does not export, are removed while they are not needed. */
void handles_know_the_certificates_again (void) {
  client_open(&one_handle);
  struct handle *h = new_handle();
  for (int i = 0; i < 2; i++) {
    prepare_for(h, "https://127.0.0.1/");
    CHECK(!h->lacks_authorities && h->https);
    prepare_for(h, "http://127.0.0.1/");
    CHECK(h->lacks_authorities && !h->https);
  }
  handle_free(h);
  sockets_cleanup(&sockets);
  client_close();
}

/* After a kept connection broke, the server may have acted on the request, however the next attempt ends. */
void broken_connections_leave_doubt (void) {
  client_open(&one_handle);
  struct handle *h = new_handle();
  struct exchange *x = request_new("/");
  exchange_start(x, clock_now());
  CHECK(handle_prepare(h, x) == CURLE_OK);
  x->run->reached = h->reused = true;
  CHECK(handle_tries_again(h, CURLE_HTTP2) && h->unsure && h->retried);
  CHECK(!handle_tries_again(h, CURLE_HTTP2));
  handle_rest(h);
  exchange_free(x);
  handle_free(h);
  sockets_cleanup(&sockets);
  client_close();
}

/* A response that was cut is final, also on a handle whose last transfer had found no kept connection. */
void stranded_handles_forget_that (void) {
  client_open(&one_handle);
  struct handle *h = new_handle();
  struct exchange *x = request_new("/");
  exchange_start(x, clock_now());
  h->stranded = true;
  CHECK(handle_prepare(h, x) == CURLE_OK);
  x->run->reached = h->reused = true;
  x->run->header_bytes = 10;
  CHECK(!handle_tries_again(h, CURLE_PARTIAL_FILE) && !h->retried);
  handle_rest(h);
  exchange_free(x);
  handle_free(h);
  sockets_cleanup(&sockets);
  client_close();
}

/* Opens a socket with that local port; 0: any. */
static int open_socket (in_addr_t address, int port) {
  struct sockaddr_in own = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(address), .sin_port = htons((in_port_t)port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&own, sizeof own));
  sockets_add(&sockets, fd);
  return fd;
}

static int port_of (int fd) {
  struct sockaddr_in own = {0};
  socklen_t size = sizeof own;
  CHECK(!getsockname(fd, (struct sockaddr *)&own, &size));
  return ntohs(own.sin_port);
}

static void close_socket (int fd) {
  sockets_note_end(&sockets, fd);
  sockets_remove(&sockets, fd);
  close(fd);
}

/* A GOAWAY is for one connection, and for no other with the same port. */
void ports_are_used_again (void) {
  sockets_init(&sockets, &checked_memory);
  int first = open_socket(INADDR_LOOPBACK, 0), port = port_of(first);
  sockets_note_goaway(&sockets, port, 1);
  close_socket(first);
  CHECK(sockets_last_stream(&sockets, port) == 1);
  int second = open_socket(INADDR_LOOPBACK, port);
  CHECK(sockets_last_stream(&sockets, port) == -1);
  close_socket(second);
  CHECK(sockets_last_stream(&sockets, port) == -1);
  int third = open_socket(INADDR_LOOPBACK, port), other = open_socket(INADDR_LOOPBACK + 1, port);
  sockets_note_goaway(&sockets, port, 1);
  CHECK(sockets_last_stream(&sockets, port) == -1);
  close_socket(third);
  close_socket(other);
  sockets_cleanup(&sockets);
}

/* The server closes a connection that the client takes for open; libcurl retries on a new one. */
void retries_go_to_the_right_uri (void) {
  client_open(&one_handle);
  for (int i = 0; i < 20; i++) {
    exchange_free(get("/close-later"));
    struct exchange *x = get("/echo?right");
    if (!CHECK(x->response.failure == FAILURE_NONE && body_has(x, "GET /echo?right ")))
      printf("  %s: %s\n", curl_failure_name(x->response.failure), x->response.detail);
    exchange_free(x);
  }
  client_close();
}

/* A second, unsolicited response must not reach the next request. */
void unsolicited_responses_are_dropped (void) {
  client_open(&one_handle);
  for (unsigned i = 1; i <= 10; i++) {
    exchange_free(get("/echo"));
    CHECK(raw_server_accepted(server) == i);
    raw_server_say(server, i % 2 ? "HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n" : "HTTP/1.1 ");
    struct exchange *x = request_new("/echo?own");
    request_body(x, "a=b");
    x->request.once = true; /* nothing was sent on the connection that is given up */
    run(x);
    if (!CHECK(x->response.failure == FAILURE_NONE && body_has(x, "POST /echo?own ")))
      printf("  %s: %s\n", curl_failure_name(x->response.failure), x->response.detail);
    exchange_free(x);
  }
  CHECK(raw_server_requests(server) == 20);
  client_close();
}
