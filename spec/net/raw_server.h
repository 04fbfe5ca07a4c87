/*
** raw_server: a small HTTP server on plain sockets, in a thread of its own, on a free port of 127.0.0.1. The
** path selects its answer or its fault: it sends exact bytes, so that a test shows how the client handles
** them. Owns its thread and its connections.
*/
#ifndef RAW_SERVER_H
#define RAW_SERVER_H

#include <stddef.h>

struct raw_server;

struct raw_server *raw_server_start (void); /* ends the program on failure */
void raw_server_stop (struct raw_server *s);

int raw_server_port (const struct raw_server *s);

/* Numbers of accepted connections, complete requests, and open connections. */
unsigned raw_server_accepted (struct raw_server *s);
unsigned raw_server_requests (struct raw_server *s);
unsigned raw_server_open (struct raw_server *s);

/* Sends `text` on every open connection while no request is pending. */
void raw_server_say (struct raw_server *s, const char *text);

/* The last request as received, with a NUL. */
void raw_server_last (struct raw_server *s, char *to, size_t size);

#endif
