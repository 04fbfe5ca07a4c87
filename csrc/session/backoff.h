/* backoff: how often something is tried, and the waits between the attempts. Owns nothing. */
#ifndef SESSION_BACKOFF_H
#define SESSION_BACKOFF_H

#include "runtime/loop.h"

#pragma GCC visibility push(hidden)

#define BACKOFF_OPTIONS "maxAttempts", "delay", "backoff", "maxDelay", "jitter"

struct backoff {
  unsigned attempts; /* at most */
  double delay;      /* seconds before the second attempt */
  double factor;     /* from one wait to the next */
  double most;       /* seconds: the longest wait */
  double part;       /* 0 to 1: each wait varies by this part at random */
};

/*
** Reads the options of that name in the table at `index`; one that is not there leaves its field as it is.
** `least`: the smallest maxAttempts. Raises.
*/
void backoff_read (lua_State *L, int index, struct backoff *b, unsigned least);

/* Sets the fields of the table on top. */
void backoff_set_fields (lua_State *L, const struct backoff *b);

/* Seconds to wait before an attempt, which is at least the second. */
double backoff_wait (const struct backoff *b, unsigned attempt, struct loop *loop);

#pragma GCC visibility pop

#endif
