/* state_events: fires and logs the events that follow from a change of a session's state. */
#ifndef SESSION_STATE_EVENTS_H
#define SESSION_STATE_EVENTS_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* The state before a change. */
struct before {
  enum phase phase;
  bool connected;
  double expires_at;
};

/*
** Takes the state, and leaves the server's id of the session, or nil, on the stack: the change may forget it.
*/
struct before state_events_look (lua_State *L, const struct session *s);

/*
** Queues the events that follow from the change which `found` made to the session at `index`, and pops the
** id. Raises when out of memory.
*/
void state_events_of (lua_State *L, int index, const struct finding *found, const struct before *was);

#pragma GCC visibility pop

#endif
