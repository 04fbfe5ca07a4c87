/*
** timers: a heap of one-shot timers. Owns only the array of pointers; each timer is a field of the struct
** that it notifies. Times are those of clock_now.
*/
#ifndef NET_TIMERS_H
#define NET_TIMERS_H

#include "net/allocator.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct timer {
  double when;                                       /* of clock_now */
  size_t place;                                      /* 1 + index in the heap; 0: not set */
  void (*fired)(struct timer *timer, void *context); /* called once, after the timer was cleared */
};

struct timers {
  const struct allocator *memory; /* borrowed */
  struct timer **heap;            /* owned array of borrowed timers */
  size_t count, capacity;
};

double clock_now (void); /* monotonic, seconds */

/* Rounded up, so that a wait is never too short; at most INT_MAX. */
int clock_milliseconds (double seconds);

void timers_init (struct timers *t, const struct allocator *memory);
void timers_cleanup (struct timers *t); /* clears every timer and fires none */

/* Reserves room for one more timer: the next timers_set then succeeds. False: out of memory. */
bool timers_reserve (struct timers *t);

/* Sets a timer, or moves one that is set. False: out of memory (a move never fails). */
bool timers_set (struct timers *t, struct timer *timer, double when);
void timers_clear (struct timers *t, struct timer *timer); /* does nothing if it is not set */

/* Removes the earliest timer and returns it if it is due, else NULL. */
struct timer *timers_due (struct timers *t, double now);

double timers_next (const struct timers *t); /* the time of the earliest; < 0: none is set */

#pragma GCC visibility pop

#endif
