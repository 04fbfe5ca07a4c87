/*
** retry_budget: limits how many requests are sent again to one origin, so that many sessions together do not
** hammer a server that is down. A token bucket for each origin: a retry takes a token; time and successful
** calls give tokens back. Owns the buckets of the origins with recent retries; a full bucket is dropped.
*/
#ifndef NET_RETRY_BUDGET_H
#define NET_RETRY_BUDGET_H

#include "net/allocator.h"
#include "net/uri.h"

#pragma GCC visibility push(hidden)

struct retry_budget; /* a list of buckets; NULL: all are full */

/* Takes a token for the origin of `uri`. False: none is left. */
bool retry_budget_take (struct retry_budget **list, const struct allocator *memory, struct uri *uri);

/* A call to the origin has succeeded, or `again`: one that was sent again. */
void retry_budget_give (struct retry_budget **list, const struct allocator *memory, const struct uri *uri,
                        bool again);

void retry_budget_free (struct retry_budget **list, const struct allocator *memory);

#pragma GCC visibility pop

#endif
