/* client: shared by the network checks: one engine, two servers, and requests in one line. */
#ifndef NET_SPEC_CLIENT_H
#define NET_SPEC_CLIENT_H

#include "net/cookie_jar.h"
#include "net/engine.h"
#include "raw_server.h"

extern struct engine *engine;
extern struct raw_server *server, *other_server; /* two origins */

extern struct cookie_jars jars; /* with one place: each jar that becomes idle packs another's cookies */

void client_open (const struct engine_limits *limits); /* servers, and an engine on checked_memory */
void client_close (void);

/* A URI of the server. NULL gives NULL; request_new accepts that. */
struct uri *server_uri (const struct raw_server *s, const char *path);

/* A GET that counts its calls of `finished` in `reported`. Its transport has short limits. */
struct exchange *request_new (const char *path);
extern unsigned reported;

void request_body (struct exchange *x, const char *text); /* for POST */
void request_header (struct exchange *x, const char *name, const char *value);

void submit (struct exchange *x);        /* engine_submit, checked */
void run (struct exchange *x);           /* submits and steps until it was reported */
struct exchange *get (const char *path); /* request_new and run */

/* Steps until the exchange was reported. */
void await (struct exchange *x);
/* Steps until the server has read that many requests in all; ends the program if that takes too long. */
void await_requests (unsigned count);

/* Waits, without a step, until `count` gives at least that; ends the program if that takes too long. */
void await_count (unsigned (*count)(void), unsigned least);

bool is_connection (int fd);                /* true for a client socket connected to `server` */
unsigned count_connections (bool readable); /* those with input, or all of them */

bool body_has (const struct exchange *x, const char *text);
bool detail_has (const struct exchange *x, const char *text);

#endif
