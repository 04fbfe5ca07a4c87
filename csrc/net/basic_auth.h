/*
** credentials: what an exchange proves itself with. Counted, immutable, wiped when freed. libcurl is given the whole header
** line, which it only reads: of a name and a password it would keep copies with each connection.
*/
#ifndef NET_BASIC_AUTH_H
#define NET_BASIC_AUTH_H

#include "net/allocator.h"

#pragma GCC visibility push(hidden)

struct basic_auth {
  const struct allocator *memory; /* borrowed */
  size_t references;
  size_t size; /* of this block */
  char line[]; /* "Authorization: Basic ..." */
};

/* HTTP Basic, in UTF-8; the user's name holds no ':', which it cannot carry. NULL: no memory. */
struct basic_auth *basic_auth_new (const struct allocator *memory, const char *user, size_t user_length,
                                   const char *password, size_t password_length);
struct basic_auth *basic_auth_keep (struct basic_auth *c);
void basic_auth_release (struct basic_auth *c); /* accepts NULL */

#pragma GCC visibility pop

#endif
