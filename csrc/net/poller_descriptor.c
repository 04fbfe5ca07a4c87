#include "net/poller.h"

#if POLLER_DESCRIPTOR

#if POLLER_KQUEUE
#include "net/poll_set_kqueue.h"
#else
#include "net/poll_set_epoll.h"
#endif
#include "net/timers.h"

#include <errno.h>
#include <unistd.h>

enum { BATCH = 64 };

struct poller {
  const struct allocator *memory; /* borrowed */
  CURLM *multi;                   /* borrowed */
  int set;                        /* owned: a descriptor */
  int bell;                /* owned: a timer in the set; -1: the host has not asked for the descriptor */
  double rings;            /* the time of the bell, of clock_now; 0: it rings now; < 0: never */
  poll_event ready[BATCH]; /* the result of the last wait */
  int served, found;       /* how many of `ready` */
  int looked_at;           /* sockets seen since `looking` */
  double looking;          /* start of the current look; one batch may not hold all that is ready */
  double looked;           /* start of the last complete look */
  int watched;             /* sockets in the set */
  double due;              /* of clock_now; 0: now; < 0: never */
  bool blind;              /* the kernel refused a socket: libcurl polls by itself until no socket is left */
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
  p->set = poll_set_new();
  if (p->set >= 0) return p;
  memory_free(memory, p, sizeof *p);
  return NULL;
}

void poller_free (struct poller *p) {
  if (!p) return;
  if (p->bell >= 0) poll_bell_free(p->bell);
  close(p->set);
  memory_free(p->memory, p, sizeof *p);
}

/* The descriptor's number may soon be another socket's. */
static void forget_ready (struct poller *p, curl_socket_t fd) {
  for (int i = p->served; i < p->found; i++)
    if (poll_event_fd(&p->ready[i]) == fd) poll_event_clear(&p->ready[i]);
}

/*
** `known` is ours: not NULL for a socket that was reported before. Never returns -1: that would end every
** transfer.
*/
static int on_socket (CURL *easy, curl_socket_t fd, int what, void *ud, void *known) {
  struct poller *p = ud;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    poll_set_forget(p->set, fd);
    forget_ready(p, fd);
    if (known && p->watched && --p->watched == 0) p->blind = false;
    return 0;
  }
  if (!poll_set_watch(p->set, fd, what, known != NULL)) p->blind = true;
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

int poller_fd (struct poller *p) {
  if (p->bell < 0) {
    p->bell = poll_bell_new(p->set);
    p->rings = -1;
  }
  return p->bell >= 0 ? p->set : -1;
}

static void set_bell (struct poller *p, double when) {
  poll_bell_set(p->set, p->bell, when);
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
  p->found = poll_set_wait(p->set, p->ready, BATCH, clock_milliseconds(seconds));
  if (p->found < 0) {
    p->found = 0;
    return errno != EINTR;
  }
  if (!p->found) end_batch(p);
  return true;
}

bool poller_serve (struct poller *p) {
  if (p->served == p->found) return false;
  poll_event event = p->ready[p->served++];
  int mask = poll_event_mask(&event);
  if (poll_event_is_bell(&event, p->bell))
    set_bell(p, -1); /* else the bell would end every wait */
  else if (mask)
    act(p, poll_event_fd(&event), mask);
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

typedef int poller_descriptor_is_not_used; /* ISO C forbids an empty translation unit */

#endif
