/*
** exchange: one HTTP request and its response. Owns its buffers and a reference to all that the request
** names; borrows a pooled easy handle from the engine while it is in flight, redirects within the origin
** included (a redirect is followed here, by hand, so that nothing leaves the origin).
**
** Life: exchange_new -> fill `request`, `finished`, `owner` -> engine_submit -> (engine_step) finished is
** called once -> exchange_free. The owner frees it, at any time; freeing one that is in flight aborts it
** and tells nobody.
*/
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "net/basic_auth.h"
#include "net/buffer.h"
#include "net/cookie_jar.h"
#include "net/headers.h"
#include "net/timers.h"
#include "net/transport.h"
#include "net/uri.h"

#pragma GCC visibility push(hidden)

struct engine;
struct handle;
struct host_queue;

/* What kept an exchange from having a response. */
enum failure {
  FAILURE_NONE,      /* there is a response; its status may be anything */
  FAILURE_TIMEOUT,   /* the time for the whole exchange, or for connecting, is over */
  FAILURE_STALL,     /* not a byte for stall_timeout */
  FAILURE_DNS,       /* the host's name could not be resolved */
  FAILURE_CONNECT,   /* refused, unreachable, reset, closed before or amid the response */
  FAILURE_DEVICE,    /* connect failed because this machine has no network (ENETUNREACH, ENETDOWN) */
  FAILURE_TLS,       /* handshake or certificate */
  FAILURE_PROXY,     /* the proxy's name, its connection or its answer */
  FAILURE_PROTOCOL,  /* what came is not HTTP, a bad encoding, headers without end */
  FAILURE_TOO_BIG,   /* the response passed max_response */
  FAILURE_REDIRECT,  /* out of the origin, from https to http, to a bad URI, or too many */
  FAILURE_CANCELLED, /* engine_cancel */
  FAILURE_MEMORY     /* not enough memory, in libcurl or here */
};

/* All references are the exchange's own: set them with a reference given away (uri_keep(u), ...). */
struct request {
  const char *method; /* borrowed, static or kept by the owner: "GET", "POST", ... */
  struct uri *uri;
  struct header_list *headers; /* NULL: none */
  struct uri *home;       /* a redirect to elsewhere loses the header line `homely`; NULL: there is none */
  const char *homely;     /* static: that line's name */
  struct cookie_jar *jar; /* NULL: no cookies sent, none kept */
  struct basic_auth *credentials; /* NULL: none */
  struct transport *transport;
  struct buffer body; /* wiped when the exchange is freed; length 0 and has_body: an empty body */
  bool once; /* not to be sent twice: a kept connection that proves dead fails it instead of being replaced */
  bool brief;           /* a short answer is expected */
  bool has_body;        /* without: POST, PUT and PATCH still say Content-Length: 0 */
  double timeout;       /* seconds; 0: the transport's; for the whole exchange */
  double stall_timeout; /* seconds; 0: the transport's; counts once the request is being sent */
};

struct timing {
  double resolve, connect, tls, first_byte; /* seconds from the start of the last hop; 0: not reached */
  double total;                             /* of all hops */
};

struct response {
  enum failure failure;
  char detail[256];      /* libcurl's or our words for the failure, "" when there is none; holds no secret */
  const char *hint;      /* static; what a person can do about the failure; NULL: nothing known */
  bool may_have_arrived; /* at failure: some of it was sent, so the server may have acted on it */
  long status;           /* 0 when no header block came; a failure may have one (too big, cut short) */
  struct buffer headers; /* the last header block as it came, status line first, without trailers */
  unsigned initials;     /* of the names in it: bit 0 for 'a' or 'A', and so on; for exchange_find_header */
  size_t type_at, type_length; /* in it, the value of Content-Type; length 0: none */
  struct buffer body;
  struct uri *uri; /* where the response came from, after redirects; owned reference */
  int redirects;
  struct timing timing;
};

struct exchange {
  struct engine *engine; /* borrowed; NULL when the engine was freed first */
  struct request request;
  struct response response;
  void (*finished)(struct exchange *x,
                   void *context); /* from engine_step alone, never from submit or cancel */
  bool (*hopping)(
      struct exchange *x); /* or NULL: a redirect is about to be followed; may change the request's header
                                          list; calls no engine; false: no memory */
  void *owner;             /* for the owner's use */
  struct exchange *next;   /* for the owner's use: its list */
  unsigned mark;           /* for the owner's use */
  size_t tag;              /* for the owner's use: which of several */

  /* the engine's: */
  enum { EXCHANGE_FRESH, EXCHANGE_IN_FLIGHT, EXCHANGE_FINISHED, EXCHANGE_TOLD } phase;
  struct handle
      *handle; /* the pooled easy handle in use; NULL: it waits for a connection, or is not in flight */
  struct host_queue *lane;          /* of its origin; NULL: there is no limit */
  struct exchange *earlier, *later; /* among those that wait, those in flight, or those finished */
  struct allocator memory;          /* a copy: an exchange may outlive its engine */
  struct timer watch;               /* for whichever limit comes first, the whole time or a stall */
  double started;                   /* of clock_now */
  double deadline;                  /* of clock_now; 0: none */
  double active;       /* of clock_now: when a byte last moved; kept while a stall is watched for */
  double stall;        /* seconds; 0: not watched for */
  curl_off_t sent;     /* as last looked at */
  const char *method;  /* of this hop: a redirect may turn POST into GET */
  bool sends_body;     /* in this hop */
  size_t upload;       /* bytes of the body, while its lane counts them */
  bool starting;       /* it is in the engine's queue of that name */
  bool reached;        /* this hop had a connection and was about to send */
  unsigned char rooms; /* how often connections were given up for this hop's */
  bool http2;          /* may be spoken, over https */
  bool dropped;        /* it was tried again in this hop, since a kept connection broke */
  int refusals;        /* of this hop: the server had not processed it, and it was sent again */
  bool block_complete; /* the header block came to its blank line */
  bool undecoded;      /* the body is taken as it comes, whatever Content-Encoding says */
  bool odd_encoding;   /* the answer's Content-Encoding names what is no encoding */
  long long promised;  /* by the answer's Content-Length; -1: nothing yet */
  size_t header_bytes; /* of this hop, interim blocks included */
};

/* 256 KiB of a hop's header bytes are taken at most. NULL: no memory. */
struct exchange *exchange_new (struct engine *engine);
void exchange_free (struct exchange *x); /* accepts NULL */

/* It is in no transfer, and nobody will look at its bodies: their memory is freed. */
void exchange_drop_bodies (struct exchange *x);

/* The first line of that name (any case), which begins with a letter, in the response's header block. */
bool exchange_find_header (const struct exchange *x, const char *name, struct header_line *line);

/* Does the response's Content-Type begin with that, in any case? */
bool exchange_has_type (const struct exchange *x, const char *type);

/* For people: "the connection was refused". Static. */
const char *curl_failure_name (enum failure f);

/*
** The rest is for engine and handle.
*/

void exchange_start (struct exchange *x, double now); /* sets the limits and the first hop up */

/* A status line: of an interim response, a proxy's or the last one. */
bool exchange_begins_answer (const char *line, size_t length);

/* From inside libcurl. False: stop the transfer; response.failure says why. */
bool exchange_take_header (struct exchange *x, const char *line, size_t length);
bool exchange_take_body (struct exchange *x, const char *data, size_t length);

/*
** libcurl is content, and the status read: is there a whole header block of a final status? libcurl takes an end
** amid the headers, or after an interim response, for the end of an empty body. Notes the failure.
*/
bool exchange_is_answered (struct exchange *x);

/*
** libcurl did not take the body, for want of an encoding that its header names. Newer libcurls settle that before we see the
** header: should the hop be made again, so that the body is taken as it comes? Sets it up then.
*/
bool exchange_undecode (struct exchange *x);

/*
** A complete response is there: should there be another hop? Sets it up then; or notes FAILURE_REDIRECT,
** or leaves the response as it is.
*/
bool exchange_redirect (struct exchange *x);

/* The engine goes first: lets go of all that might have been allocated through it. */
void exchange_orphan (struct exchange *x);

#pragma GCC visibility pop

#endif
