/*
** listener: the address of a server. Owns a bound socket that does not listen, so that between a stop and the
** next start no other program gets the port. A client on this machine might: its local port could be this
** one, and it would connect to itself.
*/
#ifndef SANDBOX_LISTENER_H
#define SANDBOX_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#pragma GCC visibility push(hidden)

struct listener {
  struct sockaddr_storage address; /* including the chosen port */
  socklen_t address_length;
  int reservation; /* owned; -1: none */
};

/* Binds the address. `host` is numeric; `port` 0 chooses a free one. False: `error` holds the reason. */
bool listener_init (struct listener *l, const char *host, unsigned port, char *error, size_t error_size);

/* May be called twice, and after a listener_init that failed. */
void listener_cleanup (struct listener *l);

/* A listening socket, which the caller closes; -1: `error` holds the reason. */
int listener_open (struct listener *l, char *error, size_t error_size);

unsigned listener_port (const struct listener *l);

#pragma GCC visibility pop

#endif
