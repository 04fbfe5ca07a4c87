/*
** carried: compares a server's text with the credentials that a request carried, before a person sees that
** text. A server may quote a password, a token or a cookie in its error pages.
*/
#ifndef NET_CARRIED_H
#define NET_CARRIED_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

enum { CARRIED_COMPARED = 512 }; /* bytes of a secret that are compared, from its beginning */

/*
** True if `text` holds a secret that the request of `x` carried (a password, a token, the value of a cookie
** or of a header line that may be private) or that its response sets; also true when memory runs out. A
** secret of less than eight bytes counts only as a separate word.
*/
bool carried_is_in (const struct exchange *x, const char *text, size_t length);

#pragma GCC visibility pop

#endif
