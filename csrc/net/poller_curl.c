#include "net/poller.h"

#if !POLLER_DESCRIPTOR

#include "net/timers.h"

struct poller {
  const struct allocator *memory; /* borrowed */
  CURLM *multi;                   /* borrowed */
  int running;                    /* transfers that libcurl has not finished */
  bool due;                       /* poller_serve has work */
  double looked;                  /* of clock_now */
};

/* A signal does not end curl_multi_poll: the host is interrupted after at most this long. */
static const double longest_wait = 0.5;

struct poller *poller_new (const struct allocator *memory) {
  struct poller *p = memory_new(memory, sizeof *p);
  if (p) p->memory = memory;
  return p;
}

void poller_free (struct poller *p) {
  if (p) memory_free(p->memory, p, sizeof *p);
}

bool poller_attach (struct poller *p, CURLM *multi) {
  p->multi = multi;
  p->running = 0;
  return true;
}

int poller_fd (struct poller *p) {
  (void)p;
  return -1;
}

void poller_ring (struct poller *p, double when) {
  (void)p, (void)when;
}

void poller_ring_next (struct poller *p, double when) {
  (void)p, (void)when;
}

double poller_due (struct poller *p) {
  long ms = -1;
  curl_multi_timeout(p->multi, &ms);
  return ms < 0 ? -1 : ms == 0 ? 0 : clock_now() + (double)ms / 1000;
}

bool poller_watches (const struct poller *p) {
  return p->running > 0;
}

bool poller_is_lost (const struct poller *p) {
  (void)p;
  return false;
}

void poller_work (struct poller *p) {
  curl_multi_perform(p->multi, &p->running);
}

bool poller_wait (struct poller *p, double seconds) {
  double wait = seconds < longest_wait ? seconds : longest_wait;
  p->looked = clock_now();
  curl_multi_poll(p->multi, NULL, 0, clock_milliseconds(wait), NULL);
  p->due = true;
  return seconds <= longest_wait;
}

/* libcurl works on all ready descriptors in one call. */
bool poller_serve (struct poller *p) {
  if (!p->due) return false;
  p->due = false;
  curl_multi_perform(p->multi, &p->running);
  return true;
}

bool poller_is_through (const struct poller *p) {
  return !p->due;
}

double poller_looked (const struct poller *p) {
  return p->looked;
}

bool poller_found (const struct poller *p) {
  (void)p;
  return false;
}

#else

typedef int poller_curl_is_not_used; /* ISO C forbids an empty translation unit */

#endif
