/*
** provider: AuthenticationProvider, an identity as Lua sees it: logs in and out of a web application, holds
** and refreshes tokens, and serves any number of sessions. A full userdata; owns a reference to its identity.
*/
#ifndef PROTOCOL_JSDO_PROVIDER_H
#define PROTOCOL_JSDO_PROVIDER_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

#define PROVIDER_TYPE "datasession.AuthenticationProvider"

struct provider {
  struct loop *loop;          /* borrowed; the registry keeps it */
  struct identity *who;       /* owned reference */
  struct operation *login;    /* borrowed; the pending login, or NULL */
  struct retry_policy *retry; /* owned; NULL: a login is not tried again */
};

/* User values. */
enum { PROVIDER_URI = 1 /* as the user passed it */, PROVIDER_SLOTS = PROVIDER_URI };

struct provider *provider_test (lua_State *L, int index); /* NULL when it is none */
struct provider *provider_check (lua_State *L, int index);

/* Pushes a new provider with a reference to `who`; the text at `uri` is its property. Raises. */
struct provider *provider_push (lua_State *L, struct identity *who, int uri);

/*
** Before `x`, one of the operation's exchanges already, is sent: true if its token must be refreshed first.
** `x` is then held, and sent after the refresh. Raises nothing.
*/
bool provider_holds (lua_State *L, struct operation *op, struct exchange *x);

/*
** The identity is void: expires each session that uses it. `status`: of the response that says so, or 0.
** Raises.
*/
void provider_expire_sessions (lua_State *L, const struct identity *who, long status);

/* The part of a token's life after which another one is got. */
extern const double provider_ripe;

/* Moves the request of the finished `x` to a new exchange, for another try. NULL: out of memory. */
struct exchange *provider_again (struct exchange *x);

/* A request of `who` to its own application, with its credentials. NULL: out of memory. */
struct exchange *provider_exchange (struct identity *who, const char *method, const char *path);

/*
** True if the response `x` says that the token has expired and there is another, or one can be got: the
** request is sent once more. Raises out of memory.
*/
bool provider_retries (lua_State *L, struct operation *op, struct exchange *x);

/* Hooks of sessions: push a new provider; the identity of the one at `index`, NULL: it is none. Raise. */
void provider_push_new (lua_State *L, struct identity *who, int uri);
struct identity *provider_identity (lua_State *L, int index);

/* AuthenticationProvider(options) in the table on top, and the type. */
void provider_register (lua_State *L);

#pragma GCC visibility pop

#endif
