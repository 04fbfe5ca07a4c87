/*
** credentials: what an exchange proves itself with. Counted, immutable, wiped when freed. libcurl is given the whole header
** line, which it only reads: of a name and a password it would keep copies with each connection.
*/
#ifndef NET_CREDENTIALS_H
#define NET_CREDENTIALS_H

#include "net/allocator.h"

#pragma GCC visibility push(hidden)

struct credentials {
  const struct allocator *memory; /* borrowed */
  size_t references;
  size_t size; /* of this block */
  char line[]; /* "Authorization: Basic ..." */
};

/* HTTP Basic, in UTF-8; the user's name holds no ':', which it cannot carry. NULL: no memory. */
struct credentials *credentials_new (const struct allocator *memory, const char *user, size_t user_length,
                                     const char *password, size_t password_length);
struct credentials *credentials_keep (struct credentials *c);
void credentials_release (struct credentials *c); /* accepts NULL */

#pragma GCC visibility pop

#endif
