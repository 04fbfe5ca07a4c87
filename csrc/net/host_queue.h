/*
** lanes: one for each origin, where there is a limit to the connections to one host or HTTP/2 may be spoken.
** Exchanges that find theirs full wait in it for one to land, and only then get an easy handle: libcurl
** could hold them back too, but at 20 KB each, and without a look at their limits of time. Owns the lanes;
** borrows the exchanges.
*/
#ifndef NET_HOST_QUEUE_H
#define NET_HOST_QUEUE_H

#include "net/queue.h"

#pragma GCC visibility push(hidden)

struct host_queue {
  struct host_queue *next; /* in the same slot */
  size_t size;             /* of this block */
  unsigned hash;           /* of the origin */
  size_t running;          /* exchanges that were given an easy handle */
  size_t most;             /* of them; those that are more wait */
  size_t uploaded;         /* bytes of the bodies among them that go over HTTP/2 */
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
void host_queues_cleanup (struct host_queues *l); /* nobody flies or waits any more */

/* The one of that URI's origin. `most`: for a new one. NULL: no memory. */
struct host_queue *host_queues_find (struct host_queues *l, const struct uri *u, size_t most);

void host_queues_limit (struct host_queues *l, size_t most); /* for all that there are */

bool host_queue_is_full (const struct host_queue *host);

/*
** True if a body of that size may go over HTTP/2. The streams of a connection share one window for bodies:
** when more wait for it than it takes, libcurl sends crumbs, for which Tomcat ends the connection
** (ENHANCE_YOUR_CALM).
*/
bool host_queue_has_window (const struct host_queue *host, size_t size);

/* Somebody landed: frees the lane if it is empty and there are many. */
void host_queues_tidy (struct host_queues *l, struct host_queue *host);

/* Any one that waits; NULL: nobody does. */
struct exchange *host_queues_first_waiting (const struct host_queues *l);

#pragma GCC visibility pop

#endif
