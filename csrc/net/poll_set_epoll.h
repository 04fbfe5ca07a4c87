/*
** poll_set, over epoll: the kernel's set of descriptors, and a timer in it, the bell. For
** poller_descriptor.c alone. A function returns -1 or false when the kernel refuses.
*/
#ifndef NET_POLL_SET_EPOLL_H
#define NET_POLL_SET_EPOLL_H

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct epoll_event poll_event;

static inline int poll_set_new (void) {
  return epoll_create1(EPOLL_CLOEXEC);
}

/*
** Watches a socket for `what` of libcurl's. libcurl reports when it stops watching a socket, but not always
** before it closes it: the kernel's answer tells whether the socket is new.
*/
static inline bool poll_set_watch (int set, curl_socket_t fd, int what, bool known) {
  struct epoll_event event = {.data = {.fd = fd}};
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  int failed = epoll_ctl(set, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  if (failed && errno == EEXIST) failed = epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
  if (failed && errno == ENOENT) failed = epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  return !failed;
}

static inline void poll_set_forget (int set, curl_socket_t fd) {
  struct epoll_event unused = {0}; /* kernels before 2.6.9 need one */
  epoll_ctl(set, EPOLL_CTL_DEL, fd, &unused);
}

/* Waits at most `ms`. The number of events, or -1: see errno. */
static inline int poll_set_wait (int set, poll_event *ready, int size, int ms) {
  return epoll_wait(set, ready, size, ms);
}

static inline curl_socket_t poll_event_fd (const poll_event *event) {
  return event->data.fd;
}

#define poll_event_clear(event) ((event)->events = 0)

/* For curl_multi_socket_action; 0: the event was cleared. */
static inline int poll_event_mask (const poll_event *event) {
  int mask = 0;
  if (event->events & EPOLLIN) mask |= CURL_CSELECT_IN;
  if (event->events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
  if (event->events & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR;
  return mask;
}

/* The bell: the set is readable from its time until it is set again. */
static inline int poll_bell_new (int set) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = -1}};
  int bell = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (bell < 0) return -1;
  event.data.fd = bell;
  if (!epoll_ctl(set, EPOLL_CTL_ADD, bell, &event)) return bell;
  /* GCOVR_EXCL_START: the kernel refuses to watch one more descriptor */
  close(bell);
  return -1;
  /* GCOVR_EXCL_STOP */
}

static inline void poll_bell_free (int bell) {
  close(bell);
}

static inline bool poll_event_is_bell (const poll_event *event, int bell) {
  return event->data.fd == bell;
}

/* At `when` of clock_now; 0: now; < 0: never. All zeros stop the timer; a time in the past rings at once. */
static inline void poll_bell_set (int set, int bell, double when) {
  struct itimerspec spec = {0};
  (void)set;
  if (when >= 0) {
    spec.it_value.tv_sec = (time_t)when;
    spec.it_value.tv_nsec = (long)((when - (double)spec.it_value.tv_sec) * 1e9);
    if (when <= 0) spec.it_value.tv_nsec = 1;
  }
  timerfd_settime(bell, TFD_TIMER_ABSTIME, &spec, NULL);
}

#endif
