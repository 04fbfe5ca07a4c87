#include "check.h"
#include "client.h"
#include "groups.h"
#include "net/engine_state.h"
#include "net/exchange_internal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { SOME = 12 };

static struct exchange *all[SOME];

static void submit_all (const char *path) {
  for (int i = 0; i < SOME; i++) {
    all[i] = request_new(path);
    submit(all[i]);
  }
}

static void free_all (void) {
  for (int i = 0; i < SOME; i++)
    exchange_free(all[i]);
}

static unsigned count_in (int phase) {
  unsigned n = 0;
  for (int i = 0; i < SOME; i++)
    n += (int)all[i]->phase == phase;
  return n;
}

static void finish_all (double budget) {
  while (engine_pending(engine))
    engine_step(engine, 0.01, budget, NULL);
  for (int i = 0; i < SOME; i++)
    CHECK(all[i]->response.status == 200);
}

static unsigned count_readable (void) {
  return count_connections(true);
}

static unsigned count_requests (void) {
  return raw_server_requests(server);
}

/* Opens SOME connections, each with a request whose response has arrived: no request can reuse another's. */
static void fill_connections (void) {
  submit_all("/silent");
  await_requests(SOME);
  raw_server_say(server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  await_count(count_readable, SOME);
}

static const double hardly_any = 1e-9, much = 3600;

void sockets_share_the_budget (void) {
  client_open(NULL);
  fill_connections();
#ifndef DATASESSION_NO_EPOLL
  for (unsigned left = count_connections(true); left > 1; left--) {
    engine_step(engine, 0, hardly_any, NULL);
    CHECK(count_connections(true) == left - 1); /* another one each time */
  }
#endif
  finish_all(hardly_any);
  free_all();
  client_close();
}

void few_connections_begin_in_a_step (void) {
  client_open(NULL);
  submit_all("/echo");
  engine_step(engine, 0, much, NULL);
  CHECK(count_connections(false) <= 4 && engine_timeout(engine) == 0);
  finish_all(much);
  CHECK(reported == SOME && raw_server_accepted(server) >= 1);
  free_all();
  submit_all("/silent");
  engine_step(engine, 0, 0, NULL); /* no budget: all in one step */
  CHECK(count_connections(false) >= SOME);
  free_all();
  CHECK(!engine_pending(engine));
  client_close();
}

/* Exchanges are cancelled, time out or are freed, by engine_free too, before libcurl has them. */
void starting_exchanges_can_be_ended (void) {
  client_open(NULL);
  submit_all("/echo");
  CHECK(!all[SOME - 1]->run->handle && !all[SOME - 2]->run->handle);
  engine_cancel(engine, all[SOME - 1]);
  CHECK(all[SOME - 1]->phase == EXCHANGE_FINISHED && engine_timeout(engine) == 0);
  exchange_free(all[SOME - 2]);
  all[SOME - 2] = request_new("/echo");
  all[SOME - 2]->request.timeout = 1e-9;
  submit(all[SOME - 2]);
  while (count_in(EXCHANGE_REPORTED) < SOME)
    engine_step(engine, 0.01, 0, NULL);
  CHECK(all[SOME - 1]->response.failure == FAILURE_CANCELLED && !all[SOME - 1]->response.may_have_arrived);
  free_all();
  submit_all("/echo");
  engine_free(engine);
  engine = NULL;
  free_all();
  client_close();
}

void kept_connections_begin_together (void) {
  client_open(NULL);
  fill_connections();
  finish_all(0);
  free_all();
  submit_all("/silent");
  engine_step(engine, 0, much, NULL);
  await_count(count_requests, 2 * SOME); /* no other step is needed */
  CHECK(raw_server_accepted(server) == SOME);
  free_all();
  client_close();
}

/*
** The complete response waits in the socket after the time limit: the server can write all of it before the
** client reads. libcurl reads a part of it in each look.
*/
void late_hosts_read_sockets_first (void) {
  client_open(NULL);
  exchange_free(get("/echo"));
  struct exchange *x = request_new("/big?60000");
  x->request.timeout = 0.3;
  submit(x);
  engine_step(engine, 0, 0, NULL);
  double until = clock_now() + 0.6;
  while (clock_now() < until)
    poll(NULL, 0, 50);
  await(x);
  CHECK(x->response.status == 200 && x->response.body.length == 60000);
  exchange_free(x);
  x = request_new("/silent");
  x->request.timeout = 0.05;
  run(x);
  CHECK(x->response.failure == FAILURE_TIMEOUT);
  exchange_free(x);
  client_close();
}

/* The process is stopped in a wait; the response comes and the time limit passes; then the wait ends. */
static void be_held_up (int number) {
  (void)number;
  raw_server_say(server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  double until = clock_now() + 0.4;
  while (clock_now() < until)
    poll(NULL, 0, 50);
}

static void set_signal (void (*handler)(int), int how) {
  struct sigaction action = {0};
  sigset_t set;
  action.sa_handler = handler;
  CHECK(!sigaction(SIGUSR1, &action, NULL) && !sigemptyset(&set) && !sigaddset(&set, SIGUSR1));
  CHECK(!pthread_sigmask(how, &set, NULL));
}

void stopped_hosts_read_sockets_first (void) {
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec soon = {.it_value = {0, 20000000}};
  timer_t timer;
  set_signal(be_held_up, SIG_BLOCK); /* the server's thread inherits the mask */
  client_open(NULL);
  set_signal(be_held_up, SIG_UNBLOCK);
  struct exchange *x = request_new("/silent");
  x->request.timeout = 0.3;
  submit(x);
  await_requests(1);
  CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer) && !timer_settime(timer, 0, &soon, NULL));
  await(x);
  CHECK(x->response.status == 200 && x->response.failure == FAILURE_NONE);
  timer_delete(timer);
  set_signal(SIG_DFL, SIG_UNBLOCK);
  exchange_free(x);
  client_close();
}

#ifndef DATASESSION_NO_EPOLL

static bool is_readable (int milliseconds) {
  struct pollfd p = {engine_pollfd(engine), POLLIN, 0};
  return poll(&p, 1, milliseconds) == 1;
}

static void wait_and_step (void) {
  CHECK(is_readable(10000));
  engine_step(engine, 0, 0, NULL);
}

static void ignore (struct timer *timer, void *context) {
  (void)timer, (void)context;
  reported++;
}

void descriptors_tell_of_work_outside_steps (void) {
  struct timer timer = {0, 0, ignore}, later = {0, 0, ignore};
  client_open(NULL);
  CHECK(!is_readable(0));
  struct exchange *x = request_new("/silent");
  x->request.timeout = 0.05;
  submit(x);
  while (x->phase != EXCHANGE_REPORTED)
    wait_and_step(); /* although no timer wakes it */
  CHECK(x->response.failure == FAILURE_TIMEOUT && !is_readable(0));
  exchange_free(x);
  CHECK(engine_set_timer(engine, &later, clock_now() + 1000) && !is_readable(0));
  CHECK(engine_set_timer(engine, &timer, clock_now() + 0.01));
  while (timer.place)
    wait_and_step();
  engine_clear_timer(engine, &later);
  x = request_new("/silent");
  submit(x);
  await_requests(2);
  engine_step(engine, 0, 0, NULL);
  CHECK(!is_readable(0));
  engine_cancel(engine, x);
  CHECK(is_readable(0) && engine_step(engine, 0, 0, NULL) == 1 && !is_readable(0));
  exchange_free(x);
  engine_wake(engine);
  CHECK(is_readable(0) && engine_step(engine, 0, 0, NULL) == 0 && !is_readable(0));
  client_close();
}

#else

void descriptors_tell_of_work_outside_steps (void) {
  client_open(NULL);
  CHECK(engine_pollfd(engine) == -1);
  engine_wake(engine);
  client_close();
}

#endif

void cancelled_bodies_are_freed (void) {
  client_open(NULL);
  struct exchange *sent = request_new("/silent"), *waiting = request_new("/echo"),
                  *answered = request_new("/echo");
  request_body(sent, "a=b");
  request_body(waiting, "a=b");
  submit(sent);
  submit(waiting);
  engine_cancel(engine, waiting);
  CHECK(!waiting->run->handle && !waiting->request.body.data);
  await_requests(1);
  engine_cancel(engine, sent);
  CHECK(!sent->request.body.data && sent->response.failure == FAILURE_CANCELLED);
  submit(answered);
  engine_set_limits(engine, &engine_default_limits);
  while (answered->phase == EXCHANGE_PENDING)
    engine_step(engine, 0.01, hardly_any, NULL);
  if (answered->phase == EXCHANGE_FINISHED) {
    engine_cancel(engine, answered);
    CHECK(!answered->response.body.data && answered->response.failure == FAILURE_CANCELLED);
  }
  await(answered);
  await(sent);
  await(waiting);
  exchange_free(answered);
  exchange_free(sent);
  exchange_free(waiting);
  client_close();
}
