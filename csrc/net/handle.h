/*
** handle: one libcurl easy handle of the engine's pool, and what it was last set up with. libcurl's options
** outlive a transfer, so an exchange that is like the last one needs no call at all; whatever differs is
** set, and whatever the new exchange does not have is taken away. This file is where nothing of one session
** may reach a request of another.
**
** Owns the easy handle and a reference to each thing that libcurl was told of; an idle handle thus keeps
** the last session's credentials until another exchange or engine_forget_jar takes them away. What
** libcurl copies it overwrites, as far as wiping.h says.
*/
#ifndef NET_HANDLE_H
#define NET_HANDLE_H

#include "net/exchange.h"
#include "net/sockets.h"
#include "net/stream.h"

#pragma GCC visibility push(hidden)

/*
** The lines that nearly every request has. libcurl can write them itself, but formats each of its own lines
** twice, byte by byte: given as ready lines they cost half, a tenth of a whole small request. And how this libcurl's handles
** differ from others', which is found out with them, once for an engine.
*/
struct handle_lines {
  char user_agent[96]; /* for transports that name none */
  char encodings[64];  /* what this libcurl can decompress; libcurl looks for this one */
  char both[164];      /* the latter and the former, as one line to libcurl */
  unsigned version;    /* libcurl's */
  bool keeps_sent;     /* libcurl 8.7 and later: a handle keeps what it sent until it sends something else */
  bool previews;       /* this libcurl must be kept from a first header line that begins with a blank */
};

void handle_lines_init (struct handle_lines *lines);

enum handle_lines_kind {
  LINES_OWN_AGENT = 1,   /* without the ready line for User-Agent: the transport names another */
  LINES_UNEXPECTING = 2, /* with the line "Expect:" */
  LINES_TYPELESS = 4     /* with the line "Content-Type:", or libcurl would call any body a form */
};

struct handle {
  const struct allocator *memory;   /* borrowed */
  const struct handle_lines *lines; /* borrowed, the engine's */
  struct sockets *sockets;          /* borrowed, the engine's */
  CURL *easy;                       /* owned */
  struct exchange *exchange;        /* borrowed; NULL while idle */
  struct handle *next;              /* among the idle */

  /* what `easy` is set up with; owned references, NULL: that it has none */
  struct transport *transport;
  struct uri *uri;
  struct header_list *headers;
  struct cookie_jar *jar;
  struct basic_auth *credentials;
  int port;             /* of this machine, of the connection that the transfer uses */
  bool stale;           /* the transfer was stopped before it sent: its connection held unasked-for input */
  bool presumes;        /* set up for a kept connection alone */
  bool stranded;        /* ... and stopped, for there was none */
  bool reused;          /* the transfer got a kept connection */
  bool kept;            /* so did the last one that went well: there should be one for the next */
  bool retried;         /* the request was sent again, by libcurl or by us */
  bool unsure;          /* ... after a kept connection was dead, so the server may have acted on it before */
  struct stream stream; /* of HTTP/2, of the request that was sent last */
  bool keeps_cookies;   /* CURLOPT_COOKIEFILE is set, which turns cookies on */
  bool fresh;           /* the transfer gets a new connection */
  bool https;           /* the URI is one of https */
  bool http2;           /* HTTP/2 is asked for */
  bool lines_set;       /* the header lines are set, as the next says */
  bool undecoded;       /* CURLOPT_HTTP_CONTENT_DECODING is off */
  unsigned lines_kind;  /* of enum handle_lines_kind, added up */
  bool custom;          /* CURLOPT_CUSTOMREQUEST is set */
  bool sent_body;       /* since it was new */
  unsigned cleared;     /* the pool's `forgotten` when it was new */
  long buffer;          /* CURLOPT_BUFFERSIZE */
  bool lacks_authorities, lacks_proxy_authorities; /* libcurl's own names of CA certificates are lost */
  double connect_limit;                            /* seconds, as CURLOPT_CONNECTTIMEOUT_MS is set; 0: none */
  enum handle_preview { PREVIEW_NONE, PREVIEW_NEXT, PREVIEW_SHOWN } preview; /* of a first header line */
  enum handle_shape { SHAPE_NONE, SHAPE_GET, SHAPE_HEAD, SHAPE_BODY } shape;

  struct curl_slist ready[4]; /* lines of ours that go before those of `headers` */
  char error[CURL_ERROR_SIZE];
};

struct handle *handle_new (const struct allocator *memory, const struct handle_lines *lines,
                           struct sockets *sockets); /* NULL: no memory */
void handle_free (struct handle *h);                 /* accepts NULL; its easy handle is in no multi handle */

/* Sets up for the exchange's current hop. After a failure the handle can only be freed. */
CURLcode handle_prepare (struct handle *h, struct exchange *x);

/* After a transfer that went well: what its connection speaks, and whether it can be had again. */
void handle_note_connection (struct handle *h);

/*
** After a failed one. True if it is to be launched again: we stopped it before it sent, for the sake of its
** connection, the server refused it unprocessed, or a kept connection broke before an answer came and it may
** be sent twice.
*/
bool handle_tries_again (struct handle *h, CURLcode code);

/* How many of the costly things would not have to be set for this exchange; for choosing among idle ones. */
int handle_likeness (const struct handle *h, const struct exchange *x);

/* The exchange is over: lets go of its body. What else is set up stays, to be found again. */
void handle_rest (struct handle *h);

/* Nothing that tells who its last session was to the server is left. After a failure the handle can only be freed. Only while idle. */
CURLcode handle_let_go (struct handle *h);

/* As new: nothing of any session is left. After a failure the handle can only be freed. Only while idle. */
CURLcode handle_forget (struct handle *h);

#pragma GCC visibility pop

#endif
