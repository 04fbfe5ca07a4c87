/*
** host_queue: counts the running exchanges of one origin and queues the others, if the connections to one
** host are limited or HTTP/2 may be used. A waiting exchange gets its easy handle only when another one of
** its origin ends: libcurl could queue it too, but at 20 KB each, and without our limits of time. Owns the
** queues; borrows the exchanges.
*/
#ifndef NET_HOST_QUEUE_H
#define NET_HOST_QUEUE_H

#include "net/queue.h"

#pragma GCC visibility push(hidden)

struct host_queue {
  struct host_queue *next; /* in the same slot */
  size_t size;             /* of this block */
  unsigned hash;           /* of the origin */
  size_t running;          /* exchanges that have an easy handle */
  size_t most;             /* the most that may run; others wait */
  size_t uploaded;         /* bytes of running bodies that go over HTTP/2 */
  struct queue waiting;
  char origin[];
};

enum { HOST_QUEUE_SLOTS = 64 };

struct host_queues {
  const struct allocator *memory;             /* borrowed */
  struct host_queue *slots[HOST_QUEUE_SLOTS]; /* owned */
  size_t count;
};

void host_queues_init (struct host_queues *l, const struct allocator *memory);
void host_queues_cleanup (struct host_queues *l); /* no exchange may run or wait */

/* The queue of that URI's origin; a new one lets `most` run. NULL: out of memory. */
struct host_queue *host_queues_find (struct host_queues *l, const struct uri *u, size_t most);

void host_queues_limit (struct host_queues *l, size_t most); /* for all present queues */

bool host_queue_is_full (const struct host_queue *host);

/*
** True if a body of that size may go over HTTP/2. The streams of a connection share one window for bodies:
** when it is too small for those that wait, libcurl sends tiny frames, for which Tomcat ends the connection
** (ENHANCE_YOUR_CALM).
*/
bool host_queue_has_window (const struct host_queue *host, size_t size);

/* After an exchange ended: frees the queue if it is empty and there are many queues. */
void host_queues_tidy (struct host_queues *l, struct host_queue *host);

/* Any waiting exchange; NULL: none waits. */
struct exchange *host_queues_first_waiting (const struct host_queues *l);

#pragma GCC visibility pop

#endif
