/*
** active_session: the key of each session, and the active session. The active session is the live session
** that was called last.
*/
#ifndef SESSION_ACTIVE_SESSION_H
#define SESSION_ACTIVE_SESSION_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* Pushes the key of the session at `index`. The first call makes it. Raises. */
void active_session_push_key (lua_State *L, int index);

/* Drops the key of the session at `index`: the old key is no longer valid. Raises. */
void active_session_drop_key (lua_State *L, int index);

/* Adds activeSession, setActiveSession, sessionOf, lastCall and randomText to the table on top. */
void active_session_register (lua_State *L);

/* Makes the session the active one. Each call of the user's on it does so. */
void session_touch (struct session *s);

#pragma GCC visibility pop

#endif
