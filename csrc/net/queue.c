#include "net/queue.h"

void queue_append (struct queue *q, struct exchange *x) {
  x->earlier = q->last;
  x->later = NULL;
  *(q->last ? &q->last->later : &q->first) = x;
  q->last = x;
  q->count++;
}

void queue_remove (struct queue *q, struct exchange *x) {
  *(x->earlier ? &x->earlier->later : &q->first) = x->later;
  *(x->later ? &x->later->earlier : &q->last) = x->earlier;
  x->earlier = x->later = NULL;
  q->count--;
}
