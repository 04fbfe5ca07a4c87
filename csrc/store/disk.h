/*
** disk: writes and removes private files in a thread of its own, so that a step waits for none. Owns that
** thread and copies of what is to be written, from malloc: the Lua state's allocator is for the state's
** thread alone. The copies hold secrets and are wiped. Knows nothing of Lua.
**
** The thread begins with the first job and ends when it has had none for a while. Of two jobs for one path
** that wait, the later alone is done. All functions are for the owner's thread. A child of fork has not the
** thread: see disk_is_inherited.
*/
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

struct disk;

/* NULL: no memory, or no threads. */
struct disk *disk_new (void);

/* True if this process was forked since: nothing else may be called then, and the copy is left as it is. */
bool disk_is_inherited (const struct disk *d);

/* A NULL text: the file is to be removed. DISK_FULL: too much waits already, or no memory. */
enum disk_answer { DISK_TAKEN, DISK_FULL, DISK_NO_THREAD };
enum disk_answer disk_put (struct disk *d, const char *path, const char *text, size_t size);

/* What is to become of the path: DISK_NOTHING; DISK_REMOVE; or DISK_WRITE, and how long the text is. */
enum disk_plan { DISK_NOTHING, DISK_REMOVE, DISK_WRITE };
enum disk_plan disk_plan (struct disk *d, const char *path, size_t *size);

/* Copies the text that is to be written there, if it is of that size still. */
bool disk_copy (struct disk *d, const char *path, void *into, size_t size);

/* True if all is done. Waits so many seconds for that, at most. */
bool disk_wait (struct disk *d, double seconds);

/*
** True if a job has failed: its path and the reason are put into `path` and `why`, shortened to fit. Each is
** told once.
*/
bool disk_failure (struct disk *d, char *path, size_t path_size, char *why, size_t why_size);

/*
** Waits for what is under way, so many seconds at most. False: the thread goes on by itself, for as long as
** that takes.
*/
bool disk_free (struct disk *d, double seconds);

#pragma GCC visibility pop

#endif
