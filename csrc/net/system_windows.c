#include "net/system.h"

#ifdef _WIN32

#include <errno.h>
#include <io.h>
#include <windows.h>

#include <bcrypt.h>

void *memmem (const void *text, size_t length, const void *part, size_t part_length) {
  const char *at = text, *end = at + length, *first = part;
  if (!part_length) return (void *)at;
  while ((size_t)(end - at) >= part_length) {
    at = memchr(at, *first, (size_t)(end - at) - part_length + 1);
    if (!at) return NULL;
    if (!memcmp(at, part, part_length)) return (void *)at;
    at++;
  }
  return NULL;
}

struct tm *gmtime_r (const time_t *seconds, struct tm *into) {
  return gmtime_s(into, seconds) ? NULL : into;
}

int getentropy (void *into, size_t size) {
  if (!BCryptGenRandom(NULL, into, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG)) return 0;
  errno = EIO;
  return -1;
}

bool system_wide_path (const char *path, wchar_t into[SYSTEM_LONGEST_PATH]) {
  return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, into, SYSTEM_LONGEST_PATH) > 0;
}

int system_open (const char *path, int flags, int mode) {
  wchar_t wide[SYSTEM_LONGEST_PATH];
  if (system_wide_path(path, wide)) return _wopen(wide, flags | O_BINARY, mode);
  errno = EINVAL;
  return -1;
}

int system_stat (const char *path, struct stat *about) {
  wchar_t wide[SYSTEM_LONGEST_PATH];
  struct _stat64 is;
  if (!system_wide_path(path, wide) || _wstat64(wide, &is)) return -1;
  memset(about, 0, sizeof *about);
  about->st_mode = is.st_mode;
  about->st_size = is.st_size;
  return 0;
}

ssize_t system_read (int fd, void *into, size_t size) {
  enum { MOST = 1 << 30 };
  return read(fd, into, size < MOST ? (unsigned)size : MOST);
}

int system_errno (void) {
  switch (GetLastError()) {
  case ERROR_FILE_NOT_FOUND:
  case ERROR_PATH_NOT_FOUND: return ENOENT;
  case ERROR_ACCESS_DENIED:
  case ERROR_SHARING_VIOLATION:
  case ERROR_LOCK_VIOLATION: return EACCES;
  case ERROR_FILE_EXISTS:
  case ERROR_ALREADY_EXISTS: return EEXIST;
  case ERROR_DISK_FULL: return ENOSPC;
  case ERROR_NOT_ENOUGH_MEMORY: return ENOMEM;
  case ERROR_FILENAME_EXCED_RANGE: return ENAMETOOLONG;
  case ERROR_INVALID_NAME: return EINVAL;
  default: return EIO;
  }
}

#else

typedef int system_windows_is_not_used; /* ISO C forbids an empty translation unit */

#endif
