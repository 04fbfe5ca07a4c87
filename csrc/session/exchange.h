/*
** exchange: makes the HTTP exchanges of a session. Within the session's own origin an exchange carries the
** session's cookies, credentials and header lines; elsewhere it carries nothing that identifies the session.
*/
#ifndef SESSION_EXCHANGE_H
#define SESSION_EXCHANGE_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/*
** A new exchange to `uri`, whose reference is taken. NULL: out of memory, or `uri` is NULL. Raises nothing.
*/
struct exchange *session_exchange (lua_State *L, struct session *s, const char *method, struct uri *uri);

/* The same, for a request whose response is short. */
struct exchange *session_exchange_brief (lua_State *L, struct session *s, const char *method,
                                         struct uri *uri);

/*
** Puts the current token of `who` into the header lines of `x`, unless it is there. False: out of memory, or
** `who` is NULL.
*/
bool session_sign_again (const struct identity *who, struct exchange *x);

/*
** An exchange to `uri`, whose reference is taken. It carries the credentials of `who` and nothing of the
** session. NULL: out of memory.
*/
struct exchange *session_exchange_as (struct session *s, struct identity *who, const char *method,
                                      struct uri *uri);

#pragma GCC visibility pop

#endif
