/*
** hop: one request as it was sent and what came of it. An exchange has one hop, and one more for each
** redirect that it followed; a call that sends several requests has the hops of all its exchanges.
**
** exchange_last_hop describes the last hop of an exchange from the exchange itself, so that a call of one
** request keeps no record. The hops before it are a list that begins with the latest. The exchange owns the
** list (response.hops). An operation that goes on with another exchange takes the list over and gives it to
** that one. So when the operation's step is called with an exchange, response.hops and exchange_last_hop are
** all that the call has sent and that has finished.
*/
#ifndef NET_HOP_H
#define NET_HOP_H

#include "net/uri.h"

#pragma GCC visibility push(hidden)

struct hop {
  const char *method; /* borrowed from the exchange's request, or in the block of a kept hop */
  struct uri *uri;    /* borrowed from the exchange, or the owned reference of a kept hop */
  long status;        /* 0: no response came */
  double begun;       /* of clock_now: it was submitted, or the hop before it was over */
  /*
  ** Seconds that follow each other; their sum is `total`. A reused connection has no resolve, connect and
  ** tls. `queued`: until libcurl began with it or a connection was free, repeated tries included. `wait`:
  ** from then to the first byte of the response, so sending is part of it.
  */
  double queued, resolve, connect, tls, wait, receive;
  double total;
  size_t sent, received; /* bytes of the bodies, without header lines; the response's after decoding */
  /* Once, and once more for each kept connection that proved dead and each stream that the server refused. */
  unsigned tries;
  bool reused; /* it used a connection that was open already */
};

struct kept_hop {
  struct kept_hop *earlier; /* owned */
  size_t size;              /* of this block */
  struct hop hop;
  char method[];
};

/*
** Puts a copy of the hop at the beginning of the list. The list keeps the latest 64. Out of memory: it lacks
** the hop.
*/
void hop_keep (const struct allocator *memory, struct kept_hop **list, const struct hop *hop);

/* Puts `earlier`, which it takes over, behind the list. */
void hop_join (struct kept_hop **list, struct kept_hop *earlier);

void hop_free_all (const struct allocator *memory, struct kept_hop **list);

#pragma GCC visibility pop

#endif
