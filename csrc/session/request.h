/* request: session:request, which sends any request with the session's credentials. */
#ifndef SESSION_REQUEST_H
#define SESSION_REQUEST_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

int session_request (lua_State *L); /* session:request(options) */

int session_request_within (lua_State *L); /* The same, as a part of another operation of the session. */

#pragma GCC visibility pop

#endif
