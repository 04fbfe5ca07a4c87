#include "sandbox/clock.h"

/* The clock of condition variables on systems where it cannot be chosen. */
#ifdef __APPLE__
#define DEADLINE_CLOCK CLOCK_REALTIME
#else
#define DEADLINE_CLOCK CLOCK_MONOTONIC
#endif

static const double far = 1e9;

double clock_seconds (clockid_t id) {
  struct timespec now;
  if (clock_gettime(id, &now) != 0) return 0;
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct timespec clock_deadline (double seconds) {
  struct timespec at = {0, 0};
  (void)clock_gettime(DEADLINE_CLOCK, &at);
  if (!(seconds > 0)) return at;
  if (seconds > far) seconds = far;
  time_t whole = (time_t)seconds;
  at.tv_sec += whole;
  at.tv_nsec += (long)((seconds - (double)whole) * 1e9);
  if (at.tv_nsec >= 1000000000L) {
    at.tv_nsec -= 1000000000L;
    at.tv_sec++;
  }
  return at;
}

bool clock_init_condition (pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes) != 0) return false;
  bool ok = true;
#ifndef __APPLE__
  ok = pthread_condattr_setclock(&attributes, DEADLINE_CLOCK) == 0;
#endif
  ok = ok && pthread_cond_init(condition, &attributes) == 0;
  (void)pthread_condattr_destroy(&attributes);
  return ok;
}
