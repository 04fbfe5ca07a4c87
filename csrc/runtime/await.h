/*
** await: await, and the coroutines of spawn. In such a coroutine await suspends; loop_step resumes it by a
** waiter, which is queued at the promise and may have a timer. In the coroutines of another scheduler await
** calls the function of setAwait, if there is one. Anywhere else it steps the loop.
**
** The waiter keeps the suspended coroutine alive; the promise or the timer keeps the waiter alive. A
** coroutine that waits for a promise which nothing can settle is collected with it; its guard then closes it,
** so that its <close> variables run.
*/
#ifndef RUNTIME_AWAIT_H
#define RUNTIME_AWAIT_H

#include "runtime/promise.h"

#pragma GCC visibility push(hidden)

/* The time limit at `index`, in seconds; HUGE_VAL: none. Raises for any other value. */
double await_limit (lua_State *L, int index);

/* Awaits the pending promise `p`, which is at index 1. A C function ends with `return await_promise(...)`. */
int await_promise (lua_State *L, const struct promise *p, double limit);

/* spawn(f, ...): runs f in a coroutine, at once, up to its first await. Returns a promise of f's results. */
int await_spawn (lua_State *L);

/*
** setAwait(f): f(promise, seconds or nil) waits for the pending promises that are awaited in coroutines of
** others than spawn. Returns the function that was set before, or nil.
*/
int await_set_hook (lua_State *L);

/*
** Closes the coroutine of the promise at `index`, which runs its <close> variables; does nothing if it has
** ended. False: it runs now, or waits for the caller, and cannot be closed.
*/
bool await_cancel (lua_State *L, int index);

/* Closes each waiting coroutine, when the state closes. A C function without arguments. */
int await_close (lua_State *L);

#pragma GCC visibility pop

#endif
