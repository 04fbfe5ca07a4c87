/*
** clock: deadlines for condition variables, in seconds; a change of the machine's date does not affect them.
*/
#ifndef SANDBOX_CLOCK_H
#define SANDBOX_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#pragma GCC visibility push(hidden)

double clock_seconds (clockid_t id);

/* `seconds` from now; 0 for negative values and NaN; at most 30 years. */
struct timespec clock_deadline (double seconds);

/* Initialises a condition variable for these deadlines. False: out of memory. */
bool clock_init_condition (pthread_cond_t *condition);

#pragma GCC visibility pop

#endif
