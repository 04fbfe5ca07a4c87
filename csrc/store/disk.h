/*
** disk: writes and removes private files in a thread, so that no step waits for the disk. Owns the thread and
** copies of the texts. The copies come from malloc, since only the state's thread may use the Lua state's
** allocator; they hold secrets and are wiped. Knows nothing of Lua.
**
** The thread starts with the first job and ends after a while without jobs. When two jobs for one path wait,
** only the later one runs. Only the owner's thread calls these functions. A forked child does not have the
** thread: see disk_is_inherited.
*/
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

struct disk;

/* NULL: out of memory, or threads are not available. */
struct disk *disk_new (void);

/*
** True if this process was forked after disk_new. Then no other function may be called, and the copy is not
** freed.
*/
bool disk_is_inherited (const struct disk *d);

/*
** Writes the file, or removes it if the text is NULL. DISK_FULL: too much text is waiting, or out of memory.
*/
enum disk_answer { DISK_TAKEN, DISK_FULL, DISK_NO_THREAD };
enum disk_answer disk_put (struct disk *d, const char *path, const char *text, size_t size);

/* The pending job for the path: DISK_NOTHING; DISK_REMOVE; or DISK_WRITE, and the length of its text. */
enum disk_plan { DISK_NOTHING, DISK_REMOVE, DISK_WRITE };
enum disk_plan disk_plan (struct disk *d, const char *path, size_t *size);

/* Copies the pending text for the path, if it still has that size. */
bool disk_copy (struct disk *d, const char *path, void *into, size_t size);

/* Waits at most so many seconds. True if no job is left. */
bool disk_wait (struct disk *d, double seconds);

/*
** True if a job has failed: puts its path and the reason into `path` and `why`, shortened to fit. Reports
** each failure once.
*/
bool disk_failure (struct disk *d, char *path, size_t path_size, char *why, size_t why_size);

/*
** Waits at most so many seconds for the pending jobs. False: the thread continues, and frees everything
** itself.
*/
bool disk_free (struct disk *d, double seconds);

#pragma GCC visibility pop

#endif
