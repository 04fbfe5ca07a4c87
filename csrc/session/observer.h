/*
** observer: calls the functions onRequest and onResponse, of a session and of all, for each exchange of an
** operation. They run while no libcurl call does: before the exchange is submitted, and after it was
** reported. An error in one of them rejects the operation. loop->observers tells whether there may be any.
*/
#ifndef SESSION_OBSERVER_H
#define SESSION_OBSERVER_H

#include "session/operation.h"

#pragma GCC visibility push(hidden)

/* True if there is a function for the exchanges of `op`. */
bool observer_is_set (const struct operation *op);

/*
** Calls onRequest for `x`, an exchange of `op` that is submitted next. It may change the header lines of `x`.
** It may abort `op`, and a finaliser may end it. Raises nothing.
*/
void observer_request (lua_State *L, struct operation *op, struct exchange *x);

/*
** Calls onResponse for the response of `x`, unless that was done. It may change the response's header lines.
** `flows`: the body is not there yet. It may abort `op`, and a finaliser may end it. Raises nothing.
*/
void observer_response (lua_State *L, struct operation *op, struct exchange *x, bool flows);

/* Pushes the error of onRequest or onResponse, which `op` must reject with. */
void observer_push_error (lua_State *L, const struct operation *op);

/* Reads the options onRequest and onResponse of the table at 1 into the new session at 2. Raises. */
void observer_options (lua_State *L, struct session *s);

/* Sets the property of that name of the session at 1 to the value at 3, a function or nil. Raises. */
void observer_set (lua_State *L, struct session *s, const char *name);

/* Pushes the property of that name of the session at 1. */
void observer_get (lua_State *L, const char *name);

/* onRequest(f or nil) and onResponse(f or nil) in the table on top. */
void observer_register (lua_State *L);

#pragma GCC visibility pop

#endif
