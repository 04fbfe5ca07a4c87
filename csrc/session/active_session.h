/*
** active: the key of each session, and which session is the active one: that on which the last call was made, and when it has
** ended the one before.
*/
#ifndef SESSION_ACTIVE_SESSION_H
#define SESSION_ACTIVE_SESSION_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* Pushes the key of the session at `index`, made when first asked for. Raises. */
void active_session_push_key (lua_State *L, int index);

/* The session at `index` is another one from now on: the key it had is nobody's. Raises. */
void active_session_drop_key (lua_State *L, int index);

/* activeSession(), setActiveSession(session or key), sessionOf(session or key), lastCall(session) in the table on top. */
void active_session_register (lua_State *L);

/* A call of the user's on it: it is the active session from now on. active.c */
void session_touch (struct session *s);

#pragma GCC visibility pop

#endif
