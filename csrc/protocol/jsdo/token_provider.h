/*
** token_provider: the tokens of a bearer session that come while it is logged in: by session:setToken, and
** from the option tokenProvider, a function of the program's. It is called at a login without a token, when
** three quarters of a token's time are over, and when the server refuses a token. All requests that need a
** token wait for one call.
*/
#ifndef PROTOCOL_JSDO_TOKEN_PROVIDER_H
#define PROTOCOL_JSDO_TOKEN_PROVIDER_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

/* Reads tokenProvider and tokenTimeout of the options at 1 into the session at 2. Raises. */
void token_provider_options (lua_State *L, struct session *s);

/* session:setToken(token [, expiresIn]) */
int token_provider_set (lua_State *L);

/* As provider_holds and provider_retries, for an identity of model bearer. */
bool token_provider_holds (lua_State *L, struct operation *op, struct exchange *x);
bool token_provider_retries (lua_State *L, struct operation *op, struct exchange *x);

/* Called when `op` has ended while it waited for a token. Raises nothing. */
void token_provider_left (struct operation *op);

/* The login of the session is over: nothing waits for its token any more. Raises nothing. */
void token_provider_abandon (const struct session *s);

/*
** True if the server refused `x` and there is no better token: `found` then says so, in the words of
** tokenProvider.
*/
bool token_provider_judge (const struct session *s, const struct exchange *x, struct finding *found);

/* The finding for an exchange that was not sent, since there was no token for it. */
void token_provider_judge_failure (const struct session *s, const struct exchange *x, struct finding *found);

#pragma GCC visibility pop

#endif
