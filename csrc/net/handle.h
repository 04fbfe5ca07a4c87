/*
** handle: one libcurl easy handle of the engine's pool, and its current options. libcurl's options outlive a
** transfer: an exchange like the last one needs no call at all, options that differ are set, and options that
** the new exchange lacks are cleared. This file ensures that nothing of one session reaches a request of
** another.
**
** Owns the easy handle and a reference to each thing that libcurl was given. An idle handle thus keeps the
** last session's credentials until another exchange or engine_forget_jar removes them. libcurl's own copies
** are overwritten as far as secure_free.h says.
*/
#ifndef NET_HANDLE_H
#define NET_HANDLE_H

#include "net/exchange.h"
#include "net/sockets.h"
#include "net/stream.h"

#pragma GCC visibility push(hidden)

/*
** Header lines that nearly every request has, once for an engine. libcurl can write them itself, but formats
** each of its own lines twice, byte by byte: as ready lines they cost half, which saves a tenth of a small
** request. Also how handles of this version of libcurl differ from others.
*/
struct handle_lines {
  char user_agent[96]; /* for transports without a user agent of their own */
  char encodings[64];  /* what this libcurl can decompress; libcurl searches for this line */
  char both[164];      /* both, as one line to libcurl */
  unsigned version;    /* libcurl's */
  bool keeps_sent;     /* libcurl 8.7 and later: a handle keeps what it sent until it sends something else */
  bool previews;       /* set_preview is needed: a first header line that begins with a blank is unsafe */
  /*
  ** libcurl before 8.1: with several streams on a connection, one of them can stop in the middle of a frame
  ** and never continue (see FRAME_BUFFER). There each connection carries one request at a time.
  */
  bool stops_in_frames;
};

void handle_lines_init (struct handle_lines *lines);

enum handle_lines_kind {
  LINES_OWN_AGENT = 1,   /* without the ready line for User-Agent: the transport has its own */
  LINES_UNEXPECTING = 2, /* with the line "Expect:" */
  LINES_TYPELESS = 4     /* with the line "Content-Type:": else libcurl would send the type of a form */
};

struct handle {
  const struct allocator *memory;   /* borrowed */
  const struct handle_lines *lines; /* borrowed, the engine's */
  struct sockets *sockets;          /* borrowed, the engine's */
  CURL *easy;                       /* owned */
  struct exchange *exchange;        /* borrowed; NULL while idle */
  struct handle *next;              /* among the idle */

  /* the current options of `easy`; owned references; NULL: not set */
  struct transport *transport;
  struct uri *uri;
  struct header_list *headers;
  struct cookie_jar *jar;
  struct basic_auth *credentials;
  int port;             /* local port of the transfer's connection */
  bool stale;           /* the transfer was stopped before it sent: its connection had unsolicited input */
  bool presumes;        /* the transfer may use only a kept connection */
  bool stranded;        /* ... and was stopped, because there was none */
  bool reused;          /* the transfer got a kept connection */
  bool kept;            /* the last successful transfer used or left a kept connection */
  bool retried;         /* the request was sent again, by libcurl or by us */
  bool unsure;          /* ... after a kept connection was dead: the server may have acted on it before */
  struct stream stream; /* the HTTP/2 stream of the request that was sent last */
  bool keeps_cookies;   /* CURLOPT_COOKIEFILE is set, which turns cookies on */
  bool fresh;           /* the transfer gets a new connection */
  bool fresh_set;       /* CURLOPT_FRESH_CONNECT is on */
  bool https;           /* the URI is https */
  bool http2;           /* HTTP/2 is requested */
  bool verbose;         /* CURLOPT_VERBOSE is on: libcurl calls on_log */
  bool lines_set;       /* the header lines are set, of lines_kind */
  bool undecoded;       /* CURLOPT_HTTP_CONTENT_DECODING is off */
  unsigned lines_kind;  /* sum of enum handle_lines_kind */
  bool custom;          /* CURLOPT_CUSTOMREQUEST is set */
  bool sent_body;       /* it has sent a body since it was new */
  unsigned cleared;     /* the pool's `forgotten` when it was new */
  long buffer;          /* CURLOPT_BUFFERSIZE */
  bool lacks_authorities, lacks_proxy_authorities; /* libcurl's own default CA certificates were removed */
  curl_mime *mime;                                 /* owned; a form that `easy` sends; or NULL */
  bool tells;                                      /* CURLOPT_NOPROGRESS is off */
  double connect_limit;                            /* seconds, of CURLOPT_CONNECTTIMEOUT_MS; 0: none */
  enum handle_preview {
    PREVIEW_NONE,
    PREVIEW_NEXT,
    PREVIEW_SHOWN
  } preview; /* of a response's first header line */
  enum handle_shape { SHAPE_NONE, SHAPE_GET, SHAPE_HEAD, SHAPE_BODY } shape;

  struct curl_slist ready[4]; /* our lines, which precede those of `headers` */
  char error[CURL_ERROR_SIZE];
};

/* NULL: out of memory. */
struct handle *handle_new (const struct allocator *memory, const struct handle_lines *lines,
                           struct sockets *sockets);
void handle_free (struct handle *h); /* accepts NULL; must not be in a multi handle */

/* Sets the handle up for the exchange's current hop. After a failure it can only be freed. */
CURLcode handle_prepare (struct handle *h, struct exchange *x);

/* After a successful transfer: notes the connection's protocol and whether the connection is kept. */
void handle_note_connection (struct handle *h);

/*
** After a failed transfer. True if it must be started again: we stopped it before it sent because of its
** connection, the server refused it unprocessed, or a kept connection broke before a response came and the
** request may be sent twice.
*/
bool handle_tries_again (struct handle *h, CURLcode code);

/* Notes the times of the current hop in the exchange's response, as far as it has come. */
void handle_note_times (struct handle *h);

/* How many costly options need not be set for this exchange; used to choose among idle handles. */
int handle_likeness (const struct handle *h, const struct exchange *x);

/*
** After the exchange: clears its body and closes its files. Other options stay, for the next exchange of the
** session.
*/
void handle_rest (struct handle *h);

/*
** Removes all that identifies the last session to the server. Only while idle. After a failure the handle can
** only be freed.
*/
CURLcode handle_let_go (struct handle *h);

/*
** Makes the handle as new: it keeps nothing of any session. Only while idle. After a failure it can only be
** freed.
*/
CURLcode handle_forget (struct handle *h);

#pragma GCC visibility pop

#endif
