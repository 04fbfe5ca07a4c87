/*
** provider: AuthenticationProvider, as Lua sees an identity: logs in and out of a web application, holds tokens and
** refreshes them, and serves any number of sessions. A full userdata that owns a reference to its identity.
*/
#ifndef PROTOCOL_JSDO_PROVIDER_H
#define PROTOCOL_JSDO_PROVIDER_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

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

/* What proved the identity is void: each session that goes by it has expired. `status`: what told us, or 0. Raises. */
void provider_expire_sessions (lua_State *L, const struct identity *who, long status);

/* A request that `who` makes to its own application, with what it proves itself by. NULL: no memory. */
struct exchange *provider_exchange (struct identity *who, const char *method, const char *path);

/* The answer `x` says that the token has expired, and another can be had: the request is sent once more then. Raises on memory. */
bool provider_retries (lua_State *L, struct operation *op, struct exchange *x);

/* For the hooks of sessions: a new provider, pushed; the identity of the one at `index`, NULL: it is none. Raise. */
void provider_push_new (lua_State *L, struct identity *who, int uri);
struct identity *provider_identity (lua_State *L, int index);

/* AuthenticationProvider(options) in the table on top, and the type. */
void provider_register (lua_State *L);

#pragma GCC visibility pop

#endif
