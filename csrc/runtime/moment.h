/*
** moment: a promise that resolves when a time has passed. Its timer is the engine's, so that `step`,
** `timeout` and `pollfd` know of it. Cancelling the promise clears the timer.
*/
#ifndef RUNTIME_MOMENT_H
#define RUNTIME_MOMENT_H

#include "runtime/promise.h"

#pragma GCC visibility push(hidden)

/*
** Pushes a promise that resolves with true after `seconds`, 0 or more; 0: in the next step. The loop keeps it
** until then. Raises.
*/
void moment_push (lua_State *L, struct loop *loop, double seconds);

/* Clears the timer of such a promise, for which nothing waits any more. Raises nothing. */
void moment_drop (lua_State *L, struct promise *p);

/*
** Registers in the table on top: moment(seconds), which returns such a promise; seconds(value), which returns
** the seconds of a number or of a text such as "500ms", or nil.
*/
void moment_register (lua_State *L);

#pragma GCC visibility pop

#endif
