/*
** chain: a queue of userdata, each linked by its first user value to the one behind it and the last to the first.
** Adding and taking allocate nothing, so neither can fail. All of a chain is in one user value of whatever owns
** it: its last link, or nil.
*/
#ifndef SESSION_CHAIN_H
#define SESSION_CHAIN_H

#include "compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* The user value of a link that the chain uses; a link is in one chain at a time. */
enum { CHAIN_LINK = 1 };

/* The link on top, popped, goes to the end. Raises nothing. */
void chain_add (lua_State *L, int owner, int slot);

/* Pushes the first link, which leaves the chain; false, and nothing pushed, when there is none. Raises nothing. */
bool chain_take (lua_State *L, int owner, int slot);

/* That link leaves the chain, wherever in it it is. No harm when it is not there. Raises nothing. */
void chain_remove (lua_State *L, int owner, int slot, const void *link);

#pragma GCC visibility pop

#endif
