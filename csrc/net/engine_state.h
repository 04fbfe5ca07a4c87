/*
** engine_state: what an engine is made of; for engine.c and flight.c, which work on it from both ends: the
** owners' and libcurl's.
*/
#ifndef NET_ENGINE_STATE_H
#define NET_ENGINE_STATE_H

#include "net/engine.h"
#include "net/host_queue.h"
#include "net/poller.h"
#include "net/pool.h"

#pragma GCC visibility push(hidden)

struct engine {
  struct allocator memory;
  struct engine_limits limits;
  CURLM *multi;             /* owned */
  struct poller *poller;    /* owned */
  struct timers timers;     /* the owners' */
  struct timers watches;    /* the exchanges' limits */
  struct pool pool;         /* easy handles that rest */
  struct host_queues lanes; /* exchanges that wait for a connection */
  struct queue starting;    /* exchanges that a step is to give to libcurl, one after another */
  struct queue flying;      /* exchanges in libcurl */
  struct queue finished;    /* and not told yet */
  unsigned depth;           /* of engine_step: owners may call it again */
  bool freed;               /* by an owner, from inside engine_step, which then lets go of the rest */
  bool timers_turn;         /* to be told next */
  unsigned forks;           /* fork_guard_forks when it was made */
  bool tls;                 /* some request was https */
  bool crowded;             /* file descriptors ran out: libcurl is held to the connections that it has */
  bool fresh;               /* libcurl has one that it has not worked on yet */
  bool uncollected;         /* libcurl may be done with some that the last step had no time for */
  bool watched;             /* the host has asked for the descriptor */
  double budget;            /* seconds, of the step that is under way, or was last */
  double stop;              /* of clock_now: that is used up; 0: there is none */
  double looked;            /* of clock_now: what had come by then has been read */
  unsigned deferred;        /* steps since the last that had time to begin a transfer */
  unsigned grace;           /* looks at the sockets before deadlines are looked at */
  struct handle_lines lines;
  struct sockets sockets; /* of the connections in `multi` */
};

#pragma GCC visibility pop

#endif
