/*
** sockets: the sockets that libcurl has open, by local port. Before a transfer ends, libcurl does not tell
** its socket, but its local port. Owns no descriptor; lives as long as libcurl may close a socket.
*/
#ifndef NET_SOCKETS_H
#define NET_SOCKETS_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct sockets {
  const struct allocator *memory; /* borrowed */
  struct open_socket {
    curl_socket_t fd;
    int port;         /* local; 0: not looked up yet */
    bool quiet;       /* it uses HTTP/1: the server sends nothing unsolicited */
    long last_stream; /* HTTP/2: the last stream that the server processes; < 0: no GOAWAY came */
  } * items;
  size_t count, capacity;
  int closed_port; /* of the socket that was closed last; 0: none was */
  size_t received; /* bytes received by that socket; SIZE_MAX: the system does not tell */
  struct ended_socket {
    int port;
    long last_stream;
  } ended[8];      /* the latest sockets that were closed after a GOAWAY */
  unsigned latest; /* index of the latest in `ended`, a ring */
};

void sockets_init (struct sockets *s, const struct allocator *memory);
void sockets_cleanup (struct sockets *s);

/* Out of memory: later calls do not find the socket. */
void sockets_add (struct sockets *s, curl_socket_t fd);
void sockets_remove (struct sockets *s, curl_socket_t fd);

/* Call it before the socket is closed. */
void sockets_note_end (struct sockets *s, curl_socket_t fd);

/* Bytes received by the connection that had this port and was closed last; SIZE_MAX: not known. */
size_t sockets_received (const struct sockets *s, int port);

/* Marks the socket with this local port as one of HTTP/1. */
void sockets_set_quiet (struct sockets *s, int port);

/* Notes a GOAWAY: the server processes no stream after `last` on the connection with this port. */
void sockets_note_goaway (struct sockets *s, int port, long last);

/*
** The stream noted last for this port, also shortly after the connection was closed; < 0: none, or not known.
*/
long sockets_last_stream (struct sockets *s, int port);

/* True if a connection with this port exists and its server has not closed it, as far as known. */
bool sockets_is_open (struct sockets *s, int port);

/* True if that connection is a quiet one that has input, an end or an error to read. */
bool sockets_has_input (struct sockets *s, int port);

#pragma GCC visibility pop

#endif
