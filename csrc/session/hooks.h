/*
** hooks: what the floors above sessions give to all sessions of a Lua state: the protocols, the store, the
** AuthenticationProvider and the context properties. module.c sets them once, by session_set_hooks; a session calls
** up through them alone.
*/
#ifndef SESSION_HOOKS_H
#define SESSION_HOOKS_H

#include "session/identity.h"
#include "session/operation.h"

#pragma GCC visibility push(hidden)

struct protocol;

struct store_hooks {
  /*
  ** For session_new: reads the options name, storage and keepTokens of the table at 1; the session at 2 goes on
  ** where the last of its name was, if it may. Raises for mistakes.
  */
  void (*open)(lua_State *L, struct session *s);
  /* The named session at `index` may have changed. Raises as loop_ready. */
  void (*changed)(lua_State *L, int index);
};

struct provider_hooks {
  /* Pushes a new AuthenticationProvider of `who`; the text at `uri` is what its property says. Raises. */
  void (*push)(lua_State *L, struct identity *who, int uri);
  /* The identity of the AuthenticationProvider at `index`; NULL: it is none. Raises for one that is closed. */
  struct identity *(*identity)(lua_State *L, int index);
  /*
  ** Before `x` is sent: true if its token is refreshed first. Then `x` is held, and sent when that is done. Raises
  ** nothing.
  */
  bool (*holds)(lua_State *L, struct operation *op, struct exchange *x);
  /* True if the answer `x` says that the token has expired and the request is sent once more. Raises on memory. */
  bool (*retries)(lua_State *L, struct operation *op, struct exchange *x);
  /* What proved `who` is void: each session that goes by it has expired. `status`: the server's, or 0. Raises. */
  void (*expire_sessions)(lua_State *L, const struct identity *who, long status);
};

struct context_hooks {
  /* Pushes the properties of the session at `index`, nil: none. Raises nothing. */
  void (*push)(lua_State *L, int index);
  /* The same for their text. False, and an error is pushed: out of memory. Raises nothing. */
  bool (*push_text)(lua_State *L, int index);
  /* Takes over the properties in the table at `properties`. Raises for what JSON cannot say. */
  void (*replace)(lua_State *L, int index, int properties);
};

struct session_hooks {
  const struct operation_owner *owner;                                   /* of sessions' operations */
  struct operation *(*ping)(lua_State *L, int index, struct session *s); /* session_start_ping */
  const struct protocol *const *protocols; /* static, ends with NULL; the first is the default */
  /* The protocol of that name that Lua defines: pushes its definition; NULL, and nothing pushed: there is none. */
  const struct protocol *(*find_protocol)(lua_State *L, const char *name);
  struct store_hooks store;
  struct provider_hooks provider;
  struct context_hooks context;
};

/* Before the first session is made. `hooks` is static. */
void session_set_hooks (lua_State *L, const struct session_hooks *hooks);

/* The hooks of the state's sessions. */
const struct session_hooks *session_hooks (lua_State *L);

#pragma GCC visibility pop

#endif
