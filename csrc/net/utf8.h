/* utf8: tells whether bytes are UTF-8. Owns nothing. */
#ifndef NET_UTF8_H
#define NET_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* True if all of it is UTF-8, without surrogates. */
bool utf8_is_valid (const char *text, size_t length);

#pragma GCC visibility pop

#endif
