/* telling: which events follow from a change of a session's state, for its subscribers and for the log. */
#ifndef SESSION_STATE_EVENTS_H
#define SESSION_STATE_EVENTS_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* What was so before a change. */
struct before {
  enum phase phase;
  bool connected;
  double expires_at;
};

/* Leaves the id that the server's session has, or nil, on the stack: it may be forgotten meanwhile. */
struct before state_events_look (lua_State *L, const struct session *s);

/* Queues what follows from the change that `found` has made to the session at `index`; pops that id. Raises when memory is short. */
void state_events_of (lua_State *L, int index, const struct finding *found, const struct before *was);

#pragma GCC visibility pop

#endif
