/*
** watch: the limits of time of an exchange in flight: the whole exchange, and how long nothing may move.
** They are kept here and not by libcurl, since they count over redirects and while an exchange waits for a
** connection, and since libcurl takes a mean of five seconds for the present speed. (The limit for
** connecting is libcurl's.) Owns nothing.
*/
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

/* When to look, by clock_now; 0: there is no limit. */
double deadline_next (const struct exchange *x);

/* Is a limit passed? If so it is noted as the exchange's failure. */
bool deadline_passed (struct exchange *x, double now);

#pragma GCC visibility pop

#endif
