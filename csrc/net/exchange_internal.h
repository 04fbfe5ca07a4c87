/*
** exchange_internal: the functions of an exchange that only engine, transfer and handle call. They take it
** through its hops and fill its response.
*/
#ifndef NET_EXCHANGE_INTERNAL_H
#define NET_EXCHANGE_INTERNAL_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

/*
** For engine_new_exchange. A hop takes at most 256 KiB of header bytes. exchange_free calls `drop` while the
** exchange is pending or finished: it must end the transfer and take the exchange out of all queues, without
** a call to `finished`. NULL: out of memory.
*/
struct exchange *exchange_new (const struct allocator *memory, struct engine *engine,
                               void (*drop)(struct exchange *x));

/* Sets the limits of time and the first hop up. */
void exchange_start (struct exchange *x, double now);

/* True for a status line: of an interim response, a proxy's response or the final one. */
bool exchange_begins_answer (const char *line, size_t length);

/* Called from inside libcurl. False: stop the transfer; response.failure says why. */
bool exchange_take_header (struct exchange *x, const char *line, size_t length);
bool exchange_take_body (struct exchange *x, const char *data, size_t length);

/*
** True if a whole header block of a final status came; else notes the failure. Call it when libcurl reports
** success and the status is read: libcurl takes an end amid the headers, or after an interim response, for an
** empty body.
*/
bool exchange_is_answered (struct exchange *x);

/*
** True if the hop must be sent again to take the body without decoding; sets the hop up. Call it when libcurl
** rejects the Content-Encoding: newer versions do so before they pass that header on.
*/
bool exchange_undecode (struct exchange *x);

/*
** True if the complete response redirects to another hop; sets the hop up. False: there is no redirect, or it
** may not be followed, and FAILURE_REDIRECT or FAILURE_MEMORY is noted.
*/
bool exchange_redirect (struct exchange *x);

/* Frees the memory of both bodies. The exchange must be in no transfer. */
void exchange_drop_bodies (struct exchange *x);

/* For an engine that is freed first: releases all that may come from its allocator. */
void exchange_orphan (struct exchange *x);

#pragma GCC visibility pop

#endif
