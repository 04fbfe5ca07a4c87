#include "net/process.h"

#ifndef _WIN32
#include <pthread.h>
#endif

/* 0: not watched. */
static unsigned forks;

#ifdef _WIN32

void process_watch (void) {
  forks = 1;
}

#else

static void in_child (void) {
  forks++;
}

void process_watch (void) {
  if (pthread_atfork(NULL, NULL, in_child) == 0) forks = 1;
}

#endif

bool process_is_watched (void) {
  return forks > 0;
}

unsigned process_forks (void) {
  return forks;
}
