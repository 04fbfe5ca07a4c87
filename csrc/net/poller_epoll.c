#include "net/poller.h"

#if POLLER_EPOLL

#include "net/timers.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BATCH = 64 };

struct poller {
  const struct allocator *memory; /* borrowed */
  CURLM *multi;                   /* borrowed */
  int epoll;                      /* owned */
  int bell;     /* owned: a timer in the set; -1: the host has not asked for the descriptor */
  double rings; /* the time of the bell, of clock_now; 0: it rings now; < 0: never */
  struct epoll_event ready[BATCH]; /* the result of the last epoll_wait */
  int served, found;               /* how many of `ready` */
  int looked_at;                   /* sockets seen since `looking` */
  double looking;                  /* start of the current look; one batch may not hold all that is ready */
  double looked;                   /* start of the last complete look */
  int watched;                     /* sockets in the set */
  double due;                      /* of clock_now; 0: now; < 0: never */
  bool blind; /* the kernel refused a socket: libcurl polls by itself until no socket is left */
  bool
      lost; /* libcurl ran out of memory for its records of sockets: it polls by itself until it is renewed */
};

/* Seconds between two polls while blind. */
static const double blind_interval = 0.02;

struct poller *poller_new (const struct allocator *memory) {
  struct poller *p = memory_new(memory, sizeof *p);
  if (!p) return NULL;
  p->memory = memory;
  p->due = -1;
  p->bell = -1;
  p->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (p->epoll >= 0) return p;
  memory_free(memory, p, sizeof *p);
  return NULL;
}

void poller_free (struct poller *p) {
  if (!p) return;
  if (p->bell >= 0) close(p->bell);
  close(p->epoll);
  memory_free(p->memory, p, sizeof *p);
}

static unsigned events_of (int what) {
  unsigned events = 0;
  if (what & CURL_POLL_IN) events |= EPOLLIN;
  if (what & CURL_POLL_OUT) events |= EPOLLOUT;
  return events;
}

/*
** libcurl reports when it stops watching a socket, but not always before it closes it: the kernel's answer
** tells whether the socket is new.
*/
static void watch (struct poller *p, curl_socket_t fd, unsigned events, bool known) {
  struct epoll_event event = {.events = events, .data = {.fd = fd}};
  int failed = epoll_ctl(p->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  if (failed && errno == EEXIST) failed = epoll_ctl(p->epoll, EPOLL_CTL_MOD, fd, &event);
  if (failed && errno == ENOENT) failed = epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
  if (failed) p->blind = true;
}

/* The descriptor's number may soon be another socket's. */
static void forget_ready (struct poller *p, curl_socket_t fd) {
  for (int i = p->served; i < p->found; i++)
    if (p->ready[i].data.fd == fd) p->ready[i].events = 0;
}

/*
** `known` is ours: not NULL for a socket that was reported before. Never returns -1: that would end every
** transfer.
*/
static int on_socket (CURL *easy, curl_socket_t fd, int what, void *ud, void *known) {
  struct poller *p = ud;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    struct epoll_event unused = {0}; /* kernels before 2.6.9 need one */
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, &unused);
    forget_ready(p, fd);
    if (known && p->watched && --p->watched == 0) p->blind = false;
    return 0;
  }
  watch(p, fd, events_of(what), known != NULL);
  if (!known) {
    p->watched++;
    curl_multi_assign(p->multi, fd, p);
  }
  return 0;
}

static int on_timer (CURLM *multi, long ms, void *ud) {
  struct poller *p = ud;
  (void)multi;
  p->due = ms < 0 ? -1 : ms == 0 ? 0 : clock_now() + (double)ms / 1000;
  return 0;
}

bool poller_attach (struct poller *p, CURLM *multi) {
  CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  if (!code) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, p);
  if (!code) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  if (!code) code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, p);
  if (code) return false;
  p->multi = multi;
  p->due = -1;
  p->watched = p->served = p->found = 0;
  p->blind = p->lost = false;
  return true;
}

/* Adds a timer that is readable from its time until it is set again. */
static bool add_bell (struct poller *p) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = -1}};
  p->bell = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  p->rings = -1;
  if (p->bell < 0) return false;
  event.data.fd = p->bell;
  if (!epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->bell, &event)) return true;
  /* GCOVR_EXCL_START: the kernel refuses to watch one more descriptor */
  close(p->bell);
  p->bell = -1;
  return false;
  /* GCOVR_EXCL_STOP */
}

int poller_fd (struct poller *p) {
  return p->bell >= 0 || add_bell(p) ? p->epoll : -1;
}

/* All zeros stop the timer; a time in the past makes it ring at once. */
static void set_bell (struct poller *p, double when) {
  struct itimerspec spec = {0};
  if (when >= 0) {
    spec.it_value.tv_sec = (time_t)when;
    spec.it_value.tv_nsec = (long)((when - (double)spec.it_value.tv_sec) * 1e9);
    if (!when) spec.it_value.tv_nsec = 1;
  }
  timerfd_settime(p->bell, TFD_TIMER_ABSTIME, &spec, NULL);
  p->rings = when;
}

/* An earlier time stays set until it rings: most times only move later. */
void poller_ring (struct poller *p, double when) {
  if (p->bell >= 0 && when >= 0 && (p->rings < 0 || when < p->rings)) set_bell(p, when);
}

void poller_ring_next (struct poller *p, double when) {
  if (p->bell >= 0 && p->rings >= 0 && p->rings <= clock_now() && when != 0)
    set_bell(p, when);
  else
    poller_ring(p, when);
}

double poller_due (struct poller *p) {
  double look = p->blind || p->lost ? clock_now() + blind_interval : -1;
  if (p->due < 0) return look;
  return look < 0 || p->due < look ? p->due : look;
}

bool poller_watches (const struct poller *p) {
  return p->watched > 0;
}

bool poller_is_lost (const struct poller *p) {
  return p->lost;
}

/*
** After a failure a socket may be unwatched, and libcurl before 8.12 may divide by zero in
** curl_multi_socket_action. It can still poll by itself.
*/
static void act (struct poller *p, curl_socket_t fd, int mask) {
  int running;
  if (p->lost)
    curl_multi_perform(p->multi, &running); /* GCOVR_EXCL_LINE: after out of memory; a matter of timing */
  else if (curl_multi_socket_action(p->multi, fd, mask, &running))
    p->lost = true;
}

void poller_work (struct poller *p) {
  int running;
  if (p->blind || p->lost)
    curl_multi_perform(p->multi, &running);
  else if (p->due == 0 || (p->due > 0 && p->due <= clock_now())) {
    p->due = -1; /* libcurl calls on_timer again for its next timer */
    act(p, CURL_SOCKET_TIMEOUT, 0);
  }
}

static int mask_of (unsigned events) {
  int mask = 0;
  if (events & EPOLLIN) mask |= CURL_CSELECT_IN;
  if (events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
  if (events & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR;
  return mask;
}

/* The kernel reports sockets that it reported before last: after `watched` sockets each had its turn. */
static void end_batch (struct poller *p) {
  p->looked_at += p->found;
  if (p->found == BATCH && p->looked_at < p->watched) return;
  p->looked = p->looking;
  p->looked_at = 0;
}

bool poller_wait (struct poller *p, double seconds) {
  if (p->served < p->found) return true;
  if (!p->looked_at) p->looking = clock_now();
  p->served = 0;
  p->found = epoll_wait(p->epoll, p->ready, BATCH, clock_milliseconds(seconds));
  if (p->found < 0) {
    p->found = 0;
    return errno != EINTR;
  }
  if (!p->found) end_batch(p);
  return true;
}

bool poller_serve (struct poller *p) {
  if (p->served == p->found) return false;
  struct epoll_event event = p->ready[p->served++];
  if (event.data.fd == p->bell)
    set_bell(p, -1); /* else the bell would end every wait */
  else if (event.events)
    act(p, event.data.fd, mask_of(event.events));
  if (p->served == p->found) end_batch(p);
  return true;
}

bool poller_is_through (const struct poller *p) {
  return p->served == p->found && !p->looked_at;
}

double poller_looked (const struct poller *p) {
  return p->looked;
}

bool poller_found (const struct poller *p) {
  return p->found > 0;
}

#else

typedef int poller_epoll_is_not_used; /* ISO C forbids an empty translation unit */

#endif
