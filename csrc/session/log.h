/*
** log: reports session events to the function given to setLogger; without one it does nothing. The function
** runs from loop_step, like every handler. It never gets a secret: no id, token, cookie, query or header.
*/
#ifndef SESSION_LOG_H
#define SESSION_LOG_H

#include "session/verdict.h"

#pragma GCC visibility push(hidden)

struct operation;

/* Each logs an event of the session at `index`. Level and event are static. Raises when out of memory. */
void log_session (lua_State *L, int index, const char *level, const char *event, const struct finding *found);
void log_attempt (lua_State *L, int index, const char *event, unsigned attempt, const char *reason,
                  double wait); /* < 0: none */
void log_gave_up (lua_State *L, int index, unsigned attempts, const char *reason,
                  const struct finding *found);

/* Logs that a call is sent again, for the session at `index`. The error of the last attempt is at `err`. */
void log_retry (lua_State *L, int index, unsigned attempt, double wait, int err);
/* The session's tokenProvider has given a token; or not, for the reason `failure`. */
void log_token (lua_State *L, int index, const char *reason, const char *failure);

/*
** Logs each hop of `x`, an exchange of `op` that has finished, at the level debug. Call it if
** loop->observers has OBSERVER_LOG. Raises when out of memory.
*/
void log_exchange (lua_State *L, const struct operation *op, const struct exchange *x);

/* setLogger(f or nil, level or nil) in the table on top. */
void log_register (lua_State *L);

#pragma GCC visibility pop

#endif
