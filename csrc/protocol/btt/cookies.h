/*
** cookies: the cookies of one Rich Client, which keeps every cookie that it ever got and sends all of them
** with every request. Each name has one entry, in the order of arrival, with the newest value. Paths, domains
** and times of a Set-Cookie are ignored. The sender keeps the line within the session's origin. Values are
** secrets: wiped when they are replaced or freed.
*/
#ifndef PROTOCOL_BTT_COOKIES_H
#define PROTOCOL_BTT_COOKIES_H

#include "net/buffer.h"

#pragma GCC visibility push(hidden)

/* The store's limits. An entry beyond them is refused; a kept entry is never dropped. */
enum { COOKIES_MOST = 256, COOKIES_MOST_BYTES = 65536 /* of all names and values */ };

struct cookie {
  struct cookie *next; /* owned */
  size_t size;         /* of this block */
  size_t name_length, value_length;
  char text[]; /* the name, the value, a NUL */
};

struct cookies {
  const struct allocator *memory; /* borrowed */
  struct cookie *first;           /* owned */
  size_t count, bytes;
};

enum cookies_result { COOKIES_OK, COOKIES_BAD, COOKIES_FULL, COOKIES_NO_MEMORY };

void cookies_init (struct cookies *c, const struct allocator *memory);

/* Wipes and frees all cookies; the store may be used again. */
void cookies_clear (struct cookies *c);

/* Adds an entry, or replaces its value. COOKIES_BAD: a cookie of that name or value cannot be sent. */
enum cookies_result cookies_set (struct cookies *c, const char *name, size_t name_length, const char *value,
                                 size_t value_length);

/* Takes each Set-Cookie of a header block, without control bytes. Returns the worst of the results. */
enum cookies_result cookies_take (struct cookies *c, const char *block, size_t length);

/* NULL: there is no cookie of that name. */
const struct cookie *cookies_find (const struct cookies *c, const char *name, size_t length);

/* True if a Set-Cookie of the header block gives a value to the cookie `name`. */
bool cookies_sets (const char *block, size_t length, const char *name);

/* Appends "a=1; b=2". False: out of memory. */
bool cookies_write (const struct cookies *c, struct buffer *line);

#pragma GCC visibility pop

#endif
