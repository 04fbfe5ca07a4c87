/*
** timers: a heap of one-shot timers. Owns only the array of pointers; each timer is a field of whatever is
** to be told. Times are those of clock_now.
*/
#ifndef NET_TIMERS_H
#define NET_TIMERS_H

#include "net/allocator.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct timer {
  double when;                                       /* of clock_now */
  size_t place;                                      /* 1 + index in the heap; 0: not set */
  void (*fired)(struct timer *timer, void *context); /* called once, the timer being cleared already */
};

struct timers {
  const struct allocator *memory; /* borrowed */
  struct timer **heap;            /* owned array of borrowed timers */
  size_t count, capacity;
};

double clock_now (void); /* monotonic, seconds */
int clock_milliseconds (
    double seconds); /* rounded up, so that who waits so long is not early; at most INT_MAX */

void timers_init (struct timers *t, const struct allocator *memory);
void timers_cleanup (struct timers *t); /* every timer is cleared, none is fired */

/* Room for one more, so that setting the next cannot fail. False: no memory. */
bool timers_reserve (struct timers *t);

/* Sets, or moves one that is set. False: no memory (a move never fails). */
bool timers_set (struct timers *t, struct timer *timer, double when);
void timers_clear (struct timers *t, struct timer *timer); /* no harm when not set */
struct timer *timers_due (struct timers *t, double now); /* takes the earliest out if it is due, else NULL */
double timers_next (const struct timers *t);             /* when the earliest is due; < 0: none */

#pragma GCC visibility pop

#endif
