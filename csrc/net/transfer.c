#include "net/transfer.h"

#include "net/curl_failure.h"
#include "net/deadline.h"
#include "net/engine_state.h"
#include "net/exchange_internal.h"
#include "net/fork_guard.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

bool transfer_is_over (const struct engine *e) {
  return e->stop > 0 && clock_now() >= e->stop;
}

enum { KEPT_CONNECTIONS = 64 }; /* at least; libcurl's own default depends on the number of handles */

static long kept_connections (const struct engine_limits *limits) {
  if (limits->total_connections > 0) return limits->total_connections;
  return limits->host_connections > KEPT_CONNECTIONS ? limits->host_connections : KEPT_CONNECTIONS;
}

/* libcurl also counts the connections of exchanges that hang. */
static long with_hanging (const struct engine *e, long limit) {
  return limit > 0 ? limit + (long)e->hanging : limit;
}

void transfer_limit_connections (const struct engine *e, CURLM *multi) {
  const struct engine_limits *l = &e->limits;
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, with_hanging(e, l->host_connections));
  if (!e->crowded)
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, with_hanging(e, l->total_connections));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, with_hanging(e, kept_connections(l)));
}

/* Counts the exchange among the running ones of its host. */
static void claim (struct exchange *x) {
  if (x->run->host) x->run->host->running++;
}

static void enter (struct engine *e, struct exchange *x) {
  claim(x);
  queue_append(&e->running, x);
}

static void take_body_away (struct exchange *x) {
  if (x->run->host) x->run->host->uploaded -= x->run->upload;
  x->run->upload = 0;
}

static void record_last (struct exchange *x) {
  struct hop hop;
  exchange_last_hop(x, &hop);
  record_end(x, &hop);
}

static void complete (struct engine *e, struct exchange *x) {
  queue_remove(&e->running, x);
  if (x->run->host) x->run->host->running--;
  take_body_away(x);
  timers_clear(&e->limit_timers, &x->run->limit_timer);
  if (x->request.hangs) {
    e->hanging--;
    if (!fork_guard_forked_since(e->forks)) transfer_limit_connections(e, e->multi);
  }
  timers_clear(&e->timers, &x->run->wanting);
  timers_clear(&e->timers, &x->run->moving);
  x->run->hungry = x->run->starved = false;
  x->response.timing.total = clock_now() - x->started;
  x->response.received = x->run->flows ? x->run->flowed : x->response.body.length;
  if (x->run->record) record_last(x);
  x->phase = EXCHANGE_FINISHED;
  x->run->host = NULL; /* the queue may be freed before the exchange */
  queue_append(x->run->owed ? &e->held : &e->finished, x);
}

/* False: a failure is noted and the handle is freed. */
static bool add_to_multi (struct engine *e, struct exchange *x) {
  if (e->recorder.on) record_begin(&e->recorder, x);
  CURLcode code = handle_prepare(x->run->handle, x);
  if (!code && curl_multi_add_handle(e->multi, x->run->handle->easy) == CURLM_OK) {
    e->fresh = true;
    return true;
  }
  curl_failure_explain(x, x->run->handle->easy, code ? code : CURLE_OUT_OF_MEMORY, x->run->handle->error);
  handle_free(x->run->handle);
  x->run->handle = NULL;
  return false;
}

/*
** Decides whether the body may go over HTTP/2. A body that does not fit into the shared window gets a
** connection of its own.
*/
static void place_body (struct exchange *x) {
  if (!x->run->host || !x->run->http2 || !x->run->sends_body || x->request.transport->http2 == HTTP2_YES)
    return;
  /* GCOVR_EXCL_START: run where libcurl multiplexes, from 8.x on */
  size_t size = (size_t)exchange_to_send(x);
  x->run->http2 = host_queue_has_window(x->run->host, size);
  if (x->run->http2) x->run->upload = size;
  x->run->host->uploaded += x->run->upload;
  /* GCOVR_EXCL_STOP */
}

static bool attach (struct engine *e, struct exchange *x) {
  place_body(x);
  x->run->handle = pool_take(&e->pool, x);
  if (x->run->handle) return add_to_multi(e, x);
  curl_failure_note(x, FAILURE_MEMORY, NULL, "no memory for the transfer");
  return false;
}

/*
** libcurl works in one go on all transfers that are new to it, perhaps milliseconds for each. While it has
** one, the next waits for a step, which has a budget. The exchange already counts as running for its host.
*/
static void wait_to_start (struct engine *e, struct exchange *x) {
  x->run->starting = true;
  queue_append(&e->starting, x);
}

static void stop_waiting (struct engine *e, struct exchange *x) {
  x->run->starting = false;
  queue_remove(&e->starting, x);
}

static void start (struct engine *e, struct exchange *x) {
  queue_append(&e->running, x);
  if (!attach(e, x)) complete(e, x);
}

/* Starts exchanges that wait for this host while there is room. */
static void start_waiting (struct engine *e, struct host_queue *host) {
  if (!host) return;
  while (host->waiting.first && !host_queue_is_full(host)) {
    struct exchange *x = host->waiting.first;
    queue_remove(&host->waiting, x);
    claim(x);
    if (e->fresh)
      wait_to_start(e, x);
    else
      start(e, x);
  }
  host_queues_tidy(&e->hosts, host);
}

static void finish (struct engine *e, struct exchange *x) {
  struct host_queue *host = x->run->host;
  complete(e, x);
  start_waiting(e, host);
}

static void hold_connections (struct engine *e, long most) {
  curl_multi_setopt(e->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
}

/*
** File descriptors ran out. With a limit below its present number, libcurl closes an idle connection for each
** new one, and lets a transfer wait if none is idle. One may not be enough: TLS also opens files.
*/
static bool make_room (struct engine *e, struct exchange *x, CURLcode code) {
  enum { MOST_ROOMS = 4 };
  long count = (long)e->sockets.count;
  if (!count || x->run->rooms >= MOST_ROOMS || !curl_failure_for_descriptors(x, code)) return false;
  x->run->rooms++;
  e->crowded = true;
  hold_connections(e, count > 1 ? count - 1 : 1);
  return true;
}

static void let_connect (struct engine *e) {
  if (!e->crowded || e->running.count > e->hanging) return;
  e->crowded = false;
  hold_connections(e, with_hanging(e, e->limits.total_connections));
}

const struct exchange *transfer_start_next (struct engine *e) {
  struct exchange *x = e->starting.first;
  if (!x) return NULL;
  stop_waiting(e, x);
  queue_append(&e->running, x);
  if (!attach(e, x)) finish(e, x);
  return x;
}

static void detach (struct engine *e, struct exchange *x) {
  pool_give(&e->pool, x->run->handle);
  x->run->handle = NULL;
  finish(e, x);
  let_connect(e);
}

/*
** True if part of the request was sent, in this hop or before. Before a hop has a connection, libcurl's
** figures are those of the handle's last transfer.
*/
static bool was_sent (const struct exchange *x) {
  long size = 0;
  if (x->response.redirects > 0 || x->run->undecoded) return true;
  if (!x->run->reached) return false;
  if (x->run->handle->unsure) return true;
  if (stream_was_refused(&x->run->handle->stream, &x->engine->sockets)) return false;
  curl_easy_getinfo(x->run->handle->easy, CURLINFO_REQUEST_SIZE, &size);
  return size > 0;
}

static void read_outcome (struct exchange *x) {
  x->response.tries = 1 + (unsigned)x->run->refusals + x->run->dropped;
  if (!x->run->reached) return;
  handle_note_times(x->run->handle);
  if (x->response.headers.length)
    curl_easy_getinfo(x->run->handle->easy, CURLINFO_RESPONSE_CODE, &x->response.status);
}

/*
** True if the exchange must be added to libcurl again: for its next hop, or for this one, nothing of which
** was sent.
*/
static bool goes_on (struct exchange *x, CURLcode code) {
  struct handle *h = x->run->handle;
  if (code && handle_tries_again(h, code)) return true;
  if (code == CURLE_BAD_CONTENT_ENCODING && exchange_undecode(x)) return true;
  read_outcome(x);
  if (code)
    curl_failure_explain(x, h->easy, code, h->error);
  else
    handle_note_connection(h);
  return !code && exchange_is_answered(x) && !curl_failure_of_proxy(x) && exchange_redirect(x);
}

/*
** Removes the cookies of a jar above its limit. The session is then logged out, which the next response
** shows.
*/
static void bound_cookies (struct exchange *x) {
  struct cookie_jar *jar = x->request.jar;
  if (!jar || !cookie_jar_is_overfull(jar) || !cookie_jar_clear(jar) || x->response.failure != FAILURE_NONE)
    return;
  curl_failure_note(x, FAILURE_PROTOCOL, "the server, or somebody on the way to it, sets ever more cookies",
                    "the server's cookies pass %d KiB: all are forgotten", JAR_LIMIT / 1024);
}

static void conclude (struct engine *e, struct exchange *x, CURLcode code) {
  bool again = make_room(e, x, code) || goes_on(x, code);
  bound_cookies(x);
  bool sent = (again || x->response.failure != FAILURE_NONE) && was_sent(x);
  curl_multi_remove_handle(e->multi, x->run->handle->easy);
  if (again && x->response.failure == FAILURE_NONE && add_to_multi(e, x)) return;
  x->response.may_have_arrived = sent && x->response.failure != FAILURE_NONE;
  if (x->response.may_have_arrived) curl_failure_warn(x);
  if (x->run->handle)
    detach(e, x);
  else
    finish(e, x); /* GCOVR_EXCL_LINE: no memory for a redirect's next hop; seldom in a short run */
}

void transfer_collect (struct engine *e) {
  CURLMsg *message;
  int left = 1;
  e->uncollected = false;
  while (!e->uncollected && left && (message = curl_multi_info_read(e->multi, &left))) {
    char *h = NULL;
    if (message->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &h);
    conclude(e, ((struct handle *)(void *)h)->exchange, message->data.result);
    e->uncollected = left && transfer_is_over(e);
  }
}

/* In a child of fork: leaks the handle, which the parent's transfer uses. */
static void leave_inherited (struct engine *e, struct exchange *x) {
  x->run->handle = NULL;
  complete(e, x);
}

/* Ends an exchange that waits and so has no handle. */
static void abort_waiting (struct engine *e, struct exchange *x) {
  struct host_queue *host = x->run->host;
  if (!x->run->starting) {
    queue_remove(&host->waiting, x);
    enter(e, x);
    complete(e, x);
    return;
  }
  stop_waiting(e, x);
  queue_append(&e->running, x);
  if (fork_guard_forked_since(e->forks))
    complete(e, x); /* GCOVR_EXCL_LINE: a child of fork cancels what its parent had submitted and not begun */
  else
    finish(e, x);
}

void transfer_abort (struct engine *e, struct exchange *x) {
  if (!x->run->handle) {
    abort_waiting(e, x);
    return;
  }
  if (fork_guard_forked_since(e->forks)) {
    leave_inherited(e, x);
    return;
  }
  read_outcome(x);
  x->response.may_have_arrived = was_sent(x);
  curl_multi_remove_handle(e->multi, x->run->handle->easy);
  detach(e, x);
}

static void on_limit (struct timer *timer, void *context) {
  struct exchange_block *block =
      (struct exchange_block *)(void *)((char *)timer - offsetof(struct exchange_block, run.limit_timer));
  struct exchange *x = &block->exchange;
  struct engine *e = x->engine;
  const double *now = context;
  if (deadline_passed(x, *now))
    transfer_abort(e, x);
  else
    timers_set(&e->limit_timers, &x->run->limit_timer,
               deadline_next(x)); /* succeeds: the timer was just removed */
}

void transfer_check_deadlines (struct engine *e, double now) {
  struct timer *timer;
  while ((timer = timers_due(&e->limit_timers, now))) {
    timer->fired(timer, &now);
    if (transfer_is_over(e)) break;
  }
}

static bool set_limit_timer (struct engine *e, struct exchange *x) {
  double when = deadline_next(x);
  x->run->limit_timer.fired = on_limit;
  return when <= 0 || timers_set(&e->limit_timers, &x->run->limit_timer, when);
}

/*
** The most exchanges that may run for one host; 0: no limit. It also holds for HTTP/2, where many share one
** connection: libcurl opens another connection for more than one connection's streams.
*/
static size_t most_at_once (const struct engine *e) {
  const struct engine_limits *l = &e->limits;
  return (size_t)(l->host_connections > 0 ? l->host_connections : l->total_connections);
}

static bool find_host (struct engine *e, struct exchange *x) {
  size_t most = most_at_once(e);
  if (x->request.hangs || (!most && !x->run->http2)) return true;
  x->run->host = host_queues_find(&e->hosts, x->request.uri, most ? most : SIZE_MAX);
  return x->run->host != NULL;
}

void transfer_relimit (struct engine *e) {
  size_t most = most_at_once(e);
  struct host_queue *host, *next;
  host_queues_limit(&e->hosts, most ? most : SIZE_MAX);
  for (size_t i = 0; i < HOST_QUEUE_SLOTS; i++)
    for (host = e->hosts.slots[i]; host; host = next) {
      next = host->next;
      start_waiting(e, host); /* may free `host` */
    }
}

/*
** True if the header block is small enough for HTTP/2: libcurl cannot send more than 64 KiB, and the stream
** would wait until it times out. Lines that libcurl adds fit into the rest: cookies of 8 KiB and some lines.
*/
static bool fits_http2 (const struct request *r) {
  enum { MOST = 48 * 1024 };
  size_t size = strlen(uri_text(r->uri));
  if (r->headers) size += header_list_size(r->headers);
  if (r->credentials) size += r->credentials->size;
  return size <= MOST;
}

/*
** libcurl 7.88 may time out when a server responds over HTTP/2 before it has the whole body, and resets
** closed streams, for which Tomcat ends the connection (ENHANCE_YOUR_CALM). 8.14 does neither; no version
** between was tested.
*/
static bool sends_bodies_well (const struct engine *e) {
  return e->lines.version >= 0x080e00;
}

static bool may_speak_http2 (const struct engine *e, const struct exchange *x) {
  if (!uri_is_https(x->request.uri) || !fits_http2(&x->request)) return false;
  switch (x->request.transport->http2) {
  case HTTP2_NO: return false;
  case HTTP2_YES: return true;
  default: return !x->request.hangs && !e->limits.http1 && (!x->run->sends_body || sends_bodies_well(e));
  }
}

static void undo_begin (struct engine *e, struct exchange *x) {
  take_body_away(x);
  timers_clear(&e->limit_timers, &x->run->limit_timer);
  uri_release(x->response.uri);
  x->response.uri = NULL;
  x->run->host = NULL;
  x->response.failure = FAILURE_NONE;
  x->response.detail[0] = '\0';
  x->response.hint = NULL;
}

/* False: out of memory; nothing has begun. Every other failure is reported by `finished`. */
static bool begin (struct engine *e, struct exchange *x) {
  exchange_start(x, clock_now());
  x->run->http2 = may_speak_http2(e, x);
  if (!find_host(e, x) || !set_limit_timer(e, x)) return false;
  if (x->run->host && host_queue_is_full(x->run->host)) {
    queue_append(&x->run->host->waiting, x);
    return true;
  }
  if (e->fresh) {
    claim(x);
    wait_to_start(e, x);
    return true;
  }
  bool up = attach(e, x);
  if (!up && x->response.failure == FAILURE_MEMORY) return false;
  enter(e, x);
  if (!up) complete(e, x);
  return true;
}

bool transfer_begin (struct engine *e, struct exchange *x) {
  x->phase = EXCHANGE_PENDING;
  if (x->request.hangs) {
    e->hanging++;
    transfer_limit_connections(e, e->multi);
  }
  if (begin(e, x)) return true;
  e->hanging -= x->request.hangs;
  undo_begin(e, x);
  x->phase = EXCHANGE_FRESH;
  return false;
}

static void abandon (struct engine *e, struct exchange *x) {
  if (x->run->handle && !fork_guard_forked_since(e->forks)) {
    curl_multi_remove_handle(e->multi, x->run->handle->easy);
    handle_free(x->run->handle);
  }
  timers_clear(&e->limit_timers, &x->run->limit_timer);
  exchange_orphan(x);
}

void transfer_abandon_all (struct engine *e) {
  struct exchange *x;
  while ((x = e->running.first)) {
    queue_remove(&e->running, x);
    abandon(e, x);
  }
  while ((x = e->starting.first)) {
    stop_waiting(e, x);
    abandon(e, x);
  }
  while ((x = host_queues_first_waiting(&e->hosts))) {
    queue_remove(&x->run->host->waiting, x);
    abandon(e, x);
  }
}
