/*
** private_file: small files that only their owner may use. A file is replaced as a whole: its text is on disk
** before it replaces the old one. Knows nothing of Lua and allocates nothing: any thread may call it.
**
** The functions return 0 or an error: an errno or one of the codes below.
*/
#ifndef STORE_PRIVATE_FILE_H
#define STORE_PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

enum {
  PRIVATE_NOT_DIRECTORY = -1,
  PRIVATE_OTHERS_WRITE = -2,
  PRIVATE_NOT_REGULAR = -3,
  PRIVATE_OTHERS_USE = -4
};

/*
** Makes the directory and its parents with mode 0700, unless they exist. Rejects one that others may write
** to. `path` is changed during the call and restored.
*/
int private_directory_make (char *path);

/*
** Writes the text into the file, mode 0600. The name is on disk after private_directory_sync. A crash leaves
** the old text or the new.
*/
int private_file_replace (const char *path, const void *text, size_t size);

/* Removes the file. 0, too, if there is none. */
int private_file_remove (const char *path);

/* Syncs the names of the directory to disk. Ignores a file system that cannot do so. */
void private_directory_sync (const char *path);

/* Removes temporary files that a crashed process left in the directory. */
void private_directory_sweep (const char *path);

/*
** Reads the file if it has at most `size` bytes. Sets `*length` to their count; a count above `size` means
** that nothing was read. Never follows a symbolic link, never waits for a pipe.
*/
int private_file_read (const char *path, void *into, size_t size, size_t *length);

/* The text of an error code, valid until the next call. For one thread alone, as strerror is. */
const char *private_reason (int code);

#pragma GCC visibility pop

#endif
