/*
** chain: a queue of userdata, each linked by its first two user values to the one behind it and the one before it, in a
** circle. Adding, taking and removing allocate nothing, so none can fail. All of a chain is in one user value of whatever owns
** it: its last link, or nil.
*/
#ifndef RUNTIME_READY_QUEUE_H
#define RUNTIME_READY_QUEUE_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* The user values of a link that the chain uses; a link is in one chain at a time. */
enum { READY_QUEUE_LINK = 1, CHAIN_BACK, CHAIN_SLOTS = CHAIN_BACK };

/* The link on top, popped, goes to the end. Raises nothing. */
void ready_queue_add (lua_State *L, int owner, int slot);

/* Pushes the first link, which leaves the chain; false, and nothing pushed, when there is none. Raises nothing. */
bool ready_queue_take (lua_State *L, int owner, int slot);

/* The link on top, popped, leaves the chain, wherever in it it is. No harm when it is in none. Raises nothing. */
void ready_queue_remove (lua_State *L, int owner, int slot);

#pragma GCC visibility pop

#endif
