/*
** Where the system supports it, a new file has no name while it is written (O_TMPFILE), so that a killed
** process leaves nothing. Just before it replaces the old file it gets a temporary name, .new-XXXXXX, and is
** locked. An unlocked file of such a name was left by a crash.
*/
#include "store/private_file.h"

#ifndef _WIN32

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_PREFIX ".new-"

enum { LONGEST_PATH = 4096, TRIES = 100 };

const char *private_reason (int code) {
  switch (code) {
  case PRIVATE_NOT_DIRECTORY: return "is not a directory";
  case PRIVATE_OTHERS_WRITE: return "belongs to another user, or others may write there";
  case PRIVATE_NOT_REGULAR: return "is not a regular file";
  case PRIVATE_OTHERS_USE:
    return "belongs to another user, or others may use it: it is not read (chmod 600, if it is yours)";
  case ELOOP: return "is a symbolic link: it is not followed";
  default: return strerror(code);
  }
}

/* True if no other user can have written there. */
static bool is_ours (const struct stat *about, mode_t others) {
  return about->st_uid == geteuid() && !(about->st_mode & others);
}

static int check_directory (const char *path) {
  struct stat about;
  if (stat(path, &about)) return errno;
  if (!S_ISDIR(about.st_mode)) return PRIVATE_NOT_DIRECTORY;
  return is_ours(&about, S_IWGRP | S_IWOTH) ? 0 : PRIVATE_OTHERS_WRITE;
}

int private_directory_make (char *path) {
  int code = check_directory(path);
  char *slash;
  if (code != ENOENT) return code;
  for (slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
    *slash = 0;
    mkdir(path, 0700); /* opening the last one shows whether this worked */
    *slash = '/';
  }
  if (mkdir(path, 0700) && errno != EEXIST) return errno;
  return check_directory(path);
}

/* The length of the path's directory, with the last slash; 0: it has none. */
static size_t directory_length (const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

static int flush (int fd) {
  int code;
  do
    code = fsync(fd);
  while (code && errno == EINTR);
  return code ? errno : 0;
}

static int write_all (int fd, const char *text, size_t size) {
  while (size) {
    ssize_t n = write(fd, text, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text += n;
    size -= (size_t)n;
  }
  return flush(fd);
}

/* Makes the template of a temporary name beside `path`. */
static int set_template (char *into, const char *path) {
  size_t length = directory_length(path);
  int n = snprintf(into, LONGEST_PATH, "%.*s" NEW_PREFIX "XXXXXX", (int)length, path);
  return n > 0 && n < LONGEST_PATH ? 0 : ENAMETOOLONG;
}

/* True if the open file has no name any more. */
static bool has_no_name (int fd) {
  struct stat about;
  return fstat(fd, &about) == 0 && about.st_nlink == 0;
}

/*
** Creates a file with a temporary name, put into `name`. private_directory_sweep may remove it before it is
** locked.
*/
/* GCOVR_EXCL_START: for file systems without O_TMPFILE */
static int create_named (const char *path, char *name, int *fd) {
  int i;
  for (i = 0; i < TRIES; i++) {
    int code = set_template(name, path);
    if (code) return code;
    *fd = mkostemp(name, O_CLOEXEC);
    if (*fd < 0) return errno;
    flock(*fd, LOCK_EX | LOCK_NB);
    if (!has_no_name(*fd)) return 0;
    close(*fd);
  }
  return EEXIST;
}
/* GCOVR_EXCL_STOP */

#ifdef O_TMPFILE

/* False: the file system or the system does not support files without a name. */
static bool create_unnamed (const char *path, int *fd) {
  char directory[LONGEST_PATH];
  size_t length = directory_length(path);
  if (length + 2 > sizeof directory) return false;
  memcpy(directory, path, length);
  memcpy(directory + length, ".", 2);
  *fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (*fd < 0) return false;
  if (fchmod(*fd, 0600)) { /* whatever the umask */
    /* GCOVR_EXCL_START: fchmod of a file that open has just made does not fail */
    close(*fd);
    return false;
    /* GCOVR_EXCL_STOP */
  }
  flock(*fd, LOCK_EX | LOCK_NB);
  return true;
}

static int give_name (int fd, const char *path, char *name) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
  char own[64];
  unsigned i, k;
  size_t length;
  int code = set_template(name, path);
  if (code) return code;
  length = strlen(name);
  snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
  for (i = 0; i < TRIES; i++) {
    unsigned noise = (unsigned)getpid() * 7919u + i * 104729u + (unsigned)fd * 31u;
    for (k = 0; k < 6; k++, noise /= 32)
      name[length - 6 + k] = letters[noise % 32];
    if (linkat(AT_FDCWD, own, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) return 0;
    if (errno != EEXIST) return errno; /* GCOVR_EXCL_LINE: the directory has just taken the file */
  }
  return EEXIST; /* GCOVR_EXCL_LINE: every random name would be in use */
}

#else

static bool create_unnamed (const char *path, int *fd) {
  (void)path;
  (void)fd;
  return false;
}

static int give_name (int fd, const char *path, char *name) {
  (void)fd;
  (void)path;
  (void)name;
  return ENOSYS;
}

#endif

/* Renames the open file `fd`, called `name`, to `path`. */
static int take_place (const char *name, const char *path) {
  int code;
  if (rename(name, path) == 0) return 0;
  code = errno;
  unlink(name);
  return code;
}

/* GCOVR_EXCL_START: for file systems without O_TMPFILE */
static int replace_named (const char *path, const void *text, size_t size) {
  char name[LONGEST_PATH];
  int fd, code = create_named(path, name, &fd);
  if (code) return code;
  code = write_all(fd, text, size);
  if (code)
    unlink(name);
  else
    code = take_place(name, path);
  if (close(fd) && !code) code = errno;
  return code;
}
/* GCOVR_EXCL_STOP */

int private_file_replace (const char *path, const void *text, size_t size) {
  char name[LONGEST_PATH];
  int fd, code;
  bool named;
  if (!create_unnamed(path, &fd)) return replace_named(path, text, size);
  code = write_all(fd, text, size);
  named = !code && give_name(fd, path, name) == 0;
  if (named) code = take_place(name, path);
  if (close(fd) && !code) code = errno;
  return code || named ? code : replace_named(path, text, size); /* without /proc it cannot get a name */
}

int private_file_remove (const char *path) {
  return unlink(path) && errno != ENOENT ? errno : 0;
}

void private_directory_sync (const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  flush(fd);
  close(fd);
}

static void sweep (int directory, const char *name) {
  int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  struct stat about;
  if (fd < 0) return;
  if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && is_ours(&about, S_IRWXG | S_IRWXO) &&
      flock(fd, LOCK_EX | LOCK_NB) == 0 && !has_no_name(fd))
    unlinkat(directory, name, 0);
  close(fd);
}

void private_directory_sweep (const char *path) {
  DIR *all = opendir(path);
  struct dirent *entry;
  if (!all) return;
  while ((entry = readdir(all)) != NULL)
    if (!strncmp(entry->d_name, NEW_PREFIX, sizeof NEW_PREFIX - 1)) sweep(dirfd(all), entry->d_name);
  closedir(all);
}

/* The reason not to trust the open file; 0: none. */
static int distrust (int fd, struct stat *about) {
  if (fstat(fd, about)) return errno;
  if (!S_ISREG(about->st_mode)) return PRIVATE_NOT_REGULAR;
  return is_ours(about, S_IRWXG | S_IRWXO) ? 0 : PRIVATE_OTHERS_USE;
}

static int read_all (int fd, char *into, size_t size, size_t *length) {
  ssize_t n = 1;
  *length = 0;
  while (n && *length < size) {
    n = read(fd, into + *length, size - *length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    *length += (size_t)n;
  }
  return 0;
}

int private_file_read (const char *path, void *into, size_t size, size_t *length) {
  int code, fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  struct stat about;
  if (fd < 0) return errno;
  code = distrust(fd, &about);
  if (!code && (size_t)about.st_size > size)
    *length = (size_t)about.st_size;
  else if (!code)
    code = read_all(fd, into, size, length);
  close(fd);
  return code;
}

#else

typedef int private_file_is_not_used; /* ISO C forbids an empty translation unit */

#endif
