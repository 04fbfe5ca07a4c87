/*
** listener: the address of a server. Owns a socket that is bound to it but does not listen, so that
** between a stop and the next start nobody else is given the port: least of all a client that looks
** for a free local port while it tries to connect to this one (it would be connected to itself).
*/
#ifndef SANDBOX_LISTENER_H
#define SANDBOX_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#pragma GCC visibility push(hidden)

struct listener {
  struct sockaddr_storage address; /* with the port that was picked */
  socklen_t address_length;
  int reservation; /* owned; -1: none */
};

/* Binds. `host` is a numeric address, `port` 0 picks a free one. False: what went wrong is in `error`. */
bool listener_init (struct listener *l, const char *host, unsigned port, char *error, size_t error_size);

/* May be called twice, or after a listener_init that failed. */
void listener_cleanup (struct listener *l);

/* A socket that listens, the caller's to close; -1: what went wrong is in `error`. */
int listener_open (struct listener *l, char *error, size_t error_size);

unsigned listener_port (const struct listener *l);

#pragma GCC visibility pop

#endif
