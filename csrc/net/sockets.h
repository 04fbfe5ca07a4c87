/*
** sockets: those that libcurl has open, so that the one that a request goes out on can be looked at: until a
** transfer is over libcurl does not tell it. Owns no descriptor; lives as long as libcurl may close any.
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
    int port;         /* its own; 0: not looked up yet */
    bool quiet;       /* it speaks HTTP/1: nothing comes unasked */
    long last_stream; /* the last one that its server processes, of HTTP/2; < 0: it goes on */
  } * items;
  size_t count, capacity;
  int closed_port; /* of the one that was closed last; 0: none was */
  size_t received; /* bytes that came by it; SIZE_MAX: this system does not tell */
  struct ended_socket {
    int port;
    long last_stream;
  } ended[8];      /* the latest that were closed after their server had ended them */
  unsigned latest; /* of these; they are used in turn */
};

void sockets_init (struct sockets *s, const struct allocator *memory);
void sockets_cleanup (struct sockets *s);

/* Without memory for it, it is not found later. */
void sockets_add (struct sockets *s, curl_socket_t fd);
void sockets_remove (struct sockets *s, curl_socket_t fd);

/* It is about to be closed. */
void sockets_note_end (struct sockets *s, curl_socket_t fd);

/* Bytes that came by the connection that had this port and was closed last; SIZE_MAX: not known. */
size_t sockets_received (const struct sockets *s, int port);

/* The socket that has this port of this machine is a quiet one. */
void sockets_set_quiet (struct sockets *s, int port);

/* The server processes no stream of HTTP/2 after `last` on the connection that has this port. */
void sockets_note_goaway (struct sockets *s, int port, long last);

/* The one that was noted, if the connection was closed lately too; < 0: none, or not known. */
long sockets_last_stream (const struct sockets *s, int port);

/* True if there is a connection with this port, and nothing says that its server closed it. */
bool sockets_is_open (struct sockets *s, int port);

/* True if it is, and something waits to be read on it, if only the end or an error. */
bool sockets_has_input (struct sockets *s, int port);

#pragma GCC visibility pop

#endif
