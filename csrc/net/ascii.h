/*
** ascii: letters and their case as protocols define them. The C library's functions follow the locale, which
** the host may change.
*/
#ifndef NET_ASCII_H
#define NET_ASCII_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

static inline char ascii_lower (char c) {
  if (c >= 'A' && c <= 'Z') return (char)(c + ('a' - 'A'));
  return c;
}

static inline bool ascii_is_alnum (char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* True if the strings are equal but for the case of ASCII letters. */
bool ascii_same (const char *a, const char *b);

/* The same for the first `length` bytes; a NUL in both ends the comparison. */
bool ascii_same_start (const char *a, const char *b, size_t length);

/*
** The first place of `what` in `text`, in any case; `what` is in lower case and not empty. NULL: not found.
*/
const char *ascii_find (const char *text, const char *what);

#pragma GCC visibility pop

#endif
