/*
** exchange: the HTTP exchanges that a session makes, and what each of them carries: cookies, credentials and header lines
** within the session's own origin, nothing that tells who it is elsewhere.
*/
#ifndef SESSION_EXCHANGE_H
#define SESSION_EXCHANGE_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/*
** An exchange of this session to `uri`, whose reference is taken. Within the session's own origin it carries
** the session's cookies, credentials and header lines; elsewhere none of what tells who it is. NULL when memory is short or `uri` is NULL. Raises nothing.
*/
struct exchange *session_exchange (lua_State *L, struct session *s, const char *method, struct uri *uri);

/* The same, whose answer should be short. */
struct exchange *session_exchange_brief (lua_State *L, struct session *s, const char *method,
                                         struct uri *uri);

/* Puts the present token of `who` into the header lines of `x`, unless they have it. False: no memory, or nobody. */
bool session_sign_again (const struct identity *who, struct exchange *x);

/* An exchange to `uri`, whose reference is taken, that shows `who` and nothing of the session. NULL: no memory. */
struct exchange *session_exchange_as (struct session *s, struct identity *who, const char *method,
                                      struct uri *uri);

#pragma GCC visibility pop

#endif
