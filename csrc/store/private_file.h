/*
** private_file: small files that only their owner may use. A file is replaced as a whole, its text being on
** the disk before it takes the old one's place. Knows nothing of Lua and allocates nothing: any thread may
** call it.
**
** The functions return 0, or what went wrong: an errno or one of the codes below.
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
** Makes the directory, mode 0700, and those above it unless they are there. One that others may write to is
** refused. `path` is changed meanwhile and restored.
*/
int private_directory_make (char *path);

/*
** Puts the text into the file, mode 0600; the name is on the disk after private_directory_sync. A crash
** leaves the old text or the new.
*/
int private_file_replace (const char *path, const void *text, size_t size);

/* A file that is not there is none to remove: 0. */
int private_file_remove (const char *path);

/* Names in the directory are on the disk as last given. A file system that cannot do that is forgiven. */
void private_directory_sync (const char *path);

/* Removes new files that a process which has crashed left in the directory. */
void private_directory_sweep (const char *path);

/* Opens the file for reading. Never follows a symbolic link, never waits for a pipe. */
int private_file_open (const char *path, int *fd);

/* The code as a text, which stands until the next call; for one thread alone, as strerror is. */
const char *private_reason (int code);

#pragma GCC visibility pop

#endif
