#include "poller.h"

#if POLLER_EPOLL

#include "timers.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 64 };

struct poller {
  const struct allocator *memory; /* borrowed */
  CURLM *multi;                   /* borrowed */
  int epoll;                      /* owned */
  int watched;                    /* sockets in the set */
  double due;                     /* of clock_now; 0: now; < 0: never */
  bool blind; /* the kernel refused a socket: libcurl is asked to look for itself until none is watched */
  bool
      lost; /* libcurl had no memory for what it knows of sockets: it is asked to look for itself until it is renewed */
};

/* How often to look while blind. */
static const double blind_interval = 0.02;

struct poller *poller_new (const struct allocator *memory) {
  struct poller *p = memory_new(memory, sizeof *p);
  if (!p) return NULL;
  p->memory = memory;
  p->due = -1;
  p->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (p->epoll >= 0) return p;
  memory_free(memory, p, sizeof *p);
  return NULL;
}

void poller_free (struct poller *p) {
  if (!p) return;
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
** libcurl says when it stops caring, but not always before it closes: the kernel's answer decides what is
** new.
*/
static void watch (struct poller *p, curl_socket_t fd, unsigned events, bool known) {
  struct epoll_event event = {.events = events, .data = {.fd = fd}};
  int failed = epoll_ctl(p->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  if (failed && errno == EEXIST) failed = epoll_ctl(p->epoll, EPOLL_CTL_MOD, fd, &event);
  if (failed && errno == ENOENT) failed = epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
  if (failed) p->blind = true;
}

/* `known` is ours: not NULL for a socket that was told of before. Never -1: that would end every transfer. */
static int on_socket (CURL *easy, curl_socket_t fd, int what, void *ud, void *known) {
  struct poller *p = ud;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    struct epoll_event unused = {0}; /* kernels before 2.6.9 want one */
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, &unused);
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
  p->watched = 0;
  p->blind = p->lost = false;
  return true;
}

int poller_fd (const struct poller *p) {
  return p->epoll;
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
** After a failure some socket may not be watched, and libcurl before 8.12 may divide by zero when it is asked to act on
** sockets again; looking for itself it can.
*/
static void act (struct poller *p, curl_socket_t fd, int mask) {
  int running;
  if (p->lost)
    curl_multi_perform(p->multi, &running);
  else if (curl_multi_socket_action(p->multi, fd, mask, &running))
    p->lost = true;
}

void poller_work (struct poller *p) {
  int running;
  if (p->blind || p->lost)
    curl_multi_perform(p->multi, &running);
  else if (p->due == 0 || (p->due > 0 && p->due <= clock_now())) {
    p->due = -1; /* libcurl calls on_timer again if it wants to */
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

bool poller_wait (struct poller *p, double seconds) {
  struct epoll_event events[BATCH];
  int count = epoll_wait(p->epoll, events, BATCH, clock_milliseconds(seconds));
  if (count < 0) return errno != EINTR;
  for (int i = 0; i < count; i++)
    act(p, events[i].data.fd, mask_of(events[i].events));
  return true;
}

#else

typedef int poller_epoll_is_not_used; /* a unit is not to be empty */

#endif
