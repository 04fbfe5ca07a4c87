#include "net/fork_guard.h"

#ifdef _WIN32

void fork_guard_set (void) {}

bool fork_guard_is_set (void) {
  return true;
}

unsigned fork_guard_forks (void) {
  return 1;
}

#else

#include <pthread.h>

/* 0: not counted. */
static unsigned forks;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child (void) {
  forks++;
}

static void start (void) {
  if (pthread_atfork(NULL, NULL, in_child) == 0) forks = 1;
}

void fork_guard_set (void) {
  pthread_once(&once, start);
}

bool fork_guard_is_set (void) {
  return forks > 0;
}

unsigned fork_guard_forks (void) {
  return forks;
}

#endif

bool fork_guard_forked_since (unsigned before) {
  return fork_guard_forks() != before;
}
