/*
** clock: deadlines for condition variables, in seconds that count on when the machine's date is set.
*/
#ifndef SANDBOX_CLOCK_H
#define SANDBOX_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#pragma GCC visibility push(hidden)

double clock_seconds (clockid_t id);

/* `seconds` from now; negative and not-a-number are now, the far future is 30 years. */
struct timespec clock_deadline (double seconds);

/* A condition variable that takes the deadlines above. False: no memory. */
bool clock_init_condition (pthread_cond_t *condition);

#pragma GCC visibility pop

#endif
