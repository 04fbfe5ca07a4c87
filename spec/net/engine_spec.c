#include "check.h"
#include "client.h"
#include "groups.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

void idle_engines_do_nothing (void) {
  client_open(NULL);
  struct timer later = {0, 0, NULL};
  CHECK(!engine_pending(engine) && engine_step(engine, -1, 0, NULL) == 0 && engine_timeout(engine) < 0);
  CHECK(engine_step(engine, 10, 0, NULL) == 0);
  CHECK(engine_set_timer(engine, &later, clock_now() + 1000) && engine_pending(engine));
  double timeout = engine_timeout(engine);
  CHECK(timeout > 900 && timeout <= 1000 && engine_step(engine, 0, 0, NULL) == 0);
  engine_clear_timer(engine, &later);
  CHECK(!engine_pending(engine));
  CHECK(engine_set_timer(engine, &later, clock_now() + 1000));
  client_close();
  CHECK(later.place == 0);
  engine_free(NULL);
}

static int order[8];
static size_t ordered;
static struct timer set_again;

static void note (struct timer *timer, void *context) {
  CHECK(context == &ordered && timer->place == 0);
  order[ordered++] = (int)(timer->when * 1000) % 10;
  if (timer == &set_again) CHECK(engine_set_timer(engine, timer, 0)); /* always due */
}

void timers_fire_from_a_step (void) {
  struct timer a = {0, 0, note}, b = {0, 0, note}, c = {0, 0, note};
  client_open(NULL);
  ordered = 0;
  double base = 0.0005; /* long ago: all three are due */
  CHECK(engine_set_timer(engine, &c, base + 0.003) && engine_set_timer(engine, &a, base + 0.001));
  CHECK(engine_set_timer(engine, &b, base + 0.002) && engine_timeout(engine) == 0);
  CHECK(engine_step(engine, 0, 0, &ordered) == 3 && ordered == 3);
  CHECK(order[0] == 1 && order[1] == 2 && order[2] == 3);
  CHECK(engine_set_timer(engine, &a, clock_now() + 0.02) && engine_step(engine, 0, 0, &ordered) == 0);
  CHECK(engine_step(engine, -1, 0, &ordered) == 1 && clock_now() >= a.when);
  set_again = (struct timer){0, 0, note};
  CHECK(engine_set_timer(engine, &set_again, 0) && engine_step(engine, 0, 0, &ordered) == 1);
  CHECK(engine_step(engine, 0, 0, &ordered) == 1);
  client_close();
}

void cancelled_exchanges_are_reported_once (void) {
  client_open(NULL);
  struct exchange *x = request_new("/silent"), *y = request_new("/echo");
  submit(x);
  submit(y);
  await_requests(2);
  engine_cancel(engine, x);
  engine_cancel(engine, x);
  CHECK(x->phase == EXCHANGE_FINISHED && engine_pending(engine) && engine_timeout(engine) == 0);
  await(x);
  await(y);
  CHECK(reported == 2 && x->response.failure == FAILURE_CANCELLED && x->response.may_have_arrived);
  CHECK(y->response.status == 200);
  engine_cancel(engine, y);
  exchange_free(x);
  exchange_free(y);
  x = request_new("/echo"); /* on a used handle, whose figures belong to another exchange */
  submit(x);
  engine_cancel(engine, x);
  CHECK(engine_step(engine, 0, 0, NULL) == 1 && !x->response.may_have_arrived && reported == 3);
  exchange_free(x);
  exchange_free(request_new("/echo"));
  exchange_free(NULL);
  CHECK(!engine_pending(engine) && engine_step(engine, -1, 0, NULL) == 0);
  client_close();
}

void pending_exchanges_are_freed (void) {
  client_open(NULL);
  for (int i = 0; i < 5; i++) {
    struct exchange *x = request_new("/stall");
    request_body(x, "a=b");
    submit(x);
    for (int step = 0; step < i; step++)
      engine_step(engine, 0.001, 0, NULL);
    exchange_free(x);
  }
  struct exchange *x = request_new("/echo");
  submit(x);
  engine_cancel(engine, x);
  exchange_free(x); /* finished, not reported */
  CHECK(reported == 0 && !engine_pending(engine));
  client_close();
}

void engines_are_freed_with_pending_exchanges (void) {
  client_open(NULL);
  struct exchange *fresh = request_new("/echo"), *running = request_new("/silent"),
                  *finished = request_new("/echo");
  struct cookie_jar *jar = cookie_jar_new(&jars);
  running->request.jar = cookie_jar_keep(jar);
  request_body(running, "a=b");
  submit(running);
  await_requests(1);
  submit(finished);
  engine_cancel(engine, finished);
  exchange_free(fresh);
  engine_free(engine);
  engine = NULL;
  CHECK(reported == 0 && running->engine == NULL && finished->engine == NULL);
  exchange_free(running);
  exchange_free(finished);
  cookie_jar_release(jar);
  client_close();
}

static struct exchange *second;

static void step_again (struct exchange *x, void *context) {
  reported++;
  exchange_free(x);
  while (second->phase != EXCHANGE_REPORTED)
    engine_step(engine, -1, 0, context);
}

static void free_engine (struct exchange *x, void *context) {
  (void)context;
  reported++;
  exchange_free(x);
  engine_free(engine);
  engine = NULL;
}

static void check_engine_freed_from_inside (void) {
  struct timer due = {0, 0, NULL};
  struct exchange *x = request_new("/echo");
  second = request_new("/echo");
  x->finished = second->finished = free_engine;
  submit(x);
  submit(second);
  engine_cancel(engine, x);
  engine_cancel(engine, second);
  CHECK(engine_set_timer(engine, &due, 0));
  reported = 0;
  CHECK(engine_step(engine, 0, 0, NULL) == 1 && reported == 1 && engine == NULL && due.place == 0);
  exchange_free(second);
}

void owners_may_step_again (void) {
  client_open(NULL);
  struct exchange *first = request_new("/echo");
  second = request_new("/to/302/echo");
  first->finished = step_again;
  submit(first);
  submit(second);
  while (second->phase != EXCHANGE_REPORTED)
    engine_step(engine, -1, 0, NULL);
  CHECK(reported == 2 && second->response.status == 200);
  exchange_free(second);
  check_engine_freed_from_inside();
  client_close();
}

static void use_time (struct exchange *x, void *context) {
  double until = clock_now() + 0.002;
  (void)x, (void)context;
  reported++;
  while (clock_now() < until)
    continue;
}

enum { SOME = 5 };

void budgets_are_kept (void) {
  struct exchange *all[SOME];
  struct timer timer = {0, 0, note};
  client_open(NULL);
  for (int i = 0; i < SOME; i++) {
    all[i] = request_new("/echo");
    all[i]->finished = use_time;
    submit(all[i]);
    engine_cancel(engine, all[i]);
  }
  ordered = 0;
  CHECK(engine_set_timer(engine, &timer, 0));
  CHECK(engine_step(engine, -1, 0.001, &ordered) == 1 && reported + ordered == 1 &&
        engine_timeout(engine) == 0);
  CHECK(engine_step(engine, -1, 0.001, &ordered) >= 1 && reported >= 1 && ordered == 1); /* both take turns */
  CHECK(engine_step(engine, -1, 0.001, &ordered) == 1);
  engine_step(engine, 0, 0, NULL);
  CHECK(reported == SOME && !engine_pending(engine));
  for (int i = 0; i < SOME; i++)
    exchange_free(all[i]);
  client_close();
}

enum { MANY = 300 };

void many_run_at_once (void) {
  static const struct engine_limits limits = {8, 8, 4, false};
  static struct exchange *all[MANY];
  client_open(&limits);
  for (int i = 0; i < MANY; i++) {
    all[i] = request_new(i % 10 == 0 ? "/to/302/echo" : "/echo");
    submit(all[i]);
  }
  while (engine_pending(engine))
    engine_step(engine, -1, 0, NULL);
  unsigned good = 0;
  for (int i = 0; i < MANY; i++)
    good += all[i]->response.status == 200;
  CHECK(good == MANY && reported == MANY && raw_server_accepted(server) <= 8);
  for (int i = 0; i < MANY; i++)
    exchange_free(all[i]);
  client_close();
}

static const struct engine_limits one_connection = {1, 0, 16, false};

/* An exchange that waits for a connection can be cancelled and freed, and times out, like a running one. */
void waiting_exchanges_start_and_end (void) {
  client_open(&one_connection);
  struct exchange *first = request_new("/silent"), *cancelled = request_new("/echo");
  struct exchange *late = request_new("/echo"), *freed = request_new("/echo"), *last = request_new("/echo");
  late->request.timeout = 0.05;
  submit(first);
  submit(cancelled);
  submit(late);
  submit(freed);
  submit(last);
  await_requests(1);
  engine_cancel(engine, cancelled);
  exchange_free(freed);
  await(cancelled);
  await(late);
  CHECK(cancelled->response.failure == FAILURE_CANCELLED && !cancelled->response.may_have_arrived);
  CHECK(late->response.failure == FAILURE_TIMEOUT && !late->response.may_have_arrived);
  CHECK(raw_server_accepted(server) == 1 && last->phase == EXCHANGE_PENDING);
  engine_cancel(engine, first);
  await(last);
  CHECK(last->response.status == 200 && reported == 4 && !engine_pending(engine));
  exchange_free(first);
  exchange_free(cancelled);
  exchange_free(late);
  exchange_free(last);
  client_close();
}

void waiting_exchanges_outlive_the_engine (void) {
  client_open(&one_connection);
  struct exchange *running = request_new("/silent"), *waiting = request_new("/echo");
  submit(running);
  submit(waiting);
  engine_free(engine);
  engine = NULL;
  CHECK(waiting->engine == NULL && reported == 0);
  exchange_free(waiting);
  exchange_free(running);
  client_close();
}

enum { ORIGINS = 100 };

/* Every address of the loopback network is a separate origin. */
static struct exchange *request_to_origin (int number) {
  struct exchange *x = request_new("/");
  char text[64];
  const char *why;
  int length = snprintf(text, sizeof text, "http://127.0.1.%d:1/", number);
  uri_release(x->request.uri);
  x->request.uri = uri_parse(&checked_memory, text, (size_t)length, &why);
  return x;
}

void origins_have_queues_of_their_own (void) {
  struct exchange *all[ORIGINS];
  client_open(&one_connection);
  struct exchange *blocked = request_new("/silent");
  submit(blocked);
  for (int i = 0; i < ORIGINS; i++) {
    all[i] = request_to_origin(i + 1);
    run(all[i]);
    exchange_free(all[i]);
  }
  for (int i = 0; i < ORIGINS; i++)
    submit(all[i] = request_to_origin(i + 1));
  for (int i = 0; i < ORIGINS; i++) {
    await(all[i]);
    CHECK(all[i]->response.failure == FAILURE_CONNECT);
    exchange_free(all[i]);
  }
  CHECK(blocked->phase == EXCHANGE_PENDING);
  exchange_free(blocked);
  client_close();
}

#ifdef __linux__
static bool refuse_sockets;

/* Replaces libc's function, to simulate a kernel that refuses. */
int epoll_ctl (int epoll, int what, int fd, struct epoll_event *event) {
  if (refuse_sockets && what != EPOLL_CTL_DEL) {
    errno = ENOSPC;
    return -1;
  }
  return (int)syscall(SYS_epoll_ctl, epoll, what, fd, event);
}

void refused_sockets_are_looked_at (void) {
  client_open(NULL);
  refuse_sockets = true;
  for (int i = 0; i < 3; i++) {
    struct exchange *x = get("/to/302/echo");
    CHECK(x->response.status == 200);
    exchange_free(x);
  }
  refuse_sockets = false;
  exchange_free(get("/echo"));
  CHECK(reported == 4);
  client_close();
}
#else
void refused_sockets_are_looked_at (void) {}
#endif

/* Without descriptors there is no engine, or one whose exchanges fail. */
void lack_of_descriptors_is_survived (void) {
  struct rlimit before, few;
  client_open(NULL);
  getrlimit(RLIMIT_NOFILE, &before);
  few = before;
  few.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &few);
  struct engine *e = engine_new(NULL, &checked_memory);
  struct exchange *x = get("/echo");
  setrlimit(RLIMIT_NOFILE, &before);
#ifndef DATASESSION_NO_EPOLL
  CHECK(e == NULL);
#endif
  CHECK(x->response.failure == FAILURE_MEMORY);
  CHECK_TEXT(x->response.detail, "no file descriptor is left for a connection");
  exchange_free(x);
  engine_free(e);
  x = get("/echo");
  CHECK(x->response.status == 200);
  exchange_free(x);
  client_close();
}

void connections_are_not_inherited (void) {
  int found = 0;
  client_open(NULL);
  exchange_free(get("/echo"));
  for (int fd = 0; fd < 256; fd++) {
    if (!is_connection(fd)) continue;
    found++;
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
  CHECK(found == 1);
  client_close();
}

/* As a host's event loop does: waits for the descriptor or the time, then steps without a wait. */
void descriptors_tell (void) {
  client_open(NULL);
  struct exchange *x = request_new("/to/302/echo");
  int fd = engine_pollfd(engine), steps = 0;
  submit(x);
  while (x->phase != EXCHANGE_REPORTED && steps++ < 1000) {
    struct pollfd p = {fd, POLLIN, 0};
    double timeout = engine_timeout(engine);
    poll(&p, 1, timeout < 0 ? -1 : (int)(timeout * 1000 + 1));
    engine_step(engine, 0, 0, NULL);
  }
  CHECK(x->response.status == 200);
  exchange_free(x);
#ifndef DATASESSION_NO_EPOLL
  CHECK(fd >= 0 && steps < 20);
#else
  CHECK(fd == -1);
#endif
  client_close();
}

void idle_memory_is_given_back (void) {
  client_open(NULL);
  int fd = engine_pollfd(engine);
  exchange_free(get("/echo"));
  exchange_free(get("/echo"));
  CHECK(raw_server_accepted(server) == 1);
  engine_trim(engine);
  CHECK(engine_pollfd(engine) == fd);
  exchange_free(get("/echo"));
  CHECK(raw_server_accepted(server) == 2);
  struct exchange *x = request_new("/silent");
  submit(x);
  await_requests(4);
  engine_trim(engine);
  CHECK(x->phase == EXCHANGE_PENDING);
  exchange_free(x);
  client_close();
}

/*
** When an allocation fails, the exchange is refused or reported, and all memory is freed. False: no
** allocation failed any more.
*/
static bool run_short_of_memory (unsigned long n, bool for_good) {
  struct cookie_jar *jar = NULL;
  struct exchange *x = NULL;
  const char *why;
  unsigned before = reported, received = raw_server_requests(server);
  struct uri *u = server_uri(server, "/to/302/cookie");
  check_fail_at(n, for_good);
  struct engine *e = engine_new(NULL, &checked_memory);
  if (!e) goto done;
  x = engine_new_exchange(e);
  if (!x) goto done;
  jar = cookie_jar_new(&jars);
  x->finished = use_time;
  x->request.method = "POST";
  x->request.has_body = true;
  x->request.uri = uri_parse(&checked_memory, uri_text(u), strlen(uri_text(u)), &why);
  x->request.transport = transport_new(&checked_memory);
  x->request.credentials = basic_auth_new(&checked_memory, "u", 1, "p", 1);
  x->request.jar = cookie_jar_keep(jar);
  if (!x->request.uri || !x->request.transport || !x->request.credentials || !jar) goto done;
  if (buffer_add(&x->request.body, "a=b", 3) != BUFFER_OK || !engine_submit(e, x)) goto done;
  while (engine_pending(e))
    engine_step(e, -1, 0, NULL);
  CHECK(reported == before + 1);
  CHECK(x->response.status == 200 || x->response.failure == FAILURE_MEMORY);
  if (x->response.failure != FAILURE_NONE)
    CHECK(x->response.may_have_arrived || raw_server_requests(server) == received);
done:
  if (reported == before) CHECK(check_has_failed());
  bool failed = check_has_failed();
  check_fail_at(0, false);
  exchange_free(x);
  if (jar && e) engine_forget_jar(e, jar);
  cookie_jar_release(jar);
  engine_free(e);
  uri_release(u);
  return failed;
}

void lack_of_memory_is_survived (void) {
  client_open(NULL);
  unsigned long n = 1;
  while (run_short_of_memory(n, false))
    n++;
  CHECK(n > 10);
  for (n = 1; run_short_of_memory(n, true);)
    n++;
  client_close();
}
