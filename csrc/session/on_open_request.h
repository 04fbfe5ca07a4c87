/* on_open_request: what happens to an exchange between its description and its sending: the function onOpenRequest, and the _ts parameter. */
#ifndef SESSION_ON_OPEN_REQUEST_H
#define SESSION_ON_OPEN_REQUEST_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* `uri`, whose reference is taken, with a _ts parameter if the session is to send one. NULL: no memory, or `uri` was. opening.c */
struct uri *session_stamp (struct session *s, struct uri *uri);

/* The header's name when its value is not the user's to choose, since it follows from the body; else NULL. requesting.c */
const char *session_framing (const char *name);

/*
** `uri`, whose reference is taken, with the client context id as path parameter JSESSIONID if the server knows the session by
** nothing else. NULL: no memory, or `uri` was. opening.c
*/
struct uri *session_address (lua_State *L, struct session *s, struct uri *uri);

/* Calls onOpenRequest, which may change the header lines of `x`; what it raises is reported. opening.c */
void session_open_request (lua_State *L, struct session *s, struct exchange *x);

#pragma GCC visibility pop

#endif
