/*
** failure: what a failed transfer means, in three parts: a class for programs, a sentence of detail and
** a hint for people. Owns nothing.
*/
#ifndef NET_CURL_FAILURE_H
#define NET_CURL_FAILURE_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

/* Notes it with our own words. `hint` is static; NULL: the usual one of that class. */
void curl_failure_note (struct exchange *x, enum failure failure, const char *hint, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/* A proxy of plain http has answered in the server's place: it wants a user and password. Notes that failure. */
bool failure_of_proxy (struct exchange *x);

/* True if a transfer that ended so, before it had a connection, may have lacked file descriptors. */
bool failure_for_descriptors (const struct exchange *x, CURLcode code);

/*
** Makes a failure of libcurl's result. `easy` is still as the transfer left it; `text` is its error buffer.
** What a callback noted before stands.
*/
void curl_failure_explain (struct exchange *x, CURL *easy, CURLcode code, const char *text);

/* The server may have acted on a request that is sent once: the hint says so where the connection failed. */
void failure_warn (struct exchange *x);

/* The hint where a response's header lines are too long. */
extern const char headers_hint[];

#pragma GCC visibility pop

#endif
