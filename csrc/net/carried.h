/*
** carried: what a request proved itself with, compared with a text of the server's before anybody is shown that text. A server
** may quote a password, a token or a cookie in its error pages.
*/
#ifndef NET_CARRIED_H
#define NET_CARRIED_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

/*
** True if `text` holds a secret that the request of `x` carried (a password, a token, the value of a cookie or of a header line
** that is not everybody's) or that its answer sets; or if memory is short to know. Secrets of less than eight bytes count
** where they stand as a word of their own.
*/
bool carried_is_in (const struct exchange *x, const char *text, size_t length);

#pragma GCC visibility pop

#endif
