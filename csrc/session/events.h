/*
** events: the subscriptions to a session's events. Handlers run from loop_step, in the order of subscription.
*/
#ifndef SESSION_EVENTS_H
#define SESSION_EVENTS_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/* Methods: subscribe(event, handler [, scope]), unsubscribe(the same), unsubscribeAll([event]). */
int events_subscribe (lua_State *L);
int events_unsubscribe (lua_State *L);
int events_unsubscribe_all (lua_State *L);

/*
** Queues the event for each current subscription: the session at `index`, and the `nargs` values on top,
** popped. Raises when out of memory.
*/
void events_fire (lua_State *L, int index, const char *event, int nargs);

#pragma GCC visibility pop

#endif
