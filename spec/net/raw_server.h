/*
** raw_server: a tiny HTTP server on plain sockets, in a thread of its own, on a port of 127.0.0.1 that the
** system picks. It answers by path, and misbehaves by path: what it sends is written down byte for byte, so
** that a test sees what the client makes of exactly that. Owns its thread and its connections.
*/
#ifndef RAW_SERVER_H
#define RAW_SERVER_H

#include <stddef.h>

struct raw_server;

struct raw_server *raw_server_start (void); /* ends the program when it cannot */
void raw_server_stop (struct raw_server *s);

int raw_server_port (const struct raw_server *s);

/* How many connections were accepted, how many requests were read whole, how many connections are open. */
unsigned raw_server_accepted (struct raw_server *s);
unsigned raw_server_requests (struct raw_server *s);
unsigned raw_server_open (struct raw_server *s);

/* Sends that on every open connection, unasked, while no request is under way. */
void raw_server_say (struct raw_server *s, const char *text);

/* The last request as it came, with a NUL. */
void raw_server_last (struct raw_server *s, char *to, size_t size);

#endif
