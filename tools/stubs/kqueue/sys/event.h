/* The part of FreeBSD's and macOS's <sys/event.h> that csrc/net/poll_set_kqueue.h uses. */
#ifndef STUB_SYS_EVENT_H
#define STUB_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

struct kevent {
  uintptr_t ident;
  short filter;
  unsigned short flags;
  unsigned int fflags;
  intptr_t data;
  void *udata;
};

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_TIMER (-7)
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ONESHOT 0x0010
#define EV_RECEIPT 0x0040
#define EV_ERROR 0x4000
#define EV_EOF 0x8000
#define NOTE_USECONDS 0x00000002

#define EV_SET(event, a, b, c, d, e, f)                                                                      \
  (*(event) =                                                                                                \
       (struct kevent){.ident = (a), .filter = (b), .flags = (c), .fflags = (d), .data = (e), .udata = (f)})

int kqueue (void);
int kevent (int set, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
            const struct timespec *limit);

#endif
