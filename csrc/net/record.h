/*
** record: notes what the engine sends and receives, for a trace and for a HAR file. Its texts hold no secret:
** mask.h. An engine has one recorder. While that is on, each hop of an exchange has a record, which collects
** what libcurl logs; inside libcurl it only fills buffers. Someone outside of libcurl takes the texts.
**
** Out of memory: texts are lost, and the exchange goes on. Raw bytes are wiped when the hop is over.
*/
#ifndef NET_RECORD_H
#define NET_RECORD_H

#include "net/hop.h"
#include "net/mask.h"

#pragma GCC visibility push(hidden)

struct exchange;

struct record_options {
  bool lines;            /* the trace: text as `curl -v` prints it */
  bool messages;         /* whole requests and responses */
  size_t line_bodies;    /* most bytes of a body in the lines; 0: none */
  size_t message_bodies; /* likewise in a message */
};

/* The call that an exchange belongs to. */
struct record_label {
  long long session; /* its number; 0: none */
  const char *verb;  /* static; NULL: not known */
};

/* One hop that is over. All texts are masked. */
struct message {
  struct message *next;
  struct record_label label;
  unsigned long long number; /* of the record, from 1 */
  double time;               /* when it began, in seconds since 1970 */
  struct kept_hop *hop;      /* owned */
  struct buffer uri;         /* whole, with its query */
  struct buffer request;  /* the header block as sent, its lines separated by LF; empty: nothing was sent */
  struct buffer response; /* the last header block likewise; empty: none came */
  struct buffer sent, received; /* the bodies, up to message_bodies */
  char peer[64];                /* the server's or proxy's address; "": no connection */
  int peer_port, local_port;
  char failure[256]; /* "": there is a response */
};

struct record;

struct recorder {
  struct allocator memory;
  struct record_options options;
  bool on;                                                             /* one of the two is wanted */
  void (*label)(const struct exchange *x, struct record_label *label); /* or NULL; raises nothing */
  struct buffer lines;        /* for the trace, each with LF at its end */
  size_t lost;                /* bytes that found no room in `lines` */
  struct message *messages;   /* owned: the oldest first */
  struct message **last;      /* the end of that list */
  unsigned long long records; /* in all */
  unsigned long long current; /* the number of the record that wrote the last line */
};

void recorder_init (struct recorder *r, const struct allocator *memory);
void recorder_cleanup (struct recorder *r);

/* NULL: ends. Hops that have a record keep it. */
void recorder_set (struct recorder *r, const struct record_options *options);

/* The oldest message, for the caller to free; NULL: none. */
struct message *recorder_take (struct recorder *r);
void message_free (const struct recorder *r, struct message *m);

/* Gives the current hop of `x` a record; if it has one, the hop begins once more. */
void record_begin (struct recorder *r, struct exchange *x);

/* Called from inside libcurl, with what it gives to CURLOPT_DEBUGFUNCTION. */
void record_log (struct record *record, int type, const char *text, size_t length);

/* Called from inside libcurl, with decoded bytes of the response's body. */
void record_body (struct record *record, const char *data, size_t length);

/* Called from inside libcurl before it sends. */
void record_peer (struct record *record, const char *address, int port, int local_port);

/* The hop is over: makes a message of the record of `x`, and frees it. Does nothing if `x` has none. */
void record_end (struct exchange *x, const struct hop *hop);

/* Drops it. Accepts NULL. */
void record_free (struct record *record);

#pragma GCC visibility pop

#endif
