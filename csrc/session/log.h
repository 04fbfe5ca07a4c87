/*
** journal: the log of system events: what happened to sessions, for the function that setLogger was given. Silent without one.
** It is called from loop_step, like every handler, and never shown a secret: no id, token, cookie, query or header.
*/
#ifndef SESSION_LOG_H
#define SESSION_LOG_H

#include "session/verdict.h"

#pragma GCC visibility push(hidden)

/* Each notes an event of the session at `index`. Level and event are static. Raises when memory is short. */
void log_session (lua_State *L, int index, const char *level, const char *event, const struct finding *found);
void log_attempt (lua_State *L, int index, const char *event, unsigned attempt, const char *reason,
                  double wait); /* < 0: none */
void log_gave_up (lua_State *L, int index, unsigned attempts, const char *reason,
                  const struct finding *found);

/* setLogger(f or nil) in the table on top. */
void log_register (lua_State *L);

#pragma GCC visibility pop

#endif
