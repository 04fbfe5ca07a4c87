/*
** provider: AuthenticationProvider, as Lua sees an identity: logs in and out of a web application, holds tokens and
** refreshes them, and serves any number of sessions. A full userdata that owns a reference to its identity.
*/
#ifndef SESSION_PROVIDER_H
#define SESSION_PROVIDER_H

#include "identity.h"
#include "operation.h"

#define PROVIDER_TYPE "datasession.AuthenticationProvider"

struct provider {
  struct loop *loop;       /* borrowed; the registry keeps it */
  struct identity *who;    /* owned reference */
  struct operation *login; /* borrowed; the login in flight, or NULL */
};

/* User values. */
enum { PROVIDER_URI = 1 /* as the user passed it */, PROVIDER_SLOTS = PROVIDER_URI };

struct provider *provider_test (lua_State *L, int index); /* NULL when it is none */
struct provider *provider_check (lua_State *L, int index);

/* Pushes a new provider of `who`, whose references it adds to; the text at `uri` is what its property says. Raises. */
struct provider *provider_push (lua_State *L, struct identity *who, int uri);

/*
** Before `x` is sent for a session: is its token to be refreshed first? Then it is held, being one of the
** operation's exchanges already, and sent when that is done. Raises nothing.
*/
bool provider_holds (lua_State *L, struct operation *op, struct exchange *x);

/* The answer `x` says that the token has expired, and another can be had: the request is sent once more then. Raises on memory. */
bool provider_retries (lua_State *L, struct operation *op, struct exchange *x);

/* AuthenticationProvider(options) in the table on top, and the type. */
void provider_register (lua_State *L);

#endif
