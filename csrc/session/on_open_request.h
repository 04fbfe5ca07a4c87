/* on_open_request: calls onOpenRequest before a request is sent. */
#ifndef SESSION_ON_OPEN_REQUEST_H
#define SESSION_ON_OPEN_REQUEST_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* The canonical name of a header that follows from the body, so that users may not set it; else NULL. */
const char *session_framing (const char *name);

/* Calls onOpenRequest, which may change the header lines of `x`. Reports what it raises. */
void session_open_request (lua_State *L, struct session *s, struct exchange *x);

#pragma GCC visibility pop

#endif
