/*
** store: sessions with a name, which a later run of the program restores. C makes a table of a session's
** data, and restores a session from such a table. The Lua layer (lua/datasession/internal/persistence.lua)
** turns the table into text, and checks what it reads.
*/
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/*
** For session_new: reads the option keepTokens of the table at 1 into the session at 2, and checks that name
** is a string. Raises for mistakes.
*/
void store_configure (lua_State *L, struct session *s);

/*
** Then: reads the options name and store, and restores the session from its store if it can. Raises for
** mistakes.
*/
void store_open (lua_State *L, struct session *s);

/*
** Saves the session at `index`, which has a name and may have changed, at this or the next step of the loop.
** Raises as loop_ready.
*/
void store_note (lua_State *L, int index);

/*
** Saves what has changed at once, and takes the name from the session at `index`: the store keeps its entry.
** Raises when out of memory.
*/
void store_release (lua_State *L, int index);

/*
** Saves each session that has changed at once, not at the next step. Reports failures. Raises when out of
** memory.
*/
void store_save_all (lua_State *L);

/* Adds internal functions for the Lua layer to the table on top. */
void store_register (lua_State *L);

#pragma GCC visibility pop

#endif
