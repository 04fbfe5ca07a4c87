/*
** timings: `response.timings`: a list of the hops of a call, whose tostring draws them as a small waterfall.
** A response keeps its own hop as it is and those before it as bytes; the list is made when it is read.
*/
#ifndef RUNTIME_TIMINGS_H
#define RUNTIME_TIMINGS_H

#include "net/exchange.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

#define TIMINGS_TYPE "datasession.timings"

/* The number of bytes that timings_write writes for the hops. */
size_t timings_size (const struct kept_hop *hops);
void timings_write (char *to, const struct kept_hop *hops);

/*
** Pushes the list for `last`, which needs no `uri`, with that URI, and the hops in the bytes before it.
** Raises.
*/
void timings_push (lua_State *L, const struct hop *last, const char *uri, size_t uri_length,
                   const char *bytes, size_t size);

void timings_register (lua_State *L);

#pragma GCC visibility pop

#endif
