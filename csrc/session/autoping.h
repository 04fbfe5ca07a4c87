/*
** autoping: the pingInterval of one session, the timer that pings the server while the session is logged in,
** and the pending ping. Made when an interval is first set. The session owns it.
*/
#ifndef SESSION_AUTOPING_H
#define SESSION_AUTOPING_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

enum { AUTOPING_FAILURES = 3 }; /* counting stops here */

double autoping_interval (const struct session *s); /* milliseconds; 0: no automatic pings */

/* Does not set the timer: session_arm does. False: out of memory. */
bool autoping_set_interval (struct session *s, double milliseconds);

/* Forgets the pending ping if it is `op`, which has ended. NULL: whichever is pending. */
void autoping_left (const struct session *s, const struct operation *op);

void autoping_free (struct session *s);

/*
** True if there is memory for the timer. The caller asks before it changes the state, so that no change is
** left half made.
*/
bool session_can_arm (const struct session *s);

/* Sets the timer, or clears it, as the state requires. False: out of memory, and no timer is set. */
bool session_arm (struct session *s);

#pragma GCC visibility pop

#endif
