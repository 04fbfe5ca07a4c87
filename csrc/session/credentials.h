/* login: what somebody logs in with: texts that are borrowed for a call, or a copy of them that is wiped. */
#ifndef SESSION_CREDENTIALS_H
#define SESSION_CREDENTIALS_H

#include "net/allocator.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

struct credentials {
  const char *user, *password; /* NULL: not given; a NUL follows each. A bearer's token is its user */
  size_t user_length, password_length;
};

/* What stands at 2 and 3, borrowed from there. */
struct credentials credentials_read (lua_State *L);

/* A copy, the caller's. NULL: no memory. */
struct credentials *credentials_copy (const struct allocator *memory, const struct credentials *from);
void credentials_free (const struct allocator *memory, struct credentials *copy); /* wipes; accepts NULL */

#pragma GCC visibility pop

#endif
