/*
** persistence: named sessions, which a later run of the program goes on with. C gathers what is to be kept
** into a table and puts such a table into a new session; its text, and the checks of what comes from outside,
** are the Lua layer's (datasession.persistence).
*/
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/*
** For session_new: reads the options name, storage and keepTokens of the table at 1; the session at 2 goes on
** where the last of its name was, if it may. Raises for mistakes.
*/
void store_open (lua_State *L, struct session *s);

/*
** The named session at `index` may have changed: it is saved, once, at this or the next step of the loop.
** Raises as loop_ready.
*/
void store_note (lua_State *L, int index);

/*
** Keeps each session that has changed since it was kept, now rather than at the next step. What fails is
** reported. Raises when out of memory.
*/
void persistence_keep_all (lua_State *L);

/* Registers internal functions of the Lua layer in the table on top. */
void store_register (lua_State *L);

#pragma GCC visibility pop

#endif
