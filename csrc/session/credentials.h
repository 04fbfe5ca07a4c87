/* credentials: the user and password of a login: borrowed for a call, or a copy that is wiped when freed. */
#ifndef SESSION_CREDENTIALS_H
#define SESSION_CREDENTIALS_H

#include "net/allocator.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

struct credentials {
  const char *user,
      *password; /* NULL: not given; a NUL follows each. The user of a bearer login is the token */
  size_t user_length, password_length;
};

/* Reads user and password from the stack at 2 and 3, and borrows both. */
struct credentials credentials_read (lua_State *L);

/* A copy, which the caller owns. NULL: out of memory. */
struct credentials *credentials_copy (const struct allocator *memory, const struct credentials *from);
void credentials_free (const struct allocator *memory, struct credentials *copy); /* wipes; accepts NULL */

#pragma GCC visibility pop

#endif
