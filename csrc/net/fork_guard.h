/*
** process: how many forks have led to this process. Counted when they happen, so that to ask costs no system call.
** Owns the one counter, which a child alone changes, before it has a second thread.
*/
#ifndef NET_FORK_GUARD_H
#define NET_FORK_GUARD_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Begins to count, if that was not done yet. Any thread may call it. */
void fork_guard_set (void);

/* False: there was no memory for fork_guard_set, so nobody would know of a fork. */
bool fork_guard_is_set (void);

unsigned fork_guard_forks (void);

#pragma GCC visibility pop

#endif
