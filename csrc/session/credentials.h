/* login: what somebody logs in with: texts that are borrowed for a call, or a copy of them that is wiped. */
#ifndef SESSION_CREDENTIALS_H
#define SESSION_CREDENTIALS_H

#include "net/allocator.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

struct login {
  const char *user, *password; /* NULL: not given; a NUL follows each. A bearer's token is its user */
  size_t user_length, password_length;
};

/* What stands at 2 and 3, borrowed from there. */
struct login login_read (lua_State *L);

/* A copy, the caller's. NULL: no memory. */
struct login *login_copy (const struct allocator *memory, const struct login *from);
void login_free (const struct allocator *memory, struct login *copy); /* wipes; accepts NULL */

#pragma GCC visibility pop

#endif
