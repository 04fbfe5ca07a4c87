/*
** lanes: one for each origin, where there is a limit to the connections to one host or HTTP/2 may be spoken.
** Exchanges that find theirs full wait in it for one to land, and only then get an easy handle: libcurl
** could hold them back too, but at 20 KB each, and without a look at their limits of time. Owns the lanes;
** borrows the exchanges.
*/
#ifndef NET_LANES_H
#define NET_LANES_H

#include "net/queue.h"

#pragma GCC visibility push(hidden)

struct lane {
  struct lane *next; /* in the same slot */
  size_t size;       /* of this block */
  unsigned hash;     /* of the origin */
  size_t flying;     /* exchanges that were given an easy handle */
  size_t most;       /* of them; those that are more wait */
  size_t uploaded;   /* bytes of the bodies among them that go over HTTP/2 */
  struct queue waiting;
  char origin[];
};

enum { LANE_SLOTS = 64 };

struct lanes {
  const struct allocator *memory; /* borrowed */
  struct lane *slots[LANE_SLOTS]; /* owned */
  size_t count;
};

void lanes_init (struct lanes *l, const struct allocator *memory);
void lanes_cleanup (struct lanes *l); /* nobody flies or waits any more */

/* The one of that URI's origin. `most`: for a new one. NULL: no memory. */
struct lane *lanes_find (struct lanes *l, const struct uri *u, size_t most);

void lanes_limit (struct lanes *l, size_t most); /* for all that there are */

bool lane_is_full (const struct lane *lane);

/*
** True if a body of that size may go over HTTP/2. The streams of a connection share one window for bodies:
** when more wait for it than it takes, libcurl sends crumbs, for which Tomcat ends the connection
** (ENHANCE_YOUR_CALM).
*/
bool lane_has_window (const struct lane *lane, size_t size);

/* Somebody landed: frees the lane if it is empty and there are many. */
void lanes_tidy (struct lanes *l, struct lane *lane);

/* Any one that waits; NULL: nobody does. */
struct exchange *lanes_first_waiting (const struct lanes *l);

#pragma GCC visibility pop

#endif
