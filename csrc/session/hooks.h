/*
** hooks: the functions that the folders above session provide to all sessions of a Lua state: the protocols,
** the store, the AuthenticationProvider and the context properties. module.c sets them once, by
** session_set_hooks. A session calls upward through them alone.
*/
#ifndef SESSION_HOOKS_H
#define SESSION_HOOKS_H

#include "session/identity.h"
#include "session/operation.h"

#pragma GCC visibility push(hidden)

struct protocol;

struct store_hooks {
  /*
  ** For session_new: reads the option keepTokens of the table at 1 into the session at 2, and checks that
  ** name is a string. Raises for mistakes.
  */
  void (*configure)(lua_State *L, struct session *s);
  /*
  ** Then: reads the options name and store, and restores the session from its store if it can. Raises for
  ** mistakes.
  */
  void (*open)(lua_State *L, struct session *s);
  /*
  ** Saves the session at `index`, which has a name and may have changed, at this or the next step. Raises as
  ** loop_ready.
  */
  void (*changed)(lua_State *L, int index);
  /*
  ** Saves what has changed at once, and takes the name from the session at `index`: the store keeps its
  ** entry. Raises when out of memory.
  */
  void (*release)(lua_State *L, int index);
};

struct provider_hooks {
  /* Pushes a new AuthenticationProvider for `who`; the string at `uri` is its property uri. Raises. */
  void (*push)(lua_State *L, struct identity *who, int uri);
  /*
  ** The identity of the AuthenticationProvider at `index`; NULL: it is not a provider. Raises for a closed
  ** one.
  */
  struct identity *(*identity)(lua_State *L, int index);
  /*
  ** Called before `x` is sent. True if the token is refreshed first: `x` is held, and sent after the refresh.
  ** Raises nothing.
  */
  bool (*holds)(lua_State *L, struct operation *op, struct exchange *x);
  /*
  ** True if the response `x` reports an expired token and the request is sent again. Raises when out of
  ** memory.
  */
  bool (*retries)(lua_State *L, struct operation *op, struct exchange *x);
  /* Called when `op` has ended while it waited for a token. Raises nothing. */
  void (*left)(struct operation *op);
  /*
  ** Expires each session that uses `who`, whose credentials are no longer valid. `status`: the server's HTTP
  ** status, or 0. Raises.
  */
  void (*expire_sessions)(lua_State *L, const struct identity *who, long status);
};

struct context_hooks {
  /* Pushes the context properties of the session at `index`; nil: none. Raises nothing. */
  void (*push)(lua_State *L, int index);
  /* Pushes them as JSON text. False: out of memory, and an error is pushed. Raises nothing. */
  bool (*push_text)(lua_State *L, int index);
  /* Replaces them by the table at `properties`. Raises for a value that JSON cannot represent. */
  void (*replace)(lua_State *L, int index, int properties);
};

struct session_hooks {
  const struct protocol *const *protocols; /* static, ends with NULL; the first is the default */
  /*
  ** The protocol of that name that is defined in Lua: pushes its definition. NULL, and pushes nothing: there
  ** is none.
  */
  const struct protocol *(*find_protocol)(lua_State *L, const char *name);
  struct store_hooks store;
  struct provider_hooks provider;
  struct context_hooks context;
};

/* Must be called before the first session is made. `hooks` is static. */
void session_set_hooks (lua_State *L, const struct session_hooks *hooks);

/* The hooks of this Lua state. */
const struct session_hooks *session_hooks (lua_State *L);

#pragma GCC visibility pop

#endif
