/*
** subscriptions: the handlers of one event of one session, in order, each pair of handler and scope once. A table: its
** array holds the subscriptions, false where one was removed; by its handler a subscription's place is found.
*/
#ifndef SESSION_SUBSCRIPTIONS_H
#define SESSION_SUBSCRIPTIONS_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* A userdata, so that an event which is queued for a handler sees whether that is still subscribed. */
struct subscription {
  bool live;
};
enum { SUBSCRIPTION_HANDLER = 1, SUBSCRIPTION_SCOPE };

/* Subscribes the handler and the scope (false: none) at these indices in the list on top; one that is there goes to the end. Raises. */
void subscriptions_add (lua_State *L, int handler, int scope);

/* Unsubscribes them from the list on top; no harm when they are not there. Raises nothing. */
void subscriptions_remove (lua_State *L, int handler, int scope);

/* Tells nothing more to the subscriptions of the list on top. Raises nothing. */
void subscriptions_silence (lua_State *L);

/* Replaces the list on top by a copy without removed places. True if it had so many that it was worth it. Raises. */
bool subscriptions_tidy (lua_State *L);

#pragma GCC visibility pop

#endif
