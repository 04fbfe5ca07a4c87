/* queue: a list of exchanges, linked through the exchanges; each is in one queue at most. Owns nothing. */
#ifndef NET_QUEUE_H
#define NET_QUEUE_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

struct queue {
  struct exchange *first, *last; /* borrowed */
  size_t count;
};

void queue_append (struct queue *q, struct exchange *x);
void queue_remove (struct queue *q, struct exchange *x);

#pragma GCC visibility pop

#endif
