/*
** reconnect: re-establishes a session in the background after it was lost or the server became unreachable.
** It makes attempt after attempt, with a wait before each but the first, until one succeeds or all have
** failed. Calls made meanwhile wait, and begin when the reconnect has ended.
*/
#ifndef SESSION_RECONNECT_H
#define SESSION_RECONNECT_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* Reads the option reconnect of the table at 1 for the new session at 2. Raises. */
void reconnect_options (lua_State *L, struct session *s);
void reconnect_free (struct session *s);

/* Pushes the option's current values, or nil. */
void reconnect_push_options (lua_State *L, const struct session *s);

/*
** Begins a new operation. `begin` describes and sends its first exchange: now, or when the session has
** reconnected; and again if a loss of the session interrupts the operation and it may be repeated. Raises
** when out of memory.
*/
void reconnect_begin (lua_State *L, struct operation *op, bool (*begin)(lua_State *, struct operation *));

/* The same, with a first exchange that is already described. The operation owns it. */
void reconnect_begin_with (lua_State *L, struct operation *op, struct exchange *x, operation_step step,
                           bool (*begin)(lua_State *, struct operation *));

/* Begins `op` once more: now, or when its session has reconnected. Raises. */
void reconnect_repeat (lua_State *L, struct operation *op);

/* True if the session is reconnecting, or has passed its deadline and will reconnect at the next call. */
bool reconnect_is_due (const struct session *s);

/* True if the session reconnects by itself when it is lost and the protocol can do so. */
bool reconnect_is_wanted (const struct session *s);

/* True if the arguments of an operation must be kept, since a reconnect may repeat it. */
bool reconnect_keeps_arguments (const struct session *s);

/* True if `op` is the session's reconnect. Then handles `found` as the outcome of the attempt. */
bool reconnect_attempted (lua_State *L, struct operation *op, const struct exchange *x,
                          struct finding *found);

/*
** Called before `op` ends with `found`. A loss starts a reconnect. True if `op` has not ended, since it waits
** to be repeated. When false, may have added to `found` that the request is not repeated.
*/
bool reconnect_takes (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found);

/* True if the server may have processed the request that ended with `found`. `x` may be NULL. */
bool reconnect_was_run (const struct operation *op, const struct exchange *x, const struct finding *found);

/*
** Called when `op` has ended. If it was the session's reconnect, cut off by an error of our own, the
** reconnect has failed. Raises nothing.
*/
void reconnect_left (lua_State *L, struct session *s, const struct operation *op);

/* Ends the running reconnect, if any, and aborts the operations that wait for it. Raises nothing. */
void reconnect_abandon (struct session *s, const char *kind, const char *message);

#pragma GCC visibility pop

#endif
