/*
** process: how many forks have led to this process. Counted when they happen, so that to ask costs no system call.
** Owns the one counter, which a child alone changes, before it has a second thread.
*/
#ifndef NET_PROCESS_H
#define NET_PROCESS_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Begins to count, if that was not done yet. Any thread may call it. */
void process_watch (void);

/* False: there was no memory for process_watch, so nobody would know of a fork. */
bool process_is_watched (void);

unsigned process_forks (void);

#pragma GCC visibility pop

#endif
