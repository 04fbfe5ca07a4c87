/*
** timings: what `response.timings` shows: a list of the hops of a call, whose tostring draws them as a small
** waterfall. A response keeps them as bytes, and makes the list when it is first read.
*/
#ifndef RUNTIME_TIMINGS_H
#define RUNTIME_TIMINGS_H

#include "net/exchange.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

#define TIMINGS_TYPE "datasession.timings"

/* The number of bytes that timings_write writes for the hops of `x`. */
size_t timings_size (const struct exchange *x);
void timings_write (char *to, const struct exchange *x);

/* Pushes the list for the bytes. Raises. */
void timings_push (lua_State *L, const char *bytes, size_t size);

void timings_register (lua_State *L);

#pragma GCC visibility pop

#endif
