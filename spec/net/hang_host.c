/*
** hang_host: proves that nothing waits for the resolver: cancelling or freeing an exchange, a time limit, and
** freeing the engine all return while the look-up is blocked. The order proves it: the look-ups are released
** only afterwards, so a wait for one would never end. Run it with resolver_hang preloaded and
** DATASESSION_HANG_FIFO set to a path that it may create.
*/
#include "check.h"
#include "net/engine.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int (*begun)(void);
static int (*ended)(void);
static const char *fifo;
static int expected;

static void on_finished (struct exchange *x, void *context) {
  (void)x, (void)context;
}

static struct exchange *request_new (struct engine *engine) {
  char text[64];
  const char *why;
  struct exchange *x = engine_new_exchange(engine);
  int length = snprintf(text, sizeof text, "http://name%d.hang.test/",
                        expected++); /* each name has a look-up of its own */
  x->request.method = "GET";
  x->request.uri = uri_parse(&checked_memory, text, (size_t)length, &why);
  x->request.transport = transport_new(&checked_memory);
  x->request.transport->no_proxy = true;
  x->finished = on_finished;
  return x;
}

/* Submits, and returns when the look-up is blocked. */
static void submit (struct engine *engine, struct exchange *x) {
  CHECK(engine_submit(engine, x));
  while (begun() < expected)
    engine_step(engine, 0.001, 0, NULL);
}

static void await (struct engine *engine, struct exchange *x) {
  while (x->phase != EXCHANGE_REPORTED)
    engine_step(engine, -1, 0, NULL);
}

static void check_cancel (struct engine *engine) {
  struct exchange *x = request_new(engine);
  submit(engine, x);
  engine_cancel(engine, x);
  await(engine, x);
  CHECK(x->response.failure == FAILURE_CANCELLED && !x->response.may_have_arrived);
  exchange_free(x);
  x = request_new(engine);
  submit(engine, x);
  exchange_free(x);
}

static void check_limits (struct engine *engine) {
  struct exchange *x = request_new(engine);
  x->request.timeout = 0.1;
  submit(engine, x);
  await(engine, x);
  CHECK(x->response.failure == FAILURE_TIMEOUT);
  exchange_free(x);
  x = request_new(engine);
  x->request.transport->connect_timeout = 0.1;
  CHECK(engine_submit(engine, x));
  await(engine, x);
  CHECK(x->response.failure == FAILURE_TIMEOUT);
  exchange_free(x);
}

/* Releases all look-ups; some versions of libcurl look a name up once for each address family. */
static void release (void) {
  int fd = open(fifo, O_RDWR | O_CLOEXEC), count = begun();
  for (int i = ended(); i < count; i++)
    CHECK(write(fd, "x", 1) == 1);
  while (ended() < count)
    sched_yield();
  close(fd);
}

static void nothing_waits_for_a_look_up (void) {
  struct engine *engine = engine_new(NULL, &checked_memory);
  check_cancel(engine);
  check_limits(engine);
  struct exchange *x = request_new(engine);
  submit(engine, x);
  engine_trim(engine);
  engine_free(engine);
  exchange_free(x);
  CHECK(ended() == 0);
  release();
}

static void failed_look_ups_are_reported (void) {
  struct engine *engine = engine_new(NULL, &checked_memory);
  struct exchange *x = request_new(engine);
  submit(engine, x);
  while (x->phase != EXCHANGE_REPORTED) {
    release();
    engine_step(engine, 0.001, 0, NULL);
  }
  CHECK(x->response.failure == FAILURE_DNS && x->response.hint && strstr(x->response.detail, ".hang.test"));
  exchange_free(x);
  engine_free(engine);
}

int main (void) {
  fifo = getenv("DATASESSION_HANG_FIFO");
  *(void **)&begun = dlsym(RTLD_DEFAULT, "resolver_hang_begun");
  *(void **)&ended = dlsym(RTLD_DEFAULT, "resolver_hang_ended");
  if (!fifo || !begun || !ended) {
    fputs("preload resolver_hang, and name a FIFO in DATASESSION_HANG_FIFO\n", stderr);
    return 2;
  }
  unlink(fifo);
  if (mkfifo(fifo, 0600)) {
    perror(fifo);
    return 2;
  }
  alarm(60); /* ends a wait that would never end */
  check_group("nothing_waits_for_a_look_up", nothing_waits_for_a_look_up);
  check_group("failed_look_ups_are_reported", failed_look_ups_are_reported);
  unlink(fifo);
  return check_summary();
}
