/*
** engine_state: the struct of an engine. For engine.c, the owners' side, and transfer.c, libcurl's side.
*/
#ifndef NET_ENGINE_STATE_H
#define NET_ENGINE_STATE_H

#include "net/engine.h"
#include "net/host_queue.h"
#include "net/poller.h"
#include "net/pool.h"
#include "net/record.h"

#pragma GCC visibility push(hidden)

struct engine {
  struct allocator memory;
  struct engine_limits limits;
  CURLM *multi;               /* owned */
  struct poller *poller;      /* owned */
  struct timers timers;       /* the owners' */
  struct timers limit_timers; /* the exchanges' limits of time */
  struct pool pool;           /* idle easy handles */
  struct host_queues hosts;   /* exchanges that wait for a connection */
  struct queue starting;      /* exchanges that a step will give to libcurl, one after another */
  struct queue running;       /* exchanges in libcurl */
  struct queue finished;      /* exchanges that are finished and not reported yet */
  struct queue held;          /* the same, whose owners still have bytes to take */
  size_t hanging;             /* pending exchanges that the limits do not count */
  unsigned depth;             /* of nested engine_step calls */
  bool freed;                 /* by an owner from inside engine_step, which then frees the rest */
  bool timers_turn;           /* the next report is a timer */
  unsigned forks;             /* fork_guard_forks when the engine was created */
  bool tls;                   /* some request was https */
  bool crowded;               /* file descriptors ran out: libcurl may not open more connections */
  bool fresh;                 /* libcurl has a transfer that it has not worked on yet */
  bool uncollected;           /* libcurl may have completed some that the last step had no time for */
  bool watched;               /* the host has asked for the descriptor */
  double budget;              /* seconds, of the current step or the last one */
  double stop;                /* of clock_now: the end of the budget; 0: there is none */
  double looked;              /* of clock_now: all input up to then has been read */
  unsigned deferred;          /* steps since the last one that had time to begin a transfer */
  unsigned grace;             /* looks at the sockets that precede the next check of deadlines */
  struct handle_lines lines;
  struct sockets sockets; /* of the connections in `multi` */
  struct recorder recorder;
};

#pragma GCC visibility pop

#endif
