/*
** ready_queue: a queue of userdata, linked in a circle by their first two user values, next and previous.
** Adding, taking and removing allocate nothing, so none can fail. The owner of a queue keeps only its last
** link, or nil, in one user value.
*/
#ifndef RUNTIME_READY_QUEUE_H
#define RUNTIME_READY_QUEUE_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* The user values of a link that the queue uses; a link is in one queue at a time. */
enum { READY_QUEUE_LINK = 1, READY_QUEUE_BACK, READY_QUEUE_SLOTS = READY_QUEUE_BACK };

/* Pops the link on top and appends it. Raises nothing. */
void ready_queue_add (lua_State *L, int owner, int slot);

/* Removes the first link and pushes it. False: the queue is empty; pushes nothing. Raises nothing. */
bool ready_queue_take (lua_State *L, int owner, int slot);

/* Pops the link on top and removes it from the queue; does nothing if it is in none. Raises nothing. */
void ready_queue_remove (lua_State *L, int owner, int slot);

#pragma GCC visibility pop

#endif
