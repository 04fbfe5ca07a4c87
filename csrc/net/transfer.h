/*
** flight: an exchange's way through libcurl, from engine_submit to the queue of those that are finished:
** the wait for a connection, the transfer, redirects, the limits of time. Tells no owner.
*/
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include "net/engine.h"

#pragma GCC visibility push(hidden)

/* False: no memory; the exchange is as before. */
bool transfer_begin (struct engine *e, struct exchange *x);

/* Ends it where it is. The failure is noted already. */
void transfer_abort (struct engine *e, struct exchange *x);

/* Gives the next one that waits to begin to libcurl. NULL: there was none. */
const struct exchange *transfer_start_next (struct engine *e);

/* Ends those that libcurl is done with, one at least, until the step's budget is used up. */
void transfer_collect (struct engine *e);

/* The same for those whose limit of time is before `now`. */
void transfer_check_deadlines (struct engine *e, double now);

/* True if the step's budget is used up. */
bool transfer_is_over (const struct engine *e);

/* The engine's limits have changed: those that wait, and need no longer, are launched. */
void transfer_relimit (struct engine *e);

/* Ends all and orphans the exchanges: the engine goes. */
void transfer_abandon_all (struct engine *e);

#pragma GCC visibility pop

#endif
