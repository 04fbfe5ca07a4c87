/*
** basic_auth: the credentials of an exchange. Reference-counted, immutable, wiped when freed. libcurl gets
** the whole header line, which it only reads: it would copy a name and a password into each connection.
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

/* HTTP Basic, in UTF-8. The user's name must not hold a ':'. NULL: out of memory. */
struct basic_auth *basic_auth_new (const struct allocator *memory, const char *user, size_t user_length,
                                   const char *password, size_t password_length);
struct basic_auth *basic_auth_keep (struct basic_auth *c);
void basic_auth_release (struct basic_auth *c); /* accepts NULL */

#pragma GCC visibility pop

#endif
