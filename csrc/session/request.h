/* request: session:request, which sends any request with the session's credentials. */
#ifndef SESSION_REQUEST_H
#define SESSION_REQUEST_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

int session_request (lua_State *L); /* session:request(options) */

/*
** requestFlow(session, options, f): the same for a body that flows. f(chunk, response) is called for each
** piece of a body that comes with a status 2xx, in a coroutine in which it may await. The next piece waits
** for its end. The response that the promise resolves with has no body then. The request fails with the error
** that f raises, or returns after nil.
*/
int session_request_flow (lua_State *L);

int session_request_within (lua_State *L); /* as session:request, for a part of another operation */

#pragma GCC visibility pop

#endif
