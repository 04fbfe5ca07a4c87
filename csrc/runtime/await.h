/*
** waiting: await, and the coroutines of spawn. In such a coroutine await suspends; a waiter, which hangs from the promise
** and may have a timer, resumes it from loop_step. Anywhere else await steps the loop.
**
** The waiter keeps a suspended coroutine alive, the promise (or the timer) the waiter. A coroutine that waits for a promise
** which nothing can settle any more is collected with it, and closed then by its guard: its <close> variables run.
*/
#ifndef RUNTIME_AWAIT_H
#define RUNTIME_AWAIT_H

#include "runtime/promise.h"

#pragma GCC visibility push(hidden)

/* The time limit at `index`, in seconds; HUGE_VAL: none. Raises for what is no such thing. */
double await_limit (lua_State *L, int index);

/* Ends the C function that returns it: the outcome of the pending promise `p`, which is at index 1. */
int await_promise (lua_State *L, const struct promise *p, double limit);

/* spawn(f, ...): runs f in a coroutine, at once, up to its first await; a promise of what it returns. */
int await_spawn (lua_State *L);

/*
** Closes the coroutine of the promise at `index`, running its <close> variables; no harm when it has ended. False when it
** cannot be closed: it runs, as the caller's or waiting for it.
*/
bool await_cancel (lua_State *L, int index);

/* The state closes: closes each coroutine that waits. A C function without arguments. */
int await_close (lua_State *L);

#pragma GCC visibility pop

#endif
