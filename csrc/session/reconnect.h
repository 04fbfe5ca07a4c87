/*
** repair: how a session that was established once, and was lost or cannot be reached, is re-established in the background:
** attempt after attempt, a wait before each but the first, until one succeeds or all are used up. Calls made meanwhile are
** parked: they begin when it is over.
*/
#ifndef SESSION_RECONNECT_H
#define SESSION_RECONNECT_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* Option reconnect of the table at 1, for the session under construction at 2. Raises. */
void reconnect_options (lua_State *L, struct session *s);
void reconnect_free (struct session *s);

/* The option as it stands, or nil, pushed. */
void reconnect_push_options (lua_State *L, const struct session *s);

/*
** Begins an operation that was just made: `begin` describes and sends its first exchange, now, or when its session has been
** re-established; and again if the loss of the session interrupts it and it may be repeated. Raises when memory is short.
*/
void reconnect_begin (lua_State *L, struct operation *op, bool (*begin)(lua_State *, struct operation *));

/* The same, of which the first exchange is described already; it becomes the operation's. */
void reconnect_begin_with (lua_State *L, struct operation *op, struct exchange *x, operation_step step,
                           bool (*begin)(lua_State *, struct operation *));

/* It is being re-established, or has passed its deadline and will be by its next call. */
bool reconnect_is_due (const struct session *s);

/* True if the session is re-established by itself when it is lost, as far as it can be. */
bool reconnect_is_wanted (const struct session *s);

/* Could what `op` was given be needed another time? */
bool reconnect_keeps_arguments (const struct session *s);

/* Is `op` one session's repair? What it found is an attempt's outcome, which is then dealt with. */
bool reconnect_attempted (lua_State *L, struct operation *op, const struct exchange *x,
                          struct finding *found);

/*
** `op` is about to end by what was found. A loss starts the repair; true: it waits for that, to be begun anew, and has not
** ended. Otherwise `found` may have come to say that it is not repeated.
*/
bool reconnect_takes (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found);

/* `op` has ended: were it the session's repair, cut off by an error of our own, then that has failed. Raises nothing. */
void reconnect_left (lua_State *L, struct session *s, const struct operation *op);

/* The repair under way, if there is one, ends; what waits for it is aborted. Raises nothing. */
void reconnect_abandon (struct session *s, const char *kind, const char *message);

#pragma GCC visibility pop

#endif
