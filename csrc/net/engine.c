#include "engine_state.h"
#include "failure.h"
#include "flight.h"
#include "process.h"
#include "sigpipe.h"
#include "wiping.h"

#include <math.h>
#include <pthread.h>

/*
** SIGPIPE: CURLOPT_NOSIGNAL leaves it to us. Blocking it costs system calls, and on Linux plain sockets
** never raise it, nor does libcurl with OpenSSL since 7.87; so libcurl's calls are guarded from the first
** https request on (later too: a kept connection says goodbye when it is closed). See sigpipe.h.
*/

const struct engine_limits engine_default_limits = {64, 0, 16, false};

enum { KEPT_CONNECTIONS = 64 }; /* at least; libcurl's own number follows the handles in use */

/* How often to look where no descriptor tells. */
static const double look_interval = 0.01;

/* The one piece of state that all engines share. Never cleaned up: resolver threads may still run at exit. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl (void) {
  wiping_init_curl();
  process_watch();
}

static long kept_connections (const struct engine_limits *limits) {
  if (limits->total_connections > 0) return limits->total_connections;
  return limits->host_connections > KEPT_CONNECTIONS ? limits->host_connections : KEPT_CONNECTIONS;
}

static void tell_limits (CURLM *multi, const struct engine_limits *limits) {
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, limits->host_connections);
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limits->total_connections);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kept_connections(limits));
}

static CURLM *new_multi (struct engine *e) {
  CURLM *multi = curl_multi_init();
  if (!multi) return NULL;
  tell_limits(multi, &e->limits);
#if LIBCURL_VERSION_NUM >= 0x081400
  curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L); /* or its threads would be joined when it goes */
#endif
  if (poller_attach(e->poller, multi)) return multi;
  curl_multi_cleanup(multi);
  return NULL;
}

/* The poller goes last: libcurl calls it back for each connection that it closes. */
static void free_parts (struct engine *e) {
  struct allocator memory = e->memory;
  if (e->multi) curl_multi_cleanup(e->multi);
  poller_free(e->poller);
  timers_cleanup(&e->timers);
  timers_cleanup(&e->watches);
  lanes_cleanup(&e->lanes);
  sockets_cleanup(&e->sockets);
  memory_free(&memory, e, sizeof *e);
}

static void init_fields (struct engine *e, const struct engine_limits *limits,
                         const struct allocator *memory) {
  e->memory = *memory;
  e->forks = process_forks();
  e->limits = limits ? *limits : engine_default_limits;
  timers_init(&e->timers, &e->memory);
  timers_init(&e->watches, &e->memory);
  lanes_init(&e->lanes, &e->memory);
  pool_init(&e->pool, &e->memory, e->limits.idle_handles, &e->lines, &e->sockets);
  sockets_init(&e->sockets, &e->memory);
  handle_lines_init(&e->lines);
}

struct engine *engine_new (const struct engine_limits *limits, const struct allocator *memory) {
  pthread_once(&curl_once, init_curl);
  struct engine *e = process_is_watched() ? memory_new(memory, sizeof *e) : NULL;
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
  return e->forks != process_forks();
}

/* What libcurl has is left as it is: its connections would say goodbye, its threads would be joined. */
static void free_copy (struct engine *e) {
  struct allocator memory = e->memory;
  timers_cleanup(&e->watches);
  lanes_cleanup(&e->lanes);
  sockets_cleanup(&e->sockets);
  memory_free(&memory, e, sizeof *e);
}

void engine_free (struct engine *e) {
  struct sigpipe_guard guard;
  if (!e || e->freed) return;
  e->freed = true;
  sigpipe_begin(&guard, e->tls);
  flight_abandon_all(e);
  sigpipe_end(&guard);
  timers_cleanup(&e->timers); /* at once: their owners may be gone before the outermost step is */
  while (e->finished.first) {
    struct exchange *x = e->finished.first;
    queue_remove(&e->finished, x);
    exchange_orphan(x);
  }
  if (e->depth) return;
  if (engine_is_inherited(e))
    free_copy(e);
  else
    free_now(e);
}

const struct allocator *engine_memory (const struct engine *e) {
  return &e->memory;
}

void engine_forget_jar (struct engine *e, struct jar *jar) {
  if (engine_is_inherited(e)) return;
  jar_set_forgotten(jar, true);
  pool_forget_jar(&e->pool, jar);
}

/* libcurl has no other way to close idle connections in every version. The descriptor stays the same. */
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
  if (e->flying.count == 0) {
    renew_multi(e);
    lanes_cleanup(&e->lanes);
    if (!e->sockets.count) sockets_cleanup(&e->sockets);
  }
  sigpipe_end(&guard);
}

bool engine_submit (struct engine *e, struct exchange *x) {
  if (engine_is_inherited(e)) return false;
  if (x->request.jar) jar_set_forgotten(x->request.jar, false);
  if (uri_is_https(x->request.uri)) e->tls = true;
  return flight_begin(e, x);
}

void engine_cancel (struct engine *e, struct exchange *x) {
  struct sigpipe_guard guard;
  if (x->phase != EXCHANGE_FLYING) return;
  failure_note(x, FAILURE_CANCELLED, NULL, "cancelled");
  sigpipe_begin(&guard, e->tls);
  flight_abort(e, x);
  sigpipe_end(&guard);
}

void engine_drop (struct engine *e, struct exchange *x) {
  engine_cancel(e, x);
  if (x->phase == EXCHANGE_FINISHED) queue_remove(&e->finished, x);
  x->phase = EXCHANGE_TOLD;
}

void engine_set_limits (struct engine *e, const struct engine_limits *limits) {
  struct sigpipe_guard guard;
  e->limits = *limits;
  sigpipe_begin(&guard, e->tls);
  tell_limits(e->multi, limits);
  pool_set_limit(&e->pool, limits->idle_handles);
  flight_relimit(e);
  sigpipe_end(&guard);
}

bool engine_reserve_timer (struct engine *e) {
  return timers_reserve(&e->timers);
}

bool engine_set_timer (struct engine *e, struct timer *timer, double when) {
  return timers_set(&e->timers, timer, when);
}

void engine_clear_timer (struct engine *e, struct timer *timer) {
  timers_clear(&e->timers, timer);
}

int engine_pollfd (const struct engine *e) {
  return poller_fd(e->poller);
}

bool engine_pending (const struct engine *e) {
  return e->flying.count || e->finished.count || e->timers.count;
}

/* Of two times of which less than nothing means never. */
static double sooner (double a, double b) {
  if (a < 0) return b;
  return b < 0 || a < b ? a : b;
}

/* By clock_now; < 0: nothing. */
static double next_due (struct engine *e) {
  double due = sooner(timers_next(&e->timers), timers_next(&e->watches));
  return sooner(due, poller_due(e->poller));
}

double engine_timeout (struct engine *e) {
  if (e->finished.count) return 0;
  double due = next_due(e), rest = due - clock_now();
  double seconds = due < 0 ? -1 : rest > 0 ? rest : 0;
  return e->flying.count && engine_pollfd(e) < 0 ? sooner(seconds, look_interval) : seconds;
}

static double time_to_wait (struct engine *e, double until) {
  if (e->finished.count || until == 0) return 0;
  double due = next_due(e), now = clock_now();
  double rest = (due < 0 || until < due ? until : due) - now;
  return rest > 0 ? rest : 0;
}

/* Without a descriptor to look at, a look costs a system call for nothing. */
static bool worth_looking (const struct engine *e, double seconds) {
  return seconds > 0 || poller_watches(e->poller);
}

/* False: a signal came. */
static bool advance (struct engine *e, double until) {
  struct sigpipe_guard guard;
  bool calm = true;
  sigpipe_begin(&guard, e->tls);
  if (e->flying.count || poller_due(e->poller) >= 0) {
    poller_work(e->poller);
    flight_collect(e);
  }
  double seconds = time_to_wait(e, until);
  if (worth_looking(e, seconds)) {
    calm = poller_wait(e->poller, seconds);
    flight_collect(e);
  }
  flight_check_watches(e);
  if (poller_is_lost(e->poller) && !e->flying.count) renew_multi(e);
  sigpipe_end(&guard);
  return calm;
}

/* True: there was one. It may have freed the engine, up to what engine_step still needs. */
static bool tell_exchange (struct engine *e, void *context) {
  struct exchange *x = e->finished.first;
  if (!x) return false;
  queue_remove(&e->finished, x);
  x->phase = EXCHANGE_TOLD;
  x->finished(x, context); /* may have freed x */
  return true;
}

static bool tell_timer (struct engine *e, double now, void *context) {
  struct timer *timer = timers_due(&e->timers, now);
  if (timer) timer->fired(timer, context);
  return timer != NULL;
}

/*
** Timers and exchanges take turns, over steps too, so that neither starves the other under a small budget.
** What owners add meanwhile is left for the next step, or one that always adds would never let it end.
*/
static size_t tell (struct engine *e, double budget, void *context) {
  size_t told = 0, exchanges = e->finished.count, timers = e->timers.count;
  if (!exchanges && !timers) return 0;
  double now = clock_now();
  while (!e->freed && !engine_is_inherited(e) && (exchanges || timers)) {
    size_t *left = e->timers_turn ? &timers : &exchanges;
    bool was = *left && (e->timers_turn ? tell_timer(e, now, context) : tell_exchange(e, context));
    *left = was ? *left - 1 : 0;
    told += was;
    e->timers_turn = !e->timers_turn;
    if (told && budget > 0 && clock_now() - now >= budget) break;
  }
  return told;
}

size_t engine_step (struct engine *e, double wait, double budget, void *context) {
  size_t told = 0;
  bool go_on = true;
  if (!engine_pending(e) || e->freed || engine_is_inherited(e)) return 0;
  double until = wait < 0 ? HUGE_VAL : wait > 0 ? clock_now() + wait : 0;
  e->depth++;
  while (go_on) {
    bool calm = advance(e, until);
    told = tell(e, budget, context);
    go_on = calm && !told && !e->freed && engine_pending(e) && until > 0 && clock_now() < until;
  }
  if (--e->depth == 0 && e->freed && !engine_is_inherited(e)) free_now(e);
  return told;
}
