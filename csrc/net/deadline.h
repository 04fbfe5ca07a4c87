/*
** deadline: the limits of time of a pending exchange: for the whole exchange, and for a stall. They are kept
** here and not by libcurl because they include redirects and the wait for a connection, and because libcurl
** measures speed as a mean over five seconds. libcurl keeps the limit for connecting. Owns nothing.
*/
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

/* The time of the next check, by clock_now; 0: there is no limit. */
double deadline_next (const struct exchange *x);

/* True if a limit has passed; notes the failure. */
bool deadline_passed (struct exchange *x, double now);

#pragma GCC visibility pop

#endif
