/*
** flow: the functions of a program by which the bodies of a request flow: one that takes the response's, one
** that gives the request's and one that begins it again, each in a coroutine in which it may await; and one
** that is told of the progress. A userdata, which the operation keeps in OPERATION_DETAILS.
*/
#ifndef SESSION_FLOW_H
#define SESSION_FLOW_H

#include "session/operation.h"

#pragma GCC visibility push(hidden)

struct flow;

/*
** Pushes a flow with the functions `body`, `rewind` and `onProgress` of the options at `options`, and the one
** at `taker`, which takes the response's body, or nil. Raises.
*/
struct flow *flow_new (lua_State *L, int options, int taker);

/* The promise of `op`, on top, keeps the flow at `index`. Raises nothing. */
void flow_join (lua_State *L, int index, struct operation *op);

/*
** Before `x` is sent, or sent again by another exchange: its bodies flow. Returns the operation's step, which
** calls `answered` when the exchange has finished.
*/
operation_step flow_prepare (struct flow *f, struct exchange *x, operation_step answered);

/* True if the request cannot be sent again, since the program has given bytes and cannot begin again. */
bool flow_is_spent (const struct flow *f);

/*
** The exchange has finished: the program gives no more. The flow is on top, popped. Raises nothing.
*/
void flow_stop (lua_State *L);

/* The same when the operation ends. */
void flow_end (lua_State *L);

#pragma GCC visibility pop

#endif
