/*
** stream: whether the server refused a request's HTTP/2 stream without processing it (RFC 9113, 8.7), so
** that the request can be sent again whatever it does. libcurl reports that by the texts of its log alone. A
** text that is worded otherwise is no news: the stream then counts as not refused, and the server may have
** acted on the request.
*/
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/sockets.h"

#pragma GCC visibility push(hidden)

struct stream {
  int port;     /* of this machine, of its connection; 0: none yet */
  long id;      /* 0: none, or not known */
  bool silent;  /* libcurl reported nothing bad since it opened the stream */
  bool refused; /* surely not processed; until the next one begins */
};

/* A request is about to be sent by the connection that has this port; 0: it waits for one. */
void stream_begin (struct stream *s, int port);

/* A line of libcurl's log about the transfer. */
void stream_note (struct stream *s, struct sockets *sockets, const char *text, size_t length);

/* The transfer failed, or is retried. True if the stream was refused. */
bool stream_was_refused (struct stream *s, const struct sockets *sockets);

#pragma GCC visibility pop

#endif
