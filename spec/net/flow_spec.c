#include "check.h"
#include "client.h"
#include "groups.h"
#include "net/exchange_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 1000, LARGE = 60000 };

static unsigned arrivals;

static void on_arrived (struct exchange *x, void *context) {
  (void)context;
  arrivals++;
  CHECK(x->response.body.length > 0 && x->response.status == 200);
}

static struct exchange *flowing_new (const char *path) {
  struct exchange *x = request_new(path);
  x->request.window = WINDOW;
  x->arrived = on_arrived;
  arrivals = 0;
  return x;
}

/* Submits it; the server has read it. */
static struct exchange *flowing (void) {
  struct exchange *x = flowing_new("/silent");
  unsigned before = raw_server_requests(server);
  submit(x);
  await_requests(before + 1);
  return x;
}

static void say_head (const char *lines) {
  char text[256];
  snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s\r\n", lines);
  raw_server_say(server, text);
}

/* A body of that many different bytes. */
static void say_body (size_t length) {
  char *text = malloc(length + 1);
  if (!text) abort();
  for (size_t i = 0; i < length; i++)
    text[i] = (char)('a' + i * i % 23);
  text[length] = 0;
  raw_server_say(server, text);
  free(text);
}

static bool is_body (const char *got, size_t at, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (got[i] != (char)('a' + (at + i) * (at + i) % 23)) return false;
  return true;
}

static void await_arrivals (unsigned count) {
  while (arrivals < count)
    engine_step(engine, -1, 0, NULL);
}

static void step_some (void) {
  for (int i = 0; i < 5; i++)
    engine_step(engine, 0.01, 0, NULL);
}

/* Takes what waits. */
static size_t take (struct exchange *x, size_t at) {
  size_t length = x->response.body.length;
  CHECK(is_body(x->response.body.data, at, length));
  buffer_clear(&x->response.body);
  engine_go_on(engine, x);
  return length;
}

void bodies_wait_for_their_owner (void) {
  size_t got = 0;
  client_open(NULL);
  struct exchange *x = flowing();
  say_head("Content-Length: 60000\r\n");
  say_body(LARGE);
  for (unsigned n = 1; got < LARGE; n++) {
    await_arrivals(n);
    step_some();
    CHECK(arrivals == n && reported == 0); /* no other call before engine_go_on */
    CHECK(x->response.body.length < WINDOW + 65536);
    got += take(x, got);
  }
  await(x);
  CHECK(got == LARGE && arrivals > 1 && x->response.failure == FAILURE_NONE);
  CHECK(x->response.body.length == 0 && reported == 1);
  exchange_free(x);
  client_close();
}

void ends_wait_for_the_last_bytes (void) {
  client_open(NULL);
  struct exchange *x = flowing();
  say_head("Content-Length: 5\r\n");
  say_body(5);
  await_arrivals(1);
  while (x->phase == EXCHANGE_PENDING)
    engine_step(engine, 0.01, 0, NULL);
  step_some();
  CHECK(reported == 0 && x->phase == EXCHANGE_FINISHED && engine_pending(engine));
  engine_go_on(engine, x); /* takes nothing */
  await_arrivals(2);
  CHECK(reported == 0 && x->response.body.length == 5);
  CHECK(take(x, 0) == 5);
  await(x);
  CHECK(reported == 1 && x->response.failure == FAILURE_NONE && !engine_pending(engine));
  engine_go_on(engine, x); /* too late: does nothing */
  exchange_free(x);
  client_close();
}

/* The places where a body that flows may be when it is ended. */
enum place { SENT, BEGUN, ARRIVED, PAUSED, HELD, TAKEN, PLACES };

static struct exchange *bring_to (enum place place) {
  struct exchange *x = flowing();
  if (place == SENT) return x;
  say_head(place == HELD ? "Content-Length: 3\r\n" : "Content-Length: 60000\r\n");
  if (place == BEGUN) {
    while (!x->run->block_complete)
      engine_step(engine, 0.01, 0, NULL);
    return x;
  }
  say_body(place == PAUSED ? LARGE : 3);
  await_arrivals(1);
  while (place == PAUSED && !x->run->paused)
    engine_step(engine, 0.01, 0, NULL);
  while (place == HELD && x->phase == EXCHANGE_PENDING)
    engine_step(engine, 0.01, 0, NULL);
  if (place == TAKEN) take(x, 0);
  return x;
}

void bodies_are_cancelled_anywhere (void) {
  for (enum place place = SENT; place < PLACES; place++) {
    client_open(NULL);
    struct exchange *x = bring_to(place);
    unsigned before = arrivals;
    engine_cancel(engine, x);
    CHECK(!x->response.body.data && x->response.failure == FAILURE_CANCELLED);
    await(x);
    step_some();
    CHECK(reported == 1 && arrivals == before && !engine_pending(engine));
    engine_go_on(engine, x);
    exchange_free(x);
    client_close();
  }
}

void bodies_are_freed_anywhere (void) {
  for (enum place place = SENT; place < PLACES; place++) {
    client_open(NULL);
    exchange_free(bring_to(place));
    CHECK(!engine_pending(engine));
    step_some();
    CHECK(reported == 0);
    struct exchange *x = bring_to(place);
    engine_free(engine);
    engine = NULL;
    CHECK(!x->engine);
    engine_go_on(NULL, x); /* too late: does nothing */
    exchange_free(x);
    client_close();
  }
}

void short_bodies_are_told_whole (void) {
  static const struct {
    const char *lines, *type;
    unsigned arrivals;
  } cases[] = {
      {"Content-Length: 100\r\n", NULL, 0},
      {"Content-Length: 100\r\nContent-Type: text/event-stream\r\n", NULL, 1},
      {"Content-Length: 100\r\n", "application/json", 1},
      {"Content-Length: 100\r\nContent-Type: application/json\r\n", "application/json", 0},
  };
  client_open(NULL);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct exchange *x = flowing_new("/silent");
    x->request.telling = 100;
    x->request.telling_type = cases[i].type;
    unsigned before = raw_server_requests(server);
    submit(x);
    await_requests(before + 1);
    say_head(cases[i].lines);
    say_body(100);
    await_arrivals(cases[i].arrivals);
    if (cases[i].arrivals) take(x, 0);
    await(x);
    CHECK(arrivals == cases[i].arrivals && x->response.body.length == (arrivals ? 0 : 100));
    exchange_free(x);
  }
  client_close();
}

void long_bodies_flow_from_their_beginning (void) {
  size_t got = 0;
  client_open(NULL);
  struct exchange *x = flowing_new("/silent");
  x->request.telling = SIZE_MAX;
  submit(x);
  await_requests(1);
  say_head("Content-Length: 60000\r\n");
  say_body(LARGE);
  for (unsigned n = 1; got < LARGE; n++) {
    await_arrivals(n);
    got += take(x, got);
  }
  await(x);
  CHECK(got == LARGE && x->response.failure == FAILURE_NONE);
  exchange_free(x);
  client_close();
}

/* Bytes are held back at the beginning alone. */
void later_bytes_are_told_at_once (void) {
  client_open(NULL);
  struct exchange *x = flowing_new("/silent");
  x->request.telling = 10;
  submit(x);
  await_requests(1);
  say_head("Content-Length: 100\r\n");
  say_body(10);
  step_some();
  CHECK(arrivals == 0);
  raw_server_say(server, "x");
  await_arrivals(1);
  buffer_clear(&x->response.body);
  engine_go_on(engine, x);
  raw_server_say(server, "y");
  for (int i = 0; i < 1000 && arrivals < 2; i++)
    engine_step(engine, 0.01, 0, NULL);
  CHECK(arrivals == 2 && x->response.body.length == 1);
  exchange_free(x);
  client_close();
}

void flowing_bodies_have_their_limits (void) {
  client_open(NULL);
  struct exchange *x = flowing_new("/silent");
  x->request.timeout = 0.1;
  submit(x);
  await_requests(1);
  say_head("Content-Length: 6\r\n");
  say_body(3);
  await_arrivals(1);
  double until = clock_now() + 0.3;
  while (clock_now() < until)
    engine_step(engine, 0.05, 0, NULL);
  CHECK(x->phase == EXCHANGE_PENDING); /* the owner takes its time */
  take(x, 0);
  await(x);
  CHECK(x->response.failure == FAILURE_STALL && detail_has(x, "after 3 bytes"));
  exchange_free(x);
  x = flowing();
  x->request.most = 10;
  say_head("Content-Length: 60000\r\n");
  say_body(LARGE);
  await(x);
  CHECK(x->response.failure == FAILURE_TOO_BIG && arrivals == 0);
  exchange_free(x);
  client_close();
}

/* True if memory was asked for and refused. The owner takes all that arrives. */
static bool flow_short_of_memory (unsigned long n, bool for_good) {
  size_t got = 0;
  unsigned seen = 0, before = reported;
  struct exchange *x = flowing();
  check_fail_at(n, for_good);
  say_head("Content-Length: 60000\r\n");
  say_body(LARGE);
  while (reported == before) {
    engine_step(engine, -1, 0, NULL);
    if (arrivals == seen) continue;
    seen = arrivals;
    got += take(x, got);
  }
  bool failed = check_has_failed();
  check_fail_at(0, false);
  CHECK(x->response.failure == (got == LARGE ? FAILURE_NONE : FAILURE_MEMORY));
  CHECK(got == LARGE || failed);
  exchange_free(x);
  return failed;
}

void flowing_bodies_survive_lack_of_memory (void) {
  for (int for_good = 0; for_good < 2; for_good++)
    for (unsigned long n = 1;; n++) {
      client_open(NULL);
      bool failed = flow_short_of_memory(n, for_good);
      client_close();
      if (!failed) break;
    }
}
