/*
** verbs: the calls of the user on a session: login, logout, ping, isAuthorized, invalidate, disconnect, stop,
** invoke. Each makes an operation; the protocol describes what it sends.
*/
#ifndef SESSION_VERBS_H
#define SESSION_VERBS_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* The owner of the operations of sessions. */
extern const struct operation_owner session_owner;

/* Raises unless the user name at `user`, and the password behind it, suit the model. */
void session_check_credentials (lua_State *L, int user, enum model model);

/* Copies into `who` the credentials that its model sends with each request. False: out of memory. */
bool session_hold_credentials (struct identity *who, const struct credentials *as);

/* Gives the session at `index` a fresh identity. False: out of memory. */
bool session_become (lua_State *L, int index, const struct credentials *as);

/*
** Called when the pending login has ended. After a failure, drops cookies and credentials, and ends the
** session on the server. Raises nothing.
*/
void session_login_over (lua_State *L, struct session *s);

/* Called when the stop or slow logout `op` of the session has ended. Raises nothing. */
void session_leaving_over (lua_State *L, struct session *s, const struct operation *op);

/* Pings the session at `index`, and pushes the promise. */
struct operation *session_start_ping (lua_State *L, int index, struct session *s);

/* True if the session was invalidated or is being closed: then rejects `op`. */
bool session_refuses (lua_State *L, struct operation *op);

/* The verbs. Each expects its session at index 1, and pushes the promise. */
int session_login (lua_State *L);

int session_logout (lua_State *L);

int session_invalidate (lua_State *L);

int session_ping (lua_State *L);

int session_is_authorized (lua_State *L);

int session_disconnect (lua_State *L);

/* Disconnects the session at `index`: forgets the login, and sends nothing. Raises when out of memory. */
void session_leave (lua_State *L, int index);

int session_end (lua_State *L); /* invalidates without waiting: returns no promise */

int session_invoke (lua_State *L);

int session_stop (lua_State *L); /* stop(timeout) */

/* Finaliser: frees everything, and sends nothing. */
int session_gc (lua_State *L);

/*
** __close: invalidates the session, and steps the loop until that has settled or the session's timeout has
** passed.
*/
int session_close (lua_State *L);

#pragma GCC visibility pop

#endif
