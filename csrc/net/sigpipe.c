#include "net/sigpipe.h"

#ifdef _WIN32

void sigpipe_begin (struct sigpipe_guard *g, bool wanted) {
  (void)wanted;
  g->on = false;
}

void sigpipe_end (struct sigpipe_guard *g) {
  (void)g;
}

#else

static bool is_pending (void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

static void only_sigpipe (sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

/* A SIGPIPE that is already pending is the host's and stays pending. */
void sigpipe_begin (struct sigpipe_guard *g, bool wanted) {
  sigset_t set;
  g->on = wanted;
  if (!wanted) return;
  only_sigpipe(&set);
  pthread_sigmask(SIG_BLOCK, &set, &g->before);
  g->was_pending = sigismember(&g->before, SIGPIPE) == 1 && is_pending();
}

void sigpipe_end (struct sigpipe_guard *g) {
  sigset_t set;
  int number;
  if (!g->on) return;
  only_sigpipe(&set);
  if (!g->was_pending && is_pending()) sigwait(&set, &number);
  pthread_sigmask(SIG_SETMASK, &g->before, NULL);
}

#endif
