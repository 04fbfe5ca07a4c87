/* request: session:request, any request as the session. */
#ifndef SESSION_REQUEST_H
#define SESSION_REQUEST_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

int session_request (lua_State *L); /* requesting.c */

int session_request_within (lua_State *L); /* the same as part of another operation of the session's */

#pragma GCC visibility pop

#endif
