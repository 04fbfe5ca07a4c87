/* on_open_request: calls onOpenRequest before a request is sent. */
#ifndef SESSION_ON_OPEN_REQUEST_H
#define SESSION_ON_OPEN_REQUEST_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/*
** Adds a _ts parameter to `uri`, whose reference is taken, if the session has timeStamp. NULL: out of memory,
** or `uri` is NULL.
*/
struct uri *session_stamp (struct session *s, struct uri *uri);

/* The canonical name of a header that follows from the body, so that users may not set it; else NULL. */
const char *session_framing (const char *name);

/*
** Adds the client context id to `uri`, whose reference is taken, as path parameter JSESSIONID if the server
** has no other way to recognise the session. NULL: out of memory, or `uri` is NULL.
*/
struct uri *session_address (lua_State *L, struct session *s, struct uri *uri);

/* Calls onOpenRequest, which may change the header lines of `x`. Reports what it raises. */
void session_open_request (lua_State *L, struct session *s, struct exchange *x);

#pragma GCC visibility pop

#endif
