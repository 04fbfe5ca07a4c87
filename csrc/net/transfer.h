/*
** transfer: takes an exchange from engine_submit to the queue of finished ones: it waits for a connection,
** runs in libcurl, follows redirects, and ends by the limits of time. Calls no owner.
*/
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include "net/engine.h"

#pragma GCC visibility push(hidden)

/* False: out of memory; the exchange is as before. */
bool transfer_begin (struct engine *e, struct exchange *x);

/* Ends a pending exchange. The caller has noted the failure. */
void transfer_abort (struct engine *e, struct exchange *x);

/* Gives the next exchange of the queue `starting` to libcurl. NULL: the queue was empty. */
const struct exchange *transfer_start_next (struct engine *e);

/* Ends those that libcurl has completed, at least one, until the step's budget is used up. */
void transfer_collect (struct engine *e);

/* Ends those whose limit of time is before `now`, at least one, until the step's budget is used up. */
void transfer_check_deadlines (struct engine *e, double now);

/* True if the step's budget is used up. */
bool transfer_is_over (const struct engine *e);

/* Sets libcurl's limits of connections. */
void transfer_limit_connections (const struct engine *e, CURLM *multi);

/* After a change of the engine's limits: starts waiting exchanges that now have room. */
void transfer_relimit (struct engine *e);

/* Ends and orphans all exchanges, before the engine is freed. */
void transfer_abandon_all (struct engine *e);

#pragma GCC visibility pop

#endif
