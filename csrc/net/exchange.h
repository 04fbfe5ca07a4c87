/*
** exchange: one HTTP request and its response. Owns its buffers and a reference to all that the request
** names. While it runs it borrows an easy handle from the engine's pool. Redirects within the origin are part
** of it: they are followed here, not by libcurl, so that no request leaves the origin.
**
** Life: engine_new_exchange; the owner fills `request`, `finished`, `owner`; engine_submit; engine_step calls
** `finished` once; exchange_free. The owner frees it, at any time: a pending exchange is then aborted,
** without a call to `finished`.
*/
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "net/basic_auth.h"
#include "net/buffer.h"
#include "net/cookie_jar.h"
#include "net/headers.h"
#include "net/hop.h"
#include "net/timers.h"
#include "net/transport.h"
#include "net/upload.h"
#include "net/uri.h"

#pragma GCC visibility push(hidden)

struct engine;
struct exchange_run;

/* Why an exchange has no response. */
enum failure {
  FAILURE_NONE,      /* there is a response; its status may be anything */
  FAILURE_TIMEOUT,   /* the whole exchange, or connecting, timed out */
  FAILURE_STALL,     /* no byte moved for stall_timeout */
  FAILURE_DNS,       /* the host's name could not be resolved */
  FAILURE_CONNECT,   /* refused, unreachable, reset, closed before or amid the response */
  FAILURE_DEVICE,    /* connect failed because this machine has no network (ENETUNREACH, ENETDOWN) */
  FAILURE_TLS,       /* handshake or certificate */
  FAILURE_PROXY,     /* the proxy's name, its connection or its answer */
  FAILURE_PROTOCOL,  /* the response is not HTTP, badly encoded, or its headers are too long */
  FAILURE_TOO_BIG,   /* the response passed max_response */
  FAILURE_REDIRECT,  /* out of the origin, from https to http, to a bad URI, or too many */
  FAILURE_FILE,      /* a file of the body could not be read */
  FAILURE_CANCELLED, /* engine_cancel */
  FAILURE_MEMORY     /* out of memory, in libcurl or here */
};

/* The exchange owns each reference: assign one that you give away (uri_keep(u), ...). */
struct request {
  const char *method; /* borrowed, static or kept by the owner: "GET", "POST", ... */
  struct uri *uri;
  struct header_list *headers; /* NULL: none */
  struct uri *home;            /* a redirect out of it drops the header line `homely`; NULL: there is none */
  const char *homely;          /* static: the name of that line */
  struct cookie_jar *jar;      /* NULL: cookies are neither sent nor kept */
  struct basic_auth *credentials; /* NULL: none */
  struct transport *transport;
  struct buffer body;    /* wiped when the exchange is freed; length 0 and has_body: an empty body */
  struct upload *upload; /* owned; the body instead of `body`; `timeout` is then for each wait for bytes;
                            NULL: none */
  bool once;             /* never sent twice: if a kept connection proves dead, the exchange fails */
  bool brief;            /* a short answer is expected */
  bool hangs;            /* the server answers when it likes: no limit of time, and a connection of its own,
                            which the engine's limits do not count */
  bool has_body;         /* false: POST, PUT and PATCH still send Content-Length: 0 */
  double timeout;        /* seconds; 0: the transport's; for the whole exchange */
  double stall_timeout;  /* seconds; 0: the transport's; counts from the first byte sent */
  size_t most;           /* bytes of the response's body; 0: the transport's, or no limit if the body flows */
  size_t window;         /* above 0: the body of a response of status 2xx flows, but text/html, which may be
                           a login page; so many bytes wait in response.body, or a few more */
  size_t telling;        /* with a window: a body of at most so many bytes, and less than the window, may say
                           more than its status does; it does not flow, it is in response.body at the end */
  const char *telling_type; /* static: of that Content-Type; NULL: of any but text/event-stream */
};

struct timing {
  double resolve, connect, tls, first_byte; /* seconds from the start of the last hop; 0: not reached */
  double ready;                             /* likewise: a kept connection was free to send; 0: at once */
  double transfer;                          /* seconds of the last hop in libcurl */
  double total;                             /* of all hops */
};

/* Bytes of the bodies of the current hop, as they travel; -1: not known. */
struct progress {
  long long sent, to_send, received, to_receive;
};

struct response {
  enum failure failure;
  char detail[256];            /* libcurl's text or ours for the failure, or ""; holds no secret */
  const char *hint;            /* static; what a person can do about the failure; NULL: not known */
  bool may_have_arrived;       /* after a failure: part of it was sent, so the server may have acted on it */
  long status;                 /* 0: no header block came; a failure may have a status (too big, cut short) */
  struct buffer headers;       /* the last header block as received, status line first, without trailers */
  unsigned initials;           /* of the names in `headers`: bit 1 for 'a' or 'A', and so on */
  size_t type_at, type_length; /* the value of Content-Type in `headers`; length 0: none */
  struct buffer body;
  struct uri *uri; /* of the last hop; owned reference */
  int redirects;
  struct timing timing;
  struct kept_hop *hops; /* owned: those before the last one, the latest first */
  size_t uploaded;       /* bytes of request.upload that the last hop sent */
  size_t received;       /* bytes of the body, also those that the owner has taken out of it */
  unsigned tries;        /* of the last hop; see struct hop */
  bool reused;           /* the last hop used a kept connection */
};

struct exchange {
  struct engine *engine; /* borrowed; NULL when the engine was freed first */
  struct request request;
  struct response response;
  void (*finished)(struct exchange *x, void *context); /* called by engine_step alone */
  /*
  ** Called by engine_step alone when bytes of a body that flows wait in response.body. The owner takes them,
  ** empties the buffer, and calls engine_go_on, now or later. Until then there is no other call, and if the
  ** buffer is full the transfer pauses. `timeout` is then for each wait for bytes.
  */
  void (*arrived)(struct exchange *x, void *context);
  /*
  ** Called by engine_step alone when libcurl needs another piece of request.upload. If its `restart` is set,
  ** that is the first piece once more. The owner calls engine_feed, now or later.
  */
  void (*wanted)(struct exchange *x, void *context);
  /* NULL, or called by engine_step alone when `progress` has changed: at most once a step. */
  void (*progressed)(struct exchange *x, void *context);
  bool (*hopping)(struct exchange *x); /* or NULL: called before a redirect is followed; may change the
                                          request's headers; must not call the engine; false: out of memory */
  void *owner;                         /* for the owner's use */
  struct exchange *next;               /* for the owner's use: its list */
  unsigned mark;                       /* for the owner's use */
  unsigned attempt;                    /* for the owner's use: which one of several, 0 or 1: the first */
  bool held;                           /* for the owner's use: it was reported, and is held again */
  bool told;                           /* for the owner's use: an observer has seen the response */
  size_t tag;                          /* for the owner's use: which of several */

  /* Written by the engine: */
  enum { EXCHANGE_FRESH, EXCHANGE_PENDING, EXCHANGE_FINISHED, EXCHANGE_REPORTED } phase;
  double started;           /* of clock_now */
  struct progress progress; /* if there is a `progressed` */
  struct exchange_run *run; /* of exchange_internal.h; in the same block of memory */
};

void exchange_free (struct exchange *x); /* accepts NULL */

/*
** True if the response has a header of that name, in any case; *line is the first. The name begins with a
** letter.
*/
bool exchange_find_header (const struct exchange *x, const char *name, struct header_line *line);

/* Describes the last hop, whose status must have come, or which is over. The exchange owns method and URI. */
void exchange_last_hop (const struct exchange *x, struct hop *hop);

/*
** All hops of an exchange that is finished, the latest first, for its owner, who frees them or gives them to
** the next exchange of the same call by hop_join(&next->response.hops, ...).
*/
struct kept_hop *exchange_take_hops (struct exchange *x);

/*
** For the owner: replaces the response's header lines of that name, in any case, by one line, or adds it.
** Value NULL: removes them.
*/
enum header_result exchange_change_header (struct exchange *x, const char *name, size_t name_length,
                                           const char *value, size_t value_length);

/* True if the response's Content-Type begins with `type`, in any case. */
bool exchange_has_type (const struct exchange *x, const char *type);

#pragma GCC visibility pop

#endif
