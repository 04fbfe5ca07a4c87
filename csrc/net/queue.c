#include "net/queue.h"

#include "net/exchange_internal.h"

void queue_append (struct queue *q, struct exchange *x) {
  x->run->earlier = q->last;
  x->run->later = NULL;
  *(q->last ? &q->last->run->later : &q->first) = x;
  q->last = x;
  q->count++;
}

void queue_remove (struct queue *q, struct exchange *x) {
  *(x->run->earlier ? &x->run->earlier->run->later : &q->first) = x->run->later;
  *(x->run->later ? &x->run->later->run->earlier : &q->last) = x->run->earlier;
  x->run->earlier = x->run->later = NULL;
  q->count--;
}
