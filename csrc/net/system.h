/*
** system: the calls that Windows lacks, under their names of POSIX; and files by paths in UTF-8, whatever the
** code page. Elsewhere all of it is the C library's own, and system_windows.c compiles to nothing.
*/
#ifndef NET_SYSTEM_H
#define NET_SYSTEM_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

#pragma GCC visibility push(hidden)

#ifdef _WIN32

#include <wchar.h>

#define O_CLOEXEC O_NOINHERIT
#define O_NOCTTY 0
#define O_NONBLOCK 0

void *memmem (const void *text, size_t length, const void *part, size_t part_length);
struct tm *gmtime_r (const time_t *seconds, struct tm *into);
int getentropy (void *into, size_t size);

int system_open (const char *path, int flags, int mode);
int system_stat (const char *path, struct stat *about);
ssize_t system_read (int fd, void *into, size_t size);

/* The path with this system's characters. False: it is no UTF-8, or too long. */
enum { SYSTEM_LONGEST_PATH = 4096 };
bool system_wide_path (const char *path, wchar_t into[SYSTEM_LONGEST_PATH]);

/* The errno that stands for the last error of this thread. */
int system_errno (void);

#else

#define O_BINARY 0
#define system_open open
#define system_stat stat
#define system_read read

#endif

#pragma GCC visibility pop

#endif
