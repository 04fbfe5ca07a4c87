/*
** verbs: what a user asks of a session: login, logout, ping, isAuthorized, invalidate, disconnect, stop, invoke, and its
** end. Each makes an operation; the protocol describes what is sent.
*/
#ifndef SESSION_VERBS_H
#define SESSION_VERBS_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* For the hooks: the owner of the operations of sessions. */
extern const struct operation_owner session_owner;

/* Raises unless what login got at 2 and 3 will do for the model. */
void session_check_credentials (lua_State *L, enum model model);

/* Copies into `who` what its model shows with each request. False: no memory. */
bool session_hold_credentials (struct identity *who, const struct credentials *as);

/* Whom a former login was is nothing to the new one: an identity of its own. The session is at `index`. False: no memory. */
bool session_become (lua_State *L, int index, const struct credentials *as);

/* The login in flight has ended. One that failed leaves no cookies, no credentials and no session on the server. Raises nothing. */
void session_login_over (lua_State *L, struct session *s);

/* The stop or slow logout `op` of the session has ended. Raises nothing. */
void session_leaving_over (lua_State *L, struct session *s, const struct operation *op);

/* The promise of a ping of the session at `index`, pushed. */
struct operation *session_start_ping (lua_State *L, int index, struct session *s);

/* Refuses `op` when its session was invalidated, or is being closed. */
bool session_refuses (lua_State *L, struct operation *op);

/* Verbs: each expects its session at index 1, and pushes the promise. */
int session_login (lua_State *L);

int session_logout (lua_State *L);

int session_invalidate (lua_State *L);

int session_ping (lua_State *L);

int session_is_authorized (lua_State *L);

int session_disconnect (lua_State *L);

int session_end (lua_State *L); /* invalidates, and waits for nothing: returns no promise */

int session_invoke (lua_State *L);

int session_stop (lua_State *L); /* stop(timeout) */

/* Finaliser: frees everything without traffic. */
int session_gc (lua_State *L);

/* __close: invalidates, and steps the loop until that is settled, bounded by the session's timeout. */
int session_close (lua_State *L);

#pragma GCC visibility pop

#endif
