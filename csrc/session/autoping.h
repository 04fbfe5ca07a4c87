/*
** autoping: pingInterval of one session, the timer that pings it while it is logged in, and the ping in flight. Made when an
** interval is first set; the session owns it.
*/
#ifndef SESSION_AUTOPING_H
#define SESSION_AUTOPING_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

enum { AUTOPING_FAILURES = 3 }; /* no more are counted */

double autoping_interval (const struct session *s); /* milliseconds; 0: there are none */

/* Does not set the timer: session_arm does. False: no memory. */
bool autoping_set_interval (struct session *s, double milliseconds);

/* `op` has ended; NULL: the one in flight, if any, is the session's no more. */
void autoping_left (const struct session *s, const struct operation *op);

void autoping_free (struct session *s);

/* Whether there is memory for pingInterval's timer: asked before a change of state, which is then made as a whole. autoping.c */
bool session_can_arm (const struct session *s);

/* Sets pingInterval's timer, or clears it, as the state asks. False: no memory, it is not set. */
bool session_arm (struct session *s);

#pragma GCC visibility pop

#endif
