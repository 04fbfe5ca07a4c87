/*
** stream: tells whether the server refused a request's HTTP/2 stream without processing it (RFC 9113, 8.7),
** so that any request can be sent again. libcurl reports that only in the texts of its log. If a text is
** worded otherwise, the stream counts as not refused: the server may have acted on the request.
*/
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/sockets.h"

#pragma GCC visibility push(hidden)

struct stream {
  int port;     /* local port of its connection; 0: none yet */
  long id;      /* 0: none, or not known */
  bool silent;  /* libcurl logged no error since it opened the stream */
  bool refused; /* surely not processed; valid until the next stream begins */
};

/* Call it before a request is sent by the connection with this local port; 0: it waits for one. */
void stream_begin (struct stream *s, int port);

/* Notes a line of libcurl's log about the transfer. */
void stream_note (struct stream *s, struct sockets *sockets, const char *text, size_t length);

/* After the transfer failed or is retried: true if the stream was refused. */
bool stream_was_refused (struct stream *s, struct sockets *sockets);

#pragma GCC visibility pop

#endif
