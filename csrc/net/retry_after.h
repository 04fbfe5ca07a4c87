/* retry_after: the header Retry-After of a response. Owns nothing. */
#ifndef NET_RETRY_AFTER_H
#define NET_RETRY_AFTER_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

/*
** The seconds that the response asks to wait; < 0: it does not ask, or the time has passed. A date counts
** from the Date of the response if it has one, so that the clocks of server and client need not agree.
*/
double retry_after (const struct exchange *x);

#pragma GCC visibility pop

#endif
