/*
** server: an HTTP server with one thread for each connection. Owns the daemon, the listener and the private
** state. Only the host's thread calls these functions; none raises.
*/
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include "sandbox/state.h"

#pragma GCC visibility push(hidden)

struct server;

struct server_options {
  const char *address;     /* numeric */
  unsigned port;           /* 0: choose a free one */
  const char *certificate; /* PEM, copied; NULL: plain http */
  const char *key;
  size_t body_limit; /* bytes of a request's body that are kept */
  struct state_options state;
};

/* A stopped server; its port is bound. NULL: `error` holds the reason. */
struct server *server_new (const struct server_options *options, char *error, size_t error_size);
void server_free (struct server *s); /* stops it first; accepts NULL */

/* Does nothing if the server runs. False: `error` holds the reason. */
bool server_start (struct server *s, char *error, size_t error_size);

/*
** Ends delayed answers, closes all connections, and returns when all threads have ended. May be called twice.
*/
void server_stop (struct server *s);

void server_end_delays (struct server *s); /* sends the delayed answers now */

bool server_is_running (const struct server *s);
unsigned server_port (const struct server *s);
struct state *server_state (const struct server *s); /* borrowed */

#pragma GCC visibility pop

#endif
