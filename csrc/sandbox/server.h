/*
** server: an HTTP server in threads of its own, one for each connection. Owns the daemon, the
** listener, the private state. All functions are for one thread, the host's; none raises.
*/
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include "sandbox/state.h"

#pragma GCC visibility push(hidden)

struct server;

struct server_options {
  const char *address;     /* numeric */
  unsigned port;           /* 0: pick a free one */
  const char *certificate; /* PEM, copied; NULL: plain http */
  const char *key;
  struct state_options state;
};

/* Stopped, but the port is bound. NULL: what went wrong is in `error`. */
struct server *server_new (const struct server_options *options, char *error, size_t error_size);
void server_free (struct server *s); /* stops it first; accepts NULL */

/* False: what went wrong is in `error`. Nothing happens when it runs already. */
bool server_start (struct server *s, char *error, size_t error_size);

/*
** Wakes the answers that are waiting, closes all connections, returns when no thread is left. May be
** called twice.
*/
void server_stop (struct server *s);

bool server_is_running (const struct server *s);
unsigned server_port (const struct server *s);
struct state *server_state (const struct server *s); /* borrowed */

#pragma GCC visibility pop

#endif
