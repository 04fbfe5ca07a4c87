/*
** exchange_internal: the part of an exchange that only the files of the engine use: its place in the engine's
** queues, its limits of time and the state of its hop; and the functions that take it through its hops and
** fill its response.
*/
#ifndef NET_EXCHANGE_INTERNAL_H
#define NET_EXCHANGE_INTERNAL_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

struct handle;
struct host_queue;
struct record;

/* The engine's functions for an exchange. */
struct exchange_calls {
  /*
  ** exchange_free calls it while the exchange is pending or finished: ends the transfer and takes the
  ** exchange out of all queues, without a call to `finished`.
  */
  void (*drop)(struct exchange *x);
  bool (*arrive)(struct exchange *x); /* has the next step call `arrived`; false: out of memory */
  bool (*ask)(struct exchange *x);    /* the same for `wanted` */
  bool (*refuse)(struct exchange *x); /* has the next step end the sending, which waits for the owner */
  void (*tell)(struct exchange *x); /* the same as `ask` for `progressed`; out of memory: it is not called */
};

struct exchange_run {
  const struct exchange_calls *calls; /* static */
  struct handle *handle;              /* borrowed from the pool; NULL: it waits, or is not pending */
  struct host_queue *host;            /* of its origin; NULL: there is no limit */
  struct exchange *earlier, *later;   /* in the queue that holds it */
  struct allocator memory;            /* a copy: an exchange may outlive its engine */
  struct timer limit_timer;           /* for the earlier of the deadline and the stall */
  double deadline;                    /* of clock_now; 0: none */
  double active;                      /* of clock_now: when a byte last moved; only kept if `stall` is set */
  double stall;                       /* seconds; 0: no limit */
  curl_off_t sent;                    /* bytes, at the last look */
  const char *method;                 /* of this hop: a redirect may turn POST into GET */
  double begun;                       /* of clock_now: this hop */
  bool sends_body;                    /* in this hop */
  size_t upload;                      /* bytes of the body that host->uploaded includes */
  bool starting;                      /* it is in the engine's queue `starting` */
  bool reached;                       /* this hop had a connection and was about to send */
  unsigned char rooms;                /* connections that were closed to make room for this hop's */
  bool http2;                         /* HTTP/2 may be used, over https */
  bool dropped;                       /* this hop was retried because a kept connection broke */
  int refusals;         /* how often the server refused this hop unprocessed and it was sent again */
  bool block_complete;  /* the blank line that ends the header block came */
  bool undecoded;       /* the body is taken without decoding */
  bool odd_encoding;    /* Content-Encoding names something unknown */
  long long promised;   /* by Content-Length; -1: nothing yet */
  size_t header_bytes;  /* of this hop, interim blocks included */
  struct timer arrival; /* of the engine's timers: calls `arrived` */
  size_t flowed;        /* bytes of the body that flows */
  size_t reserved;      /* it flows when it has more bytes than that */
  bool began_body;      /* this hop's body has begun, so `flows` is decided */
  bool flows;
  struct record *record; /* owned: of this hop; NULL: nothing records it */
  bool owed;             /* `arrived` is to be called, or the owner has not called engine_go_on since */
  bool paused;           /* libcurl holds bytes back */
  struct timer wanting;  /* of the engine's timers: calls `wanted` */
  bool hungry;           /* `wanted` is to be called, or the owner has not called engine_feed since */
  bool starved;          /* libcurl waits for a piece */
  struct timer moving;   /* of the engine's timers: calls `progressed` */
};

/* The block that exchange_new allocates: `run` lives and dies with its exchange. */
struct exchange_block {
  struct exchange exchange;
  struct exchange_run run;
};

/*
** For engine_new_exchange. A hop takes at most 256 KiB of header bytes. NULL: out of memory.
*/
struct exchange *exchange_new (const struct allocator *memory, struct engine *engine,
                               const struct exchange_calls *calls);

/* Sets the limits of time and the first hop up. */
void exchange_start (struct exchange *x, double now);

/* True for a status line: of an interim response, a proxy's response or the final one. */
bool exchange_begins_answer (const char *line, size_t length);

/* Called from inside libcurl. False: stop the transfer; response.failure says why. */
bool exchange_take_header (struct exchange *x, const char *line, size_t length);

enum exchange_taking {
  EXCHANGE_TOOK,   /* all of it */
  EXCHANGE_PAUSES, /* nothing: the owner must take what waits first */
  EXCHANGE_STOPS   /* nothing: stop the transfer; response.failure says why */
};

/* Called from inside libcurl. `status`: the response's, for the first bytes of a body. */
enum exchange_taking exchange_take_body (struct exchange *x, const char *data, size_t length, long status);

/*
** True if a whole header block of a final status came; else notes the failure. Call it when libcurl reports
** success and the status is read: libcurl takes an end amid the headers, or after an interim response, for an
** empty body.
*/
bool exchange_is_answered (struct exchange *x);

/*
** True if the hop must be sent again to take the body without decoding; sets the hop up. Call it when libcurl
** rejects the Content-Encoding: newer versions do so before they pass that header on.
*/
bool exchange_undecode (struct exchange *x);

/*
** True if the complete response redirects to another hop; sets the hop up. False: there is no redirect, or it
** may not be followed, and FAILURE_REDIRECT or FAILURE_MEMORY is noted.
*/
bool exchange_redirect (struct exchange *x);

/* The size of the body of this hop's request; LLONG_MAX: not known. */
long long exchange_to_send (const struct exchange *x);

/* True if this hop sends a body that cannot be sent from its first byte again. */
bool exchange_is_spent (const struct exchange *x);

/* Notes that the hop is not repeated for that reason. */
void exchange_note_spent (struct exchange *x);

/* Frees the memory of both bodies. The exchange must be in no transfer. */
void exchange_drop_bodies (struct exchange *x);

/* For an engine that is freed first: releases all that may come from its allocator. */
void exchange_orphan (struct exchange *x);

#pragma GCC visibility pop

#endif
