/* poll_set, over kqueue: as poll_set_epoll.h, which says what each function does. */
#ifndef NET_POLL_SET_KQUEUE_H
#define NET_POLL_SET_KQUEUE_H

#include "net/timers.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct kevent poll_event;

enum { POLL_BELL = 1 }; /* ident of the timer; timers and sockets have numbers of their own */

static inline int poll_set_new (void) {
  int set = kqueue();
  if (set >= 0) fcntl(set, F_SETFD, FD_CLOEXEC);
  return set;
}

/* One filter of a socket; EV_RECEIPT: the answer to the change alone, and no event. */
static inline bool poll_set_change (int set, curl_socket_t fd, short filter, bool wanted) {
  struct kevent change, receipt;
  EV_SET(&change, (uintptr_t)fd, filter, (wanted ? EV_ADD : EV_DELETE) | EV_RECEIPT, 0, 0, NULL);
  if (kevent(set, &change, 1, &receipt, 1, NULL) != 1) return !wanted;
  return !wanted || !(receipt.flags & EV_ERROR) || receipt.data == 0;
}

/* The kernel removes a socket that is closed by itself. */
static inline bool poll_set_watch (int set, curl_socket_t fd, int what, bool known) {
  (void)known;
  bool reads = poll_set_change(set, fd, EVFILT_READ, (what & CURL_POLL_IN) != 0);
  return poll_set_change(set, fd, EVFILT_WRITE, (what & CURL_POLL_OUT) != 0) && reads;
}

static inline void poll_set_forget (int set, curl_socket_t fd) {
  poll_set_watch(set, fd, CURL_POLL_NONE, true);
}

static inline int poll_set_wait (int set, poll_event *ready, int size, int ms) {
  struct timespec limit = {ms / 1000, ms % 1000 * 1000000L};
  return kevent(set, NULL, 0, ready, size, &limit);
}

static inline curl_socket_t poll_event_fd (const poll_event *event) {
  return event->filter == EVFILT_TIMER ? CURL_SOCKET_BAD : (curl_socket_t)event->ident;
}

#define poll_event_clear(event) ((event)->filter = 0)

/* Reading and writing are two events. At an end of the input there may be bytes to read before it. */
static inline int poll_event_mask (const poll_event *event) {
  int mask = event->filter == EVFILT_READ ? CURL_CSELECT_IN : 0;
  if (event->filter == EVFILT_WRITE) mask = CURL_CSELECT_OUT;
  if (mask && event->flags & EV_EOF && (event->fflags || mask == CURL_CSELECT_OUT)) mask |= CURL_CSELECT_ERR;
  return mask;
}

static inline int poll_bell_new (int set) {
  return set; /* a timer is no descriptor */
}

static inline void poll_bell_free (int bell) {
  (void)bell;
}

static inline bool poll_event_is_bell (const poll_event *event, int bell) {
  (void)bell;
  return event->filter == EVFILT_TIMER;
}

/*
** The time is what is left, in microseconds, since clocks differ. Deleting the timer also takes back an event
** that the set still has.
*/
static inline void poll_bell_set (int set, int bell, double when) {
  struct kevent change, receipt;
  (void)bell;
  EV_SET(&change, POLL_BELL, EVFILT_TIMER, EV_DELETE | EV_RECEIPT, 0, 0, NULL);
  kevent(set, &change, 1, &receipt, 1, NULL);
  if (when < 0) return;
  double left = when > 0 ? (when - clock_now()) * 1e6 : 0;
  EV_SET(&change, POLL_BELL, EVFILT_TIMER, EV_ADD | EV_ONESHOT | EV_RECEIPT, NOTE_USECONDS,
         left > 1 ? (intptr_t)left + 1 : 1, NULL);
  kevent(set, &change, 1, &receipt, 1, NULL);
}

#endif
