/*
** btt_cookies: the cookies of one Rich Client, which keeps every one that it was ever given and sends all of them with
** every request: one entry a name, in the order in which they first came, the newest value standing. What a Set-Cookie
** says of paths, domains and times plays no part. Whoever sends the line sees to it that it stays within the session's
** origin. Values are secrets: wiped when they are replaced or freed.
*/
#ifndef PROTOCOL_BTT_COOKIES_H
#define PROTOCOL_BTT_COOKIES_H

#include "net/buffer.h"

#pragma GCC visibility push(hidden)

/* No store may grow for ever. An entry beyond these is not taken; one that was taken is never dropped. */
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

/* Frees and wipes all of them; it may be used again. */
void cookies_clear (struct cookies *c);

/* Adds, or gives the entry of that name a new value. COOKIES_BAD: no cookie of that name or value can be sent. */
enum cookies_result cookies_set (struct cookies *c, const char *name, size_t name_length, const char *value,
                                 size_t value_length);

/* Takes what each Set-Cookie of a header block says, control bytes left out; the worst that happened. */
enum cookies_result cookies_take (struct cookies *c, const char *block, size_t length);

/* NULL: there is none of that name. */
const struct cookie *cookies_find (const struct cookies *c, const char *name, size_t length);

/* Does a Set-Cookie of the header block give a value to the cookie `name`? */
bool cookies_sets (const char *block, size_t length, const char *name);

/* Appends "a=1; b=2". False: no memory. */
bool cookies_write (const struct cookies *c, struct buffer *line);

#pragma GCC visibility pop

#endif
