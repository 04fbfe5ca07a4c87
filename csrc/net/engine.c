#include "net/engine.h"

#include "net/curl_failure.h"
#include "net/engine_state.h"
#include "net/exchange_internal.h"
#include "net/fork_guard.h"
#include "net/secure_free.h"
#include "net/sigpipe.h"
#include "net/transfer.h"

#include <math.h>
#include <pthread.h>
#include <stddef.h>

/*
** SIGPIPE: with CURLOPT_NOSIGNAL libcurl leaves the signal to us. Blocking it costs system calls. On Linux
** plain sockets never raise it, nor does libcurl with OpenSSL since 7.87. So libcurl's calls are guarded
** after the first https request, also later: TLS writes when a kept connection is closed. See sigpipe.h.
*/

const struct engine_limits engine_default_limits = {64, 0, 16, false};

/* Seconds between two looks in a build without a descriptor. */
static const double look_interval = 0.01;

/* In a step with a budget: new connections per step; steps in a row that begin none because of sockets. */
enum { MOST_CONNECTING = 2, MOST_DEFERRED = 4 };

/* Seconds between two looks at the sockets: see check_deadlines. */
static const double late = 0.25;
enum { MOST_LOOKS = 64 };

/* The only state that all engines share. Never cleaned up: resolver threads may still run at exit. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl (void) {
  secure_free_init_curl();
  fork_guard_set();
}

static CURLM *new_multi (struct engine *e) {
  CURLM *multi = curl_multi_init();
  if (!multi) return NULL;
  transfer_limit_connections(e, multi);
  if (e->lines.stops_in_frames) curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 1L);
#if LIBCURL_VERSION_NUM >= 0x081400
  curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L); /* else curl_multi_cleanup would join its threads */
#endif
  if (poller_attach(e->poller, multi)) return multi;
  /* GCOVR_EXCL_START: libcurl refuses no option of the poller */
  curl_multi_cleanup(multi);
  return NULL;
  /* GCOVR_EXCL_STOP */
}

/* The poller is freed last: libcurl calls it for each connection that it closes. */
static void free_parts (struct engine *e) {
  struct allocator memory = e->memory;
  if (e->multi) curl_multi_cleanup(e->multi);
  poller_free(e->poller);
  timers_cleanup(&e->timers);
  timers_cleanup(&e->limit_timers);
  host_queues_cleanup(&e->hosts);
  sockets_cleanup(&e->sockets);
  recorder_cleanup(&e->recorder);
  memory_free(&memory, e, sizeof *e);
}

static void init_fields (struct engine *e, const struct engine_limits *limits,
                         const struct allocator *memory) {
  e->memory = *memory;
  e->forks = fork_guard_forks();
  e->limits = limits ? *limits : engine_default_limits;
  timers_init(&e->timers, &e->memory);
  timers_init(&e->limit_timers, &e->memory);
  host_queues_init(&e->hosts, &e->memory);
  pool_init(&e->pool, &e->memory, e->limits.idle_handles, &e->lines, &e->sockets);
  sockets_init(&e->sockets, &e->memory);
  handle_lines_init(&e->lines);
  recorder_init(&e->recorder, &e->memory);
}

struct engine *engine_new (const struct engine_limits *limits, const struct allocator *memory) {
  pthread_once(&curl_once, init_curl);
  struct engine *e = fork_guard_is_set() ? memory_new(memory, sizeof *e) : NULL;
  if (!e) return NULL;
  init_fields(e, limits, memory);
  e->poller = poller_new(&e->memory);
  e->multi = e->poller ? new_multi(e) : NULL;
  if (e->multi) return e;
  free_parts(e);
  return NULL;
}

static void free_now (struct engine *e) {
  struct sigpipe_guard guard;
  bool tls = e->tls;
  sigpipe_begin(&guard, tls);
  pool_cleanup(&e->pool);
  free_parts(e);
  sigpipe_end(&guard);
}

bool engine_is_inherited (const struct engine *e) {
  return fork_guard_forked_since(e->forks);
}

/*
** In a child of fork. Leaks what libcurl owns: to free it would write to the parent's connections and join
** threads that do not exist here.
*/
static void free_copy (struct engine *e) {
  struct allocator memory = e->memory;
  timers_cleanup(&e->limit_timers);
  host_queues_cleanup(&e->hosts);
  sockets_cleanup(&e->sockets);
  recorder_cleanup(&e->recorder);
  memory_free(&memory, e, sizeof *e);
}

static void orphan_all (struct queue *q) {
  while (q->first) {
    struct exchange *x = q->first;
    queue_remove(q, x);
    exchange_orphan(x);
  }
}

void engine_free (struct engine *e) {
  struct sigpipe_guard guard;
  if (!e || e->freed) return;
  e->freed = true;
  sigpipe_begin(&guard, e->tls);
  transfer_abandon_all(e);
  sigpipe_end(&guard);
  timers_cleanup(&e->timers); /* now: their owners may be freed before the outermost step ends */
  orphan_all(&e->finished);
  orphan_all(&e->held);
  if (e->depth) return;
  if (engine_is_inherited(e))
    free_copy(e);
  else
    free_now(e);
}

static void drop (struct exchange *x) {
  struct engine *e = x->engine;
  engine_cancel(e, x);
  if (x->phase == EXCHANGE_FINISHED) queue_remove(&e->finished, x);
  x->phase = EXCHANGE_REPORTED;
}

/* The exchange whose timer is `timer`, at `place` of its block. */
static struct exchange *exchange_of (struct timer *timer, size_t place) {
  return &((struct exchange_block *)(void *)((char *)timer - place))->exchange;
}

static void on_arrival (struct timer *timer, void *context) {
  struct exchange *x = exchange_of(timer, offsetof(struct exchange_block, run.arrival));
  x->arrived(x, context);
}

/* Called from inside libcurl. */
static bool arrive (struct exchange *x) {
  x->run->arrival.fired = on_arrival;
  return timers_set(&x->engine->timers, &x->run->arrival, clock_now());
}

/* The owner is not called for bytes any more. */
static void stop_arriving (struct engine *e, struct exchange *x) {
  timers_clear(&e->timers, &x->run->arrival);
  if (x->run->owed && x->phase == EXCHANGE_FINISHED) {
    queue_remove(&e->held, x);
    queue_append(&e->finished, x);
  }
  x->run->owed = false;
}

static void on_want (struct timer *timer, void *context) {
  struct exchange *x = exchange_of(timer, offsetof(struct exchange_block, run.wanting));
  x->wanted(x, context);
}

/* Called from inside libcurl, perhaps again before the owner has fed it. */
static bool ask (struct exchange *x) {
  if (x->run->hungry) return true;
  x->request.upload->asked = true;
  x->run->wanting.fired = on_want;
  x->run->hungry = timers_set(&x->engine->timers, &x->run->wanting, clock_now());
  return x->run->hungry;
}

static void on_move (struct timer *timer, void *context) {
  struct exchange *x = exchange_of(timer, offsetof(struct exchange_block, run.moving));
  x->progressed(x, context);
}

/* Called from inside libcurl. */
static void tell (struct exchange *x) {
  x->run->moving.fired = on_move;
  if (!x->run->moving.place) timers_set(&x->engine->timers, &x->run->moving, clock_now());
}

const struct allocator *engine_memory (const struct engine *e) {
  return &e->memory;
}

void engine_forget_jar (struct engine *e, struct cookie_jar *jar) {
  if (engine_is_inherited(e)) return;
  cookie_jar_set_forgotten(jar, true);
  pool_forget_jar(&e->pool, jar);
}

/* The only way to close idle connections in every version of libcurl. The descriptor stays the same. */
static void renew_multi (struct engine *e) {
  CURLM *old = e->multi, *multi = new_multi(e);
  if (!multi) return;
  curl_multi_cleanup(old);
  e->multi = multi;
}

void engine_trim (struct engine *e) {
  struct sigpipe_guard guard;
  sigpipe_begin(&guard, e->tls);
  pool_cleanup(&e->pool);
  if (e->running.count + e->starting.count == 0) {
    renew_multi(e);
    host_queues_cleanup(&e->hosts);
    if (!e->sockets.count) sockets_cleanup(&e->sockets);
  }
  sigpipe_end(&guard);
}

/* The earlier of two times; a negative one means never. */
static double sooner (double a, double b) {
  if (a < 0) return b;
  return b < 0 || a < b ? a : b;
}

/* By clock_now; 0: now; < 0: when a descriptor is readable. */
static double when_to_step (struct engine *e) {
  if (e->finished.count || e->starting.count || e->uncollected) return 0;
  double due = sooner(timers_next(&e->timers), timers_next(&e->limit_timers));
  return sooner(due, poller_due(e->poller));
}

/*
** Outside a step: the host may have asked for the timeout before this call and now wait for the descriptor.
*/
static void notify_host (struct engine *e, double when) {
  if (e->watched && !e->depth && !engine_is_inherited(e)) poller_ring(e->poller, when);
}

static void notify_host_of_work (struct engine *e) {
  if (e->watched) notify_host(e, when_to_step(e));
}

/* GCOVR_EXCL_START: out of memory; seldom in a short run */
static void renew_lost (struct engine *e) {
  struct sigpipe_guard guard;
  sigpipe_begin(&guard, e->tls);
  renew_multi(e);
  sigpipe_end(&guard);
}
/* GCOVR_EXCL_STOP */

bool engine_submit (struct engine *e, struct exchange *x) {
  if (engine_is_inherited(e)) return false;
  if (poller_is_lost(e->poller) && !e->running.count) renew_lost(e);
  if (x->request.jar) cookie_jar_set_forgotten(x->request.jar, false);
  if (uri_is_https(x->request.uri)) e->tls = true;
  if (!transfer_begin(e, x)) return false;
  notify_host_of_work(e);
  return true;
}

void engine_cancel (struct engine *e, struct exchange *x) {
  struct sigpipe_guard guard;
  if (x->phase != EXCHANGE_PENDING && x->phase != EXCHANGE_FINISHED) return;
  if (x->response.failure == FAILURE_NONE) curl_failure_note(x, FAILURE_CANCELLED, NULL, "cancelled");
  stop_arriving(e, x);
  sigpipe_begin(&guard, e->tls);
  if (x->phase == EXCHANGE_PENDING) transfer_abort(e, x);
  sigpipe_end(&guard);
  exchange_drop_bodies(x);
  notify_host(e, 0);
}

void engine_report (struct engine *e, struct exchange *x) {
  x->phase = EXCHANGE_FINISHED;
  queue_append(&e->finished, x);
  notify_host(e, 0);
}

/*
** Lets libcurl go on, but in the directions `still`. libcurl before 8.12 may divide by zero here once it has
** run out of memory for its records of sockets.
*/
static void resume (struct engine *e, struct exchange *x, int still) {
  struct sigpipe_guard guard;
  struct handle *h = x->run->handle;
  /* GCOVR_EXCL_START: out of memory; seldom in a short run */
  if (poller_is_lost(e->poller)) {
    curl_failure_note(x, FAILURE_MEMORY, NULL, "no memory for the transfer");
    engine_cancel(e, x);
    return;
  }
  /* GCOVR_EXCL_STOP */
  sigpipe_begin(&guard, e->tls);
  CURLcode code = curl_easy_pause(h->easy, still);
  /* GCOVR_EXCL_START: libcurl is out of memory */
  if (code) {
    curl_failure_explain(x, h->easy, code, h->error);
    transfer_abort(e, x);
  }
  /* GCOVR_EXCL_STOP */
  sigpipe_end(&guard);
}

/*
** Has libcurl pass on what it held back, perhaps at once. Bytes that are not taken then are lost, and libcurl
** would go on without them: the exchange ends.
*/
static void unpause (struct engine *e, struct exchange *x) {
  if (!x->run->paused || !x->run->handle) return;
  x->run->paused = false;
  resume(e, x, x->run->starved ? CURLPAUSE_SEND : CURLPAUSE_CONT);
}

static int receiving (const struct exchange *x) {
  return x->run->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT;
}

/* The answer is a refusal: libcurl does not send the piece that the owner gives after that. */
static void on_refusal (struct timer *timer, void *context) {
  struct exchange *x = exchange_of(timer, offsetof(struct exchange_block, run.wanting));
  (void)context;
  resume(x->engine, x, receiving(x));
}

/* Called from inside libcurl. */
static bool refuse (struct exchange *x) {
  x->run->wanting.fired = on_refusal;
  return timers_set(&x->engine->timers, &x->run->wanting, clock_now());
}

struct exchange *engine_new_exchange (struct engine *e) {
  static const struct exchange_calls calls = {drop, arrive, ask, refuse, tell};
  return exchange_new(&e->memory, e, &calls);
}

/* libcurl began again meanwhile: the owner is asked for the first piece. */
static void ask_again (struct engine *e, struct exchange *x) {
  x->run->hungry = false;
  if (ask(x)) return;
  /* GCOVR_EXCL_START: out of memory; seldom in a short run */
  curl_failure_note(x, FAILURE_MEMORY, NULL, "no memory for the request");
  engine_cancel(e, x);
  /* GCOVR_EXCL_STOP */
}

bool engine_feed (struct engine *e, struct exchange *x, const char *piece, size_t length, bool last) {
  struct upload *u = x->request.upload;
  if (!x->run->hungry || engine_is_inherited(e)) return false;
  x->run->active = clock_now();
  if (u->restart) {
    ask_again(e, x);
    return false;
  }
  upload_add_piece(u, piece, length, last);
  x->run->hungry = upload_wants(u);
  return x->run->hungry;
}

void engine_send_on (struct engine *e, struct exchange *x) {
  const struct upload *u = x->request.upload;
  if (!x->run->starved || (!u->count && !u->ended) || engine_is_inherited(e)) return;
  x->run->starved = false;
  resume(e, x, receiving(x));
  notify_host_of_work(e);
}

void engine_go_on (struct engine *e, struct exchange *x) {
  if (!x->run->owed || engine_is_inherited(e)) return;
  x->run->active = clock_now();
  if (!x->response.body.length) {
    stop_arriving(e, x);
    unpause(e, x);
  } else if (!arrive(x)) {
    /* GCOVR_EXCL_START: out of memory; seldom in a short run */
    curl_failure_note(x, FAILURE_MEMORY, NULL, "no memory for the response");
    engine_cancel(e, x);
    /* GCOVR_EXCL_STOP */
  }
  notify_host_of_work(e);
}

void engine_set_limits (struct engine *e, const struct engine_limits *limits) {
  struct sigpipe_guard guard;
  e->limits = *limits;
  sigpipe_begin(&guard, e->tls);
  transfer_limit_connections(e, e->multi);
  pool_set_limit(&e->pool, limits->idle_handles);
  transfer_relimit(e);
  sigpipe_end(&guard);
  notify_host_of_work(e);
}

struct recorder *engine_recorder (struct engine *e) {
  return &e->recorder;
}

bool engine_reserve_timer (struct engine *e) {
  return timers_reserve(&e->timers);
}

bool engine_set_timer (struct engine *e, struct timer *timer, double when) {
  if (!timers_set(&e->timers, timer, when)) return false;
  notify_host(e, when);
  return true;
}

void engine_clear_timer (struct engine *e, struct timer *timer) {
  timers_clear(&e->timers, timer);
}

int engine_pollfd (struct engine *e) {
  int fd = poller_fd(e->poller);
  e->watched = fd >= 0;
  if (e->watched) notify_host(e, when_to_step(e));
  return fd;
}

void engine_wake (struct engine *e) {
  notify_host(e, 0);
}

bool engine_pending (const struct engine *e) {
  return e->running.count || e->starting.count || e->finished.count || e->held.count || e->timers.count;
}

double engine_timeout (struct engine *e) {
  double due = when_to_step(e), rest = due - clock_now();
  double seconds = due < 0 ? -1 : rest > 0 ? rest : 0;
  return e->running.count && !POLLER_DESCRIPTOR ? sooner(seconds, look_interval) : seconds;
}

static double time_to_wait (struct engine *e, double until) {
  if (until == 0) return 0;
  double due = when_to_step(e), now = clock_now();
  double rest = (due < 0 || until < due ? until : due) - now;
  return rest > 0 ? rest : 0;
}

/* With no socket in the set, a look would be a needless system call. */
static bool worth_looking (const struct engine *e, double seconds) {
  return seconds > 0 || poller_watches(e->poller);
}

/* Runs libcurl's due timers and its new transfers. */
static void work_by_clock (struct engine *e) {
  if (!e->running.count && poller_due(e->poller) < 0) return;
  poller_work(e->poller);
  e->fresh = false;
  transfer_collect(e);
}

static bool begins_connection (const struct exchange *x) {
  return x->phase == EXCHANGE_PENDING && !x->run->reached;
}

static void start_all (struct engine *e) {
  while (transfer_start_next(e))
    continue;
}

/*
** With a budget: starts transfers one after another, and few new connections, because libcurl works in one go
** on all timers that are due. Sockets come first, but at most MOST_DEFERRED times in a row.
*/
static void start_some (struct engine *e) {
  const struct exchange *x;
  unsigned connecting = 0;
  if (!poller_is_through(e->poller) && ++e->deferred < MOST_DEFERRED) return;
  e->deferred = 0;
  while (connecting < MOST_CONNECTING && (x = transfer_start_next(e))) {
    work_by_clock(e);
    connecting += begins_connection(x);
    if (transfer_is_over(e)) break;
  }
}

/* Sockets leave a part of the budget for owners with finished exchanges. */
static bool serves_on (const struct engine *e) {
  double part = e->finished.count ? e->budget / 4 : 0;
  return e->stop == 0 || clock_now() < e->stop - part;
}

/* False: a signal interrupted the wait. */
static bool look_at_sockets (struct engine *e, double seconds) {
  bool calm = poller_wait(e->poller, seconds);
  if (seconds > 0 && e->budget > 0) e->stop = clock_now() + e->budget;
  while (poller_serve(e->poller)) {
    e->fresh = false;
    transfer_collect(e);
    if (!serves_on(e)) break;
  }
  return calm;
}

/*
** After a long pause (the process was stopped, or the host was busy) the response may wait in a socket. So
** the sockets are read again, up to MOST_LOOKS times, before an exchange times out.
*/
static void check_deadlines (struct engine *e) {
  double before = e->looked;
  e->looked = poller_watches(e->poller) ? poller_looked(e->poller) : clock_now();
  if (!e->limit_timers.count) return;
  if (e->looked - before > late) e->grace = MOST_LOOKS;
  if (!poller_watches(e->poller) || !poller_found(e->poller)) e->grace = 0;
  if (e->grace) e->grace--;
  if (!e->grace) transfer_check_deadlines(e, e->looked);
}

/* False: a signal interrupted the wait. */
static bool advance (struct engine *e, double until) {
  struct sigpipe_guard guard;
  bool calm = true;
  sigpipe_begin(&guard, e->tls);
  if (e->stop == 0) start_all(e);
  work_by_clock(e);
  double seconds = time_to_wait(e, until);
  if (worth_looking(e, seconds)) calm = look_at_sockets(e, seconds);
  if (e->starting.count) start_some(e);
  if (calm) check_deadlines(e);
  if (poller_is_lost(e->poller) && !e->running.count) renew_multi(e);
  sigpipe_end(&guard);
  return calm;
}

/* True if one was reported. Its owner may have freed the engine, up to what engine_step still needs. */
static bool report_exchange (struct engine *e, void *context) {
  struct exchange *x = e->finished.first;
  if (!x) return false;
  queue_remove(&e->finished, x);
  x->phase = EXCHANGE_REPORTED;
  x->finished(x, context); /* may free x */
  return true;
}

static bool fire_timer (struct engine *e, double now, void *context) {
  struct timer *timer = timers_due(&e->timers, now);
  if (timer) timer->fired(timer, context);
  return timer != NULL;
}

/*
** Timers and exchanges alternate, across steps too, so that neither starves the other under a small budget.
** Work that owners add waits for the next step, or an owner that always adds would never let this one end.
*/
static size_t report (struct engine *e, void *context) {
  size_t reported = 0, exchanges = e->finished.count, timers = e->timers.count;
  if (!exchanges && !timers) return 0;
  double now = e->running.count || !timers ? e->looked : clock_now();
  while (!e->freed && !engine_is_inherited(e) && (exchanges || timers)) {
    size_t *left = e->timers_turn ? &timers : &exchanges;
    bool was = *left && (e->timers_turn ? fire_timer(e, now, context) : report_exchange(e, context));
    *left = was ? *left - 1 : 0;
    reported += was;
    e->timers_turn = !e->timers_turn;
    if (reported && transfer_is_over(e)) break;
  }
  return reported;
}

static size_t step (struct engine *e, double wait, void *context) {
  size_t reported = 0;
  bool go_on = true;
  double until = wait < 0 ? HUGE_VAL : wait > 0 ? clock_now() + wait : 0;
  while (go_on) {
    bool calm = advance(e, until);
    reported = report(e, context);
    go_on = calm && !reported && !e->freed && engine_pending(e) && until > 0 && clock_now() < until;
  }
  return reported;
}

static void end_step (struct engine *e) {
  if (e->watched && !e->depth && !engine_is_inherited(e)) poller_ring_next(e->poller, when_to_step(e));
}

static void set_budget (struct engine *e, double budget) {
  e->budget = budget;
  e->stop = budget > 0 ? clock_now() + budget : 0;
}

size_t engine_step (struct engine *e, double wait, double budget, void *context) {
  if (e->freed || engine_is_inherited(e)) return 0;
  double outer_budget = e->budget, outer_stop = e->stop;
  if (!e->depth || engine_pending(e)) set_budget(e, budget);
  if (!engine_pending(e)) {
    end_step(e);
    return 0;
  }
  e->depth++;
  size_t reported = step(e, wait, context);
  if (--e->depth) {
    e->budget = outer_budget;
    e->stop = outer_stop;
  } else if (e->freed && !engine_is_inherited(e))
    free_now(e);
  else if (!e->freed)
    end_step(e);
  return reported;
}

double engine_stop (const struct engine *e) {
  return e->stop;
}
