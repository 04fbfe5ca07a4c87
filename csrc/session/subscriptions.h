/*
** subscriptions: the handlers of one event of one session, in order, each pair of handler and scope once. A
** list is a table: its array holds the subscriptions, false where one was removed; its other keys find the
** place of a subscription by its handler.
*/
#ifndef SESSION_SUBSCRIPTIONS_H
#define SESSION_SUBSCRIPTIONS_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* A userdata, so that a queued event sees whether its handler is still subscribed. */
struct subscription {
  bool live;
};
enum { SUBSCRIPTION_HANDLER = 1, SUBSCRIPTION_SCOPE };

/*
** Subscribes the handler and the scope (false: none) at these indices in the list on top. A subscription that
** exists moves to the end. Raises.
*/
void subscriptions_add (lua_State *L, int handler, int scope);

/* Unsubscribes them from the list on top, if they are there. Raises nothing. */
void subscriptions_remove (lua_State *L, int handler, int scope);

/* Unsubscribes all of the list on top, also for events that are queued. Raises nothing. */
void subscriptions_silence (lua_State *L);

/* Replaces the list on top by a copy without removed places if it has many: then true. Raises. */
bool subscriptions_tidy (lua_State *L);

#pragma GCC visibility pop

#endif
