#include "net/process.h"

#ifdef _WIN32

void process_watch (void) {}

bool process_is_watched (void) {
  return true;
}

unsigned process_forks (void) {
  return 1;
}

#else

#include <pthread.h>

/* 0: not watched. */
static unsigned forks;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child (void) {
  forks++;
}

static void watch (void) {
  if (pthread_atfork(NULL, NULL, in_child) == 0) forks = 1;
}

void process_watch (void) {
  pthread_once(&once, watch);
}

bool process_is_watched (void) {
  return forks > 0;
}

unsigned process_forks (void) {
  return forks;
}

#endif
