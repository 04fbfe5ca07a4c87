/*
** credentials: what an exchange proves itself with. Counted, immutable, wiped when freed.
*/
#ifndef NET_CREDENTIALS_H
#define NET_CREDENTIALS_H

#include "allocator.h"

#pragma GCC visibility push(hidden)

struct credentials {
  const struct allocator *memory; /* borrowed */
  size_t references;
  char *user;     /* owned, wiped; UTF-8; holds no ':' (HTTP Basic cannot carry one) */
  char *password; /* owned, wiped */
  size_t user_size, password_size;
};

/* HTTP Basic. NULL: no memory. */
struct credentials *credentials_new (const struct allocator *memory, const char *user, size_t user_length,
                                     const char *password, size_t password_length);
struct credentials *credentials_keep (struct credentials *c);
void credentials_release (struct credentials *c); /* accepts NULL */

#pragma GCC visibility pop

#endif
