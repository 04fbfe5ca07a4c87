/*
** curl_failure: turns libcurl's result of a transfer into a class for programs, a sentence of detail and a
** hint for people. Owns nothing.
*/
#ifndef NET_CURL_FAILURE_H
#define NET_CURL_FAILURE_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

/* For people: "the connection failed". Static. */
const char *curl_failure_name (enum failure f);

/* Notes a failure in our own words. `hint` is static; NULL: the usual one of that class. */
void curl_failure_note (struct exchange *x, enum failure failure, const char *hint, const char *format, ...)
#ifdef __MINGW_PRINTF_FORMAT
    __attribute__((format(__MINGW_PRINTF_FORMAT, 4, 5)))
#elif defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/* True if a proxy of plain http answered in the server's place and wants a user and password; notes that. */
bool curl_failure_of_proxy (struct exchange *x);

/* True if a transfer that ended with `code`, before it had a connection, may have lacked file descriptors. */
bool curl_failure_for_descriptors (const struct exchange *x, CURLcode code);

/*
** Notes the failure that libcurl's result `code` means. `easy` is as the transfer left it; `text` is its
** error buffer. A failure that a callback noted before stands.
*/
void curl_failure_explain (struct exchange *x, CURL *easy, CURLcode code, const char *text);

/*
** After a failed connection: adds to the hint of a request that is sent once that the server may have acted
** on it.
*/
void curl_failure_warn (struct exchange *x);

/* The hint where a response's header lines are too long. */
extern const char headers_hint[];

#pragma GCC visibility pop

#endif
