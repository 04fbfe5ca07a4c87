/*
** pool: the idle easy handles, the latest first. Owns them. An exchange gets the one whose options are most
** like its own, so that a session's next request finds everything set.
*/
#ifndef NET_POOL_H
#define NET_POOL_H

#include "net/handle.h"

#pragma GCC visibility push(hidden)

struct pool {
  const struct allocator *memory;   /* borrowed */
  const struct handle_lines *lines; /* borrowed */
  struct sockets *sockets;          /* borrowed */
  struct handle *idle;              /* owned */
  size_t count, limit;
  unsigned forgotten; /* how often a session with secrets was forgotten */
};

void pool_init (struct pool *p, const struct allocator *memory, size_t limit,
                const struct handle_lines *lines, struct sockets *sockets);
void pool_cleanup (struct pool *p); /* frees the idle handles; the pool may be used again */

void pool_set_limit (struct pool *p, size_t limit); /* frees handles above the limit */

/* A new handle if the pool is empty. NULL: out of memory. */
struct handle *pool_take (struct pool *p, const struct exchange *x);
void pool_give (struct pool *p, struct handle *h);
void pool_forget_jar (struct pool *p, const struct cookie_jar *jar);

#pragma GCC visibility pop

#endif
