/*
** fork_guard: counts the forks that led to this process, when they happen, so that a look costs no system
** call. Owns the one counter; only a child changes it, before it has a second thread.
*/
#ifndef NET_FORK_GUARD_H
#define NET_FORK_GUARD_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Starts the count once for the process. Any thread may call it. */
void fork_guard_set (void);

/* True if forks are counted. False: fork_guard_set ran out of memory. */
bool fork_guard_is_set (void);

unsigned fork_guard_forks (void);

/* True if the process was forked after fork_guard_forks returned `forks`. */
bool fork_guard_forked_since (unsigned forks);

#pragma GCC visibility pop

#endif
