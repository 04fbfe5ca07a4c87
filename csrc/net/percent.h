/* percent: percent-encoding for addresses and forms (RFC 3986): plain C over bytes, allocates nothing. */
#ifndef NET_PERCENT_H
#define NET_PERCENT_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

#define PERCENT_UNRESERVED "-_.~"     /* the marks that RFC 3986 leaves */
#define PERCENT_COMPONENT "-_.!~*'()" /* those that encodeURIComponent leaves */

enum { PERCENT_MOST = 3 }; /* bytes that one may become */

/*
** Encodes all bytes but ASCII letters, digits and `marks`. `to` has room for PERCENT_MOST bytes for each byte
** of the text. Returns the length of the result.
*/
size_t percent_encode (char *to, const char *text, size_t length, const char *marks);

#pragma GCC visibility pop

#endif
